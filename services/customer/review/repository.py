"""SQL of reviews: reckoned for a batch of files at once, with their counts in the same statement."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from shared.db import Record, Transaction

_PLACE = """
INSERT INTO review_file (customer_id) SELECT id FROM customer WHERE id = ANY($1::uuid[]) ORDER BY id
ON CONFLICT DO NOTHING
"""
_LOCK = """
SELECT customer_id, checked_at, visited_at FROM review_file WHERE customer_id = ANY($1::uuid[]) ORDER BY customer_id
FOR UPDATE
"""
_FILES = """
SELECT id, kind, unit, manager, status, created_at, erased_at, merged_into, meta,
  ARRAY(SELECT jsonb_object_keys(values)) AS codes
FROM customer WHERE id = ANY($1::uuid[])
"""
_CHECKED = """
UPDATE review_file f SET checked_at = greatest(f.checked_at, given.at)
FROM unnest($1::uuid[], $2::timestamptz[]) AS given (customer_id, at) WHERE f.customer_id = given.customer_id
RETURNING f.customer_id, f.checked_at, f.visited_at
"""
_VISITED = "UPDATE review_file SET visited_at = $2 WHERE customer_id = $1 RETURNING customer_id, checked_at, visited_at"
_CHECKED_AT = "SELECT checked_at FROM review_file WHERE customer_id = $1"
_CHECKED_OF = "SELECT customer_id, checked_at FROM review_file WHERE customer_id = ANY($1::uuid[])"
_SHAPE = """(customer_id uuid, cadence text, kind text, unit text, manager text, opens_on date, due_on date)"""
_STORE = f"""
WITH given AS (SELECT * FROM jsonb_to_recordset($2) AS given {_SHAPE}), gone AS (
  DELETE FROM review_due d WHERE d.customer_id = ANY($1::uuid[])
    AND NOT EXISTS (SELECT FROM given g WHERE g.customer_id = d.customer_id AND g.cadence = d.cadence)
  RETURNING d.unit, d.manager, d.kind, d.cadence, d.due_on
), put AS (
  INSERT INTO review_due AS d (customer_id, cadence, kind, unit, manager, opens_on, due_on, told)
  SELECT customer_id, cadence, kind, unit, manager, opens_on, due_on, false FROM given
  ON CONFLICT (customer_id, cadence) DO UPDATE SET kind = excluded.kind, unit = excluded.unit,
    manager = excluded.manager, opens_on = excluded.opens_on, due_on = excluded.due_on,
    told = d.told AND d.due_on = excluded.due_on
  WHERE (d.kind, d.unit, d.manager, d.opens_on, d.due_on)
    IS DISTINCT FROM (excluded.kind, excluded.unit, excluded.manager, excluded.opens_on, excluded.due_on)
  RETURNING old.unit AS old_unit, old.manager AS old_manager, old.kind AS old_kind, old.cadence AS old_cadence,
    old.due_on AS old_due_on, new.unit, new.manager, new.kind, new.cadence, new.due_on
), moved (unit, manager, kind, cadence, due_on, n) AS (
  SELECT unit, manager, kind, cadence, due_on, -1 FROM gone
  UNION ALL SELECT old_unit, old_manager, old_kind, old_cadence, old_due_on, -1 FROM put WHERE old_unit IS NOT NULL
  UNION ALL SELECT unit, manager, kind, cadence, due_on, 1 FROM put
)
INSERT INTO review_count AS c (unit, manager, kind, cadence, due_on, n)
SELECT unit, manager, kind, cadence, due_on, sum(n) FROM moved GROUP BY unit, manager, kind, cadence, due_on
HAVING sum(n) <> 0 ORDER BY unit, manager, kind, cadence, due_on
ON CONFLICT (unit, manager, kind, cadence, due_on) DO UPDATE SET n = c.n + excluded.n
"""  # noqa: S608 - the shape is ours
_LATE = """
SELECT customer_id FROM review_due WHERE NOT told AND due_on < $1 ORDER BY due_on, customer_id LIMIT $2
"""
_TELL = """
UPDATE review_due SET told = true WHERE customer_id = ANY($1::uuid[]) AND NOT told AND due_on < $2
RETURNING customer_id, cadence, kind, unit, manager, due_on
"""
_OVERDUE_UNITS = """
WITH late AS (
  SELECT unit, max(due_on) AS due_on, sum(n)::int AS reviews, count(DISTINCT manager)::int AS managers
  FROM review_count WHERE n > 0 AND due_on < $1 GROUP BY unit ORDER BY unit
)
INSERT INTO review_unit_told (unit, due_on) SELECT unit, due_on FROM late
WHERE NOT EXISTS (SELECT FROM review_unit_told told WHERE told.unit = late.unit AND told.due_on >= late.due_on)
ON CONFLICT DO NOTHING
RETURNING unit, due_on, (SELECT reviews FROM late WHERE late.unit = review_unit_told.unit) AS reviews,
  (SELECT managers FROM late WHERE late.unit = review_unit_told.unit) AS managers
