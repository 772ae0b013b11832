"""Rows of the list for files that another feature names."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from services.customer.dictionary.service import Dictionaries
from services.customer.file import columns, listing, sets
from services.customer.file.service import READ
from shared.auth import Principal
from shared.db import Transaction


class Rows:
    """Files as the list shows them."""

    def __init__(self, dictionaries: Dictionaries) -> None:
        self._dictionaries = dictionaries

    async def of(
        self, tx: Transaction, who: Principal, customer_ids: Sequence[UUID], now: datetime
    ) -> dict[UUID, dict[str, Any]]:
        """Their rows by id; those out of reach are missing."""
        rows = await sets.listed(tx, customer_ids) if customer_ids else []
        return {
            row["id"]: columns.without_hidden(
                who, self._dictionaries.catalogue(row["kind"], now), {name: row[name] for name in listing.SHOWN}
            )
            for row in rows
            if who.sight(READ, row["unit"], row["manager"])
        }
