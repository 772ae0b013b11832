"""Proposals of other grades that wait for an approver's word."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from services.customer.file.waiting import Task
from services.customer.override.service import Overrides
from shared.auth import Principal
from shared.db import Transaction


class WaitingOverrides:
    """Overrides as tasks."""

    types: tuple[str, ...] = ("override.decide",)

    def __init__(self, overrides: Overrides) -> None:
        self._overrides = overrides

    async def tasks(self, tx: Transaction, who: Principal, now: datetime, limit: int) -> Sequence[Task]:
        """Proposals to which this person could agree now, those that lapse first before others."""
        found = await self._overrides.awaiting(tx, who, now, limit)
        return [
            Task(
                self.types[0], str(each.id), f"/v1/customers/{each.customer_id}/grade/overrides", unit,
                each.proposed_at, each.decide_until, each.customer_id,
            )
            for each, unit in found
        ]  # fmt: skip
