"""Facts about access, which any service publishes on its own topic; audit keeps them."""

from __future__ import annotations

from typing import ClassVar

from shared.events.envelope import Event

_ALL = ("identity", "customer", "reporting", "audit", "notify")


class AccessRefused(Event):
    """A known caller asked for what the role data does not grant (403), or touched another unit's thing."""

    type: ClassVar[str] = "access.refused"
    producers: ClassVar[tuple[str, ...]] = _ALL

    action: str
    code: str
    method: str
    route: str


class ClassifiedRead(Event):
    """Classified items of a subject left the service; `items` are their codes, `level` the highest of their levels."""

    type: ClassVar[str] = "access.read"
    producers: ClassVar[tuple[str, ...]] = _ALL

    items: tuple[str, ...]
    level: str
    purpose: str | None = None


class DeadLetterHandled(Event):
    """A person replayed or discarded an event that a consumer had parked."""

    type: ClassVar[str] = "access.dead_letter_handled"
    producers: ClassVar[tuple[str, ...]] = _ALL

    group: str
    letter_id: str
    event_id: str | None
    outcome: str
