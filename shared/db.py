"""PostgreSQL for every service: one asyncpg pool a process, one `Transaction` a door.

SQLAlchemy Core describes tables and builds ordinary statements; they are compiled here and run by asyncpg, as are the
few hot statements that repositories keep as text (docs/decisions/0004). No ORM, no second connection layer at run time.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from hashlib import sha256
from types import TracebackType
from typing import Any, TypeAlias

import asyncpg
import orjson
from asyncpg.pool import PoolConnectionProxy
from sqlalchemy import ClauseElement
from sqlalchemy.dialects.postgresql import asyncpg as asyncpg_dialect

from shared import crash
from shared.errors import Unavailable

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
Record: TypeAlias = asyncpg.Record
Statement: TypeAlias = str | ClauseElement

_DIALECT = asyncpg_dialect.dialect()  # type: ignore[no-untyped-call]
_RETRY = {"Retry-After": "2"}

_PASSING = (
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.exceptions.TransactionRollbackError,
    asyncpg.exceptions.ObjectInUseError,
    asyncpg.LockNotAvailableError,
    asyncpg.exceptions.PostgresSystemError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
    TimeoutError,
    Unavailable,
)


def is_passing(error: BaseException) -> bool:
    """Whether `error` is about the infrastructure (try again later), not about the data (trying again is useless).

    asyncpg's DataError is an InterfaceError too, but says that an argument does not fit its column: data.
    """
    return isinstance(error, _PASSING) and not isinstance(error, ValueError)


def render(statement: Statement, args: Sequence[Any]) -> tuple[str, Sequence[Any]]:
    """SQL text and positional arguments of a text or Core statement (Core statements carry their own arguments)."""
    if isinstance(statement, str):
        return statement, args
    compiled = statement.compile(dialect=_DIALECT, compile_kwargs={"render_postcompile": True})
    names = getattr(compiled, "positiontup", None) or ()
    return str(compiled), [compiled.params[name] for name in names]


class _SessionlessConnection(asyncpg.Connection):
    """A pooled connection on which nobody sets session state, so the round trip that resets it is saved."""

    def get_reset_query(self) -> str:
        return ""


async def _prepare(connection: Connection) -> None:
    await connection.set_type_codec(
        "jsonb",
        schema="pg_catalog",
        format="binary",
        encoder=lambda value: b"\x01" + orjson.dumps(value),
        decoder=lambda raw: orjson.loads(raw[1:]),
    )


class Transaction:
    """One database transaction; statements are SQL text with $1… or SQLAlchemy Core."""

    __slots__ = ("_after_commit", "connection")

    def __init__(self, connection: Connection | PoolConnectionProxy[Record]) -> None:
        self.connection: Any = connection
        self._after_commit: list[Callable[[], object]] = []

    async def fetch(self, statement: Statement, *args: Any) -> list[Record]:
        """All rows."""
        sql, values = render(statement, args)
        rows: list[Record] = await self.connection.fetch(sql, *values)
        return rows

    async def fetchrow(self, statement: Statement, *args: Any) -> Record | None:
        """The first row, or None."""
        sql, values = render(statement, args)
        row: Record | None = await self.connection.fetchrow(sql, *values)
        return row

    async def fetchval(self, statement: Statement, *args: Any) -> Any:
        """The first column of the first row, or None."""
        sql, values = render(statement, args)
        return await self.connection.fetchval(sql, *values)

    async def execute(self, statement: Statement, *args: Any) -> int:
        """Run it; the number of rows touched."""
        sql, values = render(statement, args)
        tag: str = await self.connection.execute(sql, *values)
        count = tag.rpartition(" ")[2]
        return int(count) if count.isdigit() else 0

    async def copy(self, table: str, columns: Sequence[str], records: Sequence[Sequence[Any]]) -> None:
        """Bulk load by binary COPY."""
        await self.connection.copy_records_to_table(table, columns=list(columns), records=records)

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        """An inner part that can fail alone."""
        async with self.connection.transaction():
            yield

    def after_commit(self, call: Callable[[], object]) -> None:
        """Run `call` (quick, no I/O: a wake-up) once the transaction is durable."""
        self._after_commit.append(call)

    def committed(self) -> None:
        """Run what was left for after the commit; the door calls it, nobody else."""
        for call in self._after_commit:
            call()


class Work:
    """The transaction of one door: begun at the first statement's need, committed in one place, rolled back on error.

    `crash_point` is the first half of the two crash points around COMMIT ("writer", "consumer", "job" ...).
    `async with Work(database) as work: tx = await work.begin()`. A door that never asks for it pays no round trip.
    """

    __slots__ = ("_connection", "_database", "_point", "_transaction", "_tx")

    def __init__(self, database: Database, crash_point: str | None = None) -> None:
        self._database = database
        self._point = crash_point
        self._connection: PoolConnectionProxy[Record] | None = None
        self._transaction: asyncpg.transaction.Transaction | None = None
        self._tx: Transaction | None = None

    async def __aenter__(self) -> Work:
        return self

    async def begin(self) -> Transaction:
        """The open transaction; the same one at each call."""
        if self._tx is None:
            self._connection = await self._database.acquire()
            self._transaction = self._connection.transaction()
            await self._transaction.start()
            self._tx = Transaction(self._connection)
        return self._tx

    async def commit(self) -> None:
        """Make it durable. An error here means that the outcome is unknown; the caller must not be told of success."""
        if self._transaction is None or self._tx is None:
            return
        if self._point:
            crash.point(f"{self._point}.before_commit")
        transaction, self._transaction = self._transaction, None
        try:
            await transaction.commit()
        except Exception as error:
            if is_passing(error):
                raise outcome_unknown() from error
            raise
        self._tx.committed()
        if self._point:
            crash.point(f"{self._point}.after_commit")

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _where: TracebackType | None
    ) -> None:
        try:
            if self._transaction is not None:
                if error is None:
                    await self.commit()
                elif self._connection is not None and not self._connection.is_closed():
                    await self._transaction.rollback()
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
            if error is None:
                raise
        finally:
            if self._connection is not None:
                await self._database.release(self._connection)


class Database:
    """The pool of one process. Starts without the server being there; each use says `Unavailable` while it is away."""

    def __init__(self, url: str, *, pool: int = 8, application: str = "kehu") -> None:
        self._url = url
        self._size = pool
        self._application = application
        self._pool: asyncpg.Pool[Record] | None = None

    async def start(self) -> None:
        """Create the (still empty) pool."""
        self._pool = await asyncpg.create_pool(
            self._url,
            min_size=0,
            max_size=self._size,
            init=_prepare,
            connection_class=_SessionlessConnection,
            timeout=5,
            command_timeout=30,
            max_inactive_connection_lifetime=300,
            server_settings=self._server_settings(),
        )

    def _server_settings(self) -> dict[str, str]:
        return {
            "application_name": self._application,
            "idle_in_transaction_session_timeout": "15000",  # a stopped client must not hold row locks for ever
            "lock_timeout": "10000",
            "timezone": "UTC",
        }

    async def close(self) -> None:
        """Close all connections; waits a moment for those in use."""
        if self._pool is not None:
            try:
                await asyncio.wait_for(self._pool.close(), 5)
            except TimeoutError:
                self._pool.terminate()

    async def acquire(self) -> PoolConnectionProxy[Record]:
        """A pooled connection; give it back with `release`."""
        if self._pool is None:
            raise RuntimeError("Database.start() comes first")
        try:
            return await self._pool.acquire(timeout=5)
        except Exception as error:
            if is_passing(error):
                raise database_away(error) from error
            raise

    async def release(self, connection: PoolConnectionProxy[Record]) -> None:
        """Give a connection back."""
        if self._pool is not None:
            await self._pool.release(connection)

    @asynccontextmanager
    async def transaction(self, crash_point: str | None = None) -> AsyncIterator[Transaction]:
        """One transaction, committed when the block ends without an error."""
        async with Work(self, crash_point) as work:
            yield await work.begin()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Transaction]:
        """A connection for single statements that change nothing; no BEGIN, no COMMIT."""
        connection = await self.acquire()
        try:
            yield Transaction(connection)
        finally:
            await self.release(connection)

    async def session(self) -> Connection:
        """A connection of one's own, for advisory locks and LISTEN; the caller closes it."""
        connection: Connection = await asyncpg.connect(
            self._url, timeout=5, command_timeout=30, server_settings=self._server_settings()
        )
        await _prepare(connection)
        return connection

    async def is_usable(self) -> bool:
        """Whether the database answers within a second."""
        try:
            async with asyncio.timeout(1), self.reading() as tx:
                return bool(await tx.fetchval("SELECT 1") == 1)
        except Exception as error:
            if is_passing(error):
                return False
            raise


def database_away(error: BaseException) -> Unavailable:
    """What a caller is told when the database is away, full or restarting."""
    if isinstance(error, asyncpg.DiskFullError):
        return Unavailable("storage_full", "The database has no room left; nothing was changed.", headers=_RETRY)
    return Unavailable("database_unavailable", "The database is away; nothing was changed. Try again.", headers=_RETRY)


def outcome_unknown() -> Unavailable:
    """What a caller is told when COMMIT itself failed: it may or may not have happened; repeating is safe."""
    return Unavailable(
        "outcome_unknown",
        "The change may or may not have been stored. Read it again, or repeat it with the same Idempotency-Key.",
        headers=_RETRY,
    )


@functools.cache
def advisory_key(name: str) -> int:
    """A stable signed 64-bit advisory lock key for a name."""
    return int.from_bytes(sha256(name.encode()).digest()[:8], "big", signed=True)
