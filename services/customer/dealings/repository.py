"""SQL of dealings: set-based upserts, and totals put together from what a dictionary declares."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from asyncpg import UniqueViolationError

from services.customer.dealings.rules import window
from shared.db import Record, Transaction
from shared.regime import Aggregate, Dealings, Total

COLUMNS: Mapping[Dealings, Mapping[str, str]] = {
    Dealings.PURCHASES: {
        "quantity": "quantity", "amount": "amount_fen", "varieties": "varieties", "orders": "orders",
        "orders_planned": "orders_planned", "payments_late": "payments_late",
    },
    Dealings.VIOLATIONS: {},
}  # fmt: skip
"""What a total may aggregate (its `of`), and the column that holds it."""

_TABLES = {
    Dealings.PURCHASES: ("purchase", "month", "true"),
    Dealings.VIOLATIONS: ("violation", "found_on", "NOT withdrawn"),
}
_AGGREGATES = {
    Aggregate.SUM: "sum",
    Aggregate.AVERAGE: "avg",
    Aggregate.MAXIMUM: "max",
    Aggregate.MINIMUM: "min",
}
_FIGURES = "quantity, amount_fen, varieties, orders, orders_planned, payments_late"
_OWNER = "CASE WHEN old.recorded_for = excluded.recorded_for THEN old.customer_id ELSE excluded.customer_id END"
_PURCHASES = f"""
INSERT INTO purchase AS old (source_id, customer_id, recorded_for, month, {_FIGURES}, recorded_at, recorded_by)
SELECT source_id, customer_id, customer_id, month, {_FIGURES}, $2, $3
FROM jsonb_to_recordset($1) AS given (source_id text, customer_id uuid, month date, quantity int, amount_fen bigint,
  varieties int, orders int, orders_planned int, payments_late int) ORDER BY source_id
ON CONFLICT (source_id) DO UPDATE
SET (customer_id, recorded_for, month, {_FIGURES}, recorded_at, recorded_by) = ROW ({_OWNER}, excluded.recorded_for,
  excluded.month, {", ".join("excluded." + each for each in _FIGURES.split(", "))}, $2, $3)
WHERE (old.recorded_for, old.month, {", ".join("old." + each for each in _FIGURES.split(", "))})
  IS DISTINCT FROM
  (excluded.recorded_for, excluded.month, {", ".join("excluded." + each for each in _FIGURES.split(", "))})
RETURNING customer_id
"""  # noqa: S608 - only our own column names
_VIOLATIONS = f"""
INSERT INTO violation AS old (source_id, customer_id, recorded_for, found_on, kind, severity, withdrawn, recorded_at,
  recorded_by)
SELECT source_id, customer_id, customer_id, found_on, kind, severity, withdrawn, $2, $3
FROM jsonb_to_recordset($1) AS given (source_id text, customer_id uuid, found_on date, kind text, severity text,
  withdrawn boolean) ORDER BY source_id
ON CONFLICT (source_id) DO UPDATE
SET (customer_id, recorded_for, found_on, kind, severity, withdrawn, recorded_at, recorded_by) = ROW ({_OWNER},
  excluded.recorded_for, excluded.found_on, excluded.kind, excluded.severity, excluded.withdrawn, $2, $3)
WHERE (old.recorded_for, old.found_on, old.kind, old.severity, old.withdrawn)
  IS DISTINCT FROM (excluded.recorded_for, excluded.found_on, excluded.kind, excluded.severity, excluded.withdrawn)
RETURNING customer_id
"""  # noqa: S608 - only our own names
_OWNERS = "SELECT source_id, customer_id FROM {table} WHERE source_id = ANY($1::text[])"
_TAKEN = """
SELECT given.customer_id, given.month FROM purchase p
JOIN jsonb_to_recordset($1) AS given (source_id text, customer_id uuid, month date)
  ON p.recorded_for = given.customer_id AND p.month = given.month
