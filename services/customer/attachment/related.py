"""Attachments as the file sees them: in the timeline, in merges, erased, and told to the customer (R5.3, R15.1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from services.customer.attachment import repository
from services.customer.attachment.service import READ
from services.customer.attachment.showing import NAME, REASON, Showing
from services.customer.content.service import Objects
from services.customer.file.keys import Keys
from services.customer.file.related import DISCLOSE, Happening
from services.customer.file.service import Files
from shared.auth import Principal
from shared.clock import day_of
from shared.db import Record, Transaction
from shared.events import AttachmentEnded, AttachmentKept
from shared.ids import new_id, parse_id
from shared.sealing import KeyRing, WrappedKey

_FIRST, _ALL = UUID(int=2**128 - 1), 10_000


class RelatedAttachments:
    """Files attached to customers."""

    name = "attachment"
    action = READ

    def __init__(self, ring: KeyRing, files: Files, keys: Keys, objects: Objects, showing: Showing) -> None:
        self._ring = ring
        self._files = files
        self._keys = keys
        self._objects = objects
        self._showing = showing

    async def happenings(self, tx: Transaction, customer_id: UUID, before: datetime, limit: int) -> Sequence[Happening]:
        """The contents that were kept last, and the ends; not what they are called."""
        return [_happening(row) for row in await repository.happenings(tx, customer_id, before, limit)]

    async def move(
        self, tx: Transaction, source: UUID, target: UUID, records: Sequence[str] | None = None
    ) -> list[str]:
        """Give attachments to another customer, content by content: only one is open at a time.

        Objects are never written over: each is sealed anew as another one, and the old one given up.
        """
        wanted = None if records is None else [found for each in records if (found := parse_id(each)) is not None]
        rows = await repository.lock(tx, source, wanted)
        keys = await self._keys.of(tx, [source, target]) if rows else {}

        def anew(event_id: UUID, sealed: bytes, member: str) -> bytes:
            opened = self._showing.opened(keys[source], source, event_id, sealed, member)
            return self._showing.seal(keys[target], target, event_id, member, opened or "")

        for row in rows:
            for each in await repository.versions(tx, row["id"]):
                fresh = await self._moved(tx, keys, source, target, each["content_id"])
                name = anew(each["event_id"], each["sealed"], NAME)
                await repository.give_version(tx, row["id"], each["version"], fresh, name)
            reason = row["end_reason"] and anew(row["end_event"], row["end_reason"], REASON)
            await repository.give(tx, row["id"], target, reason)
        return [str(row["id"]) for row in rows]

    async def _moved(
        self, tx: Transaction, keys: Mapping[UUID, WrappedKey], source: UUID, target: UUID, object_id: UUID
    ) -> UUID:
        fresh = new_id()
        content = self._ring.open_bytes(keys[source], str(source), object_id, await self._objects.get(tx, object_id))
        await self._objects.put(tx, fresh, self._ring.seal_bytes(keys[target], str(target), fresh, content))
        await self._objects.remove(tx, [object_id])
        return fresh

    async def erase(self, tx: Transaction, customer_id: UUID) -> None:
        """Remove every attachment, although none can be opened any more."""
        await self._objects.remove(tx, await repository.remove_all(tx, customer_id))

    async def disclose(
        self, tx: Transaction, who: Principal, customer_id: UUID, now: datetime
    ) -> Mapping[str, Any]:  # fmt: skip
        """What is known of each attachment, and where its bytes are fetched: they fit no JSON document."""
        file = await self._files.reach(tx, who, DISCLOSE, customer_id)
        sight = who.sight(DISCLOSE, file["unit"], file["manager"])
        key = (await self._keys.of(tx, [customer_id])).get(customer_id)
        rows = [] if key is None else await repository.page(tx, customer_id, _FIRST, _ALL)
        path = f"/v1/customers/{customer_id}/attachments"
        return {
            "attachments": [
                {
                    **self._showing.view(sight, customer_id, key, row, day_of(now),
                                         await repository.versions(tx, row["id"])),
                    "href": f"{path}/{row['id']}/content",
                }
                for row in rows if key is not None
            ]
        }  # fmt: skip


def _happening(row: Record) -> Happening:
    facts = {"kind": row["kind"], "secrecy": row["secrecy"]}
    type_ = AttachmentEnded.type
    if row["format"] is not None:
        facts, type_ = {**facts, "format": row["format"]}, AttachmentKept.type
    return Happening(row["at"], type_, row["actor"], f"{row['id']}/{row['version']}", facts)
