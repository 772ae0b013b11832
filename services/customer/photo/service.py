"""Use cases of photographs: put one as the value of an image item, and show it (R1.6).

A picture is known by its bytes: the same ones for the same item are the same photograph, whoever sends them and however
often. So a repeated upload sets the value that stands there already, which the change path takes for no change.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from uuid import UUID

from services.customer.dictionary.service import Dictionaries
from services.customer.file.keys import Keys
from services.customer.file.reads import Reads
from services.customer.file.service import CHANGE, READ, Answer, Files
from services.customer.photo import errors, repository, rules
from shared.auth import Principal
from shared.db import Transaction
from shared.errors import PreconditionFailed
from shared.ids import new_id
from shared.regime import FieldType
from shared.sealing import KeyRing


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture as it was sent."""

    media_type: str
    content: bytes


class Photos:
    """Keeps and shows photographs."""

    def __init__(self, dictionaries: Dictionaries, ring: KeyRing, files: Files, keys: Keys, reads: Reads) -> None:
        self._dictionaries = dictionaries
        self._ring = ring
        self._files = files
        self._keys = keys
        self._reads = reads

    async def put(
        self, tx: Transaction, who: Principal, customer_id: UUID, item: str, base: int, content: bytes, now: datetime
    ) -> Answer | PreconditionFailed:
        """Make a picture the value of an image item of a file that the caller read at version `base`.

        Like a change of any item, and refused like one; a clash is returned, and then the picture is not kept.
        Raises: NotFound, Forbidden, Conflict (customer_erased), UnsupportedMedia, Invalid, PreconditionFailed.
        """
        kind, key = await self._keys.hold(tx, who, CHANGE, customer_id)
        items = self._dictionaries.catalogue(kind, now).items
        if item not in items or items[item].type is not FieldType.PHOTO:
            raise errors.not_a_photo_item(item, [each.code for each in items.values() if each.type is FieldType.PHOTO])
        picture, digest = rules.examine(content), sha256(content).digest()
        known = await repository.find(tx, customer_id, item, digest)
        photo_id = known or new_id()
        if known is None:
            sealed = self._ring.seal_bytes(key, str(customer_id), photo_id, content)
            await repository.add(tx, photo_id, customer_id, item, picture, digest, sealed, now, who.actor)
        answer = await self._files.change(tx, who, customer_id, base, {item: str(photo_id)}, now)
        if isinstance(answer, PreconditionFailed):
            if known is None:
                await repository.remove(tx, photo_id)
            return answer
        body = {
            "id": photo_id, "item": item, "media_type": picture.media_type, "width": picture.width,
            "height": picture.height, "version": answer.version, "values": answer.body["values"],
        }  # fmt: skip
        return Answer(answer.version, body)

    async def show(self, tx: Transaction, who: Principal, customer_id: UUID, photo_id: UUID, now: datetime) -> Shown:
        """A photograph of a customer. Raises: NotFound, Conflict (customer_erased), Forbidden (photo_not_cleared)."""
        kind, key, sight = await self._keys.look(tx, who, READ, customer_id)
        photo = await repository.get(tx, customer_id, photo_id)
        if photo is None:
            raise errors.no_such_photo()
        catalogue, item = self._dictionaries.catalogue(kind, now), photo["item"]
        seen, _ = self._reads.clear(sight, catalogue, [item])
        if not seen:
            raise errors.not_cleared(item)
        content = self._ring.open_bytes(key, str(customer_id), photo_id, photo["sealed"])
        await self._reads.note(tx, who, sight, catalogue, customer_id, seen, now)
        return Shown(photo["media_type"], content)
