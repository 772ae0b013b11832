"""Reviews of a manager's own files, as tasks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta

from services.customer.file.waiting import Task
from services.customer.review.listing import Wanted
from services.customer.review.rules import State
from services.customer.review.service import CONFIRM, Reviews
from shared.auth import Principal
from shared.clock import CHINA
from shared.db import Transaction


class WaitingReviews:
    """What a manager has to confirm or bring up to date. Of files without one, the unit's due list tells."""

    types: tuple[str, ...] = ("review.overdue", "review.due")

    def __init__(self, reviews: Reviews) -> None:
        self._reviews = reviews

    async def tasks(self, tx: Transaction, who: Principal, now: datetime, limit: int) -> Sequence[Task]:
        """Overdue and due reviews, the earliest first."""
        found = []
        for kind, state in zip(self.types, (State.OVERDUE, State.DUE), strict=True):
            wanted = Wanted(who.scope(CONFIRM), (), manager=who.name)
            for row in await self._reviews.rows(tx, wanted, state, limit, now):
                record, address = f"{row['customer_id']}/{row['cadence']}", f"/v1/customers/{row['customer_id']}"
                since, due = _begin(row["opens_on"]), _begin(row["due_on"] + timedelta(1))
                found.append(Task(kind, record, address, row["unit"], since, due, row["customer_id"]))
        return found


def _begin(day: date) -> datetime:
    return datetime.combine(day, time(), CHINA).astimezone(UTC)
