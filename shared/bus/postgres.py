"""The embedded bus: an append-only log in PostgreSQL, durable with every commit, nothing to install.

Positions are dense: a producer locks the partition's head row until it commits, so a reader that asks for
`position >= n` can never miss a late commit. NOTIFY goes out once per appended batch, by the relay, never by a business
transaction (docs/decisions/0005).
"""

from __future__ import annotations

import asyncio
import contextlib
import zlib
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import timedelta

import asyncpg

from shared.bus.transport import Delivery, Message, Partition, Watermark, check_sizes
from shared.db import Connection, Database, Transaction, is_passing
from shared.errors import Unavailable

SCHEMA = """
CREATE TABLE IF NOT EXISTS topic (
  id smallint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name text NOT NULL UNIQUE,
  partitions smallint NOT NULL CHECK (partitions > 0)
);
CREATE TABLE IF NOT EXISTS head (
  topic_id smallint NOT NULL REFERENCES topic (id),
  partition smallint NOT NULL,
  low bigint NOT NULL DEFAULT 0,
  high bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (topic_id, partition)
);
CREATE TABLE IF NOT EXISTS message (
  topic_id smallint NOT NULL,
  partition smallint NOT NULL,
  position bigint NOT NULL,
  written_at timestamptz NOT NULL DEFAULT now(),
  key bytea NOT NULL,
  value bytea NOT NULL,
  headers bytea NOT NULL,
  PRIMARY KEY (topic_id, partition, position)
);
CREATE INDEX IF NOT EXISTS message_written_at ON message USING brin (written_at);
"""

_LOCK_HEADS = """
SELECT topic_id, partition, high FROM head
WHERE (topic_id, partition) IN (SELECT * FROM unnest($1::smallint[], $2::smallint[]))
ORDER BY topic_id, partition FOR UPDATE
"""
_MOVE_HEADS = """
UPDATE head SET high = head.high + lane.count
FROM unnest($1::smallint[], $2::smallint[], $3::bigint[]) AS lane (topic_id, partition, count)
WHERE head.topic_id = lane.topic_id AND head.partition = lane.partition
"""
_READ = """
SELECT lane.topic_id, lane.partition, m.position, m.key, m.value, m.headers
FROM unnest($1::smallint[], $2::smallint[], $3::bigint[]) AS lane (topic_id, partition, position)
CROSS JOIN LATERAL (
  SELECT position, key, value, headers FROM message
  WHERE topic_id = lane.topic_id AND partition = lane.partition AND position >= lane.position
  ORDER BY position LIMIT $4
) m
LIMIT $4
"""
_TRIM = """
WITH gone AS (DELETE FROM message WHERE written_at < now() - $1::interval RETURNING topic_id, partition, position),
     edge AS (SELECT topic_id, partition, max(position) + 1 AS low FROM gone GROUP BY 1, 2)
UPDATE head SET low = edge.low FROM edge WHERE head.topic_id = edge.topic_id AND head.partition = edge.partition
"""
_CHANNEL = "kehu_bus"
_POLL_S = 0.2


def lane_of(key: bytes, partitions: int) -> int:
    """The partition of a key."""
    return zlib.crc32(key) % partitions


