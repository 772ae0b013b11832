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


async def lock(tx: Transaction, session_id: UUID) -> Record | None:
    """A session, which nobody else changes meanwhile."""
    return await tx.fetchrow(select(table).where(table.c.id == session_id).with_for_update())


async def change(tx: Transaction, session_id: UUID, **values: object) -> None:
    await tx.execute(update(table).where(table.c.id == session_id).values(values))


async def renew(tx: Transaction, session_id: UUID, until: datetime, sealed: bytes) -> int:
    """Store what whoever renews until then was given."""
    mine = (table.c.id == session_id) & (table.c.renewing_until == until)
    return await tx.execute(update(table).where(mine).values(sealed=sealed, renewing_until=None))


async def release(tx: Transaction, session_id: UUID, until: datetime) -> None:
    mine = (table.c.id == session_id) & (table.c.renewing_until == until)
    await tx.execute(update(table).where(mine).values(renewing_until=None))


async def give_up(tx: Transaction, session_id: UUID, until: datetime) -> int:
    """Remove it, if nobody else renews it by now."""
    return await tx.execute(delete(table).where((table.c.id == session_id) & (table.c.renewing_until == until)))


async def remove(tx: Transaction, mark: bytes) -> Record | None:
    return await tx.fetchrow(delete(table).where(table.c.mark == mark).returning(table))


async def remove_ended(tx: Transaction, *, seen_before: datetime, now: datetime) -> int:
    return await tx.execute(delete(table).where((table.c.seen_at <= seen_before) | (table.c.ends_at <= now)))
