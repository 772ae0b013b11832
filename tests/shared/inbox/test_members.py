"""Members of a group share its partitions by leases; nobody who lost a lease can commit."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions

from shared.bus import Delivery, Message, Partition, Transport
from shared.bus.kafka import Kafka
from shared.db import Database, Transaction
from shared.inbox import Consumer
from shared.leases import Fenced, Membership
from tests.factories.waiting import until, until_query

pytestmark = pytest.mark.req("R0.2")

READ = "SELECT coalesce(sum(next_position), 0)::int FROM consumer_offset"
LANES = [Partition("t", number) for number in range(6)]


async def member(database: Database, lease_s: float = 30) -> Membership:
    fresh = Membership("g", database, lease_s=lease_s)
    await fresh.join(LANES)
    return fresh


async def renewed(*members: Membership, rounds: int = 1) -> list[int]:
    """How many partitions each member holds after some renewals, without waiting for their rhythm."""
    for _ in range(rounds):
        for each in members:
            each._renew_at = 0
            await each.renew()
    return [len(each.positions) for each in members]


@asynccontextmanager
async def members(database: Database, count: int, lease_s: float = 30) -> AsyncIterator[list[Membership]]:
    made = [await member(database, lease_s) for _ in range(count)]
    yield made
    for each in made:
        await each.leave()


async def test_a_single_member_reads_everything(database: Database) -> None:
    async with members(database, 1) as (one,):
        assert await renewed(one) == [6]
        assert one.positions == dict.fromkeys(LANES, 0)


async def test_members_share_fairly_and_never_overlap(database: Database) -> None:
    async with members(database, 1) as (first,):
        await renewed(first)
        async with members(database, 2) as (second, third):
            assert await renewed(first, second, third, rounds=3) == [2, 2, 2]
            held = [*first.positions, *second.positions, *third.positions]
            assert sorted(held) == LANES


async def test_more_members_than_partitions_leave_some_standing_by(database: Database) -> None:
    async with members(database, 8) as eight:
        assert sorted(await renewed(*eight, rounds=3)) == [0, 0, 1, 1, 1, 1, 1, 1]


async def test_who_leaves_hands_over_at_once(database: Database) -> None:
    async with members(database, 1) as (stays,):
        goes = await member(database)
        assert await renewed(stays, goes, rounds=3) == [3, 3]
        await goes.leave()
        assert await renewed(stays) == [6]


async def test_a_member_whose_backend_died_is_replaced_before_its_lease_ends(database: Database) -> None:
    async with members(database, 1) as (lives,):
        dies = await member(database, lease_s=600)
        assert await renewed(lives, dies, rounds=3) == [3, 3]
        assert dies._session is not None
        dies._session.terminate()
        for _ in range(50):
            if await renewed(lives) == [6]:
                break
            await asyncio.sleep(0.1)
        assert len(lives.positions) == 6


async def test_a_member_that_stood_still_is_fenced(database: Database) -> None:
    async with members(database, 2, lease_s=0.3) as (stalled, other):
        await renewed(stalled)
        lane = LANES[0]
        await asyncio.sleep(0.4)
        assert await renewed(other) == [6]
        with pytest.raises(Fenced):
            async with database.transaction() as tx:
                await stalled.advance(tx, {lane: 5})
        async with database.transaction() as tx:
            await other.advance(tx, {lane: 3})
        other.advanced({lane: 3})
        assert other.positions[lane] == 3


async def test_an_offset_moves_by_compare_and_set_only(database: Database) -> None:
    async with members(database, 1) as (one,):
        await renewed(one)
        async with database.transaction() as tx:
            await tx.execute("UPDATE consumer_offset SET next_position = 9 WHERE partition = 2")
        with pytest.raises(Fenced):
            async with database.transaction() as tx:
                await one.advance(tx, {LANES[1]: 4, LANES[2]: 4})
        async with database.reading() as tx:
            rows = await tx.fetch("SELECT next_position FROM consumer_offset ORDER BY partition")
        assert [row["next_position"] for row in rows] == [0, 0, 9, 0, 0, 0]


async def test_a_lease_that_ended_untaken_is_taken_again_from_the_stored_offset(database: Database) -> None:
    async with members(database, 1, lease_s=0.2) as (one,):
        await renewed(one)
        async with database.transaction() as tx:
            await one.advance(tx, {LANES[0]: 4})
        one.advanced({LANES[0]: 4})
        await asyncio.sleep(0.3)
        assert await renewed(one, rounds=2) == [6]
        assert one.positions[LANES[0]] == 4


async def test_leases_are_kept_while_a_batch_is_applied(database: Database) -> None:
    async with members(database, 2, lease_s=0.6) as (slow, eager):
        await renewed(slow)
        async with slow.kept():
            await asyncio.sleep(1.5)
            await renewed(eager)
            async with database.transaction() as tx:
                await slow.advance(tx, {LANES[0]: 1})


async def test_a_handler_slower_than_the_lease_gets_through_although_others_wait(
    database: Database, transport: Transport, topic: str
) -> None:
    seen: list[bytes] = []

    async def slow(_tx: Transaction, batch: Sequence[Delivery]) -> None:
        await asyncio.sleep(1.5)
        seen.extend(each.value for each in batch)

    async with _running(database, transport, topic, slow, slow, lease_s=0.6):
        await transport.publish([Message(topic, str(n).encode(), str(n).encode()) for n in range(20)])
        await until_query(database, READ, 20)
    assert sorted(map(int, seen)) == list(range(20))


async def test_members_come_and_go_while_events_flow(database: Database, transport: Transport, topic: str) -> None:
    async with database.transaction() as tx:
        await tx.execute("CREATE TABLE effect (id bigserial, value int)")

    async def effect(tx: Transaction, batch: Sequence[Delivery]) -> None:
        await tx.execute("INSERT INTO effect (value) SELECT unnest($1::int[])", [int(each.value) for each in batch])

    async def flow() -> None:
        for number in range(40):
            await transport.publish([Message(topic, str(k).encode(), str(number * 10 + k).encode()) for k in range(10)])
            await asyncio.sleep(0.05)

    flowing = asyncio.create_task(flow())
    async with _running(database, transport, topic, effect, lease_s=1):
        await asyncio.sleep(0.5)
        async with _running(database, transport, topic, effect, effect, lease_s=1):
            await asyncio.sleep(2)
        await flowing
        await until_query(database, READ, 400)
    async with database.reading() as tx:
        values = [row["value"] for row in await tx.fetch("SELECT value FROM effect ORDER BY id")]
    assert sorted(values) == list(range(400))
    for key in range(10):
        assert [each for each in values if each % 10 == key] == list(range(key, 400, 10))


@pytest.mark.kafka
async def test_new_partitions_of_a_topic_are_read_too(database: Database, kafka: str, topic: str) -> None:
    before, after = Kafka(kafka, partitions=1), Kafka(kafka)
    seen: list[bytes] = []

    async def effect(_tx: Transaction, batch: Sequence[Delivery]) -> None:
        seen.extend(each.value for each in batch)

    await before.ensure_topics([topic])
    async with _running(database, before, topic, effect, lease_s=0.5):
        admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
        await admin.start()
        await admin.create_partitions({topic: NewPartitions(4)})
        await admin.close()
        await until(lambda: after.partitions(topic), 4)
        await after.publish([Message(topic, str(n).encode(), str(n).encode()) for n in range(40)])
        await until_query(database, READ, 40)
    await asyncio.gather(before.close(), after.close())
    assert sorted(map(int, seen)) == list(range(40))


@asynccontextmanager
async def _running(database, transport, topic, *handles, lease_s) -> AsyncIterator[None]:
    stop = asyncio.Event()
    group = [
        Consumer("g", [topic], handle, database=database, transport=transport, batch=50, lease_s=lease_s)
        for handle in handles
    ]
    tasks = [asyncio.create_task(each.run(stop)) for each in group]
    try:
        yield
    finally:
        stop.set()
        await asyncio.wait_for(asyncio.gather(*tasks), 20)
