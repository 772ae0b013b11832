"""Contacts as the file sees them: in the timeline, in merges, and told to the customer (R5.3, R15.1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from services.customer.contact import repository
from services.customer.contact.service import READ, Contacts
from services.customer.contact.showing import Words
from services.customer.file.keys import Keys
from services.customer.file.related import DISCLOSE, Happening
from services.customer.file.service import Files
from services.customer.review.standing import Standings
from shared.auth import Principal
from shared.db import Record, Transaction
from shared.sealing import KeyRing


class RelatedContacts:
    """What staff and customers had to do with each other."""

    name = "contact"
    action = READ

    def __init__(self, ring: KeyRing, files: Files, keys: Keys, standings: Standings, contacts: Contacts) -> None:
        self._ring = ring
        self._files = files
        self._keys = keys
        self._standings = standings
        self._contacts = contacts

    async def happenings(self, tx: Transaction, customer_id: UUID, before: datetime, limit: int) -> Sequence[Happening]:
        """When contacts were recorded and corrected, newest first."""
        return [_happening(row) for row in await repository.happenings(tx, customer_id, before, limit)]

    async def move(
        self, tx: Transaction, source: UUID, target: UUID, records: Sequence[str] | None = None
    ) -> list[str]:
        """Give contacts to another customer, every version sealed anew; the last visits of both are theirs again."""
        wanted = None if records is None else [UUID(each) for each in records]
        moved = [row["id"] for row in await repository.lock_of(tx, source, wanted)]
        if not moved:
            return []
        keys = await self._keys.of(tx, [source, target])
        for versions in (await repository.versions(tx, moved)).values():
            for version in versions:
                words = Words.opened(self._ring, keys[source], source, version)
                sealed = words.sealed(self._ring, keys[target], target, version["event_id"])
                await repository.reseal(tx, version, sealed)
        await repository.move(tx, moved, target)
        visited = {each: await repository.last_visit(tx, each) for each in (source, target)}
        await self._standings.set_visited(tx, visited)
        return [str(each) for each in moved]

    async def erase(self, tx: Transaction, customer_id: UUID) -> None:
        """Nothing: what was said is sealed under the key that is destroyed."""

    async def disclose(self, tx: Transaction, who: Principal, customer_id: UUID, now: datetime) -> Mapping[str, Any]:
        """Every contact with every version, as far as `who` may disclose it."""
        file = await self._files.reach(tx, who, DISCLOSE, customer_id)
        sight = who.sight(DISCLOSE, file["unit"], file["manager"])
        key = (await self._keys.of(tx, [customer_id])).get(customer_id)
        rows = await repository.lock_of(tx, customer_id)
        versions = await repository.versions(tx, [row["id"] for row in rows])
        return {
            "contacts": [self._contacts.showing.whole(sight, key, row, versions[row["id"]], now)[0] for row in rows]
        }


def _happening(row: Record) -> Happening:
    facts = {name: row["facts"][name] for name in ("at", "first", "flags", "withdrawn")}
    told = {"contact": str(row["contact_id"]), "kind": row["kind"], "version": row["version"], **facts}
    return Happening(row["at"], row["type"], row["actor"], f"{row['contact_id']}/{row['version']}", told)
