"""From an event and a declared message to recipient and text. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from shared.events import Envelope, Event, attributes_of
from shared.regime import Message, Text
from shared.regime.message import SLOT

INBOX = "inbox"

_ATTRIBUTES = frozenset(Envelope.__dataclass_fields__)
_AUDIENCES: Mapping[str, tuple[str, ...]] = {
    "responsible_manager": ("manager", "unit"),
    "responsible_unit": ("unit",),
    "proposer": ("proposer", "unit"),
    "approver": ("desk", "unit"),
    "successor": ("successor", "unit"),
}
"""Audience -> members of the event, the first that names somebody counts."""
_INBOX_OF = {"manager": "staff", "proposer": "staff", "successor": "staff", "unit": "unit", "desk": "unit"}


class Unfillable(ValueError):
    """The event does not hold what the message needs; names the place, quotes nothing."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """The text of a message, by language."""

    subject: dict[str, str]
    body: dict[str, str]


def facts(envelope: Envelope, event: Event) -> dict[str, Any]:
    """An event as slots see it: its attributes, and its members below `data`."""
    return {**attributes_of(envelope), "data": event.model_dump(mode="json")}


def render(message: Message, known: Mapping[str, Any]) -> Rendered:
    """Fill the slots in both languages. Raises: Unfillable"""
    return Rendered(_filled(message.subject, message, known), _filled(message.body, message, known))


def _filled(text: Text, message: Message, known: Mapping[str, Any]) -> dict[str, str]:
    return {language: _filled_in(language, text, message, known) for language in ("zh", "en")}


def _filled_in(language: str, text: Text, message: Message, known: Mapping[str, Any]) -> str:
    return SLOT.sub(lambda slot: _value(message, slot[1], known, language), text.of(language))


def _value(message: Message, name: str, known: Mapping[str, Any], language: str) -> str:
    slot = message.slots[name]
    value: Any = known
    for step in slot.path.split("."):
        value = value.get(step) if isinstance(value, Mapping) else None
    if value is not None:
        return str(value)
    if slot.absent is None:
        raise Unfillable(f"{message.id}: the event holds no {slot.path}")
    return slot.absent.of(language)


def recipient_of(message: Message, known: Mapping[str, Any]) -> str:
    """Whom it goes to: "staff/<name>" or "unit/<id>". Raises: Unfillable"""
    for member in _AUDIENCES[message.audience]:
        if known["data"].get(member):
            return f"{_INBOX_OF[member]}/{known['data'][member]}"
    raise Unfillable(f"{message.id}: the event names no {message.audience}")


def flaws(message: Message, event: type[Event] | None) -> Iterator[str]:
    """Why a declared message can never be sent, if so; asked at start, so that no event has to find out."""
    if event is None:
        yield f"{message.id}: there is no event {message.event}"
        return
    members = _AUDIENCES.get(message.audience)
    if members is None:
        yield f"{message.id}: no audience {message.audience}; there are {', '.join(sorted(_AUDIENCES))}"
    elif members[-1] not in event.model_fields:
        yield f"{message.id}: {message.event} has no {members[-1]}, so that nobody is its {message.audience}"
    for name, slot in message.slots.items():
        head, _, rest = slot.path.partition(".")
        member = rest.partition(".")[0]
        is_there = member in event.model_fields if head == "data" else head in _ATTRIBUTES
        action = event.shown_by.get(member, message.shown_by)
        if not is_there:
            yield f"{message.id}: {message.event} has no {slot.path}, which fills {{{name}}}"
        elif action != message.shown_by:
            yield f"{message.id}: {slot.path} is shown by {action}, not by {message.shown_by}"
