"""Relations as the file sees them: in the timelines of both sides, in merges, erased, and told to the customer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from services.customer.file.keys import Keys
from services.customer.file.related import DISCLOSE, Happening
from services.customer.file.service import Files
from services.customer.relation import repository
from services.customer.relation.service import READ, Relations
from shared.auth import Principal
from shared.clock import day_of
from shared.db import Record, Transaction
from shared.ids import parse_id
from shared.sealing import KeyRing, WrappedKey


class RelatedRelations:
    """Who customers are to each other."""

    name = "relation"
    action = READ

    def __init__(self, ring: KeyRing, files: Files, keys: Keys, relations: Relations) -> None:
        self._ring = ring
        self._files = files
        self._keys = keys
        self._relations = relations

    async def happenings(self, tx: Transaction, customer_id: UUID, before: datetime, limit: int) -> Sequence[Happening]:
        """What happened last to relations of a customer, whichever file they stand in; not who the other side is."""
        return [_happening(row, customer_id) for row in await repository.happenings(tx, customer_id, before, limit)]

    async def move(
        self, tx: Transaction, source: UUID, target: UUID, records: Sequence[str] | None = None
    ) -> list[str]:
        """Give relations to another customer, on whichever side it stood; those between the two stay as they are.

        Shares may be more than the whole afterwards, if both files had the same shareholders; the next change says so.
        """
        wanted = None if records is None else [found for each in records if (found := parse_id(each)) is not None]
        rows = [row for row in await repository.lock_of(tx, source, wanted) if target not in _sides(row)]
        keys = await self._keys.of(tx, [source, target]) if rows else {}
        for row in rows:
            if row["customer_id"] == source:
                await repository.move_own(tx, row["id"], target, self._sealed_anew(keys, row, target))
            else:
                await repository.move_other(tx, row["id"], target)
        return [str(row["id"]) for row in rows]

    def _sealed_anew(self, keys: Mapping[UUID, WrappedKey], row: Record, target: UUID) -> bytes | None:
        if row["sealed"] is None:
            return None
        source = row["customer_id"]
        known = self._ring.open(keys[source], str(source), row["id"], row["sealed"])
        return self._ring.seal(keys[target], str(target), row["id"], known)

    async def erase(self, tx: Transaction, customer_id: UUID) -> None:
        """Forget who the parties outside are; that there were relations stays, by ids and days."""
        await repository.erase(tx, customer_id)

    async def disclose(self, tx: Transaction, who: Principal, customer_id: UUID, now: datetime) -> Mapping[str, Any]:
        """Every relation with its party opened; other customers by their ids, whose data are their own."""
        file = await self._files.reach(tx, who, DISCLOSE, customer_id)
        sight = who.sight(DISCLOSE, file["unit"], file["manager"])
        rows = await repository.lock_of(tx, customer_id, None)
        key = (await self._keys.of(tx, [customer_id])).get(customer_id)
        sides = {side for row in rows for side in _sides(row) if side is not None}
        views, _ = self._relations.showing.views(sight, customer_id, key, rows, sides, day_of(now))
        return {"relations": views}


def _sides(row: Record) -> tuple[UUID, UUID | None]:
    return row["customer_id"], row["other_id"]


def _happening(row: Record, customer_id: UUID) -> Happening:
    facts = {name: value for name, value in row["facts"].items() if value is not None}
    own = row["customer_id"] == customer_id
    return Happening(
        row["at"], row["type"], row["actor"], f"{row['relation_id']}/{row['version']}", {**facts, "own": own}
    )
