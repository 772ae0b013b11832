"""Duplicates as the file sees them: dismissals in the timeline, nothing left of an erased customer (R5.3, R15.1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from services.customer.duplicate import repository
from services.customer.file.related import Happening
from shared.auth import Principal
from shared.db import Transaction


class RelatedDuplicates:
    """The pairs of customers."""

    name = "duplicate"
    action = "duplicate.read"

    async def happenings(self, tx: Transaction, customer_id: UUID, before: datetime, limit: int) -> Sequence[Happening]:
        """Dismissed pairs."""
        return [
            Happening(
                row["dismissed_at"], "customer.duplicate_dismissed", row["dismissed_by"], str(row["id"]),
                {"verdict": row["verdict"]},
            )
            for row in await repository.dismissed(tx, customer_id, before, limit)
        ]  # fmt: skip

    async def move(
        self,
        tx: Transaction,  # noqa: ARG002 - nothing is looked up
        source: UUID,  # noqa: ARG002
        target: UUID,  # noqa: ARG002
        records: Sequence[str] | None = None,  # noqa: ARG002
    ) -> list[str]:
        """Nothing: a pair speaks of two files, and is found anew when one of them changes."""
        return []

    async def erase(self, tx: Transaction, customer_id: UUID) -> None:
        """Take away the keys, by which a guess could be proved, and the pairs with what was said about them."""
        await repository.erase(tx, customer_id)

    async def disclose(
        self,
        tx: Transaction,  # noqa: ARG002 - nothing is looked up
        who: Principal,  # noqa: ARG002
        customer_id: UUID,  # noqa: ARG002
        now: datetime,  # noqa: ARG002
    ) -> Mapping[str, Any]:
        """Nothing: what is compared is disclosed by the file itself, and pairs speak of somebody else as well."""
        return {}
