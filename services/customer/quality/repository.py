"""SQL of quality: a batch of files is locked, read, and stored with all figures that it changes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from shared.db import Record, Transaction

MARKS = ("score", "completeness", "accuracy", "timeliness")
FIGURES = ("n", "score", *(name for part in MARKS[1:] for name in (part, f"{part}_n")))

_PLACE = """
INSERT INTO quality (customer_id)
SELECT id FROM customer c WHERE id = ANY($1::uuid[]) AND NOT EXISTS (SELECT FROM quality WHERE customer_id = c.id)
ORDER BY id ON CONFLICT DO NOTHING
"""
_LOCK = "SELECT * FROM quality WHERE customer_id = ANY($1::uuid[]) ORDER BY customer_id FOR UPDATE"
_FILES = """
SELECT id, kind, unit, manager, status, version, created_at, erased_at, merged_into, values, meta
FROM customer WHERE id = ANY($1::uuid[])
"""
_COLUMNS = {
    "kind": "text", "unit": "text", "manager": "text", "level": "text", **dict.fromkeys(MARKS, "numeric"),
    "looked": "jsonb", "failing": "text[]", "file_version": "int", "policy": "jsonb", "assessed_at": "timestamptz",
    "turns_on": "date",
}  # fmt: skip
_STORE = f"""
UPDATE quality q SET ({", ".join(_COLUMNS)}) = ROW ({", ".join(f"given.{name}" for name in _COLUMNS)})
FROM jsonb_to_recordset($1) AS given
  (customer_id uuid, {", ".join(f"{name} {kind}" for name, kind in _COLUMNS.items())})
WHERE q.customer_id = given.customer_id
"""  # noqa: S608 - the columns are ours
_SORT = ("unit", "manager", "kind", "level")
_KEY = ", ".join(_SORT)
_GIVEN = f"""jsonb_to_recordset($1) AS given ({", ".join(f"{name} text" for name in _SORT)},
  {", ".join(f"{name} numeric" for name in FIGURES)})"""
_NAMES = ", ".join(FIGURES)
_ADD = f"""
INSERT INTO quality_sum AS s ({_KEY}, {_NAMES}) SELECT {_KEY}, {_NAMES} FROM {_GIVEN} ORDER BY {_KEY}
ON CONFLICT ({_KEY}) DO UPDATE SET {", ".join(f"{name} = s.{name} + excluded.{name}" for name in FIGURES)}
"""  # noqa: S608
# Of two months that are written at once the later one holds: the sum that it copies is locked by then.
_COPY = f"""
INSERT INTO quality_month ({_KEY}, month, {_NAMES})
SELECT {_KEY}, greatest($2::date, (
    SELECT max(m.month) FROM quality_month m
    WHERE (m.unit, m.manager, m.kind, m.level) = (s.unit, s.manager, s.kind, s.level)
  )), {", ".join(f"s.{name}" for name in FIGURES)}
FROM quality_sum s JOIN (SELECT {_KEY} FROM {_GIVEN}) given USING ({_KEY}) ORDER BY {_KEY}
ON CONFLICT ({_KEY}, month) DO UPDATE SET {", ".join(f"{name} = excluded.{name}" for name in FIGURES)}
"""  # noqa: S608
_COUNT = """
INSERT INTO quality_count AS c (unit, manager, kind, failing, n) SELECT unit, manager, kind, failing, n
FROM jsonb_to_recordset($1) AS given (unit text, manager text, kind text, failing text, n int)
ORDER BY unit, manager, kind, failing
ON CONFLICT (unit, manager, kind, failing) DO UPDATE SET n = c.n + excluded.n
"""
_TURNED = """
SELECT customer_id FROM quality WHERE turns_on <= $1 ORDER BY turns_on, customer_id LIMIT $2
"""
_BEGIN_ROUND = "INSERT INTO quality_round (occasion, begun_at) VALUES ($1, $2) ON CONFLICT DO NOTHING"
_ROUND = "SELECT last_id, done_at FROM quality_round WHERE occasion = $1 FOR UPDATE"
_NEXT = "SELECT id FROM customer WHERE $1::uuid IS NULL OR id > $1 ORDER BY id LIMIT $2"
_MOVE_ROUND = "UPDATE quality_round SET last_id = coalesce($2, last_id), done_at = $3 WHERE occasion = $1"
_LATEST = "SELECT * FROM quality WHERE customer_id = $1 AND level IS NOT NULL"


async def lock(tx: Transaction, customer_ids: Iterable[UUID]) -> dict[UUID, Record]:
    """The rows of files, locked in order of id: what is read of the files afterwards is never older than what the
    holder of the lock before us has seen."""
    ids = sorted(customer_ids)
    await tx.execute(_PLACE, ids)
    return {row["customer_id"]: row for row in await tx.fetch(_LOCK, ids)}


async def files(tx: Transaction, customer_ids: Sequence[UUID]) -> list[Record]:
    """Files as they are judged."""
    return await tx.fetch(_FILES, list(customer_ids))


async def store(tx: Transaction, rows: Sequence[Mapping[str, Any]]) -> None:
    """What is found of files whose rows are locked."""
    await tx.execute(_STORE, list(rows))


async def add(
    tx: Transaction, sums: Sequence[Mapping[str, Any]], counts: Sequence[Mapping[str, Any]], month: date
) -> None:
    """What the figures of units and managers differ by; they are copied for the month."""
    if sums:
        await tx.execute(_ADD, list(sums))
        await tx.execute(_COPY, list(sums), month)
    if counts:
        await tx.execute(_COUNT, list(counts))


async def turned(tx: Transaction, today: date, limit: int) -> list[UUID]:
    """Files that may differ by today though nothing happened to them, those of longest ago first."""
    return [row["customer_id"] for row in await tx.fetch(_TURNED, today, limit)]


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


async def latest(tx: Transaction, customer_id: UUID) -> Record | None:
    """What was found of a file; None if it is not judged."""
    return await tx.fetchrow(_LATEST, customer_id)
