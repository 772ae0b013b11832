"""Use cases of photographs: put one as the value of an image item, and show it (R1.6).

A picture is known by its bytes: the same ones for the same item are the same photograph, whoever sends them and however
often. So a repeated upload sets the value that stands there already, which the change path takes for no change.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from uuid import UUID

from services.customer.content.errors import infected
from services.customer.content.scanner import Scanner
from services.customer.content.service import Objects
from services.customer.dictionary.service import Dictionaries
from services.customer.file.keys import Keys
from services.customer.file.reads import Reads
from services.customer.file.service import CHANGE, READ, Answer, Files
from services.customer.photo import errors, repository, rules
from services.customer.photo.decoder import Decoded, Decoder
from services.customer.photo.rules import JPEG
from shared.auth import Principal
from shared.db import Transaction
from shared.errors import Invalid, PreconditionFailed
from shared.events import PhotoRefused
from shared.ids import new_id
from shared.outbox import Outbox
from shared.regime import FieldType
from shared.sealing import KeyRing, WrappedKey


@dataclass(frozen=True, slots=True)
class Prepared:
    """A picture that was looked through and decoded: `decoded`, or the name of what the scanner found in it."""

    digest: bytes
    size: int
    decoded: Decoded | None
    finding: str | None


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture as it is kept, or its thumbnail."""

    media_type: str
    content: bytes


class Photos:
    """Keeps and shows photographs."""

    def __init__(
        self, dictionaries: Dictionaries, ring: KeyRing, outbox: Outbox, files: Files, keys: Keys, reads: Reads,
        objects: Objects, scanner: Scanner, decoder: Decoder,
    ) -> None:  # fmt: skip
        self._dictionaries = dictionaries
        self._ring = ring
        self._files = files
        self._keys = keys
        self._reads = reads
        self._outbox = outbox
        self._objects = objects
        self._scanner = scanner
        self._decoder = decoder

    async def prepare(self, content: bytes) -> Prepared:
        """Look a picture through and decode it; before any transaction, since it takes its time.

        Raises: UnsupportedMedia (not_a_picture), Invalid (bad_picture), Unavailable (scanner_away, decoders_busy).
        """
        picture, digest = rules.examine(content, self._decoder.pixels), sha256(content).digest()
        finding = await self._scanner.scan(content)
        decoded = await self._decoder.decode(picture.media_type, content) if finding is None else None
        return Prepared(digest, len(content), decoded, finding)

    async def put(
        self, tx: Transaction, who: Principal, customer_id: UUID, item: str, base: int, prepared: Prepared,
        now: datetime,
    ) -> Answer | PreconditionFailed | Invalid:  # fmt: skip
        """Make a picture the value of an image item of a file that the caller read at version `base`.

        Like a change of any item, and refused like one; a clash is returned, and then the picture is not kept, and so
        is the refusal of an infected one, which is recorded.
        Raises: NotFound, Forbidden, Conflict (customer_erased), Invalid, PreconditionFailed, Unavailable.
        """
        kind, key = await self._keys.hold(tx, who, CHANGE, customer_id)
        items = self._dictionaries.catalogue(kind, now).items
        if item not in items or items[item].type is not FieldType.PHOTO:
            raise errors.not_a_photo_item(item, [each.code for each in items.values() if each.type is FieldType.PHOTO])
        decoded = prepared.decoded
        if decoded is None:
            return await self._refuse(tx, who, customer_id, item, prepared, now)
        picture = decoded.picture
        known = await repository.find(tx, customer_id, item, prepared.digest)
        photo_id = known or new_id()
        if known is None:
            kept = await self._keep(tx, key, customer_id, decoded.content)
            small = await self._keep(tx, key, customer_id, decoded.thumbnail)
            digest = prepared.digest
            await repository.add(tx, photo_id, customer_id, item, picture, digest, kept, small, now, who.actor)
        answer = await self._files.change(tx, who, customer_id, base, {item: str(photo_id)}, now)
        if isinstance(answer, PreconditionFailed):
            if known is None:
                await self._objects.remove(tx, await repository.remove(tx, photo_id))
            return answer
        body = {
            "id": photo_id, "item": item, "media_type": picture.media_type, "width": picture.width,
            "height": picture.height, "version": answer.version, "values": answer.body["values"],
        }  # fmt: skip
        return Answer(answer.version, body)

    async def _keep(self, tx: Transaction, key: WrappedKey, customer_id: UUID, content: bytes) -> UUID:
        """Store content, sealed under the customer's key; the id of the object."""
        object_id = new_id()
        await self._objects.put(tx, object_id, self._ring.seal_bytes(key, str(customer_id), object_id, content))
        return object_id

    async def _refuse(
        self, tx: Transaction, who: Principal, customer_id: UUID, item: str, prepared: Prepared, now: datetime
    ) -> Invalid:
        """Record that an infected picture was sent."""
        finding = prepared.finding or ""
        event = PhotoRefused(customer_id=str(customer_id), item=item, finding=finding, size=prepared.size)
        subject = f"customer/{customer_id}"
        envelope = self._outbox.envelope(event, feature="photo", subject=subject, actor=who.actor, at=now)
        await self._outbox.add(tx, envelope, event)
        return infected(finding)

    async def show(
        self, tx: Transaction, who: Principal, customer_id: UUID, photo_id: UUID, now: datetime, *,
        thumbnail: bool = False,
    ) -> Shown:  # fmt: skip
        """A photograph of a customer, or its thumbnail, if it has one.

        Raises: NotFound, Conflict (customer_erased), Forbidden (photo_not_cleared), Unavailable (storage_away).
        """
        kind, key, sight = await self._keys.look(tx, who, READ, customer_id)
        photo = await repository.get(tx, customer_id, photo_id)
        if photo is None:
            raise errors.no_such_photo()
        catalogue, item = self._dictionaries.catalogue(kind, now), photo["item"]
        seen, _ = self._reads.clear(sight, catalogue, [item])
        if not seen:
            raise errors.not_cleared(item)
        chosen, media_type = photo["content_id"], photo["media_type"]
        if thumbnail and photo["thumbnail_id"] is not None:
            chosen, media_type = photo["thumbnail_id"], JPEG
        content = self._ring.open_bytes(key, str(customer_id), chosen, await self._objects.get(tx, chosen))
        await self._reads.note(tx, who, sight, catalogue, customer_id, seen, now)
        return Shown(media_type, content)
