"""SQL of stored objects."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from shared.db import Record, Transaction

DATABASE = "database"
_ADD = "INSERT INTO stored_object (id, place, content, gone) VALUES ($1, $2, $3, false)"
_GET = "SELECT place, content FROM stored_object WHERE id = $1"
_REMOVE = """
WITH removed AS (DELETE FROM stored_object WHERE id = ANY($1::uuid[]) AND place = 'database')
UPDATE stored_object SET gone = true WHERE id = ANY($1::uuid[]) AND place <> 'database'
"""
_GONE = "SELECT id FROM stored_object WHERE gone AND place = $1 ORDER BY id LIMIT $2 FOR UPDATE"
_FORGET = "DELETE FROM stored_object WHERE id = ANY($1::uuid[])"
_KNOWN = "SELECT id FROM stored_object WHERE id = ANY($1::uuid[])"


async def add(tx: Transaction, object_id: UUID, place: str, content: bytes | None) -> None:
    """Note an object that is in its place; `content` if that is the database."""
    await tx.execute(_ADD, object_id, place, content)


async def get(tx: Transaction, object_id: UUID) -> Record | None:
    """Where an object is, and its content if it is here."""
    return await tx.fetchrow(_GET, object_id)


async def remove(tx: Transaction, object_ids: Collection[UUID]) -> None:
    """Take objects out of the database, and mark those that lie elsewhere."""
    await tx.execute(_REMOVE, list(object_ids))


async def gone(tx: Transaction, place: str, limit: int) -> list[UUID]:
    """Some objects of a storage that no record names any more."""
    return [row["id"] for row in await tx.fetch(_GONE, place, limit)]


async def forget(tx: Transaction, object_ids: Collection[UUID]) -> None:
    """Strike objects that are in their storage no more."""
    await tx.execute(_FORGET, list(object_ids))


async def known(tx: Transaction, object_ids: Collection[UUID]) -> set[UUID]:
    """Those of these objects that the database knows."""
    return {row["id"] for row in await tx.fetch(_KNOWN, list(object_ids))}
