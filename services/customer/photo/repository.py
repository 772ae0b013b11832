"""SQL of photographs."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from services.customer.photo.rules import Picture
from shared.db import Record, Transaction

_FIND = "SELECT id FROM photo WHERE customer_id = $1 AND item = $2 AND sha256 = $3 ORDER BY id LIMIT 1"
_ADD = """
INSERT INTO photo (id, customer_id, item, media_type, width, height, sha256, sealed, at, actor)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
"""
_GET = "SELECT item, media_type, sealed FROM photo WHERE customer_id = $1 AND id = $2"
_ITEMS = "SELECT id, item FROM photo WHERE customer_id = $1 AND id = ANY($2::uuid[])"
_REMOVE = "DELETE FROM photo WHERE id = $1"
_REMOVE_ALL = "DELETE FROM photo WHERE customer_id = $1"
_HAPPENINGS = """
SELECT id, item, media_type, at, actor FROM photo WHERE customer_id = $1 AND at < $2 ORDER BY at DESC, id LIMIT $3
"""
_IDS = """
SELECT id FROM photo WHERE customer_id = $1 AND ($2::uuid[] IS NULL OR id = ANY($2)) ORDER BY id FOR UPDATE
"""
_SEALED = "SELECT sealed FROM photo WHERE id = $1"
_MOVE = "UPDATE photo SET customer_id = $2, sealed = $3 WHERE id = $1"
_ALL = """
SELECT id, item, media_type, width, height, sha256, at, actor FROM photo WHERE customer_id = $1 ORDER BY at, id
"""


async def find(tx: Transaction, customer_id: UUID, item: str, sha256: bytes) -> UUID | None:
    """The photograph of this item with just these bytes, if the customer has had it."""
    found: UUID | None = await tx.fetchval(_FIND, customer_id, item, sha256)
    return found


async def add(
    tx: Transaction, photo_id: UUID, customer_id: UUID, item: str, picture: Picture, sha256: bytes, sealed: bytes,
    at: datetime, actor: str,
) -> None:  # fmt: skip
    """Keep a picture."""
    shown = (picture.media_type, picture.width, picture.height)
    await tx.execute(_ADD, photo_id, customer_id, item, *shown, sha256, sealed, at, actor)


async def get(tx: Transaction, customer_id: UUID, photo_id: UUID) -> Record | None:
    """Item, media type and sealed bytes of a photograph of this customer."""
    return await tx.fetchrow(_GET, customer_id, photo_id)


async def items(tx: Transaction, customer_id: UUID, photo_ids: Collection[UUID]) -> dict[UUID, str]:
    """The item that each of these photographs was taken for; those of other customers are missing."""
    return {row["id"]: row["item"] for row in await tx.fetch(_ITEMS, customer_id, list(photo_ids))}


async def remove(tx: Transaction, photo_id: UUID) -> None:
    """Take a picture away again."""
    await tx.execute(_REMOVE, photo_id)


async def remove_all(tx: Transaction, customer_id: UUID) -> None:
    """Take all pictures of a customer away."""
    await tx.execute(_REMOVE_ALL, customer_id)


async def happenings(tx: Transaction, customer_id: UUID, before: datetime, limit: int) -> list[Record]:
    """The latest photographs of a customer that were kept before a moment, newest first."""
    return await tx.fetch(_HAPPENINGS, customer_id, before, limit)


async def lock_ids(tx: Transaction, customer_id: UUID, photo_ids: Collection[UUID] | None) -> list[UUID]:
    """Photographs of a customer, all or these, locked."""
    wanted = None if photo_ids is None else list(photo_ids)
    return [row["id"] for row in await tx.fetch(_IDS, customer_id, wanted)]


async def sealed_of(tx: Transaction, photo_id: UUID) -> bytes:
    """The sealed bytes of a photograph that is there."""
    sealed: bytes = await tx.fetchval(_SEALED, photo_id)
    return sealed


async def move(tx: Transaction, photo_id: UUID, target: UUID, sealed: bytes) -> None:
    """Give a photograph to another customer, sealed under that one's key."""
    await tx.execute(_MOVE, photo_id, target, sealed)


async def all_of(tx: Transaction, customer_id: UUID) -> list[Record]:
    """What is known of every photograph of a customer, oldest first, without the pictures."""
    return await tx.fetch(_ALL, customer_id)
