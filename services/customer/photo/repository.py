"""SQL of photographs."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from services.customer.photo.rules import Picture
from shared.db import Record, Transaction

_FIND = "SELECT id FROM photo WHERE customer_id = $1 AND item = $2 AND sha256 = $3 ORDER BY id LIMIT 1"
_ADD = """
INSERT INTO photo (id, customer_id, item, media_type, width, height, sha256, content_id, thumbnail_id, at, actor)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
"""
_GET = "SELECT item, media_type, content_id, thumbnail_id FROM photo WHERE customer_id = $1 AND id = $2"
_ITEMS = "SELECT id, item FROM photo WHERE customer_id = $1 AND id = ANY($2::uuid[])"
_REMOVE = "DELETE FROM photo WHERE id = $1 RETURNING content_id, thumbnail_id"
_REMOVE_ALL = "DELETE FROM photo WHERE customer_id = $1 RETURNING content_id, thumbnail_id"
_HAPPENINGS = """
SELECT id, item, media_type, at, actor FROM photo WHERE customer_id = $1 AND at < $2 ORDER BY at DESC, id LIMIT $3
"""
_LOCK = """
SELECT id, content_id, thumbnail_id FROM photo
WHERE customer_id = $1 AND ($2::uuid[] IS NULL OR id = ANY($2)) ORDER BY id FOR UPDATE
"""
_MOVE = "UPDATE photo SET customer_id = $2, content_id = $3, thumbnail_id = $4 WHERE id = $1"
_ALL = """
SELECT id, item, media_type, width, height, sha256, at, actor FROM photo WHERE customer_id = $1 ORDER BY at, id
"""


async def find(tx: Transaction, customer_id: UUID, item: str, sha256: bytes) -> UUID | None:
    """The photograph of this item with just these bytes, if the customer has had it."""
    found: UUID | None = await tx.fetchval(_FIND, customer_id, item, sha256)
    return found


async def add(
    tx: Transaction, photo_id: UUID, customer_id: UUID, item: str, picture: Picture, sha256: bytes, content_id: UUID,
    thumbnail_id: UUID, at: datetime, actor: str,
) -> None:  # fmt: skip
    """Keep a picture."""
    shown = (picture.media_type, picture.width, picture.height)
    await tx.execute(_ADD, photo_id, customer_id, item, *shown, sha256, content_id, thumbnail_id, at, actor)


async def get(tx: Transaction, customer_id: UUID, photo_id: UUID) -> Record | None:
    """Item, media type and stored objects of a photograph of this customer."""
    return await tx.fetchrow(_GET, customer_id, photo_id)


async def items(tx: Transaction, customer_id: UUID, photo_ids: Collection[UUID]) -> dict[UUID, str]:
    """The item that each of these photographs was taken for; those of other customers are missing."""
    return {row["id"]: row["item"] for row in await tx.fetch(_ITEMS, customer_id, list(photo_ids))}


async def remove(tx: Transaction, photo_id: UUID) -> list[UUID]:
    """Take a photograph away again; the objects that it named."""
    return _objects(await tx.fetch(_REMOVE, photo_id))


async def remove_all(tx: Transaction, customer_id: UUID) -> list[UUID]:
    """Take all photographs of a customer away; the objects that they named."""
    return _objects(await tx.fetch(_REMOVE_ALL, customer_id))


def _objects(rows: Sequence[Record]) -> list[UUID]:
    return [found for row in rows for found in (row["content_id"], row["thumbnail_id"]) if found is not None]


async def happenings(tx: Transaction, customer_id: UUID, before: datetime, limit: int) -> list[Record]:
    """The latest photographs of a customer that were kept before a moment, newest first."""
    return await tx.fetch(_HAPPENINGS, customer_id, before, limit)


async def lock(tx: Transaction, customer_id: UUID, photo_ids: Collection[UUID] | None) -> list[Record]:
    """Photographs of a customer with their objects, all or these, locked."""
    wanted = None if photo_ids is None else list(photo_ids)
    return await tx.fetch(_LOCK, customer_id, wanted)


async def move(tx: Transaction, photo_id: UUID, target: UUID, content_id: UUID, thumbnail_id: UUID | None) -> None:
    """Give a photograph to another customer, as objects that are sealed under that one's key."""
    await tx.execute(_MOVE, photo_id, target, content_id, thumbnail_id)


async def all_of(tx: Transaction, customer_id: UUID) -> list[Record]:
    """What is known of every photograph of a customer, oldest first, without the pictures."""
    return await tx.fetch(_ALL, customer_id)