"""
_BEGIN_ROUND = "INSERT INTO review_round (occasion, begun_at) VALUES ($1, $2) ON CONFLICT DO NOTHING"
_ROUND = "SELECT last_id, done_at FROM review_round WHERE occasion = $1 FOR UPDATE"
_NEXT = "SELECT id FROM customer WHERE $1::uuid IS NULL OR id > $1 ORDER BY id LIMIT $2"
_MOVE_ROUND = "UPDATE review_round SET last_id = coalesce($2, last_id), done_at = $3 WHERE occasion = $1"
_ADD = """
INSERT INTO verification (id, customer_id, version, items, whole, channel, answered_on, at, actor, sealed)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
"""
_VERIFICATIONS = """
SELECT * FROM verification WHERE customer_id = $1 AND ($2::timestamptz IS NULL OR (at, id) < ($2, $3))
ORDER BY at DESC, id DESC LIMIT $4
"""
_ALL = "SELECT * FROM verification WHERE customer_id = $1 AND ($2::uuid[] IS NULL OR id = ANY($2)) ORDER BY at, id"
_MOVE = "UPDATE verification SET customer_id = $2, sealed = $3 WHERE id = $1"


async def lock(tx: Transaction, customer_ids: Iterable[UUID]) -> dict[UUID, Record]:
    """When each file as a whole was verified and its customer visited last, locked in order of id: what is read
    afterwards is never older than what the holder of the lock before us has seen."""
    ids = sorted(customer_ids)
    await tx.execute(_PLACE, ids)
    return {row["customer_id"]: row for row in await tx.fetch(_LOCK, ids)}


async def files(tx: Transaction, customer_ids: Sequence[UUID]) -> list[Record]:
    """Files as reviews are reckoned from them."""
    return await tx.fetch(_FILES, list(customer_ids))


async def store(tx: Transaction, customer_ids: Sequence[UUID], rows: Sequence[Mapping[str, Any]]) -> None:
    """All reviews of these customers; what is not among them is over."""
    await tx.execute(_STORE, list(customer_ids), list(rows))


async def forget(tx: Transaction, customer_ids: Sequence[UUID]) -> None:
    """That these customers have no reviews any more."""
    await lock(tx, customer_ids)
    await store(tx, customer_ids, [])


async def set_checked(tx: Transaction, at: Mapping[UUID, datetime]) -> dict[UUID, Record]:
    """That files as a whole were verified; when each of them was last."""
    return {row["customer_id"]: row for row in await tx.fetch(_CHECKED, list(at), list(at.values()))}


async def set_visited(tx: Transaction, at: Mapping[UUID, datetime | None]) -> dict[UUID, Record]:
    """When these customers were visited last, as it is known now; None: never, or no visit stands any more."""
    rows = [row for each, moment in at.items() for row in await tx.fetch(_VISITED, each, moment)]
    return {row["customer_id"]: row for row in rows}


async def checked_at(tx: Transaction, customer_id: UUID) -> datetime | None:
    """When a file as a whole was verified last, if ever."""
    found: datetime | None = await tx.fetchval(_CHECKED_AT, customer_id)
    return found


async def checked_of(tx: Transaction, customer_ids: Sequence[UUID]) -> dict[UUID, datetime | None]:
    """The same of many files."""
    return {row["customer_id"]: row["checked_at"] for row in await tx.fetch(_CHECKED_OF, list(customer_ids))}


async def late(tx: Transaction, today: date, limit: int) -> list[UUID]:
    """Customers with reviews that became overdue and were not told of, those that have been so for longest first."""
    return list(dict.fromkeys(row["customer_id"] for row in await tx.fetch(_LATE, today, limit)))


async def tell(tx: Transaction, customer_ids: Sequence[UUID], today: date) -> list[Record]:
    """Mark the overdue reviews of these customers as told; those that were not."""
    return await tx.fetch(_TELL, list(customer_ids), today)


async def overdue_units(tx: Transaction, today: date) -> list[Record]:
    """Units with overdue reviews of a last day that they were not told of yet, marked as told."""
    return await tx.fetch(_OVERDUE_UNITS, today)


async def round_state(tx: Transaction, occasion: str, now: datetime) -> Record:
    """The round of an occasion, begun if it is new, locked."""
    await tx.execute(_BEGIN_ROUND, occasion, now)
    row = await tx.fetchrow(_ROUND, occasion)
    assert row is not None
    return row


async def next_of_round(tx: Transaction, last: UUID | None, limit: int) -> list[UUID]:
    """The next customers, in order of id."""
    return [row["id"] for row in await tx.fetch(_NEXT, last, limit)]


async def move_round(tx: Transaction, occasion: str, last: UUID | None, done_at: datetime | None) -> None:
    """How far a round has come."""
    await tx.execute(_MOVE_ROUND, occasion, last, done_at)


async def add(tx: Transaction, row: Sequence[Any]) -> None:
    """A verification: id, customer, version, items, whole, channel, day of the answer, moment, actor, sealed."""
    await tx.execute(_ADD, *row)


async def verifications(
    tx: Transaction, customer_id: UUID, before: tuple[datetime, UUID] | None, limit: int
) -> list[Record]:
    """Verifications of a customer, newest first."""
    at, last = before or (None, None)
    return await tx.fetch(_VERIFICATIONS, customer_id, at, last, limit)


async def all_of(tx: Transaction, customer_id: UUID, ids: Sequence[UUID] | None = None) -> list[Record]:
    """All verifications of a customer, or these, oldest first."""
    return await tx.fetch(_ALL, customer_id, None if ids is None else list(ids))


async def move(tx: Transaction, verification_id: UUID, target: UUID, sealed: bytes) -> None:
    """Give a verification to another customer, sealed anew."""
    await tx.execute(_MOVE, verification_id, target, sealed)