WHERE p.source_id <> given.source_id
"""
_HAPPENINGS = """
SELECT * FROM (
  (SELECT recorded_at AS at, 'purchase' AS what, source_id, month AS day, recorded_by AS actor, false AS withdrawn
   FROM purchase WHERE customer_id = $1 AND recorded_at < $2 ORDER BY recorded_at DESC, source_id LIMIT $3)
  UNION ALL
  (SELECT recorded_at, 'violation', source_id, found_on, recorded_by, withdrawn
   FROM violation WHERE customer_id = $1 AND recorded_at < $2 ORDER BY recorded_at DESC, source_id LIMIT $3)
) found ORDER BY at DESC, what, source_id LIMIT $3
"""
_MOVE = """
UPDATE {table} SET customer_id = $2
WHERE customer_id = $1 AND ($3::text[] IS NULL OR source_id = ANY($3)) RETURNING source_id
"""
_ALL = {
    Dealings.PURCHASES: f"SELECT source_id, month, {_FIGURES}, recorded_at, recorded_by FROM purchase"  # noqa: S608
    " WHERE customer_id = $1 ORDER BY month, source_id",
    Dealings.VIOLATIONS: "SELECT source_id, found_on, kind, severity, withdrawn, recorded_at, recorded_by"
    " FROM violation WHERE customer_id = $1 ORDER BY found_on, source_id",
}


class MonthTaken(Exception):
    """Another source has recorded the month of a customer meanwhile."""


async def upsert_purchases(tx: Transaction, rows: Sequence[Mapping[str, Any]], at: datetime, actor: str) -> list[UUID]:
    """Record or correct; the customers of the rows that changed, one a row. Raises: MonthTaken."""
    try:
        return [row["customer_id"] for row in await tx.fetch(_PURCHASES, rows, at, actor)]
    except UniqueViolationError as error:
        raise MonthTaken from error


async def upsert_violations(tx: Transaction, rows: Sequence[Mapping[str, Any]], at: datetime, actor: str) -> list[UUID]:
    """Record or correct; the customers of the rows that changed, one a row."""
    return [row["customer_id"] for row in await tx.fetch(_VIOLATIONS, rows, at, actor)]


async def owners(tx: Transaction, dealings: Dealings, source_ids: Iterable[str]) -> dict[str, UUID]:
    """The customers that these sources are recorded for so far."""
    sql = _OWNERS.format(table=_TABLES[dealings][0])
    return {row["source_id"]: row["customer_id"] for row in await tx.fetch(sql, list(source_ids))}


async def taken(tx: Transaction, rows: Sequence[Mapping[str, Any]]) -> set[tuple[UUID, date]]:
    """Customer and month of those rows whose month another source has recorded."""
    return {(row["customer_id"], row["month"]) for row in await tx.fetch(_TAKEN, rows)}


async def happenings(tx: Transaction, customer_id: UUID, before: datetime, limit: int) -> list[Record]:
    """The latest rows that were recorded for a customer before a moment: at, what, source_id, day, actor, withdrawn."""
    return await tx.fetch(_HAPPENINGS, customer_id, before, limit)


async def move(
    tx: Transaction, dealings: Dealings, source: UUID, target: UUID, source_ids: Sequence[str] | None
) -> list[str]:
    """Give rows of one customer (all, or these) to another; their source ids."""
    sql = _MOVE.format(table=_TABLES[dealings][0])
    wanted = None if source_ids is None else list(source_ids)
    return [row["source_id"] for row in await tx.fetch(sql, source, target, wanted)]


async def all_of(tx: Transaction, dealings: Dealings, customer_id: UUID) -> list[Record]:
    """All rows of a customer, oldest first."""
    return await tx.fetch(_ALL[dealings], customer_id)


async def totals(
    tx: Transaction, declared: Iterable[Total], customer_ids: Sequence[UUID], day: date
) -> dict[UUID, dict[str, Decimal | None]]:
    """The declared totals of each customer on a day; over no rows a count is 0 and every other figure unknown."""
    wanted = list(declared)
    nothing = {each.code: Decimal(0) if each.aggregate is Aggregate.COUNT else None for each in wanted}
    found: dict[UUID, dict[str, Decimal | None]] = {each: dict(nothing) for each in customer_ids}
    for dealings in Dealings:
        some = [each for each in wanted if each.dealings is dealings]
        for row in await _aggregate(tx, dealings, some, customer_ids, day) if some else ():
            found[row["customer_id"]] |= {each.code: _figure(each, row[each.code]) for each in some}
    return found


async def _aggregate(
    tx: Transaction, dealings: Dealings, wanted: Sequence[Total], customer_ids: Sequence[UUID], day: date
) -> list[Record]:
    """One pass over the rows of a kind of dealings; codes and columns are declared or ours, never a caller's."""
    table, moment, counted = _TABLES[dealings]
    windows = [window(day, each.months, each.offset) for each in wanted]
    args: list[Any] = [list(customer_ids), day, min(begins for begins, _ in windows)]
    columns = []
    for each, (begins, ends) in zip(wanted, windows, strict=True):
        args.append(begins)
        condition = f"{moment} >= ${len(args)}"
        if ends is not None:
            args.append(ends)
            condition += f" AND {moment} < ${len(args)}"
        if each.severity is not None:
            args.append(each.severity)
            condition += f" AND severity = ${len(args)}"
        columns.append(f'({_call(each)} FILTER (WHERE {condition}))::numeric AS "{each.code}"')
    sql = (
        f"SELECT customer_id, {', '.join(columns)} FROM {table} WHERE customer_id = ANY($1::uuid[])"  # noqa: S608
        f" AND {moment} <= $2 AND {moment} >= $3 AND {counted} GROUP BY customer_id"
    )
    return await tx.fetch(sql, *args)


def _call(total: Total) -> str:
    if total.of is None:
        return "count(*)"
    return f"{_AGGREGATES[total.aggregate]}({COLUMNS[total.dealings][total.of]})"


def _figure(total: Total, figure: Decimal | None) -> Decimal | None:
    if figure is None or total.of is None:
        return figure
    return figure.scaleb(-2) if COLUMNS[total.dealings][total.of].endswith("_fen") else figure
