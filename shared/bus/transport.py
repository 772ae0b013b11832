"""What a bus must do (Transport, Reader), and what travels on it (Message, Delivery)."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

Headers = tuple[tuple[str, bytes], ...]
_PAIR = struct.Struct(">HI")
MESSAGE_LIMIT = 900_000
"""Bytes of a value; with its headers a message stays under the 1 MiB that Kafka takes by default."""


class Partition(NamedTuple):
    """One ordered lane of a topic."""

    topic: str
    number: int


class Watermark(NamedTuple):
    """`low`: first position that still can be read; `high`: the position that the next message will get."""

    low: int
    high: int


class Message:
    """What a producer hands over. Messages of one key stay in order; bytes and headers arrive unchanged.

    Headers are given as pairs or as packed bytes; the other form is made when somebody asks for it.
    """

    __slots__ = ("_headers", "_packed", "key", "topic", "value")

    def __init__(
        self, topic: str, key: bytes, value: bytes, headers: Headers = (), *, packed: bytes | None = None
    ) -> None:
        self.topic = topic
        self.key = key
        self.value = value
        self._headers = None if packed is not None else headers
        self._packed = packed

    @property
    def headers(self) -> Headers:
        """Name and value pairs, in order."""
        if self._headers is None:
            self._headers = unpack_headers(self._packed or b"")
        return self._headers

    @property
    def packed(self) -> bytes:
        """The headers as `pack_headers` writes them."""
        if self._packed is None:
            self._packed = pack_headers(self._headers or ())
        return self._packed


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message as read: where it stood, and what it was. Positions of a partition rise, with gaps at times."""

    topic: str
    partition: int
    position: int
    key: bytes
    value: bytes
    headers: Headers

    @property
    def lane(self) -> Partition:
        """The partition it came from."""
        return Partition(self.topic, self.partition)


class Reader(Protocol):
    """Reads the partitions it is told to, from the positions it is told to; one task uses it."""

    def assign(self, positions: Mapping[Partition, int]) -> None:
        """Read these partitions and no others, each from the given position on; replaces what was assigned before.

        A position that cannot be read any more, or lies beyond the end, means the first one that can be read.
        """

    def pause(self, lane: Partition) -> None:
        """Hand out nothing more of this partition until `resume`; its position stays."""

    def resume(self, lane: Partition) -> None:
        """Hand out this partition again."""

    async def fetch(self, limit: int, timeout_s: float) -> list[Delivery]:
        """Up to `limit` messages, in position order per partition; empty after `timeout_s` without any.

        Raises `Unavailable` while the bus is away; positions are kept.
        """

    async def close(self) -> None:
        """Let go of all resources."""


class Transport(Protocol):
    """A durable, partitioned log."""

    async def start(self) -> None:
        """Open; does not fail while the bus is away."""

    async def close(self) -> None:
        """Close readers and producers."""

    async def ensure_topics(self, topics: Iterable[str]) -> None:
        """Create the topics that are missing."""

    async def partitions(self, topic: str) -> int:
        """How many partitions a topic has; 0 if there is no such topic."""

    async def publish(self, messages: Sequence[Message]) -> None:
        """Append all, durably, in the given order per key; returns after the acknowledgement.

        Raises `Unavailable` when that is not certain: then some may have been appended, and the caller sends the same
        messages again, in the same order. ValueError if a value is longer than MESSAGE_LIMIT.
        """

    async def watermarks(self, topic: str) -> dict[Partition, Watermark]:
        """The readable range of each partition."""

    def reader(self) -> Reader:
        """A new reader with nothing assigned."""

    async def is_usable(self) -> bool:
        """Whether the bus answers within a second."""


def check_sizes(messages: Iterable[Message]) -> None:
    """ValueError if a value is over the limit."""
    for each in messages:
        if len(each.value) > MESSAGE_LIMIT:
            raise ValueError(f"a message of {len(each.value)} bytes is over the limit of {MESSAGE_LIMIT}")


def pack_headers(headers: Headers) -> bytes:
    """Headers as bytes: for each pair the two lengths (u16, u32, big endian), the name in UTF-8, the value."""
    parts: list[bytes] = []
    for name, value in headers:
        raw = name.encode()
        parts += (_PAIR.pack(len(raw), len(value)), raw, value)
    return b"".join(parts)


def unpack_headers(packed: bytes) -> Headers:
    """The inverse of `pack_headers`; ValueError if the bytes are not such a list."""
    pairs: list[tuple[str, bytes]] = []
    at, end = 0, len(packed)
    try:
        while at < end:
            name_size, value_size = _PAIR.unpack_from(packed, at)
            at += _PAIR.size
            name_end = at + name_size
            pairs.append((packed[at:name_end].decode(), packed[name_end : name_end + value_size]))
            at = name_end + value_size
    except struct.error as problem:
        raise ValueError("truncated headers") from problem
    if at != end:
        raise ValueError("truncated headers")
    return tuple(pairs)
