"""SQL of bills and payments. Part of the repository."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from services.customer.credit.rules import Known
from shared.auth import Scope
from shared.db import Record, Transaction

_OPEN = "paid_fen < amount_fen AND NOT withdrawn"
_BILLS = "SELECT * FROM credit_bill WHERE source_id = ANY($1::text[])"
_PAYMENTS = "SELECT * FROM credit_payment WHERE source_id = ANY($1::text[]) OR bill = ANY($2::text[])"
_BILL = "supplied_on, due_on, amount_fen, withdrawn"
_FED = ", ".join(f"excluded.{each}" for each in _BILL.split(", "))
_ADD_BILLS = f"""
INSERT INTO credit_bill AS old (source_id, customer_id, recorded_for, {_BILL}, paid_fen, recorded_at, recorded_by)
SELECT source_id, owner, customer_id, {_BILL}, 0, $2, $3
FROM jsonb_to_recordset($1) AS given (source_id text, owner uuid, customer_id uuid, supplied_on date, due_on date,
  amount_fen bigint, withdrawn boolean) ORDER BY source_id
ON CONFLICT (source_id) DO UPDATE SET overdue_at = CASE WHEN old.customer_id = excluded.customer_id
  THEN old.overdue_at END, (customer_id, recorded_for, {_BILL}, recorded_at, recorded_by)
  = ROW (excluded.customer_id, excluded.recorded_for, {_FED}, $2, $3)
WHERE (old.customer_id, old.recorded_for, {", ".join("old." + each for each in _BILL.split(", "))}) IS DISTINCT FROM
  (excluded.customer_id, excluded.recorded_for, {_FED})
RETURNING source_id
"""  # noqa: S608 - our own columns
_PAYMENT = "bill, paid_on, amount_fen, withdrawn"
_ADD_PAYMENTS = f"""
INSERT INTO credit_payment AS old (source_id, {_PAYMENT}, recorded_at, recorded_by)
SELECT source_id, {_PAYMENT}, $2, $3
FROM jsonb_to_recordset($1) AS given (source_id text, bill text, paid_on date, amount_fen bigint, withdrawn boolean)
ORDER BY source_id
ON CONFLICT (source_id) DO UPDATE SET ({_PAYMENT}, recorded_at, recorded_by)
  = ROW ({", ".join("excluded." + each for each in _PAYMENT.split(", "))}, $2, $3)
WHERE ({", ".join("old." + each for each in _PAYMENT.split(", "))}) IS DISTINCT FROM
  ({", ".join("excluded." + each for each in _PAYMENT.split(", "))})
RETURNING source_id
"""  # noqa: S608 - our own columns
_ADD_UP = """
UPDATE credit_bill SET paid_fen = coalesce(
  (SELECT sum(amount_fen) FROM credit_payment p WHERE p.bill = credit_bill.source_id AND NOT p.withdrawn), 0)
WHERE source_id = ANY($1::text[])
"""
_OWED = f"""
SELECT customer_id, sum(amount_fen - paid_fen)::bigint AS outstanding_fen,
  (count(*) FILTER (WHERE due_on < $2))::int AS overdue_bills,
  coalesce(sum(amount_fen - paid_fen) FILTER (WHERE due_on < $2), 0)::bigint AS overdue_fen, min(due_on) AS due_on
FROM credit_bill WHERE customer_id = ANY($1::uuid[]) AND {_OPEN} GROUP BY customer_id
"""  # noqa: S608 - our own condition
_MARK = f"""
UPDATE credit_bill SET overdue_at = $2
WHERE customer_id = ANY($1::uuid[]) AND overdue_at IS NULL AND due_on < $3 AND {_OPEN}
RETURNING customer_id, due_on
"""  # noqa: S608 - our own condition
_CLEAR = f"""
UPDATE credit_bill SET overdue_at = NULL
WHERE customer_id = ANY($1::uuid[]) AND overdue_at IS NOT NULL AND NOT (due_on < $2 AND {_OPEN})
"""  # noqa: S608 - our own condition
_UNSETTLED = f"""
(SELECT DISTINCT customer_id FROM credit_bill WHERE overdue_at IS NULL AND {_OPEN} AND due_on < $1 LIMIT $2)
UNION
(SELECT customer_id FROM credit_hold h WHERE ended_at IS NULL AND state = 'suspended' AND NOT EXISTS (
  SELECT FROM credit_bill b WHERE b.customer_id = h.customer_id AND {_OPEN} AND due_on < $1) LIMIT $2)
"""  # noqa: S608 - our own condition
_DUE = f"""
SELECT b.*, c.kind, c.unit, c.manager FROM credit_bill b JOIN customer c ON c.id = b.customer_id
WHERE {_OPEN} AND ($1 OR c.unit = ANY($2::text[]) OR c.manager = ANY($3::text[]))
  AND ($4::date IS NULL OR due_on >= $4) AND ($5::date IS NULL OR due_on <= $5)
  AND ($6::text IS NULL OR c.unit = $6) AND ($7::text IS NULL OR c.manager = $7)
  AND ($8::uuid IS NULL OR b.customer_id = $8) AND ($9::date IS NULL OR (due_on, source_id) > ($9, $10))
