"""What the file asks of system items, which are computed elsewhere."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from shared.db import Transaction
from shared.regime import Catalogue


class Computed(Protocol):
    """Whoever computes system items; the feature above gives it at composition."""

    async def items_of(self, tx: Transaction, catalogue: Catalogue, customer_id: UUID, now: datetime) -> dict[str, Any]:
        """Values of the system items of a customer, as they are shown."""
        ...
