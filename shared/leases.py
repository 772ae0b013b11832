"""Who of a group reads which partition: leases on the offset rows in the consumer's own database.

A member holds one connection for its leases; when its backend is gone, the others take over at once, and when it
merely stands still they take over after `lease_s`. Offsets move by compare-and-set on (owner, position): a member
that lost its lease cannot commit (docs/decisions/0006). Used by shared.inbox only.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

from shared.bus import Partition
from shared.db import Connection, Database, Record, Transaction, is_passing
from shared.ids import new_id

_ROWS = """
INSERT INTO consumer_offset (consumer_group, topic, partition)
SELECT $1, * FROM unnest($2::text[], $3::smallint[]) ON CONFLICT DO NOTHING
"""
_SEEN = """
INSERT INTO consumer_member (consumer_group, member, pid, backend_start, seen_at)
SELECT $1, $2, pid, backend_start, clock_timestamp() FROM pg_stat_activity WHERE pid = pg_backend_pid()
ON CONFLICT (consumer_group, member) DO UPDATE SET seen_at = excluded.seen_at
"""
_BURY = """
DELETE FROM consumer_member m WHERE consumer_group = $1 AND (seen_at < clock_timestamp() - $2::interval
  OR NOT EXISTS (SELECT FROM pg_stat_activity a WHERE a.pid = m.pid AND a.backend_start = m.backend_start))
"""
_RENEW = """
UPDATE consumer_offset SET leased_until = clock_timestamp() + $3::interval
WHERE consumer_group = $1 AND owner = $2 AND leased_until > clock_timestamp()
RETURNING topic, partition, next_position
"""
_RELEASE = """
UPDATE consumer_offset SET owner = NULL, leased_until = NULL
WHERE consumer_group = $1 AND owner = $2
  AND (topic, partition) IN (SELECT * FROM unnest($3::text[], $4::smallint[]))
"""
_CLAIM = """
UPDATE consumer_offset o SET owner = $2, leased_until = clock_timestamp() + $3::interval
FROM (
  SELECT topic, partition FROM consumer_offset free
  WHERE consumer_group = $1 AND (owner IS NULL OR leased_until <= clock_timestamp()
    OR NOT EXISTS (SELECT FROM consumer_member m WHERE m.consumer_group = $1 AND m.member = free.owner))
  ORDER BY topic, partition LIMIT $4 FOR UPDATE SKIP LOCKED
) free
WHERE o.consumer_group = $1 AND o.topic = free.topic AND o.partition = free.partition
RETURNING o.topic, o.partition, o.next_position
"""
_ADVANCE = """
UPDATE consumer_offset o SET next_position = step.next
FROM unnest($3::text[], $4::smallint[], $5::bigint[], $6::bigint[]) AS step (topic, partition, expected, next)
WHERE o.consumer_group = $1 AND o.owner = $2 AND o.topic = step.topic AND o.partition = step.partition
  AND o.next_position = step.expected
