"""Use case of the feed: other systems record and correct what customers buy and which rules they break (R1.3)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from services.customer.dealings import errors, repository, rules
from services.customer.dealings.totals import Totals
from services.customer.dictionary.service import Dictionaries
from services.customer.file.service import Files
from shared.auth import Principal
from shared.clock import day_of
from shared.db import Record, Transaction
from shared.errors import Fault
from shared.events import DealingsRecorded
from shared.outbox import Outbox
from shared.regime import Dealings

RECORD = "customer.dealings.record"
Row = Mapping[str, Any]
Figures = Mapping[UUID, Mapping[str, Decimal | None]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """Rows that changed something, rows that stood so already, customers concerned."""

    recorded: int
    unchanged: int
    customers: int


class Feeds:
    """Records dealings."""

    def __init__(self, dictionaries: Dictionaries, files: Files, totals: Totals, outbox: Outbox) -> None:
        self._dictionaries = dictionaries
        self._files = files
        self._totals = totals
        self._outbox = outbox

    async def record(
        self, tx: Transaction, who: Principal, purchases: Sequence[Row], violations: Sequence[Row], now: datetime
    ) -> Outcome:
        """Record or correct rows by their source id; the same rows again change nothing.

        Shape: purchases have `month` as the first day of it, violations `found_on`. One event for each customer whose
        rows changed names the totals that moved. Raises: Invalid (bad_dealings), Conflict (month_taken).
        """
        day = day_of(now)
        bought = await repository.owners(tx, Dealings.PURCHASES, [row["source_id"] for row in purchases])
        broken = await repository.owners(tx, Dealings.VIOLATIONS, [row["source_id"] for row in violations])
        named = {row["customer_id"] for row in (*purchases, *violations)}
        files = await self._files.reach_many(tx, who, RECORD, sorted({*named, *bought.values(), *broken.values()}))
        taken = await repository.taken(tx, [_plain(row) for row in purchases if row["customer_id"] in files])
        faults = [
            *_faults(("purchases", "month"), purchases, files, bought, rules.first_month(day, 1)),
            *_faults(("violations", "found_on"), violations, files, broken, day),
            *_month_faults(purchases, taken),
        ]
        if faults:
            raise errors.bad_dealings(faults)
        before = await self._figures(tx, files, now)
        try:
            changed = await repository.upsert_purchases(tx, [_plain(row) for row in purchases], now, who.actor)
        except repository.MonthTaken:
            raise errors.month_taken() from None
        changed += await repository.upsert_violations(tx, [_plain(row) for row in violations], now, who.actor)
        if changed:
            await self._publish(tx, who, files, set(changed), before, now)
        total = len(purchases) + len(violations)
        return Outcome(len(changed), total - len(changed), len(set(changed)))

    async def _figures(self, tx: Transaction, files: Mapping[UUID, Record], now: datetime) -> Figures:
        found: dict[UUID, Mapping[str, Decimal | None]] = {}
        for kind in sorted({file["kind"] for file in files.values()}):
            some = [customer_id for customer_id, file in files.items() if file["kind"] == kind]
            found |= await self._totals.of(tx, self._dictionaries.catalogue(kind, now), some, day_of(now))
        return found

    async def _publish(
        self, tx: Transaction, who: Principal, files: Mapping[UUID, Record], changed: set[UUID], before: Figures,
        now: datetime,
    ) -> None:  # fmt: skip
        """One event a customer; one that lost its row to a corrected customer id moved as well."""
        after = await self._figures(tx, files, now)
        facts = []
        for customer_id in sorted(files):
            moved = rules.moved(before[customer_id], after[customer_id])
            if customer_id in changed or moved:
                event = DealingsRecorded(customer_id=str(customer_id), kind=files[customer_id]["kind"], totals=moved)
                subject = f"customer/{customer_id}"
                facts.append(
                    (
                        self._outbox.envelope(event, feature="dealings", subject=subject, actor=who.actor, at=now),
                        event,
                    )
                )
        await self._outbox.add_many(tx, facts)


def _plain(row: Row) -> dict[str, Any]:
    return {name: value if isinstance(value, int) else str(value) for name, value in row.items()}


def _faults(
    names: tuple[str, str], rows: Sequence[Row], files: Mapping[UUID, Record], owners: Mapping[str, UUID], last: date
) -> Iterable[Fault]:
    """Unknown and closed customers (known rows may be corrected under a closed one), source ids that stand twice or are
    somebody else's, days that have not come yet."""
    place, moment = names
    often = Counter(row["source_id"] for row in rows)
    for position, row in enumerate(rows):
        at = f"/{place}/{position}"
        if row["customer_id"] not in files:
            yield Fault(f"{at}/customer_id", "no_such_customer", str(row["customer_id"]), "a customer in your reach")
        elif (merged_into := files[row["customer_id"]]["merged_into"]) and row["source_id"] not in owners:
            expected = f"{merged_into}, into which this file was merged"
            yield Fault(f"{at}/customer_id", "customer_merged", str(row["customer_id"]), expected)
        if often[row["source_id"]] > 1:
            yield Fault(f"{at}/source_id", "doubled", row["source_id"], "each source id once")
        if owners.get(row["source_id"], row["customer_id"]) not in files:
            yield Fault(f"{at}/source_id", "taken", row["source_id"], "a source id of a customer in your reach")
        if row[moment] > last:
            yield Fault(f"{at}/{moment}", "in_the_future", str(row[moment]), f"not after {last}")


def _month_faults(rows: Sequence[Row], taken: set[tuple[UUID, date]]) -> Iterable[Fault]:
    """A month of a customer that stands twice, here or from another source."""
    often = Counter((row["customer_id"], row["month"]) for row in rows)
    for position, row in enumerate(rows):
        key = (row["customer_id"], row["month"])
        if often[key] > 1 or key in taken:
            month = row["month"].strftime("%Y-%m")
            yield Fault(f"/purchases/{position}/month", "month_taken", month, "one row a customer and month")
