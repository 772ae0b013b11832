"""Hand-overs that wait for somebody's word, and customers who wait to be told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time

from services.customer.file.waiting import Task
from services.customer.handover.rules import Handover, State
from services.customer.handover.service import Handovers
from shared.auth import Principal
from shared.clock import CHINA
from shared.db import Transaction

_APPROVE, _ACCEPT, _TELL = "handover.approve", "handover.accept", "handover.tell"


class WaitingHandovers:
    """Hand-overs as tasks."""

    types: tuple[str, ...] = (_APPROVE, _ACCEPT, _TELL)

    def __init__(self, handovers: Handovers) -> None:
        self._handovers = handovers

    async def tasks(self, tx: Transaction, who: Principal, now: datetime, limit: int) -> Sequence[Task]:
        """What this person could approve, is asked to take over, and whose customers they are to tell."""
        return [
            *(_task(_APPROVE, each) for each in await self._handovers.awaiting(tx, who, now, limit)),
            *(_task(_ACCEPT, each) for each in await self._handovers.asked(tx, who, State.OFFERED, now, limit)),
            *(_task(_TELL, each) for each in await self._handovers.asked(tx, who, State.ACCEPTED, now, limit)),
        ]


def _task(kind: str, handover: Handover) -> Task:
    since, due = handover.proposed_at, handover.decide_until
    if handover.accepted_at is not None and handover.tell_by is not None:
        since, due = handover.accepted_at, datetime.combine(handover.tell_by, time.max, CHINA)
    return Task(kind, str(handover.id), f"/v1/handovers/{handover.id}", handover.unit, since, due)