"""


class Fenced(Exception):
    """Another member owns the partition now, or the offset is not where we left it: drop the batch and start over."""


class Membership:
    """One member of one group."""

    def __init__(self, group: str, database: Database, *, lease_s: float) -> None:
        self.member = new_id()
        self.positions: dict[Partition, int] = {}
        self._group = group
        self._database = database
        self._lease = timedelta(seconds=lease_s)
        self._lanes: Sequence[Partition] = ()
        self._session: Connection | None = None
        self._renew_at = 0.0

    async def join(self, lanes: Sequence[Partition]) -> None:
        """Become a member; `lanes` are all partitions of the group's topics."""
        self._session = await self._database.session()
        self._lanes = lanes
        await self._session.execute(_ROWS, self._group, [lane.topic for lane in lanes], [lane.number for lane in lanes])

    async def renew(self) -> bool:
        """Keep the leases, a few times within their term; take or give up partitions to hold a fair share.

        Returns whether `positions` now has other partitions than before.
        """
        loop = asyncio.get_running_loop()
        if loop.time() < self._renew_at or self._session is None:
            return False
        self._renew_at = loop.time() + min(1.0, self._lease.total_seconds() / 4)
        before = set(self.positions)
        async with self._session.transaction():
            await self._session.execute("SELECT pg_advisory_xact_lock(hashtext($1))", f"group:{self._group}")
            await self._session.execute(_SEEN, self._group, self.member)
            await self._session.execute(_BURY, self._group, self._lease)
            held = await self._session.fetch(_RENEW, self._group, self.member, self._lease)
            kept = {Partition(row["topic"], row["partition"]) for row in held}
            if kept != before:
                self._take(held)
            await self._balance()
        return set(self.positions) != before

    @asynccontextmanager
    async def kept(self) -> AsyncIterator[None]:
        """Keep the leases while a batch is applied, however long that takes.

        Else two members whose batches outlast the lease would fence each other for ever. Only a process that stands
        still loses its leases.
        """
        applied = asyncio.Event()
        keeper = asyncio.create_task(self._keep(applied))
        try:
            yield
        finally:
            applied.set()
            await keeper

    async def _keep(self, applied: asyncio.Event) -> None:
        while self._session is not None:
            try:
                await asyncio.wait_for(applied.wait(), self._lease.total_seconds() / 3)
            except TimeoutError:
                try:
                    await self._session.execute(_SEEN, self._group, self.member)
                    await self._session.execute(_RENEW, self._group, self.member, self._lease)
                except Exception as error:
                    if not is_passing(error):
                        raise
                    return  # `renew` meets the same fault after the batch and starts over
            else:
                return

    async def _balance(self) -> None:
        if self._session is None:
            return
        members = await self._session.fetchval(
            "SELECT count(*) FROM consumer_member WHERE consumer_group = $1", self._group
        )
        share = math.ceil(len(self._lanes) / max(1, members))
        surplus = sorted(self.positions)[share:]
        if surplus:
            await self._session.execute(
                _RELEASE, self._group, self.member, [lane.topic for lane in surplus], [lane.number for lane in surplus]
            )
            for lane in surplus:
                del self.positions[lane]
        elif len(self.positions) < share:
            wanted = share - len(self.positions)
            for row in await self._session.fetch(_CLAIM, self._group, self.member, self._lease, wanted):
                self.positions[Partition(row["topic"], row["partition"])] = row["next_position"]

    def _take(self, rows: Sequence[Record]) -> None:
        self.positions = {Partition(row["topic"], row["partition"]): row["next_position"] for row in rows}

    async def advance(self, tx: Transaction, moved: Mapping[Partition, int]) -> None:
        """Move the offsets within the effect's transaction; Fenced if one is not ours any more."""
        if not moved.keys() <= self.positions.keys():
            raise Fenced
        lanes = sorted(moved)
        touched = await tx.execute(
            _ADVANCE,
            self._group,
            self.member,
            [lane.topic for lane in lanes],
            [lane.number for lane in lanes],
            [self.positions[lane] for lane in lanes],
            [moved[lane] for lane in lanes],
        )
        if touched != len(lanes):
            raise Fenced

    def advanced(self, moved: Mapping[Partition, int]) -> None:
        """Remember what was committed."""
        self.positions.update(moved)

    async def leave(self) -> None:
        """Give everything back, so that others need not wait for the lease to end; best effort."""
        session, self._session = self._session, None
        if session is None:
            return
        try:
            await session.execute(
                "UPDATE consumer_offset SET owner = NULL, leased_until = NULL WHERE consumer_group = $1 AND owner = $2",
                self._group,
                self.member,
            )
            await session.execute(
                "DELETE FROM consumer_member WHERE consumer_group = $1 AND member = $2", self._group, self.member
            )
        except Exception as error:
            if not is_passing(error):
                raise
        finally:
            with suppress(Exception):
                await session.close(timeout=1)
