"""All SQL of keys of partner systems."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, select, update

from services.identity.partner_key.models import partner_key as table
from services.identity.partner_key.rules import Key, Terms
from shared.db import Record, Transaction, advisory_key

_PLAIN = [column.name for column in table.c if column.name not in ("reports", "units", "addresses", "rate")]
_TERMS = ("reports", "units", "addresses")
_USED = "UPDATE partner_key SET last_used_at = $2 WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < $2)"


def _key(row: Record) -> Key:
    found = dict(row)
    listed = {name: None if (names := found.pop(name)) is None else tuple(names) for name in _TERMS}
    terms = Terms(**listed, rate=found.pop("rate"))
    return Key(**found, terms=terms)


async def hold(tx: Transaction, client: str) -> None:
    """Nobody else makes or ends keys of this client until the transaction ends."""
    await tx.execute("SELECT pg_advisory_xact_lock($1)", advisory_key(f"identity:keys/{client}"))


async def add(tx: Transaction, key: Key) -> None:
    values: dict[str, Any] = {name: getattr(key, name) for name in _PLAIN}
    values |= {name: _listed(getattr(key.terms, name)) for name in _TERMS}
    await tx.execute(insert(table).values(**values, rate=key.terms.rate))


def _listed(names: Iterable[str] | None) -> list[str] | None:
    return None if names is None else list(names)


async def get(tx: Transaction, key_id: UUID) -> Key | None:
    row = await tx.fetchrow(select(table).where(table.c.id == key_id))
    return None if row is None else _key(row)


async def page(tx: Transaction, client: str, before: UUID | None, limit: int) -> list[Key]:
    """Keys of a client, newest first, those before one."""
    wanted = select(table).where(table.c.client == client)
    if before is not None:
        wanted = wanted.where(table.c.id < before)
    return [_key(row) for row in await tx.fetch(wanted.order_by(table.c.id.desc()).limit(limit))]


async def unexpired(tx: Transaction, now: datetime) -> list[Key]:
    """Keys whose day has not come, revoked ones too; nobody else changes them meanwhile."""
    wanted = select(table).where(table.c.expires_at > now).order_by(table.c.id)
    return [_key(row) for row in await tx.fetch(wanted.with_for_update())]


async def count_alive(tx: Transaction, client: str, now: datetime) -> int:
    is_alive = table.c.revoked_at.is_(None) & (table.c.expires_at > now)
    found = await tx.fetchval(select(func.count()).select_from(table).where((table.c.client == client) & is_alive))
    return int(found)


async def change(tx: Transaction, key_id: UUID, **values: object) -> None:
    await tx.execute(update(table).where(table.c.id == key_id).values(values))


async def note_use(tx: Transaction, key_id: UUID, at: datetime) -> None:
    """It was used at a moment; an older moment than the known one says nothing."""
    await tx.execute(_USED, key_id, at)
