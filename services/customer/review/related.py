"""Verifications as the file sees them: in the timeline, in merges, erased, and told to the customer (R5.3, R15.1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from services.customer.file.keys import Keys
from services.customer.file.related import DISCLOSE, Happening
from services.customer.review import repository
from services.customer.review.service import LIST, Reviews
from shared.auth import Principal
from shared.db import Record, Transaction
from shared.events import CustomerVerified
from shared.sealing import KeyRing

_BEFORE_ALL = UUID(int=0)


class RelatedReviews:
    """Verifications, as records of a customer."""

    name = "review"
    action = LIST

    def __init__(self, ring: KeyRing, keys: Keys, reviews: Reviews) -> None:
        self._ring = ring
        self._keys = keys
        self._reviews = reviews

    async def happenings(self, tx: Transaction, customer_id: UUID, before: datetime, limit: int) -> Sequence[Happening]:
        """Verifications before a moment, newest first."""
        rows = await repository.verifications(tx, customer_id, (before, _BEFORE_ALL), limit)
        return [_happening(row) for row in rows]

    async def move(
        self, tx: Transaction, source: UUID, target: UUID, records: Sequence[str] | None = None
    ) -> list[str]:
        """Give verifications to another customer, sealed anew under its key; which ones."""
        keys = await self._keys.of(tx, [source, target])
        moved = []
        for row in await repository.all_of(tx, source, None if records is None else [UUID(each) for each in records]):
            content = self._ring.open_bytes(keys[source], str(source), row["id"], row["sealed"])
            sealed = self._ring.seal_bytes(keys[target], str(target), row["id"], content)
            await repository.move(tx, row["id"], target, sealed)
            moved.append(str(row["id"]))
        return moved

    async def erase(self, tx: Transaction, customer_id: UUID) -> None:
        """Answers are sealed under the key that is destroyed; a closed file has no reviews."""
        await repository.forget(tx, [customer_id])

    async def disclose(self, tx: Transaction, who: Principal, customer_id: UUID, now: datetime) -> Mapping[str, Any]:
        """Every verification with its answer."""
        rows = await repository.all_of(tx, customer_id)
        opened = await self._reviews.opened(tx, who, DISCLOSE, customer_id, rows, now)
        return {"verifications": [{name: _plain(each) for name, each in row.items()} for row in opened]}


def _plain(value: Any) -> Any:
    return value if isinstance(value, bool | int | list | None) else str(value)


def _facts(row: Record) -> dict[str, Any]:
    return {
        "version": row["version"], "channel": row["channel"], "on": str(row["answered_on"]), "whole": row["whole"],
        "items": list(row["items"]),
    }  # fmt: skip


def _happening(row: Record) -> Happening:
    return Happening(row["at"], CustomerVerified.type, row["actor"], str(row["id"]), _facts(row))
