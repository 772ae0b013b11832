"""Events leave by removal: in order per key, none lost, one leader a shard, whatever dies in between."""

import asyncio
import random
import zlib
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

import pytest

from shared.bus import Delivery, Transport
from shared.bus.postgres import PostgresLog
from shared.db import Connection, Database, advisory_key
from shared.errors import TooLarge
from shared.events import Envelope
from shared.outbox import SHARDS, Outbox, Relay
from shared.telemetry import OUTBOX_AGE, OUTBOX_ROWS
from tests.factories.events import dealings, envelope
from tests.factories.waiting import until, until_query

pytestmark = pytest.mark.req("R0.2")

ROWS = "SELECT count(*) FROM outbox"


@pytest.fixture
def outbox(topic: str) -> Outbox:
    return Outbox("customer", prefix=topic)


@pytest.fixture
async def transport(connected: Callable[[], Transport], outbox: Outbox) -> Transport:
    transport = connected()
    await transport.start()
    await transport.ensure_topics([outbox.topic])
    return transport


async def write(database: Database, outbox: Outbox, key: str, sequence: int, *, slow_s: float = 0) -> None:
    """One change of an aggregate: row lock, event, and perhaps a long time until the commit."""
    async with database.transaction() as tx:
        await tx.execute("SELECT pg_advisory_xact_lock(hashtext($1))", key)
        event = dealings(key)
        await outbox.add(tx, envelope(event, key, sequence=sequence), event)
        await asyncio.sleep(slow_s)


@asynccontextmanager
async def running(*relays: Relay) -> AsyncIterator[None]:
    stop = asyncio.Event()
    tasks = [asyncio.create_task(each.run(stop)) for each in relays]
    try:
        yield
    finally:
        stop.set()
        await asyncio.wait_for(asyncio.gather(*tasks), 20)


async def published(transport: Transport, topic: str) -> list[Delivery]:
    """All that is on the topic now."""
    reader = transport.reader()
    marks = await transport.watermarks(topic)
    reader.assign(dict.fromkeys(marks, 0))
    found: list[Delivery] = []
    while len(found) < sum(mark.high for mark in marks.values()):
        found += await reader.fetch(1000, 5)
    await reader.close()
    return found


def first_occurrences(found: list[Delivery]) -> dict[str, list[int | None]]:
    """Sequences by key without repetitions, in the order in which a consumer has its effects."""
    order: dict[str, dict[int | None, None]] = defaultdict(dict)
    for each in sorted(found, key=lambda each: (each.partition, each.position)):
        head = Envelope.of(each)
        order[head.partitionkey].setdefault(head.sequence)
    return {key: list(seen) for key, seen in order.items()}


async def test_late_commits_and_many_writers_keep_order_and_lose_nothing(
    database: Database, transport: Transport, outbox: Outbox
) -> None:
    dice = random.Random(7)

    async def writer(key: str) -> None:
        for sequence in range(12):
            await write(database, outbox, key, sequence, slow_s=dice.choice((0, 0, 0.01, 0.12)))

    async with running(Relay("customer", database, transport, batch=5)):
        await asyncio.gather(*(writer(f"c-{n}") for n in range(8)))
        await until_query(database, ROWS, 0)
    found = await published(transport, outbox.topic)
    assert len(found) == 96
    assert first_occurrences(found) == {f"c-{n}": list(range(12)) for n in range(8)}


class Interrupted(Relay):
    """A relay in which something happens once, after it has read a batch and before it reads the next one."""

    meanwhile: Callable[[], Awaitable[None]] | None = None

    async def _delete(self, session: Connection, ids: Sequence[int]) -> None:
        happening, self.meanwhile = self.meanwhile, None
        if happening is not None:
            await happening()
        await super()._delete(session, ids)


async def test_an_event_does_not_overtake_one_of_its_key_that_was_committed_late(
    database: Database, transport: Transport, outbox: Outbox
) -> None:
    late = asyncio.create_task(write(database, outbox, "c-late", 1, slow_s=0.3))
    await asyncio.sleep(0.1)
    await write(database, outbox, "c-other", 1)

    async def commit_and_go_on() -> None:
        await late
        await write(database, outbox, "c-late", 2)

    relay = Interrupted("customer", database, transport, batch=1)  # a full batch: the next one is read meanwhile
    relay.meanwhile = commit_and_go_on
    session = await database.session()
    try:
        while await relay.drain(session, range(SHARDS)):
            continue
    finally:
        await session.close()
    assert first_occurrences(await published(transport, outbox.topic)) == {"c-late": [1, 2], "c-other": [1]}


async def test_envelope_and_payload_arrive_as_written(database: Database, transport: Transport, outbox: Outbox) -> None:
    event = dealings("c-1", "purchases", "violations")
    head = outbox.envelope(event, feature="dealings", subject="customer/c-1", actor="staff/张", sequence=4)
    async with database.transaction() as tx:
        await outbox.add(tx, head, event)
    async with running(Relay("customer", database, transport)):
        await until_query(database, ROWS, 0)
    (found,) = await published(transport, outbox.topic)
    assert Envelope.of(found) == head
    assert type(event).model_validate_json(found.value) == event


