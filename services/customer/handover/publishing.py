"""What every event of a hand-over says, and how it leaves."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from services.customer.handover.rules import Handover
from shared.db import Transaction
from shared.events.handover import HandoverEvent
from shared.outbox import Outbox

FEATURE, SYSTEM = "handover", "system/customer"


def facts(handover: Handover) -> dict[str, Any]:
    """What every event says of a hand-over."""
    return {
        "handover": str(handover.id), "unit": handover.unit, "predecessor": handover.predecessor,
        "successor": handover.successor, "proposer": handover.proposed_by.removeprefix("staff/"),
        "reason": handover.reason, "all_customers": handover.whole, "customers": handover.customers,
    }  # fmt: skip


async def publish(
    outbox: Outbox, tx: Transaction, event: HandoverEvent, handover: Handover, actor: str, now: datetime
) -> None:
    """Tell of it, in the order of its events."""
    subject = f"handover/{handover.id}"
    await outbox.add(tx, outbox.envelope(event, feature=FEATURE, subject=subject, actor=actor, at=now), event)
