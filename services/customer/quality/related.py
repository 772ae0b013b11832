"""Quality as the file sees it: forgotten with an erasure, and told to the customer (R15.1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from services.customer.file.related import DISCLOSE, Happening
from services.customer.quality.assessing import Assessing
from services.customer.quality.reading import READ, Quality
from shared.auth import Principal
from shared.clock import now as this_moment
from shared.db import Transaction
from shared.errors import NotFound


class RelatedQuality:
    """What is found of files."""

    name = "quality"
    action = READ

    def __init__(self, assessing: Assessing, quality: Quality) -> None:
        self._assessing = assessing
        self._quality = quality

    async def happenings(
        self,
        tx: Transaction,  # noqa: ARG002 - nothing is looked up
        customer_id: UUID,  # noqa: ARG002
        before: datetime,  # noqa: ARG002
        limit: int,  # noqa: ARG002
    ) -> Sequence[Happening]:
        """None: a judgement follows from what happened, and only the latest one is kept."""
        return ()

    async def move(
        self,
        tx: Transaction,  # noqa: ARG002 - nothing is looked up
        source: UUID,  # noqa: ARG002
        target: UUID,  # noqa: ARG002
        records: Sequence[str] | None = None,  # noqa: ARG002
    ) -> list[str]:
        """Nothing: a judgement speaks of one file, and both are judged anew after a merge."""
        return []

    async def erase(self, tx: Transaction, customer_id: UUID) -> None:
        """Judge and count the file no more."""
        await self._assessing.forget(tx, customer_id, this_moment())

    async def disclose(
        self, tx: Transaction, who: Principal, customer_id: UUID, now: datetime
    ) -> Mapping[str, Any]:  # fmt: skip
        """The latest judgement, with what fails."""
        try:
            found = await self._quality.of(tx, who, customer_id, now, DISCLOSE)
        except NotFound as error:
            if error.code != "not_judged":
                raise
            return {"quality": None}
        return {"quality": {**found, "customer_id": str(customer_id), "assessed_at": found["assessed_at"].isoformat()}}
