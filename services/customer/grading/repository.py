"""SQL of grades, set-based: a batch of customers costs the same few statements as one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from shared.db import Record, Transaction

FIRST_ITEM = 5
"""Where the items begin in a row of `facts`: their codes may be like our column names."""

_PLACE = """
INSERT INTO grade (customer_id, serial)
SELECT id, 0 FROM customer WHERE id = ANY($1::uuid[]) ORDER BY id ON CONFLICT DO NOTHING
"""
_LOCK = """
SELECT customer_id, serial, grade, policy_hash FROM grade WHERE customer_id = ANY($1::uuid[])
ORDER BY customer_id FOR UPDATE
"""
_SHAPE = """(customer_id uuid, serial int, before text, grade text, score numeric, policy_id text, policy_version date,
  policy_hash text, customer_version int, indicators jsonb, checked_at timestamptz)"""
_STORE = f"""
UPDATE grade SET serial = given.serial, grade = given.grade, score = given.score, policy_id = given.policy_id,
  policy_version = given.policy_version, policy_hash = given.policy_hash, customer_version = given.customer_version,
  indicators = given.indicators, checked_at = given.checked_at
FROM jsonb_to_recordset($1) AS given {_SHAPE} WHERE grade.customer_id = given.customer_id
"""  # noqa: S608 - the shape is ours
_CHANGED = f"""
WITH given AS (SELECT * FROM jsonb_to_recordset($1) AS given {_SHAPE}), shown AS (
  UPDATE customer SET grade = given.grade FROM given WHERE id = given.customer_id
)
INSERT INTO grade_change (customer_id, serial, before, grade, score, policy_id, policy_version, policy_hash,
  customer_version, indicators, checked_at)
SELECT customer_id, serial, before, grade, score, policy_id, policy_version, policy_hash, customer_version, indicators,
  checked_at FROM given
"""  # noqa: S608
_LATEST = "SELECT * FROM grade WHERE customer_id = $1 AND checked_at IS NOT NULL"
_CHANGES = """
SELECT * FROM grade_change WHERE customer_id = $1 AND serial < $2 ORDER BY serial DESC LIMIT $3
"""
_HAPPENINGS = """
SELECT serial, checked_at, before, grade, policy_id FROM grade_change WHERE customer_id = $1 AND checked_at < $2
ORDER BY checked_at DESC, serial DESC LIMIT $3
"""
_GRADE_AT = """
SELECT grade FROM grade_change WHERE customer_id = $1 AND checked_at <= $2 ORDER BY serial DESC LIMIT 1
"""
_ALL_CHANGES = "SELECT * FROM grade_change WHERE customer_id = $1 ORDER BY serial"
_BEGIN_ROUND = "INSERT INTO grade_round (kind, occasion, begun_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING"
_ROUND = "SELECT last_id, done_at FROM grade_round WHERE kind = $1 AND occasion = $2 FOR UPDATE"
_NEXT = """
SELECT id FROM customer WHERE kind = $1 AND ($2::uuid IS NULL OR id > $2) ORDER BY id LIMIT $3
"""
_MOVE_ROUND = "UPDATE grade_round SET last_id = coalesce($3, last_id), done_at = $4 WHERE kind = $1 AND occasion = $2"


async def lock(tx: Transaction, customer_ids: Sequence[UUID]) -> dict[UUID, Record]:
    """The latest check of each customer, locked in order of id, so that two checks of one customer never interleave.

    What is read afterwards is at least as new as what the holder of the lock before us has seen.
    """
    ids = sorted(customer_ids)
    await tx.execute(_PLACE, ids)
    return {row["customer_id"]: row for row in await tx.fetch(_LOCK, ids)}


async def facts(tx: Transaction, customer_ids: Sequence[UUID], items: tuple[str, ...]) -> list[Record]:
    """Files as a policy reads them: id, kind, unit, manager, version, and the stored values of `items`, in order."""
    return await tx.fetch(_facts(items), list(customer_ids))


@cache
def _facts(items: tuple[str, ...]) -> str:
    """One pass over the values of a file, however many items a policy reads; codes are declared, never a caller's."""
    columns = "".join(f', of."{code}"' for code in items)
    shape = ", ".join(f'"{code}" jsonb' for code in items)
    source = f"customer, jsonb_to_record(customer.values) AS of ({shape})" if items else "customer"
    return f"SELECT id, kind, unit, manager, version{columns} FROM {source} WHERE id = ANY($1::uuid[])"  # noqa: S608


async def store(tx: Transaction, checks: Sequence[dict[str, Any]]) -> None:
    """The latest check of each customer."""
    await tx.execute(_STORE, list(checks))


async def store_changes(tx: Transaction, checks: Sequence[dict[str, Any]]) -> None:
    """Those checks that changed a grade: their place in the history, and the grade that lists show."""
    await tx.execute(_CHANGED, list(checks))


async def latest(tx: Transaction, customer_id: UUID) -> Record | None:
    """The latest check; None if there was none yet."""
    return await tx.fetchrow(_LATEST, customer_id)


async def changes(tx: Transaction, customer_id: UUID, below: int, limit: int) -> list[Record]:
    """Changes of grade below a serial, newest first."""
    return await tx.fetch(_CHANGES, customer_id, below, limit)


async def happenings(tx: Transaction, customer_id: UUID, before: datetime, limit: int) -> list[Record]:
    """The latest changes of grade before a moment, newest first, without explanations."""
    return await tx.fetch(_HAPPENINGS, customer_id, before, limit)


async def grade_at(tx: Transaction, customer_id: UUID, at: datetime) -> str | None:
    """The grade that a customer had at a moment."""
    grade: str | None = await tx.fetchval(_GRADE_AT, customer_id, at)
    return grade


async def all_changes(tx: Transaction, customer_id: UUID) -> list[Record]:
    """Every change of grade, oldest first."""
    return await tx.fetch(_ALL_CHANGES, customer_id)


async def round_state(tx: Transaction, kind: str, occasion: str, now: datetime) -> Record:
    """The round of an occasion, begun if it is new, locked."""
    await tx.execute(_BEGIN_ROUND, kind, occasion, now)
    row = await tx.fetchrow(_ROUND, kind, occasion)
    assert row is not None
    return row


async def next_of_round(tx: Transaction, kind: str, last: UUID | None, limit: int) -> list[UUID]:
    """The next customers of a kind, in order of id."""
    return [row["id"] for row in await tx.fetch(_NEXT, kind, last, limit)]


async def move_round(tx: Transaction, kind: str, occasion: str, last: UUID | None, done_at: datetime | None) -> None:
    """How far a round has come."""
    await tx.execute(_MOVE_ROUND, kind, occasion, last, done_at)