ORDER BY due_on, source_id LIMIT $11
"""  # noqa: S608 - our own condition
_HAPPENED = """
SELECT source_id, due_on, withdrawn, recorded_at, recorded_by FROM credit_bill
WHERE customer_id = $1 AND recorded_at < $2 ORDER BY recorded_at DESC, source_id LIMIT $3
"""
_OF = "SELECT * FROM credit_bill WHERE customer_id = $1 ORDER BY supplied_on, source_id"
_GIVE = """
UPDATE credit_bill SET customer_id = $2
WHERE customer_id = $1 AND ($3::text[] IS NULL OR source_id = ANY($3)) RETURNING source_id
"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which unpaid bills: within a reach, due in a span of days (None for no bound), of a unit, manager or customer if
    one is named, behind the last one of the page before."""

    scope: Scope
    first: date | None = None
    last: date | None = None
    unit: str | None = None
    manager: str | None = None
    customer_id: UUID | None = None
    after: tuple[date, str] | None = None


async def known(tx: Transaction, bills: Collection[str], payments: Mapping[str, str]) -> Known:
    """What is recorded of these bills, and of these payments (by source id: the bill that each is said to be of)."""
    before = await tx.fetch(_PAYMENTS, list(payments), [])
    touched = sorted({*bills, *payments.values(), *(row["bill"] for row in before)})
    found = await tx.fetch(_BILLS, touched)
    paid = await tx.fetch(_PAYMENTS, list(payments), touched)
    return Known({row["source_id"]: row for row in found}, {row["source_id"]: row for row in paid})


async def record(
    tx: Transaction, bills: Sequence[Mapping[str, Any]], payments: Sequence[Mapping[str, Any]], at: datetime, actor: str
) -> tuple[set[str], set[str]]:
    """Record or correct; source ids of bills and of payments that changed. Bills say whose they are: `owner`."""
    changed = {row["source_id"] for row in await tx.fetch(_ADD_BILLS, bills, at, actor)}
    return changed, {row["source_id"] for row in await tx.fetch(_ADD_PAYMENTS, payments, at, actor)}


async def add_up(tx: Transaction, bills: Iterable[str]) -> None:
    """Reckon anew what was paid of these bills."""
    await tx.execute(_ADD_UP, list(bills))


async def owed(tx: Transaction, customer_ids: Iterable[UUID], overdue_before: date) -> dict[UUID, Record]:
    """What customers owe: outstanding_fen, overdue_fen, overdue_bills, due_on (earliest); none who owe nothing."""
    return {row["customer_id"]: row for row in await tx.fetch(_OWED, list(customer_ids), overdue_before)}


async def mark(tx: Transaction, customer_ids: Iterable[UUID], overdue_before: date, now: datetime) -> list[Record]:
    """Mark what became overdue, and take the mark from what is not; customer and last day of each fresh one."""
    wanted = list(customer_ids)
    await tx.execute(_CLEAR, wanted, overdue_before)
    return await tx.fetch(_MARK, wanted, now, overdue_before)


async def unsettled(tx: Transaction, overdue_before: date, limit: int) -> list[UUID]:
    """Customers with bills that are overdue and not marked so, or suspended without any."""
    return [row["customer_id"] for row in await tx.fetch(_UNSETTLED, overdue_before, limit)]


async def page(tx: Transaction, wanted: Wanted, limit: int) -> list[Record]:
    """Unpaid bills in order of (due_on, source_id), with kind, unit and manager of the customer."""
    scope, after = wanted.scope, wanted.after or (None, None)
    reach = scope.everything, list(scope.units), list(scope.assigned_to)
    asked = wanted.first, wanted.last, wanted.unit, wanted.manager, wanted.customer_id
    return await tx.fetch(_DUE, *reach, *asked, *after, limit)


async def happened(tx: Transaction, customer_id: UUID, before: datetime, limit: int) -> list[Record]:
    """The latest bills of a customer that were recorded before a moment, newest first."""
    return await tx.fetch(_HAPPENED, customer_id, before, limit)


async def of(tx: Transaction, customer_id: UUID) -> tuple[list[Record], list[Record]]:
    """All bills of a customer, oldest first, and all their payments."""
    bills = await tx.fetch(_OF, customer_id)
    return bills, await tx.fetch(_PAYMENTS, [], [row["source_id"] for row in bills])


async def give(tx: Transaction, source: UUID, target: UUID, bills: Sequence[str] | None) -> list[str]:
    """Bills of one customer (all, or these) to another; their source ids."""
    return [row["source_id"] for row in await tx.fetch(_GIVE, source, target, bills)]
