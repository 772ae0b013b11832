"""All SQL of the sessions."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, insert, select, update

from services.console.session.models import session as table
from shared.db import Record, Transaction


async def add(tx: Transaction, row: dict[str, object]) -> None:
    await tx.execute(insert(table).values(row))


async def find(tx: Transaction, mark: bytes, *, seen_after: datetime, now: datetime) -> Record | None:
    """The session of a mark, unless it has ended by either clock."""
    return await tx.fetchrow(
        select(table).where(table.c.mark == mark, table.c.seen_at > seen_after, table.c.ends_at > now)
    )


async def see(tx: Transaction, session_id: UUID, now: datetime) -> None:
    await tx.execute(update(table).where(table.c.id == session_id).values(seen_at=now))


async def remove(tx: Transaction, mark: bytes) -> int:
    return await tx.execute(delete(table).where(table.c.mark == mark))


async def remove_ended(tx: Transaction, *, seen_before: datetime, now: datetime) -> int:
    return await tx.execute(delete(table).where((table.c.seen_at <= seen_before) | (table.c.ends_at <= now)))
