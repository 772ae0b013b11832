"""What the log commits to: an event from the bus as a payload, the search columns read from it, and the leaf.

The payload is the event in CloudEvents' JSON format, keys sorted (JCS, RFC 8785, for the integers and texts that events
hold). The leaf binds it by HMAC under a random salt, so that nobody can guess a payload from the public tree and
dropping payload and salt erases content without touching a proof. Pure; shared by the writer and the verifier.
"""

import re
from base64 import b64encode
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import sha256
from typing import Any, NamedTuple
from uuid import UUID

import orjson

from shared.bus import Delivery
from shared.ids import first_id_at

LEAF_VERSION = 1
SALT_SIZE = 32
UNDECODABLE = "undecodable"
CONTENT_ERASED = "audit.content_erased"  # its data names the month whose partition was dropped after it
NaturalKey = tuple[str, str, int]  # source, subject, sequence
_BLOCK = 64  # bytes that SHA-256 takes at once
_INNER, _OUTER = (bytes(byte ^ pad for byte in range(256)) for pad in (0x36, 0x5C))
_LONGEST = 512  # characters of all text columns together: an index entry must fit a page
_is_uuid = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}").fullmatch
_WORD = re.compile(r"[a-z][a-z0-9_]{0,40}")


class Columns(NamedTuple):
    """What a payload says about itself, as searched."""

    event_id: str
    category: str
    type: str
    source: str
    subject: str
    sequence: int | None
    actor: str | None
    occurred_at: datetime


class Record(NamedTuple):
    """A message as the log will keep it, before it has an index; `problem` says why it is undecodable, if it is."""

    columns: Columns
    received_at: datetime
    salt: bytes
    payload: bytes
    leaf: bytes
    delivery: Delivery
    problem: str | None = None

    @property
    def natural_key(self) -> NaturalKey | None:
        """What is unique beside the event id, for events that carry a sequence."""
        columns = self.columns
        return None if columns.sequence is None else (columns.source, columns.subject, columns.sequence)


class Undecodable(ValueError):
    """The message is no event that can be searched; the log keeps its raw bytes."""


def record_of(delivery: Delivery, received_at: datetime, salt: bytes) -> Record:
    """Never fails: what cannot be decoded is kept as raw bytes."""
    problem = None
    try:
        document = document_of(delivery)
        columns = columns_of(document)
    except Undecodable as error:
        problem = str(error)
        document = raw_document_of(delivery)
        columns = raw_columns(document, received_at)
    payload = canonical(document)
    leaf = leaf_of(columns, received_at, commitment(salt, payload))
    return Record(columns, received_at, salt, payload, leaf, delivery, problem)


def canonical(document: dict[str, Any]) -> bytes:
    return orjson.dumps(document, option=orjson.OPT_SORT_KEYS)


def commitment(salt: bytes, payload: bytes) -> str:
    """HMAC-SHA-256 (RFC 2104) under a salt of up to 64 bytes, in hex; two plain hashes are quicker than the library's
    one keyed call, which is the dearest thing about an entry."""
    key = salt.ljust(_BLOCK, b"\0")
    return sha256(key.translate(_OUTER) + sha256(key.translate(_INNER) + payload).digest()).hexdigest()


def leaf_of(columns: Columns, received_at: datetime, commit: str) -> bytes:
    """The canonical JSON of the leaf; written out because its members are fixed and none needs escaping."""
    return (
        f'{{"class":"{columns.category}","commit":"{commit}","event_id":"{columns.event_id}",'
        f'"received_at":"{moment(received_at)}","v":{LEAF_VERSION}}}'
    ).encode()


@lru_cache(maxsize=64)
def moment(at: datetime) -> str:
    """RFC 3339 in UTC; a batch asks for one moment many times."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def document_of(delivery: Delivery) -> dict[str, Any]:
    """The event of a binary-mode message in CloudEvents' JSON format."""
    try:
        attributes = delivery.attributes
        document: dict[str, Any] = dict(zip(_plain(tuple(attributes)), attributes.values(), strict=True))
        document["data"] = orjson.loads(delivery.value)
    except UnicodeDecodeError as error:
        raise Undecodable("a header is not UTF-8") from error
    except orjson.JSONDecodeError as error:
        raise Undecodable("the value is not JSON") from error
    return document


@lru_cache(maxsize=256)
def _plain(headers: tuple[str, ...]) -> tuple[str, ...]:
    """CloudEvents' own names of some headers; most messages have the same ones."""
    return tuple(header.removeprefix("ce_") for header in headers)


