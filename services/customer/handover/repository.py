"""All SQL of hand-overs and their customers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import date, datetime
from typing import Any
from uuid import UUID

from asyncpg import UniqueViolationError

from services.customer.handover.rules import Asked, Handover, State
from shared.auth import Scope
from shared.db import Record, Transaction

_NAMES = tuple(each.name for each in fields(Handover))
_ADD = f"""
INSERT INTO handover ({", ".join(_NAMES)}) VALUES ({", ".join(f"${n}" for n in range(1, len(_NAMES) + 1))})
"""  # noqa: S608 - our own columns
_STORE = f"""
UPDATE handover SET ({", ".join(_NAMES[1:])}) = ({", ".join(f"${n}" for n in range(2, len(_NAMES) + 1))}) WHERE id = $1
"""  # noqa: S608
_GET = "SELECT * FROM handover WHERE id = $1"
_LOCK = f"{_GET} FOR NO KEY UPDATE"
_REACHED = "($2 OR unit = ANY($3::text[]) OR predecessor = ANY($4::text[]) OR successor = ANY($4::text[]))"
_PAGE = f"""
SELECT * FROM handover WHERE {_REACHED} AND ($5::text IS NULL OR state = $5)
  AND ($6::text IS NULL OR $6 IN (predecessor, successor)) AND ($7::uuid IS NULL OR id < $7)
ORDER BY id DESC LIMIT $1
"""  # noqa: S608
_WAITING = """
SELECT * FROM handover h WHERE state = $2 AND ($3 OR unit = ANY($4::text[]) OR successor = ANY($5::text[]))
  AND (CASE WHEN state = 'accepted' THEN EXISTS (SELECT FROM handover_customer c
    WHERE c.handover_id = h.id AND c.version IS NOT NULL AND c.told_at IS NULL) ELSE decide_until > $6 END)
ORDER BY coalesce(tell_by, decide_until::date), id LIMIT $1
"""
_LAPSED = """
SELECT * FROM handover WHERE state IN ('proposed', 'offered') AND decide_until <= $1
  AND ($2::text IS NULL OR predecessor = $2) ORDER BY decide_until LIMIT $3 FOR NO KEY UPDATE SKIP LOCKED
"""
_LATE = """
SELECT h.*, (SELECT count(*)::int FROM handover_customer c
  WHERE c.handover_id = h.id AND c.version IS NOT NULL AND c.told_at IS NULL) AS untold
FROM handover h WHERE h.state = 'accepted' AND h.late_told_at IS NULL AND h.tell_by < $1
ORDER BY h.tell_by, h.id LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED
"""
_NOTE_LATE = "UPDATE handover SET late_told_at = $2 WHERE id = ANY($1::uuid[])"
_NAME = """
INSERT INTO handover_customer (handover_id, customer_id, is_open) SELECT $1, unnest($2::uuid[]), true
"""
_TAKEN = "SELECT customer_id FROM handover_customer WHERE is_open AND customer_id = ANY($1::uuid[])"
_NAMED = "SELECT customer_id FROM handover_customer WHERE handover_id = $1 AND is_open ORDER BY customer_id"
_RELEASE = "UPDATE handover_customer SET is_open = false WHERE handover_id = $1 AND is_open"
_MOVED = """
INSERT INTO handover_customer (handover_id, customer_id, is_open, version)
SELECT $1, moved.id, false, moved.version FROM unnest($2::uuid[], $3::int[]) AS moved (id, version)
ON CONFLICT (handover_id, customer_id) DO UPDATE SET version = excluded.version, is_open = false
"""
_VERSIONS = "SELECT customer_id, version FROM handover_customer WHERE handover_id = $1 AND version IS NOT NULL"
_UNDONE = """
UPDATE handover_customer c SET undone_version = moved.version FROM unnest($2::uuid[], $3::int[]) AS moved (id, version)
WHERE c.handover_id = $1 AND c.customer_id = moved.id
"""
_TELL = """
UPDATE handover_customer SET told_at = $3, told_by = $4, channel = $5
WHERE handover_id = $1 AND version IS NOT NULL AND told_at IS NULL
  AND ($2::uuid[] IS NULL OR customer_id = ANY($2)) RETURNING customer_id
"""
_UNTOLD = """
SELECT count(*)::int FROM handover_customer WHERE handover_id = $1 AND version IS NOT NULL AND told_at IS NULL
"""
_CUSTOMERS = """
SELECT * FROM handover_customer WHERE handover_id = $1 AND ($2::uuid IS NULL OR customer_id > $2)
  AND ($3::bool IS NULL OR (version IS NOT NULL AND (told_at IS NULL) = $3)) ORDER BY customer_id LIMIT $4
