"""The production bus: Apache Kafka through aiokafka, with its consumer groups and transactions left unused.

acks=all and the idempotent producer; one publish at a time; after any error the producer is thrown away, since aiokafka
stays stuck on an out-of-sequence error. Readers assign partitions by hand (docs/decisions/0006).
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code
from aiokafka.partitioner import murmur2

from shared.bus.transport import Delivery, Headers, Message, Partition, Watermark, check_sizes
from shared.errors import Unavailable

_BATCH_BYTES = 1_000_000
_REQUEST_MS = 10_000
_STALL_S = 20.0
_CLOSE_S = 5.0
_PROPAGATION_TRIES = 20


def lane_of(key: bytes, partitions: int) -> int:
    """The partition of a key: the same as Kafka's own clients choose."""
    return int((murmur2(key) & 0x7FFFFFFF) % partitions)


def _whole(headers: Iterable[tuple[str, bytes | None]]) -> Headers:
    """Headers with a value each: other producers may send some without."""
    return tuple((name, value or b"") for name, value in headers)


def _away(error: BaseException) -> Unavailable:
    return Unavailable("bus_unavailable", f"Kafka does not answer ({type(error).__name__}).")


async def _let_go(closing: Coroutine[Any, Any, None]) -> None:
    """Wait a moment for a client to close, whatever becomes of it.

    aiokafka cancels its own tasks and awaits them, so that closing ends in a CancelledError that is none of the
    caller's, or does not end. A task of its own keeps both away from the caller, who would be taken for cancelled.
    """
    task = asyncio.create_task(closing)
    await asyncio.wait({task}, timeout=_CLOSE_S)
    if not task.cancel() and not task.cancelled():
        task.exception()  # seen, so that nobody reports it


