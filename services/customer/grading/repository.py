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
SELECT id, 0 FROM customer WHERE id = ANY($1::uuid[]) AND NOT EXISTS (SELECT FROM grade WHERE customer_id = id)
ORDER BY id ON CONFLICT DO NOTHING
"""
_LOCK = """
SELECT customer_id, serial, grade, policy_hash, customer_version, basis, totals, course, override_id, override_grade,
  override_until
FROM grade WHERE customer_id = ANY($1::uuid[]) ORDER BY customer_id FOR UPDATE
"""
_STANDING = """
SELECT customer_id, grade, override_id, override_grade, override_until FROM grade WHERE customer_id = ANY($1::uuid[])
"""
_COLUMNS = {
    "grade": "text", "score": "numeric", "policy_id": "text", "policy_version": "date", "policy_hash": "text",
    "customer_version": "int", "indicators": "jsonb", "checked_at": "timestamptz", "customer_class": "text",
    "basis": "text", "totals": "jsonb", "course": "jsonb", "digest": "text", "override_id": "uuid",
}  # fmt: skip
"""What a check leaves, in the latest one and in the history alike."""
_NAMES = ", ".join(_COLUMNS)
_GIVEN = f"""jsonb_to_recordset($1) AS given (customer_id uuid, serial int, before text,
  {", ".join(f"{name} {kind}" for name, kind in _COLUMNS.items())})"""
_STORE = f"""
UPDATE grade SET (serial, {_NAMES}) = ROW (given.serial, {", ".join(f"given.{name}" for name in _COLUMNS)})
FROM {_GIVEN} WHERE grade.customer_id = given.customer_id
"""  # noqa: S608 - the columns are ours
_CHANGED = f"""
WITH given AS (SELECT * FROM {_GIVEN}), shown AS (
  UPDATE customer SET grade = given.grade FROM given WHERE id = given.customer_id
)
INSERT INTO grade_change (customer_id, serial, before, {_NAMES})
SELECT customer_id, serial, before, {_NAMES} FROM given
"""  # noqa: S608
_TOUCH = "UPDATE grade SET checked_at = $2 WHERE customer_id = ANY($1::uuid[])"
_OVERRIDE = """
UPDATE grade SET override_id = $2, override_grade = $3, override_until = $4 WHERE customer_id = $1
"""
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
_CHANGE = "SELECT * FROM grade_change WHERE customer_id = $1 AND serial = $2"
_QUARTERS = """
SELECT * FROM grade_quarter WHERE customer_id = $1 AND quarter < $2 ORDER BY quarter DESC LIMIT $3
"""
_SNAPSHOT = """
INSERT INTO grade_quarter (customer_id, quarter, serial, grade, score, customer_class, policy_version, policy_hash,
  customer_version, checked_at)
SELECT customer_id, $2, serial, grade, score, customer_class, policy_version, policy_hash, customer_version, checked_at
FROM grade WHERE customer_id = ANY($1::uuid[]) AND checked_at IS NOT NULL ON CONFLICT DO NOTHING
"""
_BEGIN_ROUND = """
WITH size AS (SELECT count(*) AS customers FROM customer WHERE kind = $1), border AS (
  SELECT lane, CASE WHEN lane < $5 - 1 THEN (
    SELECT id FROM customer WHERE kind = $1 ORDER BY id OFFSET size.customers * (lane + 1) / $5 LIMIT 1
  ) END AS until_id
  FROM size, generate_series(0, CASE WHEN size.customers < $4 THEN 0 ELSE $5 - 1 END) AS lane
)
INSERT INTO grade_round (kind, occasion, lane, begun_at, last_id, until_id)
SELECT $1, $2, lane, $3, lag(until_id) OVER (ORDER BY lane),
  CASE WHEN count(*) OVER () > 1 THEN until_id END
FROM border ORDER BY lane ON CONFLICT DO NOTHING
"""
_ROUND = """
SELECT last_id, until_id, done_at FROM grade_round WHERE kind = $1 AND occasion = $2 AND lane = $3 FOR UPDATE
"""
_HAS_BEGUN = "SELECT EXISTS (SELECT FROM grade_round WHERE kind = $1 AND occasion = $2)"
_QUARTER_DONE = """
SELECT EXISTS (SELECT FROM grade_round WHERE kind = $1 AND starts_with(occasion, $2) AND occasion <> $3
               GROUP BY occasion HAVING bool_and(done_at IS NOT NULL))
