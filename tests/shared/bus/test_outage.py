"""While a bus is away its transport says so, and goes on without a restart when it is back. Each bus dies for real."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from kehu.kafka import KafkaFailed, LocalKafka
from kehu.postgres import PostgresServer
from kehu.settings import SuiteSettings
from shared.bus import Message, Partition, Transport, connect
from shared.errors import Unavailable

pytestmark = [pytest.mark.req("R0.2"), pytest.mark.slow]


@dataclass(frozen=True)
class MortalBus:
    """A bus of the test's own: its address, how to kill it and how to bring it back."""

    kind: str
    url: str
    kill: Callable[[], None]
    start: Callable[[], None]


@pytest.fixture(scope="module", params=["postgres", pytest.param("kafka", marks=pytest.mark.kafka)])
def mortal(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MortalBus]:
    directory = tmp_path_factory.mktemp(request.param)
    if request.param == "kafka":
        yield from _kafka(directory)
    else:
        yield from _postgres(directory)


def _kafka(directory: Path) -> Iterator[MortalBus]:
    broker = LocalKafka(directory / "kafka", cache=SuiteSettings().kehu_cache)
    try:
        broker.start()
    except KafkaFailed as problem:
        if SuiteSettings().ci:
            pytest.fail(f"no Kafka of our own to kill, and CI may not skip its tests: {problem}")
        pytest.skip(f"NO KAFKA OF OUR OWN TO KILL: {problem}")
    yield MortalBus("kafka", broker.bootstrap, broker.kill, broker.start)
    broker.stop()


def _postgres(directory: Path) -> Iterator[MortalBus]:
    server = PostgresServer(directory / "postgres")
    server.start()
    yield MortalBus("postgres", server.create_database("bus"), server.kill, server.start)
    server.stop()


@pytest.fixture
async def transport(mortal: MortalBus) -> AsyncIterator[Transport]:
    transport = connect(mortal.kind, mortal.url, partitions=2)
    await transport.start()
    yield transport
    await transport.close()


async def until_usable(transport: Transport, within_s: float = 30) -> None:
    deadline = time.monotonic() + within_s
    while not await transport.is_usable():
        assert time.monotonic() < deadline, "the bus is back, but the transport does not notice"
        await asyncio.sleep(0.2)


async def test_a_dead_bus_refuses_and_loses_nothing_and_serves_again(mortal: MortalBus, transport: Transport) -> None:
    topic = f"test-{uuid.uuid4().hex}"
    await transport.ensure_topics([topic])
    await transport.publish([Message(topic, b"k", b"before")])
    reader = transport.reader()
    reader.assign({Partition(topic, number): 0 for number in range(2)})
    assert [each.value for each in await reader.fetch(10, 10)] == [b"before"]
    assert await transport.is_usable()

    mortal.kill()
    try:
        assert not await transport.is_usable()
        with pytest.raises(Unavailable):
            await transport.publish([Message(topic, b"k", b"during")])
        with pytest.raises(Unavailable):
            await transport.watermarks(topic)
        with pytest.raises(Unavailable):
            await transport.ensure_topics([topic])
    finally:
        mortal.start()

    await until_usable(transport)
    await transport.publish([Message(topic, b"k", b"during")])
    found: list[bytes] = []
    deadline = time.monotonic() + 30
    while len(found) < 1 and time.monotonic() < deadline:
        try:
            found += [each.value for each in await reader.fetch(10, 1)]
        except Unavailable:
            await asyncio.sleep(0.2)
    await reader.close()
    assert found == [b"during"]


async def test_a_transport_starts_while_its_bus_is_away(mortal: MortalBus) -> None:
    mortal.kill()
    early = connect(mortal.kind, mortal.url, partitions=2)
    try:
        await early.start()
        assert not await early.is_usable()
    finally:
        mortal.start()
    await until_usable(early)
    topic = f"test-{uuid.uuid4().hex}"
    await early.ensure_topics([topic])
    await early.publish([Message(topic, b"k", b"v")])
    await early.close()


@pytest.mark.timed
async def test_closing_does_not_wait_for_a_bus_that_is_away(mortal: MortalBus, transport: Transport) -> None:
    topic = f"test-{uuid.uuid4().hex}"
    await transport.ensure_topics([topic])
    await transport.publish([Message(topic, b"k", b"v")])
    mortal.kill()
    try:
        started = time.monotonic()
        await transport.close()
        assert time.monotonic() - started < 8
    finally:
        mortal.start()