class Kafka:
    """Transport over an Apache Kafka cluster."""

    def __init__(self, bootstrap: str, *, partitions: int = 6, replication: int = 1) -> None:
        self._bootstrap = bootstrap
        self._partitions = partitions
        self._replication = replication
        self._producer: AIOKafkaProducer | None = None
        self._probe: AIOKafkaConsumer | None = None
        self._publishing = asyncio.Lock()
        self._probing = asyncio.Lock()
        self._counts: dict[str, int] = {}

    async def start(self) -> None:
        """Nothing: producer and probe are made when first needed, so Kafka may be away now."""

    async def close(self) -> None:
        """Close the producer and the probe."""
        await self._drop_producer()
        await self._drop_probe()

    async def ensure_topics(self, topics: Iterable[str]) -> None:
        """Create the topics that are missing."""
        admin = AIOKafkaAdminClient(bootstrap_servers=self._bootstrap, request_timeout_ms=_REQUEST_MS)
        try:
            await admin.start()
            known = set(await admin.list_topics())
            wanted = [NewTopic(name, self._partitions, self._replication) for name in topics if name not in known]
            if wanted:
                answer = await admin.create_topics(wanted)
                for fault in answer.topic_errors:
                    if fault[1] not in (0, TopicAlreadyExistsError.errno):
                        raise for_code(fault[1])(str(fault))
                await self._await_topics([each.name for each in wanted])
        except (KafkaError, OSError, TimeoutError) as error:
            raise _away(error) from error
        finally:
            await _let_go(admin.close())

    async def _await_topics(self, names: Sequence[str]) -> None:
        """Brokers learn of a new topic a moment after its creation was acknowledged."""
        for attempt in range(_PROPAGATION_TRIES):
            if all([await self.partitions(name) for name in names]):
                return
            await asyncio.sleep(0.02 * (attempt + 1))
        raise Unavailable("no_such_topic", "Kafka has created the topics but does not know them yet.")

    async def partitions(self, topic: str) -> int:
        """How many partitions a topic has; 0 if there is no such topic."""
        return len(await self._lanes(topic))

    async def publish(self, messages: Sequence[Message]) -> None:
        """Append all by partition batches, one batch of a partition after the other."""
        check_sizes(messages)
        async with self._publishing:
            try:
                producer = await self._open_producer()
                await self._send(producer, messages)
            except (KafkaError, OSError, TimeoutError, AssertionError) as error:
                await self._drop_producer()
                raise _away(error) from error
            except asyncio.CancelledError:
                await self._drop_producer()
                raise

    async def _send(self, producer: AIOKafkaProducer, messages: Sequence[Message]) -> None:
        lanes: dict[tuple[str, int], list[Message]] = defaultdict(list)
        for message in messages:
            lanes[message.topic, lane_of(message.key, await self._count(message.topic))].append(message)
        sending = [asyncio.create_task(self._send_lane(producer, *lane, each)) for lane, each in lanes.items()]
        try:
            await asyncio.gather(*sending)
        finally:
            for lane in sending:
                lane.cancel()

    async def _count(self, topic: str) -> int:
        """Partitions of a topic, as this producer has known them from its first message on."""
        if topic not in self._counts:
            count = await self.partitions(topic)
            if count == 0:
                raise Unavailable("no_such_topic", f"The bus has no topic {topic}; it is made at start.")
            self._counts[topic] = count
        return self._counts[topic]

    async def _send_lane(self, producer: AIOKafkaProducer, topic: str, number: int, messages: list[Message]) -> None:
        """Several batches of one partition may be in flight: the idempotent producer keeps their order."""
        sent: list[Any] = []
        batch = producer.create_batch()
        for each in messages:
            headers = list(each.headers)
            if batch.append(key=each.key, value=each.value, timestamp=None, headers=headers) is None:
                batch.close()
                sent.append(await producer.send_batch(batch, topic, partition=number))
                batch = producer.create_batch()
                if batch.append(key=each.key, value=each.value, timestamp=None, headers=headers) is None:
                    raise ValueError(f"a message with its headers is over the limit of {_BATCH_BYTES} bytes")
        batch.close()
        sent.append(await producer.send_batch(batch, topic, partition=number))
        for acknowledged in sent:
            await asyncio.wait_for(acknowledged, 3 * _REQUEST_MS / 1000)

    async def _open_producer(self) -> AIOKafkaProducer:
        if self._producer is None:
            producer = AIOKafkaProducer(
                bootstrap_servers=self._bootstrap,
                acks="all",
                enable_idempotence=True,
                max_batch_size=_BATCH_BYTES,
                request_timeout_ms=_REQUEST_MS,
                retry_backoff_ms=50,
            )
            try:
                await producer.start()
            except BaseException:
                await _let_go(producer.stop())
                raise
            self._producer = producer
            self._counts.clear()
        return self._producer

    async def _drop_producer(self) -> None:
        """End it without waiting for what it still holds: nobody was told that this was sent, so it is sent again.

        aiokafka's own `stop` waits for all of it, for ever when the broker is away.
        """
        producer, self._producer = self._producer, None
        if producer is not None:
            producer._closed = True
            await _let_go(producer._sender.close())
            await _let_go(producer.client.close())

    async def watermarks(self, topic: str) -> dict[Partition, Watermark]:
        """The readable range of each partition."""
        lanes = [TopicPartition(topic, number) for number in await self._lanes(topic)]
        async with self._probing:
            try:
                probe = await self._open_probe()
                low = await probe.beginning_offsets(lanes)
                high = await probe.end_offsets(lanes)
            except (KafkaError, OSError, TimeoutError) as error:
                await self._drop_probe()
                raise _away(error) from error
        return {Partition(topic, lane.partition): Watermark(low[lane], high[lane]) for lane in lanes}

    async def _lanes(self, topic: str) -> list[int]:
        async with self._probing:
            try:
                probe = await self._open_probe()
                cluster = await probe._client.fetch_all_metadata()
                return sorted(cluster.partitions_for_topic(topic) or ())
            except (KafkaError, OSError, TimeoutError) as error:
                await self._drop_probe()
                raise _away(error) from error

    async def _open_probe(self) -> AIOKafkaConsumer:
        if self._probe is None:
            probe = consumer(self._bootstrap)
            try:
                await probe.start()
            except BaseException:
                await _let_go(probe.stop())
                raise
            self._probe = probe
        return self._probe

    async def _drop_probe(self) -> None:
        probe, self._probe = self._probe, None
        if probe is not None:
            await _let_go(probe.stop())

    def reader(self) -> KafkaReader:
        """A new reader with nothing assigned."""
        return KafkaReader(self, self._bootstrap)

    async def is_usable(self) -> bool:
        """Whether the cluster answers within a second."""
        try:
            async with asyncio.timeout(1):
                await self._lanes("__none__")
        except (Unavailable, TimeoutError):
            return False
        return True


