"""HTTP door of the dealings feed."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from services.customer.dealings.schemas import Feed, Purchase, Recorded
from services.customer.dealings.service import RECORD, Feeds
from shared.auth import Principal, may
from shared.clock import now
from shared.web import Router, Tx, problem_responses


def build(feeds: Feeds) -> Router:
    """The route of the feed."""
    router = Router(prefix="/v1/dealings", tags=["dealings"])

    @router.post(
        "", summary="Record or correct purchases and violations", responses=problem_responses(400, 409, 413, 422)
    )
    async def record_dealings(body: Feed, tx: Tx, who: Annotated[Principal, may(RECORD)]) -> Recorded:
        purchases = [_with_first_day(row) for row in body.purchases]
        violations = [row.model_dump() for row in body.violations]
        outcome = await feeds.record(tx, who, purchases, violations, now())
        return Recorded(recorded=outcome.recorded, unchanged=outcome.unchanged, customers=outcome.customers)

    return router


def _with_first_day(row: Purchase) -> dict[str, Any]:
    return {**row.model_dump(), "month": date.fromisoformat(f"{row.month}-01")}
