"""Responsibility for many files moves from one person to another, each by the path of every change (R5.7).

For the feature above, which decides who may: the same dictionary, version, history, event and audit entry as one change
of the item that names the responsible person. Whoever calls holds the transaction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from services.customer.dictionary.service import Dictionaries
from services.customer.file import errors, repository, sets
from services.customer.file.repository import Locked, Revision
from services.customer.file.service import Files
from shared.auth import Principal, Sight
from shared.db import Transaction
from shared.errors import Fault
from shared.regime import Use


@dataclass(frozen=True, slots=True)
class Turn:
    """Whose files become whose, by what the caller may do in their unit."""

    unit: str
    former: str
    manager: str
    sight: Sight


class Assigning:
    """Finds the open files of a person, and gives them to another. An erased or merged file is closed and stays."""

    def __init__(self, files: Files, dictionaries: Dictionaries) -> None:
        self._files = files
        self._dictionaries = dictionaries

    async def units(self, tx: Transaction, manager: str) -> Mapping[str, int]:
        """How many open files a person has, by unit."""
        return await sets.open_by_unit(tx, manager)

    async def of(self, tx: Transaction, manager: str, unit: str) -> Sequence[UUID]:
        """The open files of a person in a unit, in order of their ids."""
        return await sets.open_of(tx, manager, unit)

    async def places(self, tx: Transaction, manager: str, customer_ids: Sequence[UUID]) -> Mapping[UUID, str]:
        """The unit of each of these that is an open file of a person."""
        return await sets.open_among(tx, manager, customer_ids)

    async def assign(
        self, tx: Transaction, who: Principal, turn: Turn, customer_ids: Sequence[UUID], now: datetime,
        since: Mapping[UUID, int] | None = None,
    ) -> Mapping[UUID, int]:  # fmt: skip
        """Give files to another person; the new version of each that moved.

        A file stays as it is if it is closed, in another unit, no longer the former person's, or was given to anybody
        after version `since`. Raises: Forbidden (item_not_cleared, item_not_kept), Invalid (bad_values)
        """
        files = {
            customer_id: file
            for customer_id, file in (await sets.lock_many(tx, sorted(customer_ids))).items()
            if file.key and file.merged_into is None and (file.unit, file.manager) == (turn.unit, turn.former)
        }
        if since is not None:
            given = await self._given_since(tx, files, since, now)
            files = {customer_id: file for customer_id, file in files.items() if customer_id not in given}
        revisions: list[Revision] = []
        faults: list[Fault] = []
        for customer_id, file in files.items():
            found = self._revised(who, turn, customer_id, file, now)
            if isinstance(found, Revision):
                revisions.append(found)
            else:
                faults += found
        if faults:
            raise errors.bad_values(faults)
        await repository.change_many(tx, revisions)
        return {each.customer_id: each.event.version for each in revisions}

    def _revised(
        self, who: Principal, turn: Turn, customer_id: UUID, file: Locked, now: datetime
    ) -> Revision | list[Fault]:
        catalogue = self._dictionaries.catalogue(file.kind, now)
        item = catalogue.used_as(Use.MANAGER)
        assert item is not None  # or else the file would be nobody's
        _, changed, faults = self._files.read_change(turn.sight, catalogue, file, {item.code: turn.manager}, now)
        if faults:
            return [replace(each, pointer=f"/customers/{customer_id}{each.pointer}") for each in faults]
        return self._files.revision(who, customer_id, file, catalogue, changed, now)

    async def _given_since(
        self, tx: Transaction, files: Mapping[UUID, Locked], since: Mapping[UUID, int], now: datetime
    ) -> set[UUID]:
        items = {kind: self._dictionaries.catalogue(kind, now).used_as(Use.MANAGER) for kind in
                 {file.kind for file in files.values()}}  # fmt: skip
        codes = [item.code for item in items.values() if item is not None]
        return await sets.set_since(tx, {each: since[each] for each in files}, codes)
