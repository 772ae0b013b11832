"""History of a file, and sealed values opened for those who may see them (R0.2, R2.2, R15.1).

Values stay sealed at rest; keys never leave this service. A peer that shows events (audit, notify, console) sends the
sealed bytes back with the reader's own token, so that authority is decided here, once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from services.customer.dictionary.service import Dictionaries
from services.customer.file import errors, repository, sets
from services.customer.file.reads import Reads
from services.customer.file.related import Happening
from shared.auth import Principal, Sight, within
from shared.db import Record, Transaction
from shared.ids import parse_id
from shared.regime import Catalogue
from shared.sealing import KeyRing, Unopenable, WrappedKey, from_text

HISTORY, OPEN = "customer.history.read", "customer.values.open"
OPENED, ERASED, UNOPENABLE = "open", "erased", "unopenable"


@dataclass(frozen=True, slots=True)
class Sealed:
    """The sealed values of one event, as they stand in it; `subject` is "customer/<id>"."""

    event_id: UUID
    subject: str
    sealed: str


class Histories:
    """Opens what was sealed."""

    def __init__(self, dictionaries: Dictionaries, ring: KeyRing, reads: Reads) -> None:
        self._dictionaries = dictionaries
        self._ring = ring
        self._reads = reads

    async def page(
        self, tx: Transaction, who: Principal, customer_id: UUID, below: int, limit: int, now: datetime, *,
        action: str = HISTORY,
    ) -> tuple[list[dict[str, Any]], bool]:  # fmt: skip
        """Versions below `below`, newest first, and whether there are more; values as far as the reader is cleared.

        Raises: NotFound.
        """
        file = (await sets.keys_of(tx, [customer_id])).get(customer_id)
        if file is None:
            raise errors.no_such_customer()
        sight = within(who, action, file["unit"], file["manager"])
        catalogue = self._dictionaries.catalogue(file["kind"], now)
        entries, read = [], set[str]()
        rows = await repository.history(tx, customer_id, below, limit + 1)
        for row in rows[:limit]:
            values = self._open(file, row["event_id"], row["sealed"])
            seen, withheld = self._reads.clear(sight, catalogue, row["items"])
            if values is not None:
                read |= seen
            entries.append(
                {
                    "version": row["version"],
                    "event_id": row["event_id"],
                    "type": row["type"],
                    "at": row["at"],
                    "actor": row["actor"],
                    "state": ERASED if values is None else OPENED,
                    "items": [_item(code, values or {}, code in seen) for code in row["items"]],
                    "withheld": sorted(withheld),
                }
            )
        await self._reads.note(tx, who, sight, catalogue, customer_id, read, now)
        return entries, len(rows) > limit

    async def versions(
        self, tx: Transaction, customer_id: UUID, below: int, by: datetime | None, limit: int
    ) -> list[Happening]:
        """Versions below `below`, made by a moment, as happenings, newest first: types and item codes, no values; the
        record is the version. Whoever shows them has asked for HISTORY."""
        rows = await repository.versions(tx, customer_id, below, by, limit)
        return [
            Happening(row["at"], row["type"], row["actor"], str(row["version"]), {"items": row["items"]})
            for row in rows
        ]

    async def values_at(self, tx: Transaction, customer_id: UUID, version: int) -> dict[str, Any]:
        """The stored values of a file as they were at a version, opened from the history alone.

        Raises: NotFound, Conflict (customer_erased), Unopenable if the history was tampered with
        """
        file = (await sets.keys_of(tx, [customer_id])).get(customer_id)
        if file is None:
            raise errors.no_such_customer()
        values: dict[str, Any] = {}
        for row in await repository.events_since(tx, customer_id, 0):
            if row["version"] > version:
                break
            opened = self._open(file, row["event_id"], row["sealed"])
            if opened is None:
                raise errors.erased()
            values |= {code: change.get("after") for code, change in opened.items()}
        return {code: value for code, value in values.items() if value is not None}

    def _open(self, file: Record, event_id: UUID, sealed: bytes | None) -> dict[str, Any] | None:
        """The values of an event, of a verification none; None once the key is destroyed."""
        if file["wrapped"] is None:
            return None
        if sealed is None:
            return {}
        key = WrappedKey(file["kek"], file["wrapped"])
        opened: dict[str, Any] = self._ring.open(key, str(file["id"]), event_id, sealed)
        return opened

    async def open(
        self, tx: Transaction, who: Principal, wanted: Sequence[Sealed], now: datetime
    ) -> list[dict[str, Any]]:
        """Open values of events for a reader; events of customers out of reach are left out, as if unknown."""
        subjects = {each.subject: parse_id(each.subject.removeprefix("customer/")) for each in wanted}
        files = await sets.keys_of(tx, [found for found in subjects.values() if found is not None])
        opened, read = [], dict[UUID, set[str]]()
        for each in wanted:
            customer_id = subjects[each.subject]
            file = files.get(customer_id) if customer_id is not None else None
            sight = None if file is None else who.sight(OPEN, file["unit"], file["manager"])
            if file is None or not sight:
                continue
            catalogue = self._dictionaries.catalogue(file["kind"], now)
            answer, seen = self._answer(sight, catalogue, file, each)
            read.setdefault(file["id"], set()).update(seen)
            opened.append(answer)
        for found, codes in read.items():
            catalogue = self._dictionaries.catalogue(files[found]["kind"], now)
            sight = who.sight(OPEN, files[found]["unit"], files[found]["manager"])
            await self._reads.note(tx, who, sight, catalogue, found, codes, now)
        return opened

    def _answer(
        self, sight: Sight, catalogue: Catalogue, file: Record, each: Sealed
    ) -> tuple[dict[str, Any], Iterable[str]]:
        answer: dict[str, Any] = {"event_id": each.event_id, "state": OPENED, "values": None, "withheld": []}
        try:
            values = self._open(file, each.event_id, from_text(each.sealed))
        except Unopenable:
            return {**answer, "state": UNOPENABLE, "values": {}}, ()
        if values is None:
            return {**answer, "state": ERASED}, ()
        seen, withheld = self._reads.clear(sight, catalogue, values)
        shown = {code: value for code, value in values.items() if code in seen}
        return {**answer, "values": shown, "withheld": sorted(withheld)}, seen


def _item(code: str, values: Mapping[str, Any], cleared: bool) -> dict[str, Any]:
    change = values.get(code) if cleared else None
    return {"code": code, "before": None, "after": None} if change is None else {"code": code, **change}
