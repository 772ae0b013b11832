"""Transactions: one commit, all or nothing, Core and text on one connection, faults sorted into passing and lasting."""

import asyncio
import uuid

import asyncpg
import pytest
from sqlalchemy import Column, Integer, MetaData, Table, Text, Uuid, insert, select
from sqlalchemy.dialects.postgresql import JSONB

from shared.db import Database, Work, is_passing
from shared.errors import Unavailable
from tests.factories.tables import create_tables

NOTE = Table(
    "note",
    MetaData(),
    Column("id", Uuid, primary_key=True),
    Column("text", Text),
    Column("rank", Integer),
    Column("extra", JSONB),
)


@pytest.fixture
async def database(database: Database, service_dsn: str) -> Database:
    await create_tables(service_dsn, NOTE.metadata)
    return database


async def test_core_and_text_statements_share_one_transaction(database: Database) -> None:
    first, second = uuid.uuid4(), uuid.uuid4()
    async with database.transaction() as tx:
        await tx.execute(insert(NOTE).values(id=first, text="a", rank=1, extra={"k": [1, None, "值"]}))
        await tx.execute("INSERT INTO note (id, text, rank, extra) VALUES ($1, 'b', 2, $2)", second, {"z": 1.5})
        await tx.copy("note", ("id", "text", "rank"), [(uuid.uuid4(), "c", 3)])
        rows = await tx.fetch(select(NOTE.c.text, NOTE.c.extra).where(NOTE.c.rank.in_([1, 2])).order_by(NOTE.c.rank))
    assert [tuple(row) for row in rows] == [("a", {"k": [1, None, "值"]}), ("b", {"z": 1.5})]


async def test_an_error_undoes_everything_and_a_savepoint_only_its_part(database: Database) -> None:
    with pytest.raises(RuntimeError):
        async with database.transaction() as tx:
            await tx.execute("INSERT INTO note (id) VALUES ($1)", uuid.uuid4())
            raise RuntimeError
    async with database.transaction() as tx:
        await tx.execute("INSERT INTO note (id, text) VALUES ($1, 'kept')", uuid.uuid4())
        with pytest.raises(asyncpg.DivisionByZeroError):
            async with tx.savepoint():
                await tx.execute("INSERT INTO note (id, text) VALUES ($1, 'undone')", uuid.uuid4())
                await tx.fetchval("SELECT 1 / 0")
    async with database.reading() as tx:
        assert [row["text"] for row in await tx.fetch("SELECT text FROM note")] == ["kept"]


async def test_wake_ups_wait_for_the_commit_and_a_rollback_forgets_them(database: Database) -> None:
    woken: list[str] = []
    async with database.transaction() as tx:
        tx.after_commit(lambda: woken.append("committed"))
        assert woken == []
    with pytest.raises(RuntimeError):
        async with database.transaction() as tx:
            tx.after_commit(lambda: woken.append("rolled back"))
            raise RuntimeError
    assert woken == ["committed"]


async def test_a_door_that_asks_for_nothing_takes_no_connection(service_dsn: str) -> None:
    database = Database(service_dsn, pool=1)
    await database.start()
    async with database.transaction(), Work(database) as work:
        await work.commit()
    await database.close()


async def test_a_cancelled_transaction_is_undone_and_its_connection_is_usable(database: Database) -> None:
    async def endless() -> None:
        async with database.transaction() as tx:
            await tx.execute("INSERT INTO note (id) VALUES ($1)", uuid.uuid4())
            await tx.execute("SELECT pg_sleep(30)")

    task = asyncio.create_task(endless())
    await asyncio.sleep(0.3)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    for _ in range(12):
        async with database.transaction() as tx:
            assert await tx.fetchval("SELECT count(*) FROM note") == 0


async def test_a_full_pool_says_that_the_database_is_unavailable(service_dsn: str) -> None:
    database = Database(service_dsn, pool=1)
    await database.start()
    async with database.transaction():
        with pytest.raises(Unavailable) as refused:
            await database.acquire()
    assert refused.value.headers["Retry-After"]
    await database.close()


@pytest.mark.parametrize(
    ("error", "passing"),
    [
        (asyncpg.DeadlockDetectedError("x"), True),
        (asyncpg.SerializationError("x"), True),
        (asyncpg.DiskFullError("x"), True),
        (asyncpg.TooManyConnectionsError("x"), True),
        (asyncpg.AdminShutdownError("x"), True),
        (asyncpg.CannotConnectNowError("x"), True),
        (asyncpg.ReadOnlySQLTransactionError("x"), True),
        (ConnectionRefusedError(), True),
        (TimeoutError(), True),
        (Unavailable("x"), True),
        (asyncpg.UniqueViolationError("x"), False),
        (asyncpg.DataError("argument"), False),
        (asyncpg.CharacterNotInRepertoireError("x"), False),
        (asyncpg.UndefinedTableError("x"), False),
        (ValueError(), False),
        (KeyError(), False),
    ],
)
def test_faults_are_passing_or_lasting(error: Exception, passing: bool) -> None:
    assert is_passing(error) is passing
