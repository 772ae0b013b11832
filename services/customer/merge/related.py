"""Merges as the file sees them: in the timeline, and told to the customer (R5.3, R15.1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from services.customer.file.related import Happening
from services.customer.merge import repository
from services.customer.merge.reading import READ
from shared.auth import Principal
from shared.db import Transaction
from shared.events import CustomerMerged, CustomerUnmerged


class RelatedMerges:
    """The merges of customers."""

    name = "merge"
    action = READ

    async def happenings(self, tx: Transaction, customer_id: UUID, before: datetime, limit: int) -> Sequence[Happening]:
        """Merges and their undoing."""
        return [
            Happening(
                row["at"],
                CustomerUnmerged.type if row["undone"] else CustomerMerged.type,
                row["actor"],
                f"{row['id']}/undone" if row["undone"] else str(row["id"]),
                {"survivor": str(row["survivor"]), "loser": str(row["loser"])},
            )
            for row in await repository.happened(tx, customer_id, before, limit)
        ]

    async def move(
        self,
        tx: Transaction,  # noqa: ARG002 - nothing is looked up
        source: UUID,  # noqa: ARG002
        target: UUID,  # noqa: ARG002
        records: Sequence[str] | None = None,  # noqa: ARG002
    ) -> list[str]:
        """Nothing: a merge stays one of the two files that it was of."""
        return []

    async def erase(self, tx: Transaction, customer_id: UUID) -> None:
        """Nothing: what is personal is sealed under the survivor's key."""

    async def disclose(
        self,
        tx: Transaction,
        who: Principal,  # noqa: ARG002 - whoever may disclose a file may disclose all of it
        customer_id: UUID,
        now: datetime,  # noqa: ARG002
    ) -> Mapping[str, Any]:
        """When the file was merged with another."""
        rows = await repository.of(tx, customer_id, None, 1000)
        return {"merges": [{"at": row["at"].isoformat(), "undone": row["undone_at"] is not None} for row in rows]}
