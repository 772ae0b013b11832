"""Pairs of files that may be of one customer, for whoever may judge them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from services.customer.duplicate import repository
from services.customer.duplicate.service import DISMISS
from services.customer.file.waiting import Task
from shared.auth import Principal
from shared.db import Transaction


class WaitingPairs:
    """Open pairs as tasks."""

    types: tuple[str, ...] = ("duplicate.judge",)

    async def tasks(self, tx: Transaction, who: Principal, now: datetime, limit: int) -> Sequence[Task]:  # noqa: ARG002
        """Open pairs of which the person may judge a file."""
        scope, found = who.scope(DISMISS), []
        for row in await repository.page(tx, scope, None, None, limit):
            side = "low" if scope.reaches(row["low_unit"], row["low_manager"]) else "high"
            place = row[f"{side}_unit"], row["found_at"], None, row[side]
            found.append(Task(self.types[0], str(row["id"]), "/v1/duplicates", *place))
        return found
