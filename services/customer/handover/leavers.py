"""SQL of leavers and the customers that are still theirs; part of the repository."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from shared.auth import Scope
from shared.db import Record, Transaction

_OPEN = "c.merged_into IS NULL AND c.erased_at IS NULL"
_LEAVING = """
SELECT r.id AS person, (r.data->>'last_day')::date AS last_day FROM roster r
WHERE r.kind = 'person' AND r.data->>'last_day' IS NOT NULL
"""
_LEFT_OVER = f"""
SELECT l.person, c.unit, l.last_day, count(*)::int AS customers FROM ({_LEAVING}) l
JOIN customer c ON c.manager = l.person AND {_OPEN} GROUP BY l.person, c.unit, l.last_day
"""  # noqa: S608 - our own text
_FALLEN_DUE = f"""
INSERT INTO handover_outstanding AS o (person, unit, customers, last_day, found_at)
SELECT f.person, f.unit, f.customers, f.last_day, $2 FROM ({_LEFT_OVER}) f
LEFT JOIN handover_outstanding k ON k.person = f.person AND k.unit = f.unit
WHERE (k.customers, k.last_day) IS DISTINCT FROM (f.customers, f.last_day) ORDER BY f.person, f.unit LIMIT $3
ON CONFLICT (person, unit) DO UPDATE SET customers = excluded.customers, last_day = excluded.last_day
RETURNING person, unit, customers, last_day, found_at = $2 AND last_day >= $1 AS told
"""  # noqa: S608
_OMITTED = """
UPDATE handover_outstanding SET omitted_at = $2 WHERE (person, unit) IN (
  SELECT person, unit FROM handover_outstanding WHERE omitted_at IS NULL AND last_day < $1 LIMIT $3)
RETURNING person, unit, customers, last_day
"""
_SETTLED = f"""
DELETE FROM handover_outstanding o WHERE (person, unit) IN (
  SELECT k.person, k.unit FROM handover_outstanding k LEFT JOIN ({_LEFT_OVER}) f USING (person, unit)
  WHERE f.person IS NULL LIMIT $1)
RETURNING person, unit, customers, last_day, NOT EXISTS (SELECT FROM ({_LEAVING}) l WHERE l.person = o.person) AS stays
"""  # noqa: S608
_PAGE = """
SELECT * FROM handover_outstanding
WHERE ($2 OR unit = ANY($3::text[]) OR person = ANY($4::text[]))
  AND ($5::text IS NULL OR (person, unit) > ($5, $6)) AND ($7::bool IS NULL OR (omitted_at IS NOT NULL) = $7)
ORDER BY person, unit LIMIT $1
"""


@dataclass(frozen=True, slots=True)
class Leaver:
    """Who leaves or has left, and how many customers of a unit were still theirs; `stays`: they leave no more."""

    person: str
    unit: str
    customers: int
    last_day: date
    stays: bool = False


async def fallen_due(tx: Transaction, today: date, now: datetime, limit: int) -> list[Leaver]:
    """Count anew what is still to be handed over; who had not been found before, with a last day to come."""
    return [_leaver(row) for row in await tx.fetch(_FALLEN_DUE, today, now, limit) if row["told"]]


async def omitted(tx: Transaction, today: date, now: datetime, limit: int) -> list[Leaver]:
    """Note whose last day is over, with customers still theirs."""
    return [_leaver(row) for row in await tx.fetch(_OMITTED, today, now, limit)]


async def settled(tx: Transaction, limit: int) -> list[Leaver]:
    """Forget who has no customers left in a unit, or leaves no more."""
    return [_leaver(row) for row in await tx.fetch(_SETTLED, limit)]


async def page(
    tx: Transaction, scope: Scope, after: tuple[str, str] | None, is_omitted: bool | None, limit: int
) -> list[Record]:
    """What leavers within a reach have not handed over, by person and unit."""
    reach = scope.everything, list(scope.units), list(scope.assigned_to)
    return await tx.fetch(_PAGE, limit, *reach, *(after or (None, None)), is_omitted)


def _leaver(row: Record) -> Leaver:
    return Leaver(row["person"], row["unit"], row["customers"], row["last_day"], dict(row).get("stays", False))
