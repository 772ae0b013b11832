"""Photographs as the file sees them: in the timeline, in merges, erased, and told to the customer (R5.3, R15.1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from services.customer.content.service import Objects
from services.customer.file.keys import Keys
from services.customer.file.related import Happening
from services.customer.file.service import READ
from services.customer.photo import repository
from shared.auth import Principal
from shared.db import Record, Transaction
from shared.ids import new_id, parse_id
from shared.sealing import KeyRing


class RelatedPhotos:
    """The pictures of customers."""

    name = "photo"
    action = READ

    def __init__(self, ring: KeyRing, keys: Keys, objects: Objects) -> None:
        self._ring = ring
        self._keys = keys
        self._objects = objects

    async def happenings(self, tx: Transaction, customer_id: UUID, before: datetime, limit: int) -> Sequence[Happening]:
        """The photographs that were kept last, newest first; those of one moment in order of their ids."""
        return [_happening(row) for row in await repository.happenings(tx, customer_id, before, limit)]

    async def move(
        self, tx: Transaction, source: UUID, target: UUID, records: Sequence[str] | None = None
    ) -> list[str]:
        """Give photographs to another customer, one after the other: only one picture is open at a time.

        Objects are never written over: each is sealed anew as another one, and the old one given up.
        """
        wanted = None if records is None else [found for each in records if (found := parse_id(each)) is not None]
        moved = await repository.lock(tx, source, wanted)
        keys = await self._keys.of(tx, [source, target]) if moved else {}
        for row in moved:
            old = [found for found in (row["content_id"], row["thumbnail_id"]) if found is not None]
            fresh = {each: new_id() for each in old}
            for each in old:
                content = self._ring.open_bytes(keys[source], str(source), each, await self._objects.get(tx, each))
                sealed = self._ring.seal_bytes(keys[target], str(target), fresh[each], content)
                await self._objects.put(tx, fresh[each], sealed)
            await repository.move(tx, row["id"], target, fresh[row["content_id"]], fresh.get(row["thumbnail_id"]))
            await self._objects.remove(tx, old)
        return [str(row["id"]) for row in moved]

    async def erase(self, tx: Transaction, customer_id: UUID) -> None:
        """Remove every photograph, although none can be opened any more."""
        await self._objects.remove(tx, await repository.remove_all(tx, customer_id))

    async def disclose(
        self, tx: Transaction, who: Principal, customer_id: UUID, now: datetime  # noqa: ARG002
    ) -> Mapping[str, Any]:  # fmt: skip
        """What is known of each photograph, and where its bytes are fetched: many pictures fit no JSON document."""
        return {"photographs": [_disclosed(customer_id, row) for row in await repository.all_of(tx, customer_id)]}


def _happening(row: Record) -> Happening:
    facts = {"item": row["item"], "media_type": row["media_type"]}
    return Happening(row["at"], "photo.kept", row["actor"], str(row["id"]), facts)


def _disclosed(customer_id: UUID, row: Record) -> dict[str, Any]:
    return {
        "id": str(row["id"]),
        "item": row["item"],
        "media_type": row["media_type"],
        "width": row["width"],
        "height": row["height"],
        "sha256": row["sha256"].hex(),
        "kept_at": row["at"].isoformat(),
        "kept_by": row["actor"],
        "href": f"/v1/customers/{customer_id}/photos/{row['id']}",
    }