class PostgresLog:
    """Transport over PostgreSQL tables of a database of their own."""

    def __init__(self, url: str, *, partitions: int = 6) -> None:
        self._database = Database(url, pool=4, application="kehu-bus")
        self._partitions = partitions
        self._topics: dict[str, tuple[int, int]] = {}
        self._names: dict[int, str] = {}
        self._listener: _Listener | None = None

    async def start(self) -> None:
        """Open the pool; the tables are made by `ensure_topics`."""
        await self._database.start()
        self._listener = _Listener(self._database)

    async def close(self) -> None:
        """Close all connections."""
        if self._listener is not None:
            await self._listener.close()
        await self._database.close()

    async def ensure_topics(self, topics: Iterable[str]) -> None:
        """Create tables and topics that are missing; safe when several processes do so at once."""
        async with self._database.transaction() as tx:
            await tx.execute("SELECT pg_advisory_xact_lock(hashtext('kehu_bus_schema'))")
            if not await tx.fetchval("SELECT to_regclass('message_written_at') IS NOT NULL"):
                await tx.execute(SCHEMA)  # only once: even IF NOT EXISTS would wait for every open append
            for name in topics:
                await tx.execute(
                    "INSERT INTO topic (name, partitions) VALUES ($1, $2) ON CONFLICT DO NOTHING",
                    name,
                    self._partitions,
                )
            await tx.execute(
                "INSERT INTO head (topic_id, partition) SELECT id, generate_series(0, partitions - 1) FROM topic"
                " ON CONFLICT DO NOTHING"
            )

    async def partitions(self, topic: str) -> int:
        """How many partitions a topic has; 0 if there is no such topic."""
        async with self._reading() as tx:
            known = await self._lookup(tx, (topic,))
        return known[topic][1] if topic in known else 0

    async def publish(self, messages: Sequence[Message]) -> None:
        """Append all in one transaction, then wake the readers."""
        if not messages:
            return
        check_sizes(messages)
        try:
            async with self._database.transaction() as tx:
                await self._append(tx, messages)
        except asyncpg.UndefinedTableError as error:
            raise Unavailable("no_such_topic", "The bus has no tables yet; they are made at start.") from error
        except Exception as error:
            if is_passing(error):
                raise Unavailable("bus_unavailable", "The bus database is away.") from error
            raise

    async def _append(self, tx: Transaction, messages: Sequence[Message]) -> None:
        topics = await self._lookup(tx, {message.topic for message in messages})
        lanes: dict[tuple[int, int], list[Message]] = defaultdict(list)
        for message in messages:
            if message.topic not in topics:
                raise Unavailable("no_such_topic", f"The bus has no topic {message.topic}; it is made at start.")
            topic_id, partitions = topics[message.topic]
            lanes[topic_id, lane_of(message.key, partitions)].append(message)
        ids, numbers = [lane[0] for lane in lanes], [lane[1] for lane in lanes]
        heads = {(row[0], row[1]): row[2] for row in await tx.fetch(_LOCK_HEADS, ids, numbers)}
        rows = [
            (topic_id, number, heads[topic_id, number] + step, each.key, each.value, each.packed)
            for (topic_id, number), lane in lanes.items()
            for step, each in enumerate(lane)
        ]
        await tx.copy("message", ("topic_id", "partition", "position", "key", "value", "headers"), rows)
        await tx.execute(_MOVE_HEADS, ids, numbers, [len(lane) for lane in lanes.values()])
        await tx.execute(f"NOTIFY {_CHANNEL}")

    async def _lookup(self, tx: Transaction, names: Iterable[str]) -> Mapping[str, tuple[int, int]]:
        missing = [name for name in names if name not in self._topics]
        if missing:
            for row in await tx.fetch("SELECT name, id, partitions FROM topic WHERE name = ANY($1)", missing):
                self._topics[row["name"]] = (row["id"], row["partitions"])
                self._names[row["id"]] = row["name"]
        return self._topics

    async def watermarks(self, topic: str) -> dict[Partition, Watermark]:
        """The readable range of each partition."""
        async with self._reading() as tx:
            rows = await tx.fetch(
                "SELECT partition, low, high FROM head JOIN topic ON topic.id = head.topic_id WHERE name = $1", topic
            )
        return {Partition(topic, row["partition"]): Watermark(row["low"], row["high"]) for row in rows}

    async def trim(self, keep: timedelta) -> int:
        """Drop what is older than `keep`; the number of partitions whose low watermark moved. One process at a time."""
        async with self._database.transaction() as tx:
            if await tx.fetchval("SELECT to_regclass('message')") is None:
                return 0  # no topic yet
            if not await tx.fetchval("SELECT pg_try_advisory_xact_lock(hashtext('kehu_bus_trim'))"):
                return 0
            return await tx.execute(_TRIM, keep)

    @contextlib.asynccontextmanager
    async def _reading(self) -> AsyncIterator[Transaction]:
        try:
            async with self._database.reading() as tx:
                yield tx
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
            raise Unavailable("bus_unavailable", "The bus database is away.") from error

    def reader(self) -> LogReader:
        """A new reader with nothing assigned."""
        if self._listener is None:
            raise RuntimeError("PostgresLog.start() comes first")
        return LogReader(self, self._listener)

    async def read(self, positions: Mapping[Partition, int], limit: int) -> list[Delivery]:
        """Up to `limit` messages from these positions on; the readers' one query."""
        async with self._reading() as tx:
            topics = await self._lookup(tx, {lane.topic for lane in positions})
            lanes = [(topics[lane.topic][0], lane.number, at) for lane, at in positions.items() if lane.topic in topics]
            if not lanes:
                return []
            columns = list(zip(*lanes, strict=True))
            rows = await tx.fetch(_READ, *map(list, columns), limit)
        return [Delivery(self._names[row[0]], row[1], row[2], row[3], row[4], packed=row[5]) for row in rows]

    async def is_usable(self) -> bool:
        """Whether the bus database answers within a second."""
        return await self._database.is_usable()


