"""SQL of merges."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from shared.db import Record, Transaction

_ADD = """
INSERT INTO customer_merge (id, survivor, loser, at, actor, survivor_version, loser_version, items, moved, sealed,
  undo_until)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
"""
_GET = "SELECT * FROM customer_merge WHERE id = $1"
_OF = """
SELECT * FROM customer_merge WHERE (survivor = $1 OR loser = $1) AND ($2::uuid IS NULL OR id < $2)
ORDER BY id DESC LIMIT $3
"""
_UNDO = "UPDATE customer_merge SET undone_at = $2, undone_by = $3, undone = $4 WHERE id = $1 AND undone_at IS NULL"
_HAPPENED = """
SELECT * FROM (
  SELECT id, survivor, loser, at, actor, false AS undone FROM customer_merge WHERE survivor = $1 OR loser = $1
  UNION ALL
  SELECT id, survivor, loser, undone_at, undone_by, true FROM customer_merge
  WHERE (survivor = $1 OR loser = $1) AND undone_at IS NOT NULL
) happened WHERE at < $2 ORDER BY at DESC, id, undone LIMIT $3
"""


async def add(
    tx: Transaction, merge_id: UUID, files: tuple[UUID, UUID], versions: tuple[int, int], at: datetime, actor: str,
    items: Sequence[str], moved: Mapping[str, Sequence[str]], sealed: bytes, undo_until: datetime,
) -> None:  # fmt: skip
    """Keep what a merge did; files and versions: of the survivor, of the loser."""
    await tx.execute(_ADD, merge_id, *files, at, actor, *versions, items, moved, sealed, undo_until)


async def get(tx: Transaction, merge_id: UUID) -> Record | None:
    """One merge."""
    return await tx.fetchrow(_GET, merge_id)


async def of(tx: Transaction, customer_id: UUID, before: UUID | None, limit: int) -> list[Record]:
    """Merges in which a file is one of the two, the latest first."""
    return await tx.fetch(_OF, customer_id, before, limit)


async def undo(tx: Transaction, merge_id: UUID, at: datetime, by: str, reason: bytes) -> bool:
    """Note that a merge was undone; whether it was in force."""
    return await tx.execute(_UNDO, merge_id, at, by, reason) == 1


async def happened(tx: Transaction, customer_id: UUID, before: datetime, limit: int) -> list[Record]:
    """Merges and their undoing before a moment, the latest first."""
    return await tx.fetch(_HAPPENED, customer_id, before, limit)
