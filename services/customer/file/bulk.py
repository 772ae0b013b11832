"""Many files at once, by the same path as one: the same checks, version, history, event and audit (R0.2, R15.2).

Only the statements are of sets. A row that is refused leaves the others alone: its refusal is its outcome. Whoever
calls holds the transaction.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from services.customer.dictionary.service import Dictionaries
from services.customer.file import errors, listing, pictures, repository, sets
from services.customer.file.columns import scope_for
from services.customer.file.repository import Locked, Opening, Revision
from services.customer.file.service import CHANGE, Files
from shared.auth import Principal, Scope, within
from shared.db import Record, Transaction
from shared.errors import KehuError, PreconditionFailed
from shared.regime import Use

_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class New:
    """A file to open; `unit`: the registrar's own, if not given."""

    values: Mapping[str, Any]
    unit: str | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """New values of a file that was read at version `base`; None takes one away."""

    customer_id: UUID
    base: int
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Done:
    """The version that a file has now, and whether it is a new one."""

    customer_id: UUID
    version: int
    is_new: bool


Outcome = Done | KehuError


class Bulk:
    """Registers, changes and reads customer files in sets."""

    def __init__(self, files: Files, dictionaries: Dictionaries) -> None:
        self._files = files
        self._dictionaries = dictionaries

    async def known(self, tx: Transaction, kind: str, numbers: Sequence[str]) -> dict[str, Record]:
        """Id, place, version, erased_at and values of the customers that have these numbers, by number."""
        return {row["number"]: row for row in await sets.by_number(tx, kind, numbers)}

    async def register(
        self, tx: Transaction, who: Principal, kind: str, rows: Sequence[New], now: datetime
    ) -> list[Outcome]:
        """Open files, each as `Files.register` would. Raises: Invalid (unknown_kind)"""
        catalogue = self._files.catalogue_of(kind, now)
        outcomes: dict[int, Outcome] = {}
        openings: dict[int, Opening] = {}
        for place, row in enumerate(rows):
            try:
                openings[place] = self._files.opening(who, catalogue, row.values, row.unit, now)
            except KehuError as error:
                outcomes[place] = error
        item = catalogue.used_as(Use.NUMBER)
        code = "" if item is None else item.code
        outcomes |= await self._open(tx, kind, code, openings)
        return [outcomes[place] for place in range(len(rows))]

    async def _open(self, tx: Transaction, kind: str, code: str, openings: Mapping[int, Opening]) -> dict[int, Outcome]:
        """Store those whose number nobody has; again without the others, if somebody took one meanwhile."""
        for _ in range(_ATTEMPTS):
            numbers = [each.columns["number"] for each in openings.values() if each.columns.get("number")]
            taken = set(await self.known(tx, kind, numbers))
            fresh: dict[int, Opening] = {}
            for place, opening in openings.items():
                number = opening.columns.get("number")
                if number is None or number not in taken:
                    fresh[place] = opening
                    taken |= {number} if number else set()
            try:
                async with tx.savepoint():
                    await repository.register_many(tx, list(fresh.values()))
            except repository.NumberTaken:
                continue
            done = {place: Done(each.customer_id, 1, is_new=True) for place, each in fresh.items()}
            return {place: done.get(place) or errors.number_taken(code) for place in openings}
        raise errors.number_taken(code)

    async def change(self, tx: Transaction, who: Principal, rows: Sequence[Wanted], now: datetime) -> list[Outcome]:
        """Change files, each as `Files.change` would; no two rows are of one file, and none changes its number."""
        files = await sets.lock_many(tx, [row.customer_id for row in rows])
        outcomes: list[Outcome] = []
        revisions: list[Revision] = []
        for row in rows:
            file = files.get(row.customer_id)
            try:
                revision = None if file is None or row.base != file.version else self._revised(who, file, row, now)
                if file is not None and row.base == file.version:
                    revisions += [revision] if revision else []
                    version = file.version + 1 if revision else file.version
                    outcomes.append(Done(row.customer_id, version, is_new=revision is not None))
                else:
                    outcomes.append(await self._alone(tx, who, row, now))
            except KehuError as error:
                outcomes.append(error)
        await repository.change_many(tx, revisions)
        return outcomes

    def _revised(self, who: Principal, file: Locked, row: Wanted, now: datetime) -> Revision | None:
        """The next version; None if the row changes nothing. Raises: KehuError"""
        sight = within(who, CHANGE, file.unit, file.manager)
        catalogue = self._dictionaries.catalogue(file.kind, now)
        values, changed, faults = self._files.read_change(sight, catalogue, file, row.values, now)
        faults += pictures.foreign(pictures.named(catalogue, values), {})
        if faults:
            raise errors.bad_values(faults)
        errors.key_of_open(file.key, file.merged_into)
        return self._files.revision(who, row.customer_id, file, catalogue, changed, now) if changed else None

    async def _alone(self, tx: Transaction, who: Principal, row: Wanted, now: datetime) -> Outcome:
        """A file that somebody changed since it was read: merged or clashing, like any change on an older version."""
        answer = await self._files.change(tx, who, row.customer_id, row.base, row.values, now)
        if isinstance(answer, PreconditionFailed):
            return answer
        return Done(row.customer_id, answer.version, is_new=True)

    async def stream(
        self, tx: Transaction, who: Principal, wanted: listing.Wanted, also: Scope, size: int, now: datetime
    ) -> AsyncIterator[list[Record]]:
        """Whole files of one kind that a list would show, as far as they lie within `also`, too, `size` at a time.

        As they stood when the first was read; in order of their ids, which is that of the table. An erased file holds
        nothing to show. Raises: Forbidden (filter_not_cleared)
        """
        catalogue = self._dictionaries.catalogue(wanted.filters["kind"], now)
        scope = scope_for(who, [catalogue], wanted.asked) & also
        async for rows in listing.stream(tx, replace(wanted, scope=scope), size):
            yield rows