def columns_of(document: dict[str, Any]) -> Columns:
    """The search columns of an event's payload; Undecodable if one of them is missing or cannot be stored."""
    try:
        sequence = document.get("sequence")
        columns = Columns(
            document["id"],
            _category(document["type"]),
            document["type"],
            document["source"],
            document.get("subject", ""),
            None if sequence is None else int(sequence),
            document.get("actor"),
            datetime.fromisoformat(document["time"]),
        )
    except KeyError as error:
        raise Undecodable(f"the attribute {error.args[0]} is missing") from error
    except (ValueError, TypeError, AttributeError) as error:
        raise Undecodable("an attribute cannot be read") from error
    _require_storable(columns)
    return columns


def columns_of_payload(payload: bytes, received_at: datetime) -> Columns | None:
    """The columns of a stored payload, raw ones included; None if it is no payload that this log makes."""
    try:
        document = orjson.loads(payload)
        return raw_columns(document, received_at) if "type" not in document else columns_of(document)
    except (ValueError, TypeError, KeyError):
        return None


def raw_document_of(delivery: Delivery) -> dict[str, Any]:
    """A message that is no event, byte for byte, with the place that it was read from."""
    return {
        "headers": [[name, _text(value)] for name, value in delivery.headers],
        "key": _text(delivery.key),
        "partition": delivery.partition,
        "position": delivery.position,
        "topic": delivery.topic,
        "value": _text(delivery.value),
    }


def raw_columns(document: dict[str, Any], received_at: datetime) -> Columns:
    """Columns of a raw document; the id follows from its place on the bus, so that a redelivery finds it again."""
    place = f"{document['topic']}/{document['partition']}/{document['position']}"
    digest = bytearray(sha256(place.encode()).digest()[:16])
    digest[6], digest[8] = digest[6] & 0x0F | 0x80, digest[8] & 0x3F | 0x80  # UUIDv8, RFC 9562
    event_id = str(UUID(bytes=bytes(digest)))
    return Columns(event_id, UNDECODABLE, UNDECODABLE, document["topic"], place, None, None, received_at)


class Month(NamedTuple):
    """A partition: its name, its lowest id, and the lowest id of the next one. UUIDv7 ids sort by time."""

    name: str
    lower: UUID
    upper: UUID


def months_from(at: datetime) -> Iterator[Month]:
    """The month (UTC) that holds this moment and all that follow."""
    first = at.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    while True:
        after = (first + timedelta(days=32)).replace(day=1)
        yield Month(f"entry_{first:%Y_%m}", first_id_at(first), first_id_at(after))
        first = after


class Tally:
    """What is left of records that went by on their way to the database. A large batch is never in memory as a whole:
    touching fresh memory for each record would cost as much as hashing it."""

    def __init__(self) -> None:
        self.leaves: list[bytes] = []
        self.undecodable: list[Record] = []
        self.oldest: datetime | None = None

    def count(self, record: Record) -> None:
        self.leaves.append(record.leaf)
        occurred_at = record.columns.occurred_at
        if self.oldest is None or occurred_at < self.oldest:
            self.oldest = occurred_at
        if record.problem:
            self.undecodable.append(record)


Repeated = tuple[Record, bytes]  # the record, and the payload that the log holds in its place


class Sieve:
    """Lets pass the first record of each event id and natural key; keeps each other one beside that first's payload."""

    def __init__(self, stored: Iterable[tuple[str, NaturalKey | None, bytes]] = ()) -> None:
        self.repeated: list[Repeated] = []
        self._seen: dict[str | NaturalKey, bytes] = {}
        for event_id, key, payload in stored:
            self._remember(event_id, key, payload)

    def sift(self, records: Iterable[Record]) -> Iterator[Record]:
        for record in records:
            event_id, key = record.columns.event_id, record.natural_key
            payload = self._seen.get(event_id) or (self._seen.get(key) if key else None)
            if payload is not None:
                self.repeated.append((record, payload))
            else:
                self._remember(event_id, key, record.payload)
                yield record

    def _remember(self, event_id: str, key: NaturalKey | None, payload: bytes) -> None:
        self._seen[event_id] = payload
        if key:
            self._seen[key] = payload


@lru_cache(maxsize=1024)
def _category(kind: str) -> str:
    """The first word of an event type, as it stands in the leaf."""
    word = kind.partition(".")[0]
    if not _WORD.fullmatch(word) or word == UNDECODABLE:
        raise Undecodable("the type does not begin with a plain word")
    return word


def _require_storable(columns: Columns) -> None:
    event_id, _, kind, source, subject, sequence, actor, occurred_at = columns
    if not _is_uuid(event_id):
        raise Undecodable("the id is no UUID in canonical spelling")
    text = f"{kind}{source}{subject}{actor}"
    if len(text) > _LONGEST or "\x00" in text:
        raise Undecodable(f"an attribute is longer than {_LONGEST} characters or holds NUL")
    if occurred_at.tzinfo is None:
        raise Undecodable("the time has no zone")
    if sequence is not None and not 0 <= sequence < 1 << 63:
        raise Undecodable("the sequence is out of range")


def _text(raw: bytes) -> str:
    return b64encode(raw).decode()
