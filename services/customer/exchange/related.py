"""Exports as a customer's file sees them: who took it out, and that an erased customer's copies here end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from services.customer.exchange import repository
from services.customer.exchange.repository import EXPORT
from services.customer.file.related import Happening
from services.customer.file.service import READ
from shared.auth import Principal
from shared.db import Transaction

_MOST = 1000


class RelatedExports:
    """What exchange keeps of customers."""

    name = "exchange"
    action = READ

    async def happenings(self, tx: Transaction, customer_id: UUID, before: datetime, limit: int) -> list[Happening]:
        """The latest exports that the customer went out in, newest first."""
        return [
            Happening(
                row["ended_at"], "exchange.exported", row["actor"], str(row["id"]),
                {"format": row["format"], "version": row["version"], "items": len(row["items"])},
            )
            for row in await repository.exported(tx, customer_id, before, limit)
        ]  # fmt: skip

    async def move(
        self,
        tx: Transaction,  # noqa: ARG002
        source: UUID,  # noqa: ARG002
        target: UUID,  # noqa: ARG002
        records: Sequence[str] | None = None,  # noqa: ARG002
    ) -> list[str]:
        """Nothing: what went out went out of the file that it stood in."""
        return []

    async def erase(self, tx: Transaction, customer_id: UUID) -> None:
        """End the files that hold the customer, for everybody."""
        await repository.end(tx, EXPORT, await repository.files_with(tx, customer_id))

    async def disclose(
        self,
        tx: Transaction,
        who: Principal,  # noqa: ARG002 - who took data out is not what a file shows
        customer_id: UUID,
        now: datetime,
    ) -> Mapping[str, Any]:
        """When the customer's data went out, by whom, and which items."""
        found = await repository.exported(tx, customer_id, now, _MOST)
        return {
            "exports": [
                {"at": row["ended_at"].isoformat(), "by": row["actor"], "format": row["format"], "items": row["items"]}
                for row in found
            ]
        }
