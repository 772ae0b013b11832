"""Keeps sealed objects for the features above: in the database, or in a storage beside it.

An object is durable in its storage before the row that names it is written, and leaves it after the row is given up. So
no row is ever without its object; an object without a row (the process died between the two, or the transaction was
rolled back) is swept once it is an hour old, which no transaction gets.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Protocol
from uuid import UUID

from services.customer.content import errors, repository
from services.customer.content.repository import DATABASE
from shared import crash
from shared.db import Transaction

_BATCH = 200
_GRACE_S = 3600.0
_PARTS = 256


class Storage(Protocol):
    """A private place for sealed objects, outside the database. An object is written once and never changed."""

    name: str

    async def put(self, object_id: UUID, content: bytes) -> None:
        """Write an object; it is durable when this returns. Raises: Unavailable (storage_away)"""
        ...

    async def get(self, object_id: UUID) -> bytes:
        """Read an object. Raises: Unavailable (storage_away)"""
        ...

    async def remove(self, object_id: UUID) -> None:
        """Remove an object, if it is there. Raises: OSError, Unavailable"""
        ...

    async def older(self, part: int, moment: float) -> list[UUID]:
        """The objects of one of the 256 parts that were written before a moment (seconds of the epoch)."""
        ...


class Objects:
    """Stored objects. `target` is where new ones go (None: the database); `others` may hold older ones."""

    def __init__(self, target: Storage | None, *others: Storage) -> None:
        self._target = target
        self._storages = {each.name: each for each in (target, *others) if each is not None}
        self._part: int | None = None

    async def put(self, tx: Transaction, object_id: UUID, content: bytes) -> None:
        """Keep a new object. Raises: Unavailable (storage_away)"""
        if self._target is None:
            await repository.add(tx, object_id, DATABASE, content)
            return
        await self._target.put(object_id, content)
        crash.point("storage.after_object")
        await repository.add(tx, object_id, self._target.name, None)

    async def get(self, tx: Transaction, object_id: UUID) -> bytes:
        """The content of an object that a record names. Raises: Unavailable (storage_away)"""
        row = await repository.get(tx, object_id)
        assert row is not None, "a record names an object that was never kept"
        if row["place"] == DATABASE:
            content: bytes = row["content"]
            return content
        if row["place"] not in self._storages:
            raise errors.storage_away()
        return await self._storages[row["place"]].get(object_id)

    async def remove(self, tx: Transaction, object_ids: Collection[UUID]) -> None:
        """Give objects up; those outside the database leave their storage soon after the commit."""
        if object_ids:
            await repository.remove(tx, object_ids)

    async def removed_due(self, tx: Transaction, _now: datetime) -> int:
        """Take a batch of objects that were given up out of each storage; how many."""
        count = 0
        for storage in self._storages.values():
            found = await repository.gone(tx, storage.name, _BATCH)
            for object_id in found:
                await storage.remove(object_id)
            if found:
                await repository.forget(tx, found)
            count += len(found)
        return count

    async def orphans_due(self, tx: Transaction, now: datetime) -> int:
        """Remove what lies in one part of each storage and in no row; the next call looks at the next part."""
        moment = now.timestamp()
        self._part = (int(moment // 60) if self._part is None else self._part + 1) % _PARTS
        count = 0
        for storage in self._storages.values():
            found = await storage.older(self._part, moment - _GRACE_S)
            known = await repository.known(tx, found) if found else set()
            orphans = [object_id for object_id in found if object_id not in known]
            for object_id in orphans:
                await storage.remove(object_id)
            count += len(orphans)
        return count
