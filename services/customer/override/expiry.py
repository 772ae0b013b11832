"""Overrides whose time is up: ended by a job, or by whoever comes across one before it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from services.customer.file.service import Files
from services.customer.grading.service import Grading
from services.customer.override import repository
from services.customer.override.publishing import facts, publish
from services.customer.override.rules import State
from shared.clock import day_of
from shared.db import Transaction
from shared.events import GradeOverrideExpired
from shared.outbox import Outbox

_SYSTEM = "system/customer"
_BATCH = 100


class Expiry:
    """Ends overrides."""

    def __init__(self, files: Files, grading: Grading, outbox: Outbox) -> None:
        self._files = files
        self._grading = grading
        self._outbox = outbox

    async def expire_due(self, tx: Transaction, now: datetime) -> int:
        """End a batch of those whose time is up; the reckoned grade holds again. How many. A job."""
        due = await repository.due(tx, day_of(now), now, _BATCH)
        for customer_id, override_id in due:
            await self._expire(tx, customer_id, override_id, now)
        return len(due)

    async def expire_of(self, tx: Transaction, customer_id: UUID, now: datetime) -> None:
        """The same for one customer."""
        for override in await repository.page(tx, customer_id, None, 1):
            if override.state_at(now) is not override.state:
                await self._expire(tx, customer_id, override.id, now)

    async def _expire(self, tx: Transaction, customer_id: UUID, override_id: UUID, now: datetime) -> None:
        await self._grading.hold(tx, customer_id)
        override = await repository.lock(tx, customer_id, override_id)
        file = await self._files.subject(tx, str(customer_id), now)
        if override is None or file is None or override.state_at(now) is override.state:
            return  # somebody was here first
        ended = replace(override, state=State.EXPIRED, ended_by=_SYSTEM, ended_at=now, version=override.version + 1)
        await repository.store(tx, ended)
        event = GradeOverrideExpired(**facts({"unit": file.unit, "manager": file.assignee}, ended))
        await publish(self._outbox, tx, event, ended, _SYSTEM, now)
        if override.state is State.IN_FORCE:
            await self._grading.impose(tx, customer_id, None, now)
