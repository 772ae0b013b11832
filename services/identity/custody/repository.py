"""All SQL of change-overs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from uuid import UUID

from asyncpg import UniqueViolationError
from sqlalchemy import insert, select, update

from services.identity.custody.models import custody_change, custody_confirmation
from services.identity.custody.rules import Change, Confirmation, Part, State, Wish
from shared.auth import Scope
from shared.db import Record, Transaction

_WISH = tuple(each.name for each in fields(Wish))
_PLAIN = tuple(each.name for each in fields(Change) if each.name not in ("wish", "state", "confirmations"))
_CONFIRMED = "SELECT change, part, at, secret_hash FROM custody_confirmation WHERE change = ANY($1) ORDER BY at, part"
_EXPIRED = """
SELECT * FROM custody_change WHERE state = 'open' AND expires_at <= $1 ORDER BY expires_at LIMIT $2 FOR UPDATE
"""
_PAGE = """
SELECT * FROM custody_change
WHERE ($2 OR unit = ANY($3::text[]) OR proposed_by = $4 OR $5::text IN (leaver, successor, supervisor))
  AND ($6::text IS NULL OR state = $6) AND ($7::uuid IS NULL OR id < $7)
ORDER BY id DESC LIMIT $1
"""
_LET_END = """
UPDATE custody_change SET expires_at = least(expires_at, greatest(proposed_at, $2))
WHERE state = 'open' AND $1 IN (leaver, successor, supervisor)
"""
_OPEN = "SELECT role, unit, id FROM custody_change WHERE state = 'open' AND leaver = $1"


class Taken(Exception):
    """A change-over of this role over this unit is open."""


async def add(tx: Transaction, change: Change) -> None:
    """Raises: Taken"""
    wish = {name: getattr(change.wish, name) for name in _WISH}
    plain = {name: getattr(change, name) for name in _PLAIN}
    try:
        async with tx.savepoint():
            await tx.execute(insert(custody_change).values(**wish, **plain, state=change.state.value))
    except UniqueViolationError:
        raise Taken from None


async def get(tx: Transaction, change_id: UUID) -> Change | None:
    rows = await tx.fetch(select(custody_change).where(custody_change.c.id == change_id))
    return next(iter(await _changes(tx, rows)), None)


async def lock(tx: Transaction, change_id: UUID) -> Change | None:
    """The same, and nobody else changes it until this transaction ends."""
    rows = await tx.fetch("SELECT * FROM custody_change WHERE id = $1 FOR UPDATE", change_id)
    return next(iter(await _changes(tx, rows)), None)


async def lock_expired(tx: Transaction, now: datetime, limit: int) -> list[Change]:
    """Open ones whose time is up."""
    return await _changes(tx, await tx.fetch(_EXPIRED, now, limit))


async def let_end(tx: Transaction, name: str, at: datetime) -> None:
    """Let the time of open ones that name a person be up at a moment."""
    await tx.execute(_LET_END, name, at)


async def page(
    tx: Transaction, scope: Scope, actor: str, state: State | None, before: UUID | None, limit: int
) -> list[Change]:
    """Those within a reach, or that an actor has to do with, newest first."""
    name = actor.removeprefix("staff/") if actor.startswith("staff/") else None
    wanted = (scope.everything, list(scope.units), actor, name, state and state.value, before)
    return await _changes(tx, await tx.fetch(_PAGE, limit, *wanted))


async def open_of(tx: Transaction, leaver: str) -> dict[tuple[str, str], UUID]:
    """Open change-overs by which a person hands over, by role and unit."""
    return {(row["role"], row["unit"]): row["id"] for row in await tx.fetch(_OPEN, leaver)}


async def confirm(tx: Transaction, change_id: UUID, confirmation: Confirmation) -> None:
    values = {"part": confirmation.part.value, "at": confirmation.at, "secret_hash": confirmation.secret_hash}
    await tx.execute(insert(custody_confirmation).values(change=change_id, **values))


async def store(tx: Transaction, change: Change) -> None:
    """Set how things stand with it."""
    values = {name: getattr(change, name) for name in ("closed_at", "closed_by", "reason", "version")}
    is_it = custody_change.c.id == change.id
    await tx.execute(update(custody_change).where(is_it).values(**values, state=change.state.value))


async def forget_secrets(tx: Transaction, change_id: UUID) -> None:
    """Drop the hashes of passwords that are in force by now, or never will be."""
    is_it = custody_confirmation.c.change == change_id
    await tx.execute(update(custody_confirmation).where(is_it).values(secret_hash=None))


async def _changes(tx: Transaction, rows: Sequence[Record]) -> list[Change]:
    confirmed: dict[UUID, list[Confirmation]] = {row["id"]: [] for row in rows}
    for each in await tx.fetch(_CONFIRMED, list(confirmed)) if rows else ():
        confirmed[each["change"]].append(Confirmation(Part(each["part"]), each["at"], each["secret_hash"]))
    return [
        Change(
            **{name: row[name] for name in _PLAIN},
            wish=Wish(**{name: row[name] for name in _WISH}),
            state=State(row["state"]),
            confirmations=tuple(confirmed[row["id"]]),
        )
        for row in rows
    ]
