"""What may be asked of the entries, and what of an entry is shown. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson


@dataclass(frozen=True, slots=True)
class Filter:
    """All that is given must hold; `since` is inclusive, `until` exclusive, both about when the event happened."""

    subject: str | None = None
    type: str | None = None
    actor: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class StoredEntry:
    index: int
    event_id: str
    type: str
    source: str
    subject: str
    sequence: int | None
    actor: str | None
    occurred_at: datetime
    received_at: datetime
    payload: bytes
    leaf_hash: bytes


@dataclass(frozen=True, slots=True)
class Content:
    """What the payload of an entry holds for a reader: data without the seal, item codes, and the sealed values."""

    data: dict[str, Any]
    items: tuple[str, ...]
    sealed: str | None


def content_of(entry: StoredEntry) -> Content:
    document = orjson.loads(entry.payload)
    data = document.get("data")
    if not isinstance(data, dict):
        return Content(_place(document), (), None)
    sealed = data.pop("sealed", None)
    named = data.get("items")
    items = tuple(map(str, named)) if isinstance(named, list) else ()
    return Content(data, items, sealed if isinstance(sealed, str) else None)


def _place(document: Mapping[str, Any]) -> dict[str, Any]:
    """Of a message that was no event only its place on the bus is shown: its bytes may hold anything."""
    return {name: document[name] for name in ("topic", "partition", "position") if name in document}