"""
_NEXT = """
SELECT id FROM customer WHERE kind = $1 AND id > $2 AND id <= $3 ORDER BY id LIMIT $4
"""
_MOVE_ROUND = """
UPDATE grade_round SET last_id = coalesce($4, last_id), done_at = $5 WHERE kind = $1 AND occasion = $2 AND lane = $3
"""
_FIRST, _LAST = UUID(int=0), UUID(int=2**128 - 1)
_KEEP_BASIS = "INSERT INTO grade_basis (hash, kind, texts) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING"
_KEEP_TEXT = """
INSERT INTO regime_text (hash, kind, name, version, wording, kept_at) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT DO NOTHING
"""
_TEXTS = """
SELECT t.* FROM grade_basis b, unnest(b.texts) WITH ORDINALITY AS of (hash, place)
JOIN regime_text t ON t.hash = of.hash WHERE b.hash = $1 ORDER BY place
"""


async def lock(tx: Transaction, customer_ids: Sequence[UUID]) -> dict[UUID, Record]:
    """What the latest check of each customer left, locked in order of id, so that two checks never interleave.

    What is read afterwards is at least as new as what the holder of the lock before us has seen.
    """
    ids = sorted(customer_ids)
    await tx.execute(_PLACE, ids)
    return {row["customer_id"]: row for row in await tx.fetch(_LOCK, ids)}


async def standing(tx: Transaction, customer_ids: Sequence[UUID]) -> dict[UUID, Record]:
    """The grade of each customer and the override in force, not locked."""
    return {row["customer_id"]: row for row in await tx.fetch(_STANDING, list(customer_ids))}


async def facts(tx: Transaction, customer_ids: Sequence[UUID], items: tuple[str, ...]) -> list[Record]:
    """Files as a policy reads them: id, kind, unit, manager, version, and the stored values of `items`, in order.

    Those that were merged into another are missing: that one is graded.
    """
    return await tx.fetch(_facts(items), list(customer_ids))


@cache
def _facts(items: tuple[str, ...]) -> str:
    """One pass over the values of a file, however many items a policy reads; codes are declared, never a caller's."""
    columns = "".join(f', of."{code}"' for code in items)
    shape = ", ".join(f'"{code}" jsonb' for code in items)
    source = f"customer, jsonb_to_record(customer.values) AS of ({shape})" if items else "customer"
    wanted = "id = ANY($1::uuid[]) AND merged_into IS NULL"
    return f"SELECT id, kind, unit, manager, version{columns} FROM {source} WHERE {wanted}"  # noqa: S608


async def store(tx: Transaction, checks: Sequence[dict[str, Any]]) -> None:
    """The latest check of each customer."""
    await tx.execute(_STORE, list(checks))


async def store_changes(tx: Transaction, checks: Sequence[dict[str, Any]]) -> None:
    """Those checks that changed a grade: their place in the history, and the grade that lists show."""
    await tx.execute(_CHANGED, list(checks))


async def touch(tx: Transaction, customer_ids: Sequence[UUID], at: datetime) -> None:
    """These were checked again, and nothing is different."""
    await tx.execute(_TOUCH, list(customer_ids), at)


async def override(
    tx: Transaction, customer_id: UUID, override_id: UUID | None, grade: str | None, until: datetime | None
) -> None:
    """Put an override in force, or none."""
    await tx.execute(_OVERRIDE, customer_id, override_id, grade, until)


async def snapshot(tx: Transaction, customer_ids: Sequence[UUID], quarter: str) -> None:
    """The grades that these have now are those of a quarter, unless it has some already."""
    await tx.execute(_SNAPSHOT, list(customer_ids), quarter)


async def quarters(tx: Transaction, customer_id: UUID, below: str, limit: int) -> list[Record]:
    """The grades of quarters before one, newest first."""
    return await tx.fetch(_QUARTERS, customer_id, below, limit)


async def change(tx: Transaction, customer_id: UUID, serial: int) -> Record | None:
    """One change of grade."""
    return await tx.fetchrow(_CHANGE, customer_id, serial)


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


async def round_state(
    tx: Transaction, kind: str, occasion: str, lane: int, now: datetime, *, many: int, lanes: int
) -> Record | None:
    """A lane of the round of an occasion, locked; the round is begun if it is new, with one lane unless there are many
    customers. None if the round has no such lane."""
    if not await tx.fetchval(_HAS_BEGUN, kind, occasion):
        await tx.execute(_BEGIN_ROUND, kind, occasion, now, many, lanes)
    return await tx.fetchrow(_ROUND, kind, occasion, lane)


async def quarter_done(tx: Transaction, kind: str, quarter: str, occasion: str) -> bool:
    """Whether another round of a quarter went through already."""
    return bool(await tx.fetchval(_QUARTER_DONE, kind, f"{quarter}/", occasion))


async def next_of_round(tx: Transaction, kind: str, state: Record, limit: int) -> list[UUID]:
    """The next customers of a lane, in order of id."""
    bounds = (state["last_id"] or _FIRST, state["until_id"] or _LAST)
    return [row["id"] for row in await tx.fetch(_NEXT, kind, *bounds, limit)]


async def move_round(
    tx: Transaction, kind: str, occasion: str, lane: int, last: UUID | None, done_at: datetime | None
) -> None:
    """How far a lane has come."""
    await tx.execute(_MOVE_ROUND, kind, occasion, lane, last, done_at)


async def keep_texts(tx: Transaction, basis: str, kind: str, texts: Sequence[tuple[Any, ...]]) -> None:
    """Keep the texts of a basis: hash, kind, name, version, wording, moment of each, in order."""
    for text in texts:
        await tx.execute(_KEEP_TEXT, *text)
    await tx.execute(_KEEP_BASIS, basis, kind, [text[0] for text in texts])


async def kept_texts(tx: Transaction, basis: str) -> list[Record]:
    """The texts of a basis, in order."""
    return await tx.fetch(_TEXTS, basis)
