"""What every transport promises, proved on each of them against its real server."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

import pytest

from shared.bus import Delivery, Message, Partition, Reader, Transport
from shared.bus.postgres import PostgresLog
from shared.bus.transport import MESSAGE_LIMIT
from shared.errors import Unavailable
from tests.conftest import FreshDatabase
from tests.shared.conftest import PARTITIONS

pytestmark = pytest.mark.req("R0.1")


async def everything(transport: Transport, topic: str, positions: Mapping[Partition, int] | None = None) -> Reader:
    """A reader of all partitions of a topic, from the start or from `positions`."""
    reader = transport.reader()
    lanes = {Partition(topic, number): 0 for number in range(await transport.partitions(topic))}
    reader.assign({**lanes, **(positions or {})})
    return reader


async def read(reader: Reader, count: int, *, limit: int = 1000, within_s: float = 15) -> list[Delivery]:
    """The next `count` messages (fewer if they do not come in time)."""
    found: list[Delivery] = []
    deadline = time.monotonic() + within_s
    while len(found) < count and time.monotonic() < deadline:
        found += await reader.fetch(min(limit, count - len(found)), 0.5)
    return found


def numbered(topic: str, count: int, *, keys: int = 20, size: int = 10) -> list[Message]:
    return [Message(topic, f"key-{n % keys}".encode(), str(n).zfill(size).encode()) for n in range(count)]


def by_key(found: Sequence[Delivery]) -> dict[bytes, list[int]]:
    values: dict[bytes, list[int]] = defaultdict(list)
    for each in found:
        values[each.key].append(int(each.value))
    return values


async def test_messages_of_a_key_arrive_in_the_order_of_their_publishing(transport: Transport, topic: str) -> None:
    messages = numbered(topic, 600)
    for start in range(0, 600, 97):
        await transport.publish(messages[start : start + 97])
    reader = await everything(transport, topic)
    values = by_key(await read(reader, 600))
    await reader.close()
    assert values == {f"key-{k}".encode(): list(range(k, 600, 20)) for k in range(20)}


async def test_positions_rise_within_each_partition(transport: Transport, topic: str) -> None:
    await transport.publish(numbered(topic, 200))
    reader = await everything(transport, topic)
    found = await read(reader, 200, limit=7)
    await reader.close()
    lanes: dict[Partition, list[int]] = defaultdict(list)
    for each in found:
        lanes[each.lane].append(each.position)
    assert len(lanes) > 1
    assert all(positions == sorted(set(positions)) for positions in lanes.values())


async def test_two_producers_agree_on_the_partition_of_a_key(
    transport: Transport, connected: Callable[[], Transport], topic: str
) -> None:
    other = connected()
    await other.start()
    await asyncio.gather(transport.publish(numbered(topic, 100)), other.publish(numbered(topic, 100)))
    reader = await everything(transport, topic)
    homes: dict[bytes, set[int]] = defaultdict(set)
    for each in await read(reader, 200):
        homes[each.key].add(each.partition)
    await reader.close()
    assert len(homes) == 20
    assert all(len(partitions) == 1 for partitions in homes.values())


async def test_bytes_and_headers_arrive_unchanged(transport: Transport, topic: str) -> None:
    headers = (("plain", b"\x00\xff\n"), ("空", "值".encode()), ("empty", b""), ("plain", b"again"))
    sent = [Message(topic, b"\x00\xfe", bytes(range(256)) * 40, headers), Message(topic, b"k", b"", ())]
    await transport.publish(sent)
    reader = await everything(transport, topic)
    found = {each.key: each for each in await read(reader, 2)}
    await reader.close()
    assert [(found[m.key].value, found[m.key].headers) for m in sent] == [(m.value, m.headers) for m in sent]


async def test_what_publish_acknowledged_is_there_for_everybody(
    transport: Transport, connected: Callable[[], Transport], topic: str
) -> None:
    await transport.publish(numbered(topic, 50))
    late = connected()
    await late.start()
    reader = await everything(late, topic)
    found = await read(reader, 50)
    await reader.close()
    assert len(found) == 50


async def test_a_reader_that_starts_over_reads_the_same_again(transport: Transport, topic: str) -> None:
    await transport.publish(numbered(topic, 60))
    first, second = await everything(transport, topic), await everything(transport, topic)
    once = await read(first, 60)
    again = await read(second, 60)
    first.assign({each.lane: each.position for each in reversed(once)})
    third = await read(first, 60)
    await asyncio.gather(first.close(), second.close())
    assert by_key(once) == by_key(again) == by_key(third)


async def test_a_reader_goes_on_from_the_position_it_is_given(transport: Transport, topic: str) -> None:
    await transport.publish([Message(topic, b"one", str(n).encode()) for n in range(10)])
    reader = await everything(transport, topic)
    found = await read(reader, 10)
    reader.assign({found[0].lane: found[6].position + 1})
    rest = await read(reader, 3)
    await reader.close()
    assert [int(each.value) for each in rest] == [7, 8, 9]


async def test_a_position_beyond_the_end_starts_over_instead_of_waiting_for_ever(
    transport: Transport, topic: str
) -> None:
    await transport.publish([Message(topic, b"one", b"0")])
    reader = await everything(transport, topic)
    (first,) = await read(reader, 1)
    reader.assign({first.lane: 1000})
    (again,) = await read(reader, 1)
    await reader.close()
    assert (again.position, again.value) == (first.position, b"0")


async def test_a_paused_partition_rests_while_the_others_go_on(transport: Transport, topic: str) -> None:
    await transport.publish(numbered(topic, 120))
    reader = await everything(transport, topic)
    (first,) = await read(reader, 1)
    reader.pause(first.lane)
    others = await read(reader, 120, within_s=3)
    await transport.publish([Message(topic, first.key, b"120")])
    still = await reader.fetch(10, 0.5)
    reader.resume(first.lane)
    rested = await read(reader, 120 - len(others))
    await reader.close()
    assert others
    assert first.lane not in {each.lane for each in others}
    assert not still
    assert {each.lane for each in rested} == {first.lane}
    assert len(others) + len(rested) == 120


async def test_a_fetch_hands_out_no_more_than_asked_and_loses_nothing(transport: Transport, topic: str) -> None:
    await transport.publish(numbered(topic, 500))
    reader = await everything(transport, topic)
    sizes: list[int] = []
    found: list[Delivery] = []
    while len(found) < 500:
        batch = await reader.fetch(23, 5)
        assert batch
        sizes.append(len(batch))
        found += batch
    await reader.close()
    assert max(sizes) <= 23
    assert sorted(int(each.value) for each in found) == list(range(500))


async def test_a_busy_partition_does_not_starve_the_others(transport: Transport, topic: str) -> None:
    busy = [Message(topic, b"busy", b"0")] * 200
    await transport.publish(busy * 2)
    await transport.publish(numbered(topic, 60, keys=60))
    reader = await everything(transport, topic)
    seen: set[int] = set()
    for _ in range(60):
        await transport.publish(busy)
        seen |= {each.partition for each in await reader.fetch(100, 2)}
        if len(seen) == PARTITIONS:
            break
    await reader.close()
    assert len(seen) == PARTITIONS


@pytest.mark.timed
async def test_an_empty_fetch_ends_in_time_and_a_new_message_ends_it_early(transport: Transport, topic: str) -> None:
    reader = await everything(transport, topic)
    started = time.monotonic()
    assert await reader.fetch(10, 0.5) == []
    assert 0.4 <= time.monotonic() - started < 3
    waiting = asyncio.create_task(reader.fetch(10, 20))
    await asyncio.sleep(0.3)
    published = time.monotonic()
    await transport.publish([Message(topic, b"k", b"v")])
    found = await waiting
    await reader.close()
    assert [each.value for each in found] == [b"v"]
    assert time.monotonic() - published < 2


async def test_nothing_assigned_hands_out_nothing(transport: Transport, topic: str) -> None:
    await transport.publish(numbered(topic, 10))
    reader = transport.reader()
    assert await reader.fetch(10, 0.3) == []
    await reader.close()


async def test_the_watermark_counts_what_was_published(transport: Transport, topic: str) -> None:
    empty = await transport.watermarks(topic)
    assert set(empty) == {Partition(topic, number) for number in range(PARTITIONS)}
    assert {(mark.low, mark.high) for mark in empty.values()} == {(0, 0)}
    await transport.publish(numbered(topic, 200))
    marks = await transport.watermarks(topic)
    assert sum(mark.high for mark in marks.values()) == 200


async def test_a_large_batch_goes_through_in_order(transport: Transport, topic: str) -> None:
    messages = numbered(topic, 10_000, keys=7, size=600)
    await transport.publish(messages)
    reader = await everything(transport, topic)
    values = by_key(await read(reader, 10_000, within_s=40))
    await reader.close()
    assert values == {f"key-{k}".encode(): list(range(k, 10_000, 7)) for k in range(7)}


async def test_publishing_nothing_is_nothing(transport: Transport, topic: str) -> None:
    await transport.publish([])
    assert sum(mark.high for mark in (await transport.watermarks(topic)).values()) == 0


async def test_the_largest_message_passes_and_a_larger_one_is_refused(transport: Transport, topic: str) -> None:
    largest = Message(topic, b"k", b"x" * MESSAGE_LIMIT)
    await transport.publish([largest])
    with pytest.raises(ValueError, match="over the limit"):
        await transport.publish([Message(topic, b"k", b"x" * (MESSAGE_LIMIT + 1))])
    await transport.publish([Message(topic, b"k", b"after")])
    reader = await everything(transport, topic)
    found = await read(reader, 2)
    await reader.close()
    assert [len(each.value) for each in found] == [MESSAGE_LIMIT, 5]


async def test_processes_that_create_a_topic_at_once_get_one_topic(
    connected: Callable[[], Transport], topic: str
) -> None:
    transports = [connected() for _ in range(5)]
    await asyncio.gather(*(each.start() for each in transports))
    await asyncio.gather(*(each.ensure_topics([topic, f"{topic}-b"]) for each in transports))
    counts = await asyncio.gather(*(each.partitions(topic) for each in transports))
    assert counts == [PARTITIONS] * 5


async def test_an_unknown_topic_has_no_partitions_and_takes_no_message(transport: Transport, topic: str) -> None:
    assert await transport.partitions(f"{topic}-none") == 0
    with pytest.raises(Unavailable):
        await transport.publish([Message(f"{topic}-none", b"k", b"v")])
    await transport.publish([Message(topic, b"k", b"v")])


async def test_a_bus_that_was_never_set_up_says_that_it_is_not_ready(fresh_database: FreshDatabase, topic: str) -> None:
    fresh = PostgresLog(fresh_database("bus"))
    await fresh.start()
    with pytest.raises(Unavailable):
        await fresh.publish([Message(topic, b"k", b"v")])
    await fresh.close()
