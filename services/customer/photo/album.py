"""What the file below asks of photographs: whose they are."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from uuid import UUID

from services.customer.photo import repository
from shared.db import Transaction


class Album:
    """The photographs of each customer."""

    async def items_of(self, tx: Transaction, customer_id: UUID, photo_ids: Collection[UUID]) -> Mapping[UUID, str]:
        """The item that each of these photographs was taken for; those of other customers are missing."""
        return await repository.items(tx, customer_id, photo_ids)
