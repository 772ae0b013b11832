"""History of people, and sealed values opened for those who may see them (R0.2, R2.2, R15.1).

Values stay sealed at rest, and the keys never leave this service: a peer that shows events sends the sealed bytes back
with the reader's own token, so that authority is decided here, once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from services.identity.staff import repository
from services.identity.staff.access import Access
from services.identity.staff.rules import Person
from shared.auth import Principal
from shared.db import Transaction
from shared.sealing import KeyRing, Unopenable, WrappedKey, from_text

READ, OPEN = "staff.history.read", "staff.values.open"
OPENED, UNOPENABLE = "open", "unopenable"
_SHOWN_BY = {"line": "line.read"}
"""Items that show what is a resource of its own: who may not read that does not read it here."""
_HIDDEN = {"before": None, "after": None}
_BATCH = 500


@dataclass(frozen=True, slots=True)
class Sealed:
    """The sealed values of one event, as they stand in it; `subject` is "staff/<name>"."""

    event_id: UUID
    subject: str
    sealed: str

    @property
    def name(self) -> str:
        return self.subject.removeprefix("staff/")


class Histories:
    """Opens what was sealed."""

    def __init__(self, access: Access, ring: KeyRing) -> None:
        self._access = access
        self._ring = ring

    async def page(
        self, tx: Transaction, who: Principal, name: str, below: int, limit: int
    ) -> tuple[list[dict[str, Any]], bool]:
        """Versions below `below`, newest first, and whether there are more. Raises: NotFound"""
        person = await self._access.person(tx, who, READ, name)
        key = (await repository.keys_of(tx, [name])).get(name)
        rows = await repository.history(tx, name, below, limit + 1)
        entries = []
        for row in rows[:limit]:
            assert key is not None  # the first version brought the key with it
            values = self._ring.open(key, name, row["event_id"], row["sealed"])
            withheld = _withheld(who, person, row["items"])
            items = [{"code": code, **(_HIDDEN if code in withheld else values[code])} for code in row["items"]]
            shown = {column: row[column] for column in ("version", "event_id", "type", "at", "actor")}
            entries.append({**shown, "items": items, "withheld": withheld})
        return entries, len(rows) > limit

    async def open(self, tx: Transaction, who: Principal, wanted: Sequence[Sealed]) -> list[dict[str, Any]]:
        """Open values of events for a reader; events of people out of reach are left out, as if unknown."""
        names = {each.name for each in wanted if each.subject.startswith("staff/")}
        people, keys = await repository.known(tx, names), await repository.keys_of(tx, names)
        scope, opened = who.scope(OPEN), []
        for each in wanted:
            person = people.get(each.name) if each.name in names else None
            if person is not None and scope.reaches(person.unit, person.name):
                opened.append(self._answer(who, person, keys.get(each.name), each))
        return opened

    def _answer(self, who: Principal, person: Person, key: WrappedKey | None, each: Sealed) -> dict[str, Any]:
        try:
            if key is None:
                raise Unopenable("nothing was ever sealed for this person")
            values = self._ring.open(key, each.name, each.event_id, from_text(each.sealed))
        except Unopenable:
            return {"event_id": each.event_id, "state": UNOPENABLE, "values": {}, "withheld": []}
        withheld = _withheld(who, person, values)
        shown = {code: value for code, value in values.items() if code not in withheld}
        return {"event_id": each.event_id, "state": OPENED, "values": shown, "withheld": withheld}

    async def rewrap_due(self, tx: Transaction, _now: datetime) -> int:
        """Wrap a batch of data keys by the active key-encryption key; how many. A job calls it until none is left."""
        old = await repository.lock_old_keys(tx, self._ring.active, _BATCH)
        fresh = {name: self._ring.rewrap(key, name).wrapped for name, key in old.items()}
        return await repository.rewrap(tx, self._ring.active, fresh) if fresh else 0


def _withheld(who: Principal, person: Person, items: Iterable[str]) -> list[str]:
    """Those of the items of a person that the caller may not see."""
    asked = {code: _SHOWN_BY[code] for code in items if code in _SHOWN_BY}
    return sorted(code for code, action in asked.items() if not who.sight(action, person.unit, person.name))
