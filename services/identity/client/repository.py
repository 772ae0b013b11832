"""All SQL of client systems."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from services.identity.client.models import client as table
from services.identity.client.models import client_secret
from services.identity.client.rules import Client, Kind
from shared.db import Record, Transaction

_COLUMNS = [each for each in table.c if each.name != "created_at"]


def _client(row: Record, secrets: list[str]) -> Client:
    found = dict(row)
    for column in ("roles", "redirect_uris", "sign_out_uris"):
        found[column] = tuple(found[column])
    return Client(**{**found, "kind": Kind(row["kind"]), "secrets": tuple(secrets)})


async def find(tx: Transaction, name: str, now: datetime) -> Client | None:
    """The client with the secrets that are alive, newest first; a name that does not exist takes as long."""
    row = await tx.fetchrow(select(*_COLUMNS).where(table.c.name == name))
    secrets = await _alive(tx, name, now)
    return None if row is None else _client(row, secrets)


async def lock(tx: Transaction, name: str, now: datetime) -> Client | None:
    """The same, and nobody else changes it until this transaction ends."""
    row = await tx.fetchrow(select(*_COLUMNS).where(table.c.name == name).with_for_update())
    return None if row is None else _client(row, await _alive(tx, name, now))


async def _alive(tx: Transaction, name: str, now: datetime) -> list[str]:
    is_alive = client_secret.c.expires_at.is_(None) | (client_secret.c.expires_at > now)
    mine = select(client_secret.c.hash).where((client_secret.c.client == name) & is_alive)
    return [row["hash"] for row in await tx.fetch(mine.order_by(client_secret.c.made_at.desc()))]


async def page(tx: Transaction, units: Sequence[str] | None, after: str, limit: int) -> list[Client]:
    """Clients by name, those after one; of these units only, if units are named."""
    wanted = select(*_COLUMNS).where(table.c.name > after)
    if units is not None:
        wanted = wanted.where(table.c.unit.in_(units))
    rows = await tx.fetch(wanted.order_by(table.c.name).limit(limit))
    return [_client(row, []) for row in rows]


async def names(tx: Transaction) -> set[str]:
    """The names of all clients."""
    return {row["name"] for row in await tx.fetch(select(table.c.name))}


async def unpublished(tx: Transaction) -> list[str]:
    """Clients that were carried over; nobody else publishes them meanwhile."""
    carried_over = select(table.c.name).where(table.c.version == 0).order_by(table.c.name)
    return [row["name"] for row in await tx.fetch(carried_over.with_for_update())]


async def add(tx: Transaction, row: Mapping[str, Any]) -> int:
    """Add it if the name is free; how many there were."""
    return await tx.execute(insert(table).values(dict(row)).on_conflict_do_nothing())


async def change(tx: Transaction, name: str, **values: object) -> None:
    await tx.execute(update(table).where(table.c.name == name).values(values))


async def add_secret(tx: Transaction, secret_id: UUID, name: str, hashed: str, now: datetime) -> None:
    row = {"id": secret_id, "client": name, "hash": hashed, "made_at": now}
    await tx.execute(insert(client_secret).values(row))


async def end_secrets(tx: Transaction, name: str, expires_at: datetime) -> None:
    """Let the newest secret end at a moment; older ones end now."""
    mine = client_secret.c.client == name
    newest = select(func.max(client_secret.c.made_at)).where(mine).scalar_subquery()
    await tx.execute(delete(client_secret).where(mine & (client_secret.c.made_at < newest)))
    ends = func.least(func.coalesce(client_secret.c.expires_at, expires_at), expires_at)
    await tx.execute(update(client_secret).where(mine).values(expires_at=ends))


async def drop_secrets(tx: Transaction, name: str) -> None:
    await tx.execute(delete(client_secret).where(client_secret.c.client == name))


async def drop_expired_secrets(tx: Transaction, now: datetime) -> int:
    """Remove secrets that have ended; how many."""
    return await tx.execute(delete(client_secret).where(client_secret.c.expires_at <= now))
