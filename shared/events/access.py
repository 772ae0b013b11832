"""Facts about access, which any service publishes on its own topic; audit keeps them."""

from __future__ import annotations

from typing import ClassVar

from shared.events.envelope import PRODUCERS, Event


class AccessRefused(Event):
    """A known caller asked for what the role data do not grant, or for a record that is not there or out of reach.

    `record`: the ids in the address of the record; none if there are none, or what stood there does not look like ids.
    """

    type: ClassVar[str] = "access.refused"
    producers: ClassVar[tuple[str, ...]] = PRODUCERS

    action: str
    code: str
    method: str
    route: str
    record: str | None = None


class ClassifiedRead(Event):
    """Classified items of a subject left the service; `items` are their codes, `level` the highest of their levels."""

    type: ClassVar[str] = "access.read"
    producers: ClassVar[tuple[str, ...]] = PRODUCERS

    items: tuple[str, ...]
    level: str
    purpose: str | None = None


class DeadLetterHandled(Event):
    """A person replayed or discarded an event that a consumer had parked."""

    type: ClassVar[str] = "access.dead_letter_handled"
    producers: ClassVar[tuple[str, ...]] = PRODUCERS

    group: str
    letter_id: str
    event_id: str | None
    outcome: str
