"""The local broker is a real one: it keeps what it acknowledged, freezes and dies on request, and is pinned."""

import asyncio
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

import kehu.kafka
from kehu.kafka import KafkaFailed, LocalKafka
from kehu.settings import SuiteSettings

pytestmark = [pytest.mark.kafka, pytest.mark.slow]


@pytest.fixture
def cache() -> Path:
    return SuiteSettings().kehu_cache


@pytest.fixture
def broker(tmp_path: Path, cache: Path) -> Iterator[LocalKafka]:
    broker = LocalKafka(tmp_path / "kafka", cache=cache)
    broker.start()
    yield broker
    broker.stop()


async def test_the_runs_kafka_takes_and_gives_back_a_message(kafka: str) -> None:
    topic = await _new_topic(kafka)
    await _publish(kafka, topic, b"kept")
    assert await _first_message(kafka, topic) == b"kept"


async def test_acknowledged_messages_survive_kill_and_stop(broker: LocalKafka) -> None:
    topic = await _new_topic(broker.bootstrap)
    await _publish(broker.bootstrap, topic, b"kept")
    address = broker.bootstrap
    broker.kill()
    broker.start()
    broker.stop()
    broker.start()
    assert broker.bootstrap == address
    assert await _first_message(address, topic) == b"kept"


async def test_a_paused_broker_answers_again_after_resume(broker: LocalKafka) -> None:
    topic = await _new_topic(broker.bootstrap)
    process = psutil.Process(broker.pid)
    broker.pause()
    _until(lambda: process.status() == psutil.STATUS_STOPPED)
    broker.resume()
    _until(lambda: process.status() != psutil.STATUS_STOPPED)
    await asyncio.wait_for(_publish(broker.bootstrap, topic, b"kept"), 60)


def test_a_broker_that_an_earlier_object_left_is_ended_first(broker: LocalKafka, cache: Path) -> None:
    left = psutil.Process(broker.pid)
    second = LocalKafka(broker.directory, cache=cache)
    second.start()
    try:
        assert not left.is_running() or left.status() == psutil.STATUS_ZOMBIE
        assert second.pid is not None
    finally:
        second.stop()


def test_a_failing_start_says_why(broker: LocalKafka) -> None:
    broker.stop()
    (broker.directory / "segments" / "meta.properties").write_text("version=1\ncluster.id=another\nnode.id=7\n")
    with pytest.raises(KafkaFailed, match="node"):
        broker.start()


def test_files_that_are_not_the_pinned_ones_are_refused(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = {line.split()[1] for line in Path(kehu.kafka.__file__).with_name("kafka.sha256").read_text().splitlines()}
    assert {jar.name for jar in kehu.kafka.program(cache).iterdir()} == known
    changed = tmp_path / "digests"
    changed.write_text(f"{'0' * 64}  kafka_2.13-{kehu.kafka.VERSION}.jar\n")
    monkeypatch.setattr(kehu.kafka, "_DIGESTS", changed)
    with pytest.raises(KafkaFailed, match="not the known"):
        kehu.kafka.verify(kehu.kafka.program(cache))


async def _new_topic(bootstrap: str) -> str:
    topic = f"test-{uuid.uuid4().hex}"
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(topic, 1, 1)])
    finally:
        await admin.close()
    return topic


def _until(holds: Callable[[], bool]) -> None:
    """Signals take effect a moment after they are sent."""
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


async def _publish(bootstrap: str, topic: str, value: bytes, **options: int) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, enable_idempotence=True, **options)
    try:
        await producer.start()
        await producer.send_and_wait(topic, value)
    finally:
        await producer.stop()


async def _first_message(bootstrap: str, topic: str) -> bytes:
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    consumer.assign([TopicPartition(topic, 0)])
    await consumer.start()
    try:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            for messages in (await consumer.getmany(timeout_ms=500)).values():
                return messages[0].value
        raise AssertionError("nothing came")
    finally:
        await consumer.stop()
