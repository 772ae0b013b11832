"""HTTP door of overrides."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from services.customer.grading.explanation import READ
from services.customer.override.schemas import Ending, NewOverride, OverrideView
from services.customer.override.service import APPROVE, LIFT, PROPOSE, REFUSE, Overrides
from shared.auth import Principal, may
from shared.clock import now
from shared.web import Cursor, Limit, Page, Router, Tx, problem_responses
from shared.web.pages import read_cursor, write_cursor

_REFUSED = problem_responses(404, 409, 422)


def build(overrides: Overrides) -> Router:
    """The routes of overrides."""
    router = Router(prefix="/v1/customers/{customer_id}/grade/overrides", tags=["grades"])

    @router.get("", summary="Grades that people set, newest first", responses=_REFUSED)
    async def list_grade_overrides(
        customer_id: UUID, tx: Tx, who: Annotated[Principal, may(READ)], cursor: Cursor = None, limit: Limit = 50
    ) -> Page[OverrideView]:
        below = read_cursor(cursor, UUID)[0] if cursor else None
        found = await overrides.page(tx, who, customer_id, below, limit + 1, now())
        items = [OverrideView(**each) for each in found[:limit]]
        return Page(items=items, next_cursor=write_cursor(items[-1].id) if len(found) > limit else None)

    @router.post("", status_code=201, summary="Propose another grade than the reckoned one", responses=_REFUSED)
    async def propose_grade_override(
        customer_id: UUID, body: NewOverride, tx: Tx, who: Annotated[Principal, may(PROPOSE)]
    ) -> OverrideView:
        found = await overrides.propose(tx, who, customer_id, body.grade, body.expires_on, body.reason, now())
        return OverrideView(**found)

    @router.post("/{override_id}/approval", summary="Agree; the last agreement puts it in force", responses=_REFUSED)
    async def approve_grade_override(
        customer_id: UUID, override_id: UUID, tx: Tx, who: Annotated[Principal, may(APPROVE)]
    ) -> OverrideView:
        return OverrideView(**await overrides.approve(tx, who, customer_id, override_id, now()))

    @router.post("/{override_id}/refusal", summary="Let a proposal come to nothing", responses=_REFUSED)
    async def refuse_grade_override(
        customer_id: UUID, override_id: UUID, body: Ending, tx: Tx, who: Annotated[Principal, may(REFUSE)]
    ) -> OverrideView:
        return OverrideView(**await overrides.refuse(tx, who, customer_id, override_id, body.reason, now()))

    @router.post("/{override_id}/lifting", summary="End one that is in force", responses=_REFUSED)
    async def lift_grade_override(
        customer_id: UUID, override_id: UUID, body: Ending, tx: Tx, who: Annotated[Principal, may(LIFT)]
    ) -> OverrideView:
        return OverrideView(**await overrides.lift(tx, who, customer_id, override_id, body.reason, now()))

    return router
