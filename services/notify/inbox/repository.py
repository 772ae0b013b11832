"""All SQL of the inbox."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from services.notify.inbox.models import inbox_entry as entry
from services.notify.inbox.models import inbox_reading as reading
from shared.db import Record, Transaction

# Each inbox is walked along its own index, so that a page costs the same at any depth.
_PAGE = """
SELECT found.* FROM unnest($1::text[]) AS mine (recipient) CROSS JOIN LATERAL (
  SELECT e.*, r.read_at FROM inbox_entry e LEFT JOIN inbox_reading r ON r.entry_id = e.id AND r.reader = $2
  WHERE e.recipient = mine.recipient AND ($3::uuid IS NULL OR e.id < $3) AND (NOT $4::boolean OR r.entry_id IS NULL)
  ORDER BY e.id DESC LIMIT $5
) found ORDER BY found.id DESC LIMIT $5
"""


async def add(tx: Transaction, rows: Sequence[dict[str, Any]]) -> None:
    """Put entries in, but none twice."""
    await tx.execute(insert(entry).values(list(rows)).on_conflict_do_nothing())


async def page(
    tx: Transaction, inboxes: Sequence[str], reader: str, *, before: UUID | None, unread: bool, limit: int
) -> list[Record]:
    """Entries of some inboxes, newest first, with when `reader` read them."""
    return await tx.fetch(_PAGE, list(inboxes), reader, before, unread, limit)


async def recipient_of(tx: Transaction, entry_id: UUID) -> str | None:
    found: str | None = await tx.fetchval(select(entry.c.recipient).where(entry.c.id == entry_id))
    return found


async def mark_read(tx: Transaction, entry_id: UUID, reader: str, now: datetime) -> None:
    """The first reading counts."""
    row = {"entry_id": entry_id, "reader": reader, "read_at": now}
    await tx.execute(insert(reading).values(row).on_conflict_do_nothing())