def consumer(bootstrap: str) -> AIOKafkaConsumer:
    """A consumer without a group: it never joins, never commits."""
    return AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        group_id=None,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        fetch_max_wait_ms=100,
        max_partition_fetch_bytes=4 * _BATCH_BYTES,
        request_timeout_ms=_REQUEST_MS,
        retry_backoff_ms=50,
        metadata_max_age_ms=30_000,
    )


class KafkaReader:
    """Reads assigned partitions by position; rebuilt when it stands still although there is something to read."""

    def __init__(self, transport: Kafka, bootstrap: str) -> None:
        self._transport = transport
        self._bootstrap = bootstrap
        self._consumer: AIOKafkaConsumer | None = None
        self._positions: dict[Partition, int] = {}
        self._paused: set[Partition] = set()
        self._applied = False
        self._progress_at = 0.0

    def assign(self, positions: Mapping[Partition, int]) -> None:
        """Read these partitions and no others, each from the given position on."""
        self._positions = dict(positions)
        self._paused &= self._positions.keys()
        self._applied = False

    def pause(self, lane: Partition) -> None:
        """Hand out nothing more of this partition until `resume`."""
        self._paused.add(lane)
        self._applied = False

    def resume(self, lane: Partition) -> None:
        """Hand out this partition again."""
        self._paused.discard(lane)
        self._applied = False

    async def fetch(self, limit: int, timeout_s: float) -> list[Delivery]:
        """Up to `limit` messages; empty after `timeout_s`."""
        if not self._positions.keys() - self._paused:
            await asyncio.sleep(timeout_s)
            return []
        try:
            reader = await self._open()
            answer = await reader.getmany(timeout_ms=int(timeout_s * 1000), max_records=limit)
        except (KafkaError, OSError, TimeoutError, AssertionError) as error:
            await self.close()
            raise _away(error) from error
        found = [
            Delivery(lane.topic, lane.partition, each.offset, each.key or b"", each.value or b"", _whole(each.headers))
            for lane, records in answer.items()
            for each in records
        ]
        for each in found:
            self._positions[each.lane] = each.position + 1
        await self._watch(bool(found))
        return found

    async def _open(self) -> AIOKafkaConsumer:
        if self._consumer is None:
            fresh = consumer(self._bootstrap)
            try:
                await fresh.start()
            except BaseException:
                await _let_go(fresh.stop())
                raise
            self._consumer, self._applied = fresh, False
            self._progress_at = asyncio.get_running_loop().time()
        if not self._applied:
            lanes = {lane: TopicPartition(*lane) for lane in self._positions}
            self._consumer.assign(list(lanes.values()))
            for lane, at in self._positions.items():
                self._consumer.seek(lanes[lane], at)
            if self._paused:
                self._consumer.pause(*(lanes[lane] for lane in self._paused))
            self._applied = True
        return self._consumer

    async def _watch(self, progress: bool) -> None:
        """Rebuild a consumer that hands out nothing for a while although the watermark is ahead."""
        now = asyncio.get_running_loop().time()
        if progress:
            self._progress_at = now
        elif now - self._progress_at > _STALL_S:
            self._progress_at = now
            for topic in {lane.topic for lane in self._positions}:
                marks = await self._transport.watermarks(topic)
                behind = [lane for lane, mark in marks.items() if mark.high > self._positions.get(lane, mark.high)]
                if any(lane not in self._paused for lane in behind):
                    await self.close()
                    return

    async def close(self) -> None:
        """Close the consumer; positions are kept, so that reading can go on."""
        gone, self._consumer = self._consumer, None
        if gone is not None:
            await _let_go(gone.stop())
