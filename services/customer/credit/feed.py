"""Use cases of bills: other systems record and correct what was supplied and paid; the list of what is due (R7.5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from services.customer.credit import errors, ledger, repository, rules
from services.customer.credit.journal import Journal, of
from services.customer.credit.ledger import Wanted
from services.customer.credit.rules import Known, Row
from services.customer.credit.service import READ
from services.customer.credit.standing import Standing
from services.customer.file.service import Files
from shared.auth import Principal
from shared.clock import day_of
from shared.db import Record, Transaction
from shared.events import CreditBillsRecorded

RECORD = "credit.record"
_AMOUNTS = ("amount_fen", "paid_fen")
_SHOWN = ("customer_id", "kind", "unit", "manager", "supplied_on", "due_on", "overdue_at")


class Due(StrEnum):
    """Unpaid bills: all; those whose last day is over; those whose last day is near."""

    UNPAID = "unpaid"
    OVERDUE = "overdue"
    SOON = "soon"


@dataclass(frozen=True, slots=True)
class Outcome:
    """Rows that changed something, rows that stood so already, customers concerned."""

    recorded: int
    unchanged: int
    customers: int


class Bills:
    """Records and lists bills."""

    def __init__(self, files: Files, standing: Standing, journal: Journal) -> None:
        self._files = files
        self._standing = standing
        self._journal = journal

    async def record(
        self, tx: Transaction, who: Principal, bills: Sequence[Row], payments: Sequence[Row], now: datetime
    ) -> Outcome:
        """Record or correct rows by their source ids; the same rows again change nothing.

        What is paid in full lifts a suspension, what turns out overdue makes one. Raises: Invalid (bad_credit_bills),
        Conflict (credit_bills_moved)
        """
        reached, known = await self._held(tx, who, bills, payments)
        credit, today = self._standing.credit(now), day_of(now)
        terms = await repository.granted(tx, reached)
        faults = [
            *rules.bill_faults(bills, reached, known, terms, credit, today),
            *rules.payment_faults(payments, bills, reached, known, today),
            *rules.overpaid(bills, payments, reached, known),
        ]
        if faults:
            raise errors.bad_bills(faults)
        before = await ledger.owed(tx, reached, today)
        owners = {row["source_id"]: known.owner(row) for row in bills}
        rows = [_plain({**row, "owner": owners[row["source_id"]]}) for row in bills]
        changed = await ledger.record(tx, rows, [_plain(row) for row in payments], now, who.actor)
        await ledger.add_up(tx, {*owners, *known.bills})
        owners = {**{each: bill["customer_id"] for each, bill in known.bills.items()}, **owners}
        concerned = await self._publish(tx, who, reached, owners, changed, payments, before, now)
        await self._standing.settle(tx, reached, who.actor, now)
        count = len(changed[0]) + len(changed[1])
        return Outcome(count, len(bills) + len(payments) - count, concerned)

    async def _held(
        self, tx: Transaction, who: Principal, bills: Sequence[Row], payments: Sequence[Row]
    ) -> tuple[Mapping[UUID, Record], Known]:
        """The customers that rows are about, as far as they are in reach, and what is recorded of them, locked."""
        asked = [row["source_id"] for row in bills], {row["source_id"]: row["bill"] for row in payments}
        known, named = await ledger.known(tx, *asked), {row["customer_id"] for row in bills}
        reached = await self._files.reach_many(tx, who, RECORD, sorted(named | known.customers))
        await repository.lock(tx, reached)
        again = await ledger.known(tx, *asked)
        if not again.customers <= named | known.customers:
            raise errors.bills_moved()
        return reached, again

    async def _publish(
        self, tx: Transaction, who: Principal, files: Mapping[UUID, Record], owners: Mapping[str, UUID],
        changed: tuple[set[str], set[str]], payments: Sequence[Row], before: Mapping[UUID, Record], now: datetime,
    ) -> int:  # fmt: skip
        """One event a customer whose rows changed, or who owes another sum; how many had rows."""
        after, concerned = await ledger.owed(tx, files, day_of(now)), 0
        bill_of = {row["source_id"]: row["bill"] for row in payments}
        for customer_id, file in sorted(files.items()):
            bills = tuple(sorted(each for each in changed[0] if owners[each] == customer_id))
            paid = tuple(sorted(each for each in changed[1] if owners[bill_of[each]] == customer_id))
            concerned += bool(bills or paid)
            owes = _sum(after, customer_id)
            if bills or paid or owes != _sum(before, customer_id):
                event = CreditBillsRecorded(**of(file), bills=bills, payments=paid, outstanding_fen=owes)
                await self._journal.note(tx, event, who.actor, now)
        return concerned

    async def page(
        self, tx: Transaction, who: Principal, state: Due, wanted: Wanted, limit: int, now: datetime
    ) -> tuple[list[dict[str, Any]], tuple[date, str] | None]:
        """Unpaid bills within reach by their last day, and where the next page begins; amounts as far as they are
        shown."""
        credit, today = self._standing.credit(now), day_of(now)
        before = credit.overdue_before(today)
        first = before if state is Due.SOON else None
        last = {Due.OVERDUE: before - timedelta(1), Due.SOON: today + timedelta(credit.soon_days)}.get(state)
        rows = await ledger.page(tx, replace(wanted, scope=who.scope(READ), first=first, last=last), limit + 1)
        shown = await self._files.rows(tx, who, list({row["customer_id"] for row in rows[:limit]}), now)
        held = await repository.held(tx, {row["customer_id"] for row in rows[:limit]})
        items = []
        for row in rows[:limit]:
            sight, file = who.sight(READ, row["unit"], row["manager"]), shown.get(row["customer_id"], {})
            is_shown = sight.shows(credit.secrecy, credit.field_class)
            hold = held.get(row["customer_id"])
            items.append(
                {
                    "bill": row["source_id"],
                    **{name: row[name] for name in _SHOWN},
                    "number": file.get("number"),
                    "name": file.get("name"),
                    "days_overdue": max(0, (today - row["due_on"]).days),
                    **{name: row[name] if is_shown else None for name in _AMOUNTS},
                    "withheld": not is_shown,
                    "supply": rules.Supply.ALLOWED if hold is None else hold.state,
                }
            )
        return items, None if len(rows) <= limit else (rows[limit - 1]["due_on"], rows[limit - 1]["source_id"])


def _sum(owed: Mapping[UUID, Record], customer_id: UUID) -> int:
    return owed[customer_id]["outstanding_fen"] if customer_id in owed else 0


def _plain(row: Row) -> dict[str, Any]:
    return {name: value if isinstance(value, int) else str(value) for name, value in row.items()}
