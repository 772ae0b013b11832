"""Events leave with the change: a row in the business transaction, moved to the bus afterwards.

The relay drains the table by removal, in id order: a cursor on a serial id would miss late commits (decision 0005).
Per key the ids rise in commit order, since an aggregate's row lock is taken before the outbox id. One leader per shard,
by advisory lock on the connection that also reads and deletes: who loses the connection loses the lead.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import BigInteger, Column, DateTime, Identity, LargeBinary, MetaData, SmallInteger, Table, Text, func

from shared import crash
from shared.bus import Message, Transport, pack_headers
from shared.bus.transport import MESSAGE_LIMIT
from shared.clock import now
from shared.db import Connection, Database, Record, Transaction, advisory_key, is_passing
from shared.errors import TooLarge
from shared.events import Envelope, Event, topic_of
from shared.ids import new_id
from shared.telemetry import OUTBOX_AGE, OUTBOX_ROWS, RELAYED, current_traceparent, log

SHARDS = 8
_ROUNDS = 16
_FIRST_DELAY_S, _LAST_DELAY_S = 0.1, 5.0
_STEADY_S = 10.0
INSERT = "INSERT INTO outbox (shard, topic, key, value, headers) VALUES ($1, $2, $3, $4, $5)"

# Nothing beyond an id while rows up to it are there that are not on their way ($4 are): they were committed late, and
# the next event of the same key must not overtake them.
_READ = """
SELECT id, topic, key, value, headers FROM outbox WHERE shard = ANY($1::smallint[]) AND id > $2
  AND (SELECT count(*) FROM outbox WHERE shard = ANY($1::smallint[]) AND id <= $2) = $4
ORDER BY id LIMIT $3
"""
_DELETE = "DELETE FROM outbox WHERE id = ANY($1::bigint[])"
_STATE = """
SELECT coalesce(extract(epoch FROM clock_timestamp() - min(created_at)), 0)::float8 AS age_s,
       (SELECT count(*) FROM (SELECT FROM outbox LIMIT 10000) AS pending) AS rows
FROM (SELECT created_at FROM outbox ORDER BY id LIMIT 1) oldest
"""


def outbox_table(metadata: MetaData) -> Table:
    """The table of events that are not on the bus yet; part of each producer's own schema."""
    return Table(
        "outbox",
        metadata,
        Column("id", BigInteger, Identity(always=True), primary_key=True),
        Column("shard", SmallInteger, nullable=False, comment="hash of the key; one relay leads a shard"),
        Column("topic", Text, nullable=False),
        Column("key", LargeBinary, nullable=False, comment="aggregate id: order is kept per key"),
        Column("value", LargeBinary, nullable=False),
        Column("headers", LargeBinary, nullable=False, comment="shared.bus.pack_headers"),
        Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
        comment="events written with their change, on their way to the bus",
        postgresql_with={
            "autovacuum_vacuum_scale_factor": "0",
            "autovacuum_vacuum_threshold": "5000",
            "autovacuum_vacuum_cost_delay": "0",
        },
    )


class Row(NamedTuple):
    """An outbox row as the arguments of INSERT; repositories put it into the same statement as their change."""

    shard: int
    topic: str
    key: bytes
    value: bytes
    headers: bytes


class Outbox:
    """Writes the events of one service."""

    def __init__(self, service: str, *, prefix: str = "kehu") -> None:
        self.service = service
        self.topic = topic_of(prefix, service)

    def envelope(
        self,
        event: Event,
        *,
        feature: str,
        subject: str,
        actor: str,
        sequence: int | None = None,
        at: datetime | None = None,
        event_id: UUID | None = None,
    ) -> Envelope:
        """The envelope of an event of this service; `subject` is "<aggregate>/<id>" and its id keeps the order."""
        return Envelope(
            id=event_id or new_id(),
            source=f"/{self.service}/{feature}",
            type=event.type,
            subject=subject,
            time=at or now(),
            partitionkey=subject.partition("/")[2] or subject,
            actor=actor,
            dataschema=f"kehu:{event.type}:v{event.schema_version}",
            sequence=sequence,
            traceparent=current_traceparent(),
        )

    def row(self, envelope: Envelope, event: Event) -> Row:
        """The row to insert; TooLarge if no bus would take the event (it would stop the relay for ever)."""
        key = envelope.partitionkey.encode()
        value = event.model_dump_json().encode()
        if len(value) > MESSAGE_LIMIT:
            detail = "This is more than one event can carry; make the change in several steps."
            raise TooLarge("change_too_large", detail, members={"limit_bytes": MESSAGE_LIMIT})
        return Row(zlib.crc32(key) % SHARDS, self.topic, key, value, pack_headers(envelope.headers()))

    async def add(self, tx: Transaction, envelope: Envelope, event: Event) -> None:
        """Write one event within the business transaction."""
        await tx.execute(INSERT, *self.row(envelope, event))

    async def add_many(self, tx: Transaction, facts: Sequence[tuple[Envelope, Event]]) -> None:
        """Write many events, in the given order."""
        if facts:
            rows = [self.row(*fact) for fact in facts]
            await tx.connection.executemany(INSERT, rows)


