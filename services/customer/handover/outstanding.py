"""What leavers have not handed over: due once a leaving is announced, omitted once the last day is over (R2.6).

Followed by the clock from the roster and the files. Without a directory nobody is known to leave.
"""

from __future__ import annotations

from datetime import datetime

from services.customer.handover import leavers
from services.customer.handover.leavers import Leaver
from services.customer.handover.publishing import FEATURE, SYSTEM
from services.customer.handover.rules import READ
from shared.auth import Principal
from shared.clock import day_of
from shared.db import Record, Transaction
from shared.events import HandoverFellDue, HandoverOmitted, HandoverSettled
from shared.events.handover import OutstandingEvent
from shared.outbox import Outbox

_BATCH = 500


class Outstanding:
    """Follows leavers and their customers."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox

    async def follow_due(self, tx: Transaction, now: datetime) -> int:
        """Bring a batch up to date: what fell due, was omitted, or is settled, each told once. How many. A job."""
        today = day_of(now)
        for leaver in (gone := await leavers.settled(tx, _BATCH)):
            await self._publish(tx, HandoverSettled(**_facts(leaver), stays=leaver.stays), now)
        for leaver in (found := await leavers.fallen_due(tx, today, now, _BATCH)):
            await self._publish(tx, HandoverFellDue(**_facts(leaver)), now)
        for leaver in (missed := await leavers.omitted(tx, today, now, _BATCH)):
            await self._publish(tx, HandoverOmitted(**_facts(leaver)), now)
        return len(gone) + len(found) + len(missed)

    async def _publish(self, tx: Transaction, event: OutstandingEvent, now: datetime) -> None:
        subject = f"staff/{event.person}"
        envelope = self._outbox.envelope(event, feature=FEATURE, subject=subject, actor=SYSTEM, at=now)
        await self._outbox.add(tx, envelope, event)

    async def page(
        self, tx: Transaction, who: Principal, after: tuple[str, str] | None, omitted: bool | None, limit: int
    ) -> list[Record]:
        """Of leavers within reach, by person and unit: how many customers are still theirs."""
        return await leavers.page(tx, who.scope(READ), after, omitted, limit)


def _facts(leaver: Leaver) -> dict[str, object]:
    return {
        "person": leaver.person, "unit": leaver.unit, "customers": leaver.customers, "last_day": leaver.last_day,
    }  # fmt: skip
