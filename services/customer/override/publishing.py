"""What every event of an override says, and how it leaves."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from services.customer.override.rules import Override
from shared.db import Record, Transaction
from shared.events.grade import GradeOverrideEvent
from shared.outbox import Outbox

FEATURE = "override"


def facts(file: Mapping[str, Any] | Record, override: Override) -> dict[str, Any]:
    """What every event says of an override."""
    return {
        "customer_id": str(override.customer_id), "unit": file["unit"], "manager": file["manager"],
        "override": str(override.id), "grade": override.grade, "expires_on": override.expires_on.isoformat(),
        "proposer": override.proposed_by.partition("/")[2],
    }  # fmt: skip


async def publish(
    outbox: Outbox, tx: Transaction, event: GradeOverrideEvent, override: Override, actor: str, now: datetime,
    event_id: UUID | None = None,
) -> None:  # fmt: skip
    """Tell of it, in the order of the customer's events."""
    subject = f"customer/{override.customer_id}"
    envelope = outbox.envelope(event, feature=FEATURE, subject=subject, actor=actor, at=now, event_id=event_id)
    await outbox.add(tx, envelope, event)
