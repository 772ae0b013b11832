"""Events arrive with their effect: the handler's writes, offsets and dedup rows are one transaction.

Group membership is a lease on the offset row itself (docs/decisions/0006), moved on by compare-and-set, so a member
that was paused for too long is fenced. Passing errors (database, bus, peer away) are retried for ever; an event that
is itself wrong is parked as a dead letter, together with the offset (shared.deadletters).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeAlias
from uuid import UUID

from sqlalchemy import BigInteger, Column, DateTime, Integer, MetaData, SmallInteger, Table, Text, Uuid, func, text

from shared import crash
from shared.bus import Delivery, Partition, Reader, Transport, Watermark
from shared.clock import now
from shared.db import Database, Transaction, is_passing
from shared.deadletters import dead_letter_table, park
from shared.events import EVENTS, Envelope, Event
from shared.leases import Fenced, Membership
from shared.telemetry import (
    CONSUMED,
    CONSUMER_FENCED,
    CONSUMER_LAG,
    DEAD_LETTERS,
    EVENT_DELAY,
    EVENTS_MISSED,
    log,
    span,
)

Handle: TypeAlias = Callable[[Transaction, Sequence[Delivery]], Awaitable[None]]
"""Applies a batch within the transaction. An exception that is not passing says: this batch holds a wrong event."""
Effect: TypeAlias = Callable[[Transaction, Envelope, Any], Awaitable[None]]
"""Applies one event within the transaction."""

_FIRST_DELAY_S, _LAST_DELAY_S = 0.1, 5.0
_STEADY_S = 10.0
_LANES_TERM = 5  # lease terms between two looks for new partitions

_FIRST_SEEN = """
INSERT INTO consumed (consumer_group, event_id) SELECT $1, unnest($2::uuid[]) ON CONFLICT DO NOTHING RETURNING event_id
"""


def inbox_tables(metadata: MetaData) -> tuple[Table, ...]:
    """The tables of a consumer: offsets with their leases, members, seen event ids, dead letters."""
    offsets = Table(
        "consumer_offset",
        metadata,
        Column("consumer_group", Text, primary_key=True),
        Column("topic", Text, primary_key=True),
        Column("partition", SmallInteger, primary_key=True),
        Column("next_position", BigInteger, nullable=False, server_default=text("0")),
        Column("owner", Uuid, comment="the member that reads this partition now"),
        Column("leased_until", DateTime(timezone=True)),
        comment="how far each group has read, and who reads",
    )
    members = Table(
        "consumer_member",
        metadata,
        Column("consumer_group", Text, primary_key=True),
        Column("member", Uuid, primary_key=True),
        Column("pid", Integer, nullable=False, comment="backend of the member's lease connection: gone means dead"),
        Column("backend_start", DateTime(timezone=True), nullable=False),
        Column("seen_at", DateTime(timezone=True), nullable=False),
        comment="live members of each group",
    )
    seen = Table(
        "consumed",
        metadata,
        Column("consumer_group", Text, primary_key=True),
        Column("event_id", Uuid, primary_key=True),
        Column("at", DateTime(timezone=True), nullable=False, server_default=func.now()),
        comment="event ids whose effect stands; kept longer than the bus keeps its messages",
    )
    return offsets, members, seen, dead_letter_table(metadata)


async def first_seen(tx: Transaction, group: str, event_ids: Sequence[UUID]) -> set[UUID]:
    """Those of `event_ids` that this group sees for the first time; they are marked within `tx`."""
    return {row["event_id"] for row in await tx.fetch(_FIRST_SEEN, group, list(event_ids))}


def dispatch(group: str, table: Mapping[type[Event], Effect]) -> Handle:
    """A handler that decodes each event named in `table`, drops what was seen before, and applies its effect in order.

    Event types that are not in the table pass by, known or not.
    """
    effects = {event.type: effect for event, effect in table.items()}

    async def handle(tx: Transaction, batch: Sequence[Delivery]) -> None:
        wanted = [(envelope, each) for each in batch if (envelope := Envelope.of(each)).type in effects]
        if not wanted:
            return
        fresh = await first_seen(tx, group, [envelope.id for envelope, _ in wanted])
        for envelope, each in wanted:
            if envelope.id in fresh:
                fresh.discard(envelope.id)
                event = EVENTS[envelope.type].model_validate_json(each.value)
                with span(f"{group} {envelope.type}", parent=envelope.traceparent):
                    await effects[envelope.type](tx, envelope, event)
                EVENT_DELAY.labels(group).observe(max(0.0, (now() - envelope.time).total_seconds()))

    return handle


class Consumer:
    """One group's reading of some topics, with exactly-once effects; several processes may run the same group."""

    def __init__(
        self,
        group: str,
        topics: Sequence[str],
        handle: Handle,
        *,
        database: Database,
        transport: Transport,
        batch: int = 500,
        gather_s: float = 0.0,
        lease_s: float = 6.0,
    ) -> None:
        """`gather_s`: how long a small batch waits for more, so that a steady trickle costs fewer transactions."""
        self.group = group
        self.topics = tuple(topics)
        self.handle = handle
        self._database = database
        self._transport = transport
        self._batch = batch
        self._gather_s = gather_s
        self._lease_s = lease_s
        self._log = log(group=group)

    async def run(self, stop: asyncio.Event) -> None:
        """Read, apply, commit, until `stop`; outages are waited out, fencing starts over from the stored offsets."""
        clock, delay = asyncio.get_running_loop().time, _FIRST_DELAY_S
        while not stop.is_set():
            reader = self._transport.reader()
            membership = Membership(self.group, self._database, lease_s=self._lease_s)
            started = clock()
            try:
                await self._transport.ensure_topics(self.topics)
                lanes = await self._lanes()
                await membership.join(lanes)
                await self._read(reader, membership, lanes, stop)
            except Fenced:
                CONSUMER_FENCED.labels(self.group).inc()
                self._log.warning("consumer_fenced")
            except Exception as error:
                passing = is_passing(error)
                delay = _FIRST_DELAY_S if clock() - started > _STEADY_S else delay
                self._log.log(30 if passing else 40, "consumer_waits", error=type(error).__name__, retry_s=delay)
                await _pause(stop, delay)
                delay = min(delay * 2, _LAST_DELAY_S)
            finally:
                await membership.leave()
                await reader.close()

    async def _lanes(self) -> list[Partition]:
        return [
            Partition(topic, number)
            for topic in self.topics
            for number in range(await self._transport.partitions(topic))
        ]

    async def _read(
        self, reader: Reader, membership: Membership, lanes: Sequence[Partition], stop: asyncio.Event
    ) -> None:
        """Until `stop`, or until a topic has got more partitions."""
        clock = asyncio.get_running_loop().time
        look_at = clock() + _LANES_TERM * self._lease_s
        while not stop.is_set():
            if clock() > look_at:
                if await self._lanes() != lanes:
                    return
                look_at = clock() + _LANES_TERM * self._lease_s
            if await membership.renew():
                reader.assign(membership.positions)
                await self._tell_missed(membership.positions)
            if not membership.positions:
                await _pause(stop, 0.3)
                continue
            batch = await self._gather(reader)
            if batch:
                crash.point("consumer.after_fetch")
                async with membership.kept():
                    await self._apply(batch, membership)
                CONSUMED.labels(self.group).inc(len(batch))

    async def _tell_missed(self, positions: Mapping[Partition, int]) -> None:
        """What the bus dropped before this group came to read it: nothing brings it back, so it is said aloud."""
        ends = await self.ends()
        for lane, position in positions.items():
            missed = ends[lane].low - position if lane in ends else 0
            if missed > 0:
                EVENTS_MISSED.labels(self.group).inc(missed)
                self._log.error("events_missed", topic=lane.topic, partition=lane.number, after=position, count=missed)

    async def _gather(self, reader: Reader) -> list[Delivery]:
        batch = await reader.fetch(self._batch, min(1.0, self._lease_s / 4))
        if batch and self._gather_s and len(batch) < self._batch // 2:
            await asyncio.sleep(self._gather_s)
            batch += await reader.fetch(self._batch - len(batch), 0.0)
        return batch

    async def _apply(self, batch: Sequence[Delivery], membership: Membership) -> None:
        try:
            await self._commit(batch, membership)
        except Fenced:
            raise
        except Exception as error:
            if is_passing(error):
                raise
            self._log.warning("consumer_isolates", size=len(batch), error=type(error).__name__)
            for each in batch:
                await self._apply_one(each, membership)

    async def _commit(self, batch: Sequence[Delivery], membership: Membership) -> None:
        """Effects and offsets in one transaction."""
        moved = {each.lane: each.position + 1 for each in batch}
        async with self._database.transaction("consumer") as tx:
            await self.handle(tx, batch)
            await membership.advance(tx, moved)
        membership.advanced(moved)

    async def _apply_one(self, each: Delivery, membership: Membership) -> None:
        try:
            await self._commit([each], membership)
        except Fenced:
            raise
        except Exception as error:
            if is_passing(error):
                raise
            moved = {each.lane: each.position + 1}
            async with self._database.transaction() as tx:
                await park(tx, self.group, each, error)
                await membership.advance(tx, moved)
            membership.advanced(moved)
            crash.point("consumer.after_dead_letter")
            self._log.error("event_parked", topic=each.topic, position=each.position, error=type(error).__name__)

    async def observe(self) -> None:
        """Refresh the lag and dead-letter metrics of this group."""
        async with self._database.reading() as tx:
            parked = await tx.fetchval("SELECT count(*) FROM dead_letter WHERE consumer_group = $1", self.group)
        DEAD_LETTERS.labels(self.group).set(parked)
        for lane, lag in (await self._unread(await self.ends())).items():
            CONSUMER_LAG.labels(self.group, lane.topic, str(lane.number)).set(lag)

    async def ends(self) -> dict[Partition, Watermark]:
        """What can be read of its topics now. Raises: Unavailable"""
        found: dict[Partition, Watermark] = {}
        for topic in self.topics:
            found |= await self._transport.watermarks(topic)
        return found

    async def has_read(self, ends: Mapping[Partition, Watermark]) -> bool:
        """Whether the group has applied, or parked, all that could be read then."""
        return not any((await self._unread(ends)).values())

    async def _unread(self, ends: Mapping[Partition, Watermark]) -> dict[Partition, int]:
        async with self._database.reading() as tx:
            rows = await tx.fetch(
                "SELECT topic, partition, next_position FROM consumer_offset WHERE consumer_group = $1", self.group
            )
        read = {Partition(row["topic"], row["partition"]): row["next_position"] for row in rows}
        return {lane: max(0, mark.high - max(read.get(lane, 0), mark.low)) for lane, mark in ends.items()}


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return