async def test_a_change_that_is_rolled_back_publishes_nothing(
    database: Database, transport: Transport, outbox: Outbox
) -> None:
    with pytest.raises(RuntimeError):
        async with database.transaction() as tx:
            event = dealings()
            await outbox.add(tx, envelope(event), event)
            raise RuntimeError
    await write(database, outbox, "c-2", 1)
    async with running(Relay("customer", database, transport)):
        await until_query(database, ROWS, 0)
    assert list(first_occurrences(await published(transport, outbox.topic))) == ["c-2"]


async def test_rows_stay_while_nothing_can_be_published_and_leave_afterwards(
    database: Database, connected: Callable[[], Transport], outbox: Outbox
) -> None:
    transport = connected()
    await transport.start()
    await transport.ensure_topics(["another"])
    async with running(Relay("customer", database, transport)):
        for sequence in range(3):
            await write(database, outbox, "c-1", sequence)
        await asyncio.sleep(0.7)
        async with database.reading() as tx:
            assert await tx.fetchval(ROWS) == 3
        await transport.ensure_topics([outbox.topic])
        await until_query(database, ROWS, 0)
    assert first_occurrences(await published(transport, outbox.topic)) == {"c-1": [0, 1, 2]}


async def leaders(database: Database) -> set[int]:
    """Backends that hold shard locks."""
    async with database.reading() as tx:
        rows = await tx.fetch(
            "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
            " AND (classid::bigint << 32) | objid::bigint = ANY($1)",
            [advisory_key(f"outbox:{shard}") for shard in range(SHARDS)],
        )
    return {row["pid"] for row in rows} if len(rows) == SHARDS else set()


async def test_each_shard_has_a_leader_and_another_takes_over_when_its_backend_dies(
    database: Database, transport: Transport, outbox: Outbox
) -> None:
    async def led() -> bool:
        return bool(await leaders(database))

    async with running(*(Relay("customer", database, transport) for _ in range(2))):
        for sequence in range(60):
            if sequence % 20 == 10:
                await until(led)
                async with database.reading() as tx:
                    await tx.fetch(
                        "SELECT pg_terminate_backend(pid) FROM unnest($1::int[]) pid", await leaders(database)
                    )
            await write(database, outbox, "c-1", sequence)
        await until(led)
        await until_query(database, ROWS, 0)
    assert first_occurrences(await published(transport, outbox.topic)) == {"c-1": list(range(60))}


async def test_two_relays_publish_each_event_once_when_nothing_fails(
    database: Database, transport: Transport, outbox: Outbox
) -> None:
    async with running(*(Relay("customer", database, transport) for _ in range(3))):
        await asyncio.gather(*(write(database, outbox, f"c-{n}", 0) for n in range(50)))
        await until_query(database, ROWS, 0)
    assert len(await published(transport, outbox.topic)) == 50


async def test_a_large_backlog_drains_completely(database: Database, transport: Transport, outbox: Outbox) -> None:
    async with database.transaction() as tx:
        facts = [(envelope(dealings(f"c-{n % 9}"), f"c-{n % 9}", sequence=n // 9), dealings()) for n in range(4500)]
        await outbox.add_many(tx, facts)
    async with running(Relay("customer", database, transport, batch=200)):
        await until_query(database, ROWS, 0)
    assert first_occurrences(await published(transport, outbox.topic)) == {f"c-{n}": list(range(500)) for n in range(9)}


async def test_the_age_and_number_of_waiting_events_are_measured(database: Database, outbox: Outbox) -> None:
    relay = Relay("measured", database, PostgresLog("postgresql://unused"))
    await relay.observe()
    assert OUTBOX_AGE.labels("measured")._value.get() == 0
    await write(database, outbox, "c-1", 1)
    await asyncio.sleep(0.05)
    await relay.observe()
    assert OUTBOX_AGE.labels("measured")._value.get() >= 0.05
    assert OUTBOX_ROWS.labels("measured")._value.get() == 1


async def test_an_event_that_no_bus_would_take_is_refused_with_its_change(database: Database, outbox: Outbox) -> None:
    event = dealings("c-1", "x" * 900_000)
    with pytest.raises(TooLarge) as refused:
        async with database.transaction() as tx:
            await outbox.add(tx, envelope(event), event)
    assert refused.value.code == "change_too_large"
    async with database.reading() as tx:
        assert await tx.fetchval(ROWS) == 0


def test_a_key_has_one_shard_and_its_envelope_names_it(outbox: Outbox) -> None:
    event = dealings("c-1")
    head = outbox.envelope(event, feature="file", subject="customer/c-1", actor="staff/x", sequence=1)
    row = outbox.row(head, event)
    assert head.partitionkey == "c-1"
    assert row.key == b"c-1"
    assert row.shard == zlib.crc32(b"c-1") % SHARDS
    assert head.source == "/customer/file"
    assert head.dataschema == "kehu:customer.dealings_recorded:v1"
