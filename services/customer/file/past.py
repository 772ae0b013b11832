"""A file as it stood: at a version or at a moment; and old values put back. Requirements R1.2, R5.2.

The way leads back from the file as it is, by what each later version says was there before: recent states are near.
Authority and clearance are those of today, and so is the dictionary that says who may see what.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Protocol
from uuid import UUID

from services.customer.dictionary.service import Dictionaries
from services.customer.file import columns, errors, listing, repository, rules, sets
from services.customer.file.computed import Computed
from services.customer.file.history import HISTORY
from services.customer.file.reads import Reads
from services.customer.file.service import Answer, Files
from shared.auth import Principal, Sight, within
from shared.auth.doors import require
from shared.clock import day_of
from shared.db import Record, Transaction
from shared.errors import Conflict, Fault, Forbidden, Invalid, NotFound, PreconditionFailed
from shared.regime import Catalogue
from shared.sealing import KeyRing, WrappedKey


class Graded(Protocol):
    """Whoever grades; the feature above gives it at composition."""

    async def grade_at(self, tx: Transaction, customer_id: UUID, at: datetime) -> str | None:
        """The grade that a customer had at a moment."""
        ...


@dataclass(frozen=True, slots=True)
class _Then:
    """A version of a file: values, and of each [set by, set at, verified at], perhaps with when it was learnt of."""

    version: int
    at: datetime
    moment: datetime
    values: Mapping[str, Any]
    meta: Mapping[str, list[Any]]


class Past:
    """Earlier versions of files."""

    def __init__(
        self, dictionaries: Dictionaries, ring: KeyRing, reads: Reads, files: Files, computed: Computed, graded: Graded
    ) -> None:
        self._dictionaries = dictionaries
        self._ring = ring
        self._reads = reads
        self._files = files
        self._computed = computed
        self._graded = graded

    async def read(
        self, tx: Transaction, who: Principal, customer_id: UUID, at: datetime | int, now: datetime
    ) -> dict[str, Any]:
        """The file at a moment or at a version, as far as the reader is cleared for its history today.

        System items are reckoned on the day of the moment, from dealings as they stand recorded now; `computed_on` is
        null if no dictionary was in force then. Raises: NotFound (not_found, not_registered_yet, no_such_version),
        Conflict (customer_erased), Forbidden.
        """
        file, sight = await self._file(tx, who, customer_id)
        then = await self._then(tx, file, at)
        catalogue = self._dictionaries.catalogue(file["kind"], now)
        computed, computed_on = await self._system_items(tx, file, then.moment)
        seen, withheld = self._reads.clear(sight, catalogue, (*then.values, *computed))
        values = {code: _value(value, then.meta[code]) for code, value in then.values.items() if code in seen}
        for code in computed.keys() & seen:
            values[code] = _value(computed[code], ["system", then.moment, then.moment])
        row = {name: file[name] for name in listing.SHOWN} | await self._columns(tx, file, catalogue, then)
        place = file["unit"], file["manager"]
        await self._reads.note(tx, who, sight, catalogue, customer_id, seen, now)
        return {
            **columns.without_hidden(who, catalogue, row, place),
            "erased_at": file["erased_at"],
            "values": values,
            "withheld": sorted(withheld),
            "as_of": then.moment,
            "computed_on": computed_on,
        }

    async def restore(
        self, tx: Transaction, who: Principal, customer_id: UUID, base: int, version: int, items: Sequence[str],
        now: datetime,
    ) -> Answer | PreconditionFailed:  # fmt: skip
        """Put the values back that items had at a version, as a change of the file that the caller read at `base`.

        Like any change, and refused like one; faults name the place in `items`. Raises: NotFound, Forbidden, Invalid,
        Conflict (customer_erased, number_taken), PreconditionFailed.
        """
        file, sight = await self._file(tx, who, customer_id)
        if file["erased_at"] is not None:
            raise errors.erased()
        then = await self._then(tx, file, version)
        catalogue = self._dictionaries.catalogue(file["kind"], now)
        known = [code for code in items if code in catalogue.items]
        _, hidden = self._reads.clear(sight, catalogue, known)
        try:
            if hidden:
                raise errors.not_readable(sorted(hidden))
            raw = {code: then.values.get(code) for code in items}
            answer = await self._files.change(tx, who, customer_id, base, raw, now)
        except (Conflict, Forbidden, Invalid) as refusal:
            refusal.faults = _placed(refusal.faults, items)
            raise
        if isinstance(answer, PreconditionFailed):
            answer.faults = _placed(answer.faults, items)
        return answer

    async def _file(self, tx: Transaction, who: Principal, customer_id: UUID) -> tuple[Record, Sight]:
        require(who, HISTORY)
        file = await repository.get(tx, customer_id)
        if file is None:
            raise errors.no_such_customer()
        return file, within(who, HISTORY, file["unit"], file["manager"])

    async def _then(self, tx: Transaction, file: Record, at: datetime | int) -> _Then:
        customer_id = file["id"]
        if isinstance(at, int):
            found = await repository.version(tx, customer_id, at) if at <= file["version"] else None
            if found is None:
                raise errors.no_such_version(at, file["version"])
            moment = found["at"]
        else:
            found = await repository.version_at(tx, customer_id, at, file["version"])
            if found is None:
                raise errors.not_registered_yet()
            moment = at
        values, touched = file["values"], set[str]()
        if found["version"] < file["version"]:
            values, touched = await self._walk_back(tx, file, found["version"])
        marks = await repository.marks(tx, customer_id, found["version"], sorted(touched)) if touched else {}
        created = [file["created_by"], file["created_at"], file["created_at"]]
        meta = {code: _marks(marks.get(code), file["meta"].get(code, created)) for code in values}
        return _Then(found["version"], found["at"], moment, values, meta)

    async def _walk_back(self, tx: Transaction, file: Record, version: int) -> tuple[dict[str, Any], set[str]]:
        """Values at a version, and the items that were touched since."""
        keys = (await sets.keys_of(tx, [file["id"]]))[file["id"]]
        if keys["wrapped"] is None:
            raise errors.erased()
        key, subject = WrappedKey(keys["kek"], keys["wrapped"]), str(file["id"])
        rows = await repository.later(tx, file["id"], version)
        changes = [
            self._ring.open(key, subject, row["event_id"], row["sealed"]) for row in rows if row["sealed"] is not None
        ]
        return rules.walked_back(file["values"], changes), {code for row in rows for code in row["items"]}

    async def _system_items(
        self, tx: Transaction, file: Record, moment: datetime
    ) -> tuple[Mapping[str, Any], date | None]:
        try:
            catalogue = self._dictionaries.catalogue(file["kind"], moment)
        except NotFound:
            return {}, None
        return await self._computed.items_of(tx, catalogue, file["id"], moment), day_of(moment)

    async def _columns(self, tx: Transaction, file: Record, catalogue: Catalogue, then: _Then) -> dict[str, Any]:
        """What the list columns said then."""
        listed = rules.columns_of(catalogue.uses, dict.fromkeys(catalogue.uses) | dict(then.values))
        shown = {name: listed.get(name) for name in ("number", "name", "manager", "status")}
        grade = await self._graded.grade_at(tx, file["id"], then.moment)
        return {**shown, "grade": grade, "version": then.version, "updated_at": then.at}


def _marks(then: list[Any] | None, now: list[Any]) -> list[Any]:
    """The marks of a value at a version; what else stands beside the present ones holds if it was the same setting."""
    if then is None:
        return now
    return [*then, *now[3:]] if str(now[1]) == then[1].isoformat() else then


def _value(value: Any, meta: Sequence[Any]) -> dict[str, Any]:
    by, at, verified, *beside = meta
    shown = {"value": value, "set_by": by, "set_at": at, "verified_at": verified}
    return {**shown, "learnt": beside[0]} if beside else shown


def _placed(faults: Sequence[Fault], items: Sequence[str]) -> list[Fault]:
    """Faults of values as faults of the places where `items` names them."""
    places = {f"/values/{code}": f"/items/{place}" for place, code in enumerate(items)}
    return [Fault(places.get(each.pointer, each.pointer), each.code, each.seen, each.expected) for each in faults]
