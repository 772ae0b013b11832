"""Customers are told in time who looks after them now (R5.7): noted by whoever told them, missed by the clock."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from services.customer.handover import errors, repository, rules
from services.customer.handover.publishing import SYSTEM, facts, publish
from services.customer.handover.rules import TELL, State
from services.customer.handover.service import Handovers
from shared.auth import Principal
from shared.clock import day_of
from shared.db import Transaction
from shared.errors import Fault
from shared.events import HandoverTellingMissed, HandoverTold
from shared.outbox import Outbox
from shared.regime import Regimes

CHANNELS = "verification_channel"
_BATCH, _TOLD_AT_ONCE = 100, 1_000


class Telling:
    """Keeps which customers were told."""

    def __init__(self, handovers: Handovers, outbox: Outbox, regimes: Regimes) -> None:
        self._handovers = handovers
        self._outbox = outbox
        self._regimes = regimes

    async def tell(
        self, tx: Transaction, who: Principal, handover_id: UUID, customers: Sequence[UUID] | None, channel: str,
        now: datetime,
    ) -> int:  # fmt: skip
        """Note that customers were told, all that were not if none are named; how many are still to be told.

        Who was told before stays so. Raises: NotFound, Invalid (bad_handover), Conflict (handover_closed)
        """
        channels = self._regimes.codelist(CHANNELS, on=day_of(now)).codes
        if channel not in channels:
            raise errors.bad([Fault("/channel", "not_listed", channel, list(channels))])
        handover = await self._handovers.hold(tx, who, TELL, handover_id)
        rules.require(handover, {State.ACCEPTED}, now)
        moved = await repository.versions(tx, handover_id)
        if unknown := [place for place, each in enumerate(customers or ()) if each not in moved]:
            expected = "a customer whom this hand-over moved"
            raise errors.bad([Fault(f"/customers/{place}", "unknown", None, expected) for place in unknown])
        told = await repository.tell(tx, handover_id, customers, now, who.actor, channel)
        untold = await repository.untold(tx, handover_id)
        for start in range(0, len(told), _TOLD_AT_ONCE):
            ids = tuple(str(each) for each in told[start : start + _TOLD_AT_ONCE])
            event = HandoverTold(**facts(handover), channel=channel, customer_ids=ids, untold=untold)
            await publish(self._outbox, tx, event, handover, who.actor, now)
        return untold

    async def missed_due(self, tx: Transaction, now: datetime) -> int:
        """Say of a batch of hand-overs that customers were not told by the day, once of each. How many. A job."""
        late = await repository.late(tx, day_of(now), _BATCH)
        for handover, untold in late:
            assert handover.tell_by is not None
            if untold:
                event = HandoverTellingMissed(**facts(handover), tell_by=handover.tell_by, untold=untold)
                await publish(self._outbox, tx, event, handover, SYSTEM, now)
        await repository.note_late(tx, [handover.id for handover, _ in late], now)
        return len(late)
