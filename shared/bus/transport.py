"""What a bus must do (Transport, Reader), and what travels on it (Message, Delivery)."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol

import orjson

Headers = tuple[tuple[str, bytes], ...]
_PAIR = struct.Struct(">HI")
_OBJECT, _FRAMED = b"{", b"\x00"
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


class Delivery:
    """A message as read: where it stood, and what it was. Positions of a partition rise, with gaps at times.

    Headers are given as pairs or as packed bytes, like those of a Message.
    """

    __slots__ = ("_headers", "_packed", "key", "partition", "position", "topic", "value")

    def __init__(
        self,
        topic: str,
        partition: int,
        position: int,
        key: bytes,
        value: bytes,
        headers: Headers = (),
        *,
        packed: bytes | None = None,
    ) -> None:
        self.topic = topic
        self.partition = partition
        self.position = position
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
    def attributes(self) -> dict[str, str]:
        """Headers as texts by name, the last of several with one name; UnicodeDecodeError if one is no text."""
        if self._packed is not None and self._packed[:1] == _OBJECT:
            found: dict[str, str] = orjson.loads(self._packed)
            return found
        return {name: value.decode() for name, value in self.headers}

    @property
    def lane(self) -> Partition:
        """The partition it came from."""
        return Partition(self.topic, self.partition)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Delivery) and self._all() == other._all()

    def __hash__(self) -> int:
        return hash((self.topic, self.partition, self.position))

    def _all(self) -> tuple[str, int, int, bytes, bytes, Headers]:
        return self.topic, self.partition, self.position, self.key, self.value, self.headers


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
    """Headers as bytes, quick to read back in the usual case.

    Texts under names that differ: a JSON object. Else: a byte 0, then for each pair the two lengths (u16, u32, big
    endian), the name in UTF-8 and the value. No headers: nothing.
    """
    if not headers:
        return b""
    try:
        texts = {name: value.decode() for name, value in headers}
    except UnicodeDecodeError:
        texts = {}
    if len(texts) == len(headers):
        return orjson.dumps(texts)
    return _FRAMED + b"".join(piece for name, value in headers for piece in _framed(name.encode(), value))


def _framed(name: bytes, value: bytes) -> tuple[bytes, bytes, bytes]:
    return _PAIR.pack(len(name), len(value)), name, value


def unpack_headers(packed: bytes) -> Headers:
    """The inverse of `pack_headers`; ValueError if the bytes are not such a list."""
    if not packed:
        return ()
    if packed[:1] != _OBJECT:
        return tuple(_framed_pairs(packed))
    try:
        return tuple((name, value.encode()) for name, value in orjson.loads(packed).items())
    except AttributeError:
        raise ValueError("a header is no text") from None


def _framed_pairs(packed: bytes) -> Iterator[tuple[str, bytes]]:
    at, end = 1, len(packed)
    while at < end:
        try:
            name_size, value_size = _PAIR.unpack_from(packed, at)
        except struct.error as problem:
            raise ValueError("truncated headers") from problem
        name_end = at + _PAIR.size + name_size
        at, name_at = name_end + value_size, at + _PAIR.size
        if packed[:1] != _FRAMED or at > end:
            raise ValueError("truncated headers")
        yield packed[name_at:name_end].decode(), packed[name_end:at]
