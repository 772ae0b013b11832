"""Supply follows the bills: what is unpaid after its last day is overdue at once, and suspends the supply (R7.5).

Called by the feed for the customers that it touched, and by a job for those whose bills a day made overdue.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime
from uuid import UUID

from services.customer.credit import ledger, repository
from services.customer.credit.journal import Journal, of
from services.customer.credit.rules import Hold, Supply
from shared.clock import day_of
from shared.db import Transaction
from shared.events import CreditOverdue, SupplyResumed, SupplySuspended
from shared.ids import new_id
from shared.regime import Credit, Regimes

_CREDIT = "credit_terms"
_SYSTEM = "system/customer"


class Standing:
    """Marks bills, suspends supply, lets it go on after payment."""

    def __init__(self, regimes: Regimes, journal: Journal) -> None:
        self._regimes = regimes
        self._journal = journal

    def credit(self, now: datetime) -> Credit:
        """The terms that are declared."""
        return self._regimes.get(Credit, _CREDIT, on=day_of(now))

    async def overdue_due(self, tx: Transaction, now: datetime, *, limit: int = 200) -> int:
        """Settle customers whose bills became overdue. A job calls it until it returns 0; told once in any case: a mark
        is of the transaction of its event."""
        found = await ledger.unsettled(tx, self.credit(now).overdue_before(day_of(now)), limit)
        await repository.lock(tx, found)
        await self.settle(tx, found, _SYSTEM, now)
        return len(found)

    async def settle(self, tx: Transaction, customer_ids: Iterable[UUID], actor: str, now: datetime) -> None:
        """Make marks and holds of these customers, whose accounts are locked, what their bills say."""
        wanted, before = sorted(customer_ids), self.credit(now).overdue_before(day_of(now))
        fresh = defaultdict[UUID, list[date]](list)
        for row in await ledger.mark(tx, wanted, before, now):
            fresh[row["customer_id"]].append(row["due_on"])
        held, owed = await repository.held(tx, wanted), await ledger.owed(tx, wanted, before)
        files = await repository.places(tx, wanted)
        for customer_id, days in sorted(fresh.items()):
            file = files[customer_id]
            hold = held.get(customer_id) or Hold(new_id(), customer_id, Supply.SUSPENDED, now, None)
            overdue = CreditOverdue(**of(file), bills=len(days), due_on=min(days))
            await self._journal.note(tx, overdue, actor, now, matter=hold.id)
            if customer_id not in held:
                await repository.add_hold(tx, hold)
                suspended = SupplySuspended(**of(file), hold=str(hold.id))
                await self._journal.note(tx, suspended, actor, now, matter=hold.id)
        for customer_id, hold in sorted(held.items()):
            is_paid = customer_id not in owed or not owed[customer_id]["overdue_bills"]
            if is_paid and hold.state is Supply.SUSPENDED:
                await repository.store_hold(tx, replace(hold, state=Supply.ALLOWED, ended_at=now))
                resumed = SupplyResumed(**of(files[customer_id]), hold=str(hold.id), cause="paid")
                await self._journal.note(tx, resumed, actor, now, matter=hold.id)
