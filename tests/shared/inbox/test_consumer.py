"""A consumer's effects stand exactly once, on both transports, whatever fails in between."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta

import asyncpg
import pytest

from shared.bus import Delivery, Message, Transport
from shared.bus.postgres import PostgresLog
from shared.db import Database, Transaction
from shared.errors import Unavailable
from shared.events import DealingsRecorded, Envelope
from shared.inbox import Consumer, Handle, dispatch
from shared.telemetry import CONSUMER_LAG, DEAD_LETTERS, EVENTS_MISSED
from tests.factories.events import dealings, envelope
from tests.factories.waiting import until_query

pytestmark = pytest.mark.req("R0.2")


@pytest.fixture
async def database(database: Database) -> Database:
    """With a table for effects that may well be doubled: nothing but the consumer prevents it."""
    async with database.transaction() as tx:
        await tx.execute("CREATE TABLE effect (id bigserial, event_id uuid, key text, sequence int)")
    return database


async def note(tx: Transaction, envelope: Envelope, event: DealingsRecorded) -> None:
    """The effect under test: one more row."""
    await tx.execute(
        "INSERT INTO effect (event_id, key, sequence) VALUES ($1, $2, $3)",
        envelope.id,
        event.customer_id,
        envelope.sequence,
    )


def facts(topic: str, count: int, *, keys: int = 10) -> list[Message]:
    """`count` events over `keys` customers, each with its sequence."""
    found = []
    for number in range(count):
        key = f"c-{number % keys}"
        event = dealings(key)
        head = envelope(event, key, sequence=number // keys)
        found.append(Message(topic, key.encode(), event.model_dump_json().encode(), head.headers()))
    return found


@asynccontextmanager
async def running(*consumers: Consumer) -> AsyncIterator[None]:
    """Run members until the block ends."""
    stop = asyncio.Event()
    tasks = [asyncio.create_task(each.run(stop)) for each in consumers]
    try:
        yield
    finally:
        stop.set()
        await asyncio.wait_for(asyncio.gather(*tasks), 20)


async def effects(database: Database) -> dict[str, list[int]]:
    """Sequences by key, in the order of their effects."""
    async with database.reading() as tx:
        rows = await tx.fetch("SELECT key, array_agg(sequence ORDER BY id) AS seen FROM effect GROUP BY key")
    return {row["key"]: row["seen"] for row in rows}


EFFECTS = "SELECT count(*) FROM effect"


def consumer(database: Database, transport: Transport, topic: str, handle: Handle | None = None) -> Consumer:
    return Consumer(
        "g",
        [topic],
        handle or dispatch("g", {DealingsRecorded: note}),
        database=database,
        transport=transport,
        batch=40,
        lease_s=2,
    )


async def test_each_event_has_its_effect_once_and_in_order(
    database: Database, transport: Transport, topic: str
) -> None:
    await transport.publish(facts(topic, 500))
    async with running(consumer(database, transport, topic)):
        await until_query(database, EFFECTS, 500)
    assert await effects(database) == {f"c-{n}": list(range(50)) for n in range(10)}


@pytest.mark.parametrize("bus", ["postgres"], indirect=True)  # Kafka drops by its own clock only
async def test_events_that_the_bus_dropped_before_they_were_read_are_told(
    database: Database, transport: Transport, topic: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert isinstance(transport, PostgresLog)
    await transport.publish(facts(topic, 20))
    await transport.trim(timedelta(0))
    await transport.publish(facts(topic, 30))
    before = EVENTS_MISSED.labels("g")._value.get()
    async with running(consumer(database, transport, topic)):
        await until_query(database, EFFECTS, 30)
    assert EVENTS_MISSED.labels("g")._value.get() - before == 20
    assert "events_missed" in "".join(capfd.readouterr())


async def test_what_the_bus_delivers_twice_has_one_effect(database: Database, transport: Transport, topic: str) -> None:
    messages = facts(topic, 100)
    await transport.publish(messages)
    await transport.publish(messages[20:60])
    await transport.publish(messages)
    async with running(consumer(database, transport, topic)):
        await until_query(database, "SELECT sum(next_position)::int FROM consumer_offset", 240)
    assert await effects(database) == {f"c-{n}": list(range(10)) for n in range(10)}


async def test_a_passing_fault_is_retried_until_it_passes(database: Database, transport: Transport, topic: str) -> None:
    faults = iter([Unavailable("peer_away"), asyncpg.DeadlockDetectedError("deadlock"), TimeoutError()])
    apply = dispatch("g", {DealingsRecorded: note})

    async def stumbling(tx: Transaction, batch: Sequence[Delivery]) -> None:
        await apply(tx, batch)
        for fault in faults:
            raise fault

    await transport.publish(facts(topic, 30))
    async with running(consumer(database, transport, topic, stumbling)):
        await until_query(database, EFFECTS, 30)
    assert await effects(database) == {f"c-{n}": list(range(3)) for n in range(10)}
    async with database.reading() as tx:
        assert await tx.fetchval("SELECT count(*) FROM dead_letter") == 0


async def test_a_poison_event_is_parked_and_the_others_go_on(
    database: Database, transport: Transport, topic: str
) -> None:
    messages = facts(topic, 40, keys=1)
    good = messages[0]
    messages[7] = Message(topic, good.key, b"not json", messages[7].headers)
    messages[11] = Message(topic, good.key, b"{}", (("ce_id", b"none"),))
    messages[13] = Message(topic, good.key, b"", ())
    nul = tuple((name, b"customer/\x00" if name == "ce_subject" else value) for name, value in messages[17].headers)
    messages[17] = Message(topic, good.key, b"\x00", nul)
    await transport.publish(messages)
    async with running(consumer(database, transport, topic)):
        await until_query(database, "SELECT sum(next_position)::int FROM consumer_offset", 40)
    assert await effects(database) == {"c-0": [n for n in range(40) if n not in (7, 11, 13, 17)]}
    async with database.reading() as tx:
        parked = await tx.fetch("SELECT * FROM dead_letter ORDER BY position")
    assert [(row["position"], row["value"]) for row in parked] == [
        (7, b"not json"),
        (11, b"{}"),
        (13, b""),
        (17, b"\x00"),
    ]
    assert [row["error"] for row in parked] == ["ValidationError", "Undecodable", "Undecodable", "ValidationError"]
    assert parked[0]["subject"] == "customer/c-0"
    assert parked[1]["event_id"] is None
    assert parked[3]["subject"] == "customer/\N{REPLACEMENT CHARACTER}"


async def test_a_handler_that_fails_on_some_values_parks_only_those(
    database: Database, transport: Transport, topic: str
) -> None:
    async def picky(tx: Transaction, envelope: Envelope, event: DealingsRecorded) -> None:
        await note(tx, envelope, event)
        await tx.execute("SELECT 1 / ($1::int - 3)", envelope.sequence)

    await transport.publish(facts(topic, 60))
    async with running(consumer(database, transport, topic, dispatch("g", {DealingsRecorded: picky}))):
        await until_query(database, "SELECT sum(next_position)::int FROM consumer_offset", 60)
    assert await effects(database) == {f"c-{n}": [0, 1, 2, 4, 5] for n in range(10)}
    async with database.reading() as tx:
        assert await tx.fetchval("SELECT count(*) FROM dead_letter WHERE error = 'DivisionByZeroError'") == 10
        assert await tx.fetchval("SELECT count(DISTINCT fingerprint) FROM dead_letter") == 1


async def test_every_group_gets_every_event(database: Database, transport: Transport, topic: str) -> None:
    seen: Counter[str] = Counter()

    def counting(group: str) -> Consumer:
        async def count(_tx: Transaction, batch: Sequence[Delivery]) -> None:
            seen[group] += len(batch)

        return Consumer(group, [topic], count, database=database, transport=transport)

    await transport.publish(facts(topic, 90))
    async with running(counting("one"), counting("two"), counting("three")):
        await until_query(database, "SELECT sum(next_position)::int FROM consumer_offset", 270)
    assert seen == {"one": 90, "two": 90, "three": 90}


async def test_a_group_that_joins_late_reads_from_the_beginning(
    database: Database, transport: Transport, topic: str
) -> None:
    await transport.publish(facts(topic, 50))
    async with running(consumer(database, transport, topic)):
        await until_query(database, EFFECTS, 50)
        late = Consumer(
            "late", [topic], dispatch("late", {DealingsRecorded: note}), database=database, transport=transport
        )
        async with running(late):
            await until_query(database, EFFECTS, 100)


async def test_events_that_nobody_asked_for_pass_by(database: Database, transport: Transport, topic: str) -> None:
    (message,) = facts(topic, 1)
    strange = tuple((name, b"moon.risen" if name == "ce_type" else value) for name, value in message.headers)
    await transport.publish([Message(topic, message.key, b"?", strange), message])
    async with running(consumer(database, transport, topic)):
        await until_query(database, EFFECTS, 1)
    async with database.reading() as tx:
        assert await tx.fetchval("SELECT count(*) FROM dead_letter") == 0


async def test_lag_and_dead_letters_are_measured(database: Database, transport: Transport, topic: str) -> None:
    reader = consumer(database, transport, topic)
    bad = Message(topic, b"c-0", b"?", facts(topic, 1)[0].headers)
    await transport.publish([bad, *facts(topic, 20, keys=1)])
    async with running(reader):
        await until_query(database, EFFECTS, 20)
    await transport.publish(facts(topic, 7, keys=1))
    await reader.observe()
    lags = [
        sample.value
        for metric in CONSUMER_LAG.collect()
        for sample in metric.samples
        if sample.labels["topic"] == topic
    ]
    assert sum(lags) == 7
    assert DEAD_LETTERS.labels("g")._value.get() == 1


async def test_a_consumer_goes_on_by_itself_when_its_sessions_are_ended(
    database: Database, transport: Transport, topic: str
) -> None:
    async with running(consumer(database, transport, topic)):
        await transport.publish(facts(topic, 20))
        await until_query(database, EFFECTS, 20)
        with contextlib.suppress(asyncpg.PostgresError, asyncpg.InterfaceError):
            async with database.reading() as tx:
                await tx.fetch(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
        await transport.publish(facts(topic, 20))
        await until_query(database, EFFECTS, 40)