class _Listener:
    """One LISTEN connection a process; re-made when it breaks, while a poll covers the gap."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection: Connection | None = None
        self._lock = asyncio.Lock()
        self.next_append = asyncio.Event()
        """Set, and replaced, at the next append: take it before reading, so that none is lost until the wait."""

    async def wait(self, append: asyncio.Event, timeout_s: float) -> None:
        """Until `append` has happened, or the time is over."""
        await self._ensure()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(append.wait(), timeout_s)

    def _wake(self, *_: object) -> None:
        self.next_append.set()
        self.next_append = asyncio.Event()

    async def _ensure(self) -> None:
        async with self._lock:
            if self._connection is not None and not self._connection.is_closed():
                return
            try:
                self._connection = await self._database.session()
                await self._connection.add_listener(_CHANNEL, self._wake)
            except Exception as error:
                if not is_passing(error):
                    raise
                self._connection = None

    async def close(self) -> None:
        """Close the connection."""
        if self._connection is not None and not self._connection.is_closed():
            await self._connection.close(timeout=2)


class LogReader:
    """Reads assigned partitions by position."""

    def __init__(self, log: PostgresLog, listener: _Listener) -> None:
        self._log = log
        self._listener = listener
        self._positions: dict[Partition, int] = {}
        self._paused: set[Partition] = set()
        self._settled = False

    def assign(self, positions: Mapping[Partition, int]) -> None:
        """Read these partitions and no others, each from the given position on."""
        self._positions = dict(positions)
        self._paused &= self._positions.keys()
        self._settled = False

    def pause(self, lane: Partition) -> None:
        """Hand out nothing more of this partition until `resume`."""
        self._paused.add(lane)

    def resume(self, lane: Partition) -> None:
        """Hand out this partition again."""
        self._paused.discard(lane)

    async def fetch(self, limit: int, timeout_s: float) -> list[Delivery]:
        """Up to `limit` messages; waits for the relay's wake-up, and asks again every 200 ms in case one was lost."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout_s
        while True:
            append = self._listener.next_append
            found = await self._read(limit)
            left = deadline - loop.time()
            if found or left <= 0:
                return found
            await self._listener.wait(append, min(left, _POLL_S))

    async def _read(self, limit: int) -> list[Delivery]:
        if not self._settled:
            await self._settle()
        wanted = {lane: at for lane, at in self._positions.items() if lane not in self._paused}
        found = await self._log.read(wanted, limit) if wanted else []
        for each in found:
            self._positions[each.lane] = each.position + 1
        for lane in {each.lane for each in found}:
            self._positions[lane] = self._positions.pop(lane)  # to the end: a busy partition must not starve others
        return found

    async def _settle(self) -> None:
        """Start over where a position lies beyond the end: the log was lost or put back to an earlier state."""
        for topic in {lane.topic for lane in self._positions}:
            for lane, mark in (await self._log.watermarks(topic)).items():
                if self._positions.get(lane, 0) > mark.high:
                    self._positions[lane] = mark.low
        self._settled = True

    async def close(self) -> None:
        """Nothing to let go of: connections belong to the log."""
