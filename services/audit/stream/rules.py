"""What may be asked of the entries, and what of an entry is shown. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from shared.auth import Principal
from shared.events import EVENTS


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
    """What the payload of an entry holds for a reader: data without the seal, item codes, and the sealed values.

    `withheld`: members of the data that are there, and left out for this reader.
    """

    data: dict[str, Any]
    items: tuple[str, ...]
    sealed: str | None
    withheld: tuple[str, ...] = ()


def content_of(entry: StoredEntry, who: Principal) -> Content:
    document = orjson.loads(entry.payload)
    data = document.get("data")
    if not isinstance(data, dict):
        return Content(_place(document), (), None)
    sealed = data.pop("sealed", None)
    named = data.get("items")
    items = tuple(map(str, named)) if isinstance(named, list) else ()
    withheld = tuple(_withheld(entry.type, data, who))
    shown = {name: value for name, value in data.items() if name not in withheld}
    return Content(shown, items, sealed if isinstance(sealed, str) else None, withheld)


def _withheld(event_type: str, data: Mapping[str, Any], who: Principal) -> Iterator[str]:
    """Members that tell a value of the subject, which this reader could not see where its owner shows it."""
    event = EVENTS.get(event_type)
    unit, manager = (data[name] if isinstance(data.get(name), str) else None for name in ("unit", "manager"))
    for name, action in event.shown_by.items() if event else ():
        if name in data and not who.sight(action, unit, manager):
            yield name


def _place(document: Mapping[str, Any]) -> dict[str, Any]:
    """Of a message that was no event only its place on the bus is shown: its bytes may hold anything."""
    return {name: document[name] for name in ("topic", "partition", "position") if name in document}
