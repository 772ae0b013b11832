"""Contacts as a reader sees them: the words only as far as their sight of the file goes (R5.5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from shared.auth import Sight
from shared.clock import day_of
from shared.db import Record
from shared.regime import Contact, Regimes, Secrecy
from shared.sealing import KeyRing, WrappedKey

RECORD, REASON = "contact_record", "reason"
_SAME = ("id", "customer_id", "kind", "by_unit", "recorded_by", "recorded_at", "version")
Fields = dict[str, tuple[Secrecy, str]]


@dataclass(frozen=True, slots=True)
class Words:
    """What is sealed of a version: the record by particular, the number that was no line, why it was corrected."""

    record: Mapping[str, str]
    number: str | None = None
    reason: str | None = None

    def sealed(self, ring: KeyRing, key: WrappedKey, customer_id: UUID, event_id: UUID) -> bytes:
        """As it rests here and stands in its event."""
        values: dict[str, Any] = {RECORD: {"after": {"record": self.record, "number": self.number}}}
        if self.reason is not None:
            values[REASON] = {"after": self.reason}
        return ring.seal(key, str(customer_id), event_id, values)

    @classmethod
    def opened(cls, ring: KeyRing, key: WrappedKey, customer_id: UUID, version: Mapping[str, Any] | Record) -> Words:
        """The words of a version of a contact."""
        values = ring.open(key, str(customer_id), version["event_id"], version["sealed"])
        return cls(**values[RECORD]["after"], reason=values[REASON]["after"] if REASON in values else None)


def row(contact: Record) -> dict[str, Any]:
    """A contact in a list: nothing of its words."""
    return {
        **{name: contact[name] for name in _SAME},
        "unit": contact["unit"],
        "manager": contact["manager"],
        **_facts(contact["facts"]),
    }


def _facts(kept: Mapping[str, Any]) -> dict[str, Any]:
    told = ("at", "staff", "direction", "first", "care", "flags", "withdrawn")
    state = kept["line_state"]
    line = None if state is None else {"id": kept["line"], "state": state}
    return {**{name: kept[name] for name in told}, "line": line}


class Showing:
    """Opens contacts."""

    def __init__(self, regimes: Regimes, ring: KeyRing) -> None:
        self._regimes = regimes
        self._ring = ring

    def whole(
        self, sight: Sight, key: WrappedKey | None, contact: Record, versions: Sequence[Record], now: datetime
    ) -> tuple[dict[str, Any], Fields]:
        """A contact with every version, and which fields of it are shown; `key`: None once the customer is erased."""
        declared = self._regimes.find(Contact, contact["kind"], on=day_of(now))
        known = {} if declared is None else declared.record
        fields = {f"contact.{code}": (each.secrecy, each.field_class) for code, each in known.items()}
        cleared = {code for code, each in known.items() if sight.shows(each.secrecy, each.field_class)}
        shown = []
        for version in versions:
            words = None if key is None else Words.opened(self._ring, key, contact["customer_id"], version)
            plain = {name: version[name] for name in ("version", "type", "actor")}
            noted = {**plain, "noted_at": version["at"], **_facts(version["facts"])}
            shown.append({**noted, **_words(words, cleared)})
        said = {name: shown[-1][name] for name in ("record", "number", "withheld")}
        seen = {name: field for name, field in fields.items() if name.removeprefix("contact.") in cleared}
        return {**row(contact), **said, "versions": shown}, {} if key is None else seen


def _words(words: Words | None, cleared: set[str]) -> dict[str, Any]:
    """Number and reason say what any particular might: they are for whoever sees all of the record."""
    record = {} if words is None else words.record
    hidden = sorted(record.keys() - cleared)
    whole = words is not None and cleared >= record.keys()
    return {
        "record": {code: text for code, text in record.items() if code in cleared},
        "number": words.number if whole and words is not None else None,
        "reason": words.reason if whole and words is not None else None,
        "withheld": None if words is None else hidden,
    }