class Relay:
    """Moves one service's events from its outbox to the bus; run it in each worker, one leads each shard."""

    def __init__(
        self, service: str, database: Database, transport: Transport, *, batch: int = 4000, poll_s: float = 0.02
    ) -> None:
        self._service = service
        self._database = database
        self._transport = transport
        self._batch = batch
        self._poll_s = poll_s
        self._log = log(part="relay")

    async def run(self, stop: asyncio.Event) -> None:
        """Lead what can be led and drain it, until `stop`; outages are waited out."""
        clock, delay = asyncio.get_running_loop().time, _FIRST_DELAY_S
        while not stop.is_set():
            session: Connection | None = None
            started = clock()
            try:
                session = await self._database.session()
                await self._lead(session, stop)
            except Exception as error:
                delay = _FIRST_DELAY_S if clock() - started > _STEADY_S else delay
                if not is_passing(error):
                    self._log.error("relay_failed", error=type(error).__name__, exc_info=error)
                else:
                    self._log.warning("relay_waits", error=type(error).__name__, retry_s=delay)
                await _sleep(stop, delay)
                delay = min(delay * 2, _LAST_DELAY_S)
            finally:
                if session is not None:
                    session.terminate()

    async def _lead(self, session: Connection, stop: asyncio.Event) -> None:
        loop = asyncio.get_running_loop()
        led: set[int] = set()
        next_claim = 0.0
        while not stop.is_set():
            if len(led) < SHARDS and loop.time() >= next_claim:
                led |= await self._claim(session, led)
                next_claim = loop.time() + 1
            moved = await self.drain(session, sorted(led)) if led else 0
            if moved < self._batch:
                await _sleep(stop, self._poll_s if led else 0.5)

    async def _claim(self, session: Connection, led: set[int]) -> set[int]:
        gained = set()
        for shard in set(range(SHARDS)) - led:
            if await session.fetchval("SELECT pg_try_advisory_lock($1)", advisory_key(f"outbox:{shard}")):
                gained.add(shard)
        if gained:
            self._log.info("relay_leads", shards=sorted(gained))
        return gained

    async def drain(self, session: Connection, shards: Sequence[int]) -> int:
        """Move what is there; the number of events moved. Call again until it is 0.

        While a full batch is being published, the rows of the one before are deleted and the next ones are read. It
        returns when rows were committed late, and after some rounds anyway, so that the next call starts from the
        lowest id.
        """
        moved = 0
        done: list[int] = []
        rows = await session.fetch(_READ, shards, 0, self._batch, 0)
        for _ in range(_ROUNDS):
            if not rows:
                break
            crash.point("relay.after_read")
            publishing = asyncio.create_task(self._publish(rows))
            try:
                await self._delete(session, done)
                following = await self._following(session, shards, rows)
            finally:
                await publishing
            crash.point("relay.after_publish")
            done = [row[0] for row in rows]
            moved += len(rows)
            rows = following
        await self._delete(session, done)
        return moved

    async def _following(self, session: Connection, shards: Sequence[int], rows: Sequence[Record]) -> list[Record]:
        """The rows after these, if a backlog is to be drained; a trickle is left to gather until the next look."""
        if len(rows) < self._batch:
            return []
        return await session.fetch(_READ, shards, rows[-1][0], self._batch, len(rows))

    async def _publish(self, rows: Sequence[Record]) -> None:
        await self._transport.publish([Message(row[1], row[2], row[3], packed=row[4]) for row in rows])

    async def _delete(self, session: Connection, ids: Sequence[int]) -> None:
        if ids:
            await session.execute(_DELETE, ids)
            crash.point("relay.after_delete")
            RELAYED.labels(self._service).inc(len(ids))

    async def observe(self) -> None:
        """Refresh the outbox metrics."""
        async with self._database.reading() as tx:
            state = await tx.fetchrow(_STATE)
        OUTBOX_AGE.labels(self._service).set(state["age_s"] if state else 0)
        OUTBOX_ROWS.labels(self._service).set(state["rows"] if state else 0)


async def _sleep(stop: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return
