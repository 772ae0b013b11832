"""All SQL of the signing keys."""

from datetime import datetime

from sqlalchemy import delete, insert, select, update

from services.identity.signing_key.models import signing_key as table
from shared.db import Record, Transaction, advisory_key


async def lock(tx: Transaction) -> None:
    """Nobody else adds a key until this transaction ends."""
    await tx.execute("SELECT pg_advisory_xact_lock($1)", advisory_key("identity:signing-key"))


async def signer(tx: Transaction, now: datetime) -> Record | None:
    """The key that signs now: the newest that is active."""
    active = select(table).where(table.c.active_from <= now)
    return await tx.fetchrow(active.order_by(table.c.active_from.desc()).limit(1))


async def newest(tx: Transaction) -> Record | None:
    """The key that signs last, perhaps not yet."""
    return await tx.fetchrow(select(table).order_by(table.c.active_from.desc()).limit(1))


async def published(tx: Transaction, now: datetime) -> list[Record]:
    is_live = table.c.retires_at.is_(None) | (table.c.retires_at > now)
    return await tx.fetch(select(table.c.public).where(is_live).order_by(table.c.active_from.desc()))


async def add(tx: Transaction, row: dict[str, object]) -> None:
    await tx.execute(insert(table).values(row))


async def retire(tx: Transaction, kid: str, retires_at: datetime) -> None:
    await tx.execute(update(table).where(table.c.kid == kid).values(retires_at=retires_at))


async def destroy_retired(tx: Transaction, now: datetime) -> int:
    return await tx.execute(delete(table).where(table.c.retires_at <= now))
