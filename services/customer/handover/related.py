"""Hand-overs as the file sees them: in the timeline, and told to the customer (R5.3, R15.1)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from services.customer.file.related import Happening
from services.customer.handover import repository
from services.customer.handover.rules import READ
from shared.auth import Principal
from shared.db import Record, Transaction
from shared.events import HandoverAccepted, HandoverTold, HandoverUndone


class RelatedHandovers:
    """The hand-overs by which a customer moved."""

    name = "handover"
    action = READ

    async def happenings(self, tx: Transaction, customer_id: UUID, before: datetime, limit: int) -> Sequence[Happening]:
        """That it moved, was told, and moved back."""
        found = [each for row in await repository.of_customer(tx, customer_id) for each in _steps(row)]
        earlier = [each for each in found if each.at < before]
        return sorted(earlier, key=lambda each: (each.at, each.record), reverse=True)[:limit]

    async def move(
        self,
        tx: Transaction,  # noqa: ARG002 - nothing is looked up
        source: UUID,  # noqa: ARG002
        target: UUID,  # noqa: ARG002
        records: Sequence[str] | None = None,  # noqa: ARG002
    ) -> list[str]:
        """Nothing: that responsibility for a file moved stays a fact of that file, with its version."""
        return []

    async def erase(self, tx: Transaction, customer_id: UUID) -> None:
        """Nothing: no value of the customer is kept here."""

    async def disclose(
        self,
        tx: Transaction,
        who: Principal,  # noqa: ARG002 - whoever may disclose a file may disclose all of it
        customer_id: UUID,
        now: datetime,  # noqa: ARG002
    ) -> Mapping[str, Any]:
        """Who looked after the customer before and after, and when and how they were told."""
        return {
            "handovers": [
                {
                    "predecessor": row["predecessor"], "successor": row["successor"],
                    "at": row["accepted_at"].isoformat(), "undone": row["undone_version"] is not None,
                    "told_at": row["told_at"] and row["told_at"].isoformat(), "channel": row["channel"],
                }
                for row in await repository.of_customer(tx, customer_id)
            ]
        }  # fmt: skip


def _steps(row: Record) -> Iterator[Happening]:
    record = str(row["handover_id"])
    facts = {name: row[name] for name in ("predecessor", "successor", "reason")}
    facts["handover"] = record
    yield Happening(row["accepted_at"], HandoverAccepted.type, row["accepted_by"], record, facts)
    if row["told_at"] is not None:
        channel = {"channel": row["channel"]}
        yield Happening(row["told_at"], HandoverTold.type, row["told_by"], f"{record}/told", facts | channel)
    if row["undone_version"] is not None:
        yield Happening(row["ended_at"], HandoverUndone.type, row["ended_by"], f"{record}/undone", facts)
