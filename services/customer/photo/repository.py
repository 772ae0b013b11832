"""SQL of photographs."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from services.customer.photo.rules import Picture
from shared.db import Record, Transaction

_FIND = "SELECT id FROM photo WHERE customer_id = $1 AND item = $2 AND sha256 = $3"
_ADD = """
INSERT INTO photo (id, customer_id, item, media_type, width, height, sha256, sealed, at, actor)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
"""
_GET = "SELECT item, media_type, sealed FROM photo WHERE customer_id = $1 AND id = $2"
_ITEMS = "SELECT id, item FROM photo WHERE customer_id = $1 AND id = ANY($2::uuid[])"
_REMOVE = "DELETE FROM photo WHERE id = $1"
_REMOVE_ALL = "DELETE FROM photo WHERE customer_id = $1"


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