"""
_OF_CUSTOMER = """
SELECT c.*, h.unit, h.predecessor, h.successor, h.reason, h.accepted_by, h.accepted_at, h.ended_by, h.ended_at
FROM handover_customer c JOIN handover h ON h.id = c.handover_id
WHERE c.customer_id = $1 AND c.version IS NOT NULL ORDER BY h.accepted_at DESC
"""


class Taken(Exception):
    """A hand-over of all of them is open, or one that names some of them."""


async def add(tx: Transaction, handover: Handover, customers: Sequence[UUID]) -> None:
    """Keep a new one with the customers that it names. Raises: Taken"""
    try:
        async with tx.savepoint():
            await tx.execute(_ADD, *_values(handover))
            await tx.execute(_NAME, handover.id, sorted(customers))
    except UniqueViolationError:
        raise Taken from None


async def store(tx: Transaction, handover: Handover) -> None:
    """Set how things stand with it."""
    await tx.execute(_STORE, *_values(handover))


async def get(tx: Transaction, handover_id: UUID) -> Handover | None:
    """One hand-over."""
    row = await tx.fetchrow(_GET, handover_id)
    return None if row is None else _handover(row)


async def lock(tx: Transaction, handover_id: UUID) -> Handover | None:
    """The same; nobody else changes it until this transaction ends."""
    row = await tx.fetchrow(_LOCK, handover_id)
    return None if row is None else _handover(row)


async def page(tx: Transaction, scope: Scope, asked: Asked, limit: int) -> list[Handover]:
    """Those within a reach, newest first."""
    reach = scope.everything, list(scope.units), list(scope.assigned_to)
    state = None if asked.state is None else asked.state.value
    return [_handover(row) for row in await tx.fetch(_PAGE, limit, *reach, state, asked.person, asked.before)]


async def waiting(tx: Transaction, state: State, scope: Scope, now: datetime, limit: int) -> list[Handover]:
    """Those in a state that somebody is to act upon, by unit or successor, the most pressing first."""
    reach = scope.everything, list(scope.units), list(scope.assigned_to)
    return [_handover(row) for row in await tx.fetch(_WAITING, limit, state.value, *reach, now)]


async def lapsed(tx: Transaction, now: datetime, predecessor: str | None, limit: int) -> list[Handover]:
    """Open ones whose time is up, locked; of one person if one is named."""
    return [_handover(row) for row in await tx.fetch(_LAPSED, now, predecessor, limit)]


async def late(tx: Transaction, today: date, limit: int) -> list[tuple[Handover, int]]:
    """Those in force whose day for telling customers is over, locked, and how many were not told."""
    return [(_handover(row), row["untold"]) for row in await tx.fetch(_LATE, today, limit)]


async def note_late(tx: Transaction, handover_ids: Sequence[UUID], now: datetime) -> None:
    """It has been said of these."""
    await tx.execute(_NOTE_LATE, list(handover_ids), now)


async def taken(tx: Transaction, customer_ids: Sequence[UUID]) -> set[UUID]:
    """Which of these an open hand-over names."""
    return {row["customer_id"] for row in await tx.fetch(_TAKEN, list(customer_ids))}


async def named(tx: Transaction, handover_id: UUID) -> list[UUID]:
    """The customers that an open hand-over names, in order of their ids."""
    return [row["customer_id"] for row in await tx.fetch(_NAMED, handover_id)]


async def release(tx: Transaction, handover_id: UUID) -> None:
    """It is decided; another one may name these customers."""
    await tx.execute(_RELEASE, handover_id)


async def moved(tx: Transaction, handover_id: UUID, versions: Mapping[UUID, int]) -> None:
    """These files moved, each by a version of its own."""
    await tx.execute(_MOVED, handover_id, list(versions), list(versions.values()))


async def versions(tx: Transaction, handover_id: UUID) -> dict[UUID, int]:
    """The files that moved, by which version."""
    return {row["customer_id"]: row["version"] for row in await tx.fetch(_VERSIONS, handover_id)}


async def undone(tx: Transaction, handover_id: UUID, versions: Mapping[UUID, int]) -> None:
    """These files moved back."""
    await tx.execute(_UNDONE, handover_id, list(versions), list(versions.values()))


async def tell(
    tx: Transaction, handover_id: UUID, customers: Sequence[UUID] | None, at: datetime, by: str, channel: str
) -> list[UUID]:
    """Note that customers were told, all that were not if none are named; those that are noted anew."""
    only = None if customers is None else list(customers)
    return sorted(row["customer_id"] for row in await tx.fetch(_TELL, handover_id, only, at, by, channel))


async def untold(tx: Transaction, handover_id: UUID) -> int:
    """How many customers that moved were not told yet."""
    found: int = await tx.fetchval(_UNTOLD, handover_id)
    return found


async def customers(
    tx: Transaction, handover_id: UUID, after: UUID | None, only_untold: bool | None, limit: int
) -> list[Record]:
    """Its customers in order of their ids; only those that are still to be told, or were, if that is asked."""
    return await tx.fetch(_CUSTOMERS, handover_id, after, only_untold, limit)


async def of_customer(tx: Transaction, customer_id: UUID) -> list[Record]:
    """The hand-overs by which a customer moved, the latest first."""
    return await tx.fetch(_OF_CUSTOMER, customer_id)


def _values(handover: Handover) -> list[Any]:
    return [list(each) if name == "agreed" else each for name in _NAMES for each in (getattr(handover, name),)]


def _handover(row: Record) -> Handover:
    return Handover(**{**{name: row[name] for name in _NAMES}, "state": State(row["state"])})
