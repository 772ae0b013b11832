"""All SQL of overrides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from datetime import date, datetime
from uuid import UUID

from asyncpg import UniqueViolationError

from services.customer.override.rules import Override, State
from shared.auth import Scope
from shared.clock import day_of
from shared.db import Record, Transaction

_NAMES = tuple(each.name for each in fields(Override))
_ADD = f"""
INSERT INTO grade_override ({", ".join(_NAMES)}) VALUES ({", ".join(f"${n}" for n in range(1, len(_NAMES) + 1))})
"""  # noqa: S608 - our own columns
_STORE = """
UPDATE grade_override SET state = $2, agreed = $3, ended_by = $4, ended_at = $5, end_event = $6, end_reason = $7,
  version = $8
WHERE id = $1
"""
_LOCK = "SELECT * FROM grade_override WHERE id = $1 AND customer_id = $2 FOR UPDATE"
_PAGE = """
SELECT * FROM grade_override WHERE customer_id = $1 AND ($2::uuid IS NULL OR id < $2) ORDER BY id DESC LIMIT $3
"""
_DUE = """
SELECT id, customer_id FROM grade_override
WHERE state IN ('proposed', 'in_force') AND (expires_on < $1 OR (state = 'proposed' AND decide_until <= $2))
ORDER BY customer_id LIMIT $3
"""
_PROPOSED = """
SELECT o.*, c.kind, c.unit, c.manager FROM grade_override o JOIN customer c ON c.id = o.customer_id
WHERE o.state = 'proposed' AND o.decide_until > $2 AND o.expires_on >= $3
  AND ($4 OR c.unit = ANY($5::text[]) OR c.manager = ANY($6::text[]))
ORDER BY o.decide_until, o.id LIMIT $1
"""
_GIVE = "UPDATE grade_override SET customer_id = $2, reason = $3, end_reason = $4 WHERE id = $1"


class Taken(Exception):
    """An override of this customer is open."""


async def add(tx: Transaction, override: Override) -> None:
    """Raises: Taken"""
    values = [getattr(override, name) for name in _NAMES]
    try:
        async with tx.savepoint():
            await tx.execute(_ADD, *values)
    except UniqueViolationError:
        raise Taken from None


async def store(tx: Transaction, override: Override) -> None:
    """Set how things stand with it."""
    ended = (override.ended_by, override.ended_at, override.end_event, override.end_reason)
    await tx.execute(_STORE, override.id, override.state.value, list(override.agreed), *ended, override.version)


async def lock(tx: Transaction, customer_id: UUID, override_id: UUID) -> Override | None:
    """One of a customer; nobody else changes it until this transaction ends."""
    row = await tx.fetchrow(_LOCK, override_id, customer_id)
    return None if row is None else _override(row)


async def page(tx: Transaction, customer_id: UUID, below: UUID | None, limit: int) -> list[Override]:
    """Those of a customer, newest first."""
    return [_override(row) for row in await tx.fetch(_PAGE, customer_id, below, limit)]


async def due(tx: Transaction, today: date, now: datetime, limit: int) -> Sequence[tuple[UUID, UUID]]:
    """Customer and id of open ones whose time is up, in order of customers."""
    return [(row["customer_id"], row["id"]) for row in await tx.fetch(_DUE, today, now, limit)]


async def proposed(tx: Transaction, scope: Scope, now: datetime, limit: int) -> list[tuple[Record, Override]]:
    """Proposals within reach that nobody has decided yet, with kind, unit and manager of the file."""
    reach = scope.everything, list(scope.units), list(scope.assigned_to)
    rows = await tx.fetch(_PROPOSED, limit, now, day_of(now), *reach)
    return [(row, _override(row)) for row in rows]


async def give(tx: Transaction, override_id: UUID, customer_id: UUID, reason: bytes, end_reason: bytes | None) -> None:
    """To another customer, with the reasons as they are sealed for that one."""
    await tx.execute(_GIVE, override_id, customer_id, reason, end_reason)


def _override(row: Record) -> Override:
    return Override(**{**{name: row[name] for name in _NAMES}, "state": State(row["state"])})
