"""Forms for credit and suspended supply, as tasks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from services.customer.credit.service import Terms
from services.customer.credit.supply import Supply
from services.customer.file.waiting import Task
from shared.auth import Principal
from shared.db import Transaction

_DECIDE, _REPORT, _LIFT = "credit.decide", "credit.report", "credit.lift"


class WaitingCredit:
    """What waits: a form for an approver, an overdue customer for the report, a report for a decision about supply."""

    types: tuple[str, ...] = (_DECIDE, _REPORT, _LIFT)

    def __init__(self, terms: Terms, supply: Supply) -> None:
        self._terms = terms
        self._supply = supply

    async def tasks(self, tx: Transaction, who: Principal, now: datetime, limit: int) -> Sequence[Task]:
        """Forms that lapse first, and supply that is held up longest, before others."""
        found = []
        for form, unit in await self._terms.awaiting(tx, who, now, limit):
            address = f"/v1/customers/{form.customer_id}/credit/forms"
            found.append(
                Task(_DECIDE, str(form.id), address, unit, form.proposed_at, form.decide_until, form.customer_id)
            )
        to_report, to_decide = await self._supply.awaiting(tx, who, now, limit)
        for kind, holds in ((_REPORT, to_report), (_LIFT, to_decide)):
            for row in holds:
                address = f"/v1/customers/{row['customer_id']}/supply"
                task = Task(kind, str(row["id"]), address, row["unit"], row["since"], None, row["customer_id"])
                found.append(task)
        return found
