"""HTTP door of hand-overs."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, NamedTuple
from uuid import UUID

from fastapi import Query, Response

from services.customer.handover.moving import Moving
from services.customer.handover.outstanding import Outstanding
from services.customer.handover.rules import (
    ACCEPT,
    APPROVE,
    CANCEL,
    DECLINE,
    PROPOSE,
    READ,
    TELL,
    UNDO,
    Asked,
    Handover,
    State,
    Wish,
)
from services.customer.handover.schemas import (
    Ending,
    HandedView,
    HandoverView,
    NewHandover,
    NewNotice,
    NoticeView,
    OutstandingView,
)
from services.customer.handover.service import Handovers
from services.customer.handover.telling import Telling
from shared.auth import Principal, may
from shared.clock import now
from shared.web import Cursor, Limit, Page, Router, Tx, problem_responses
from shared.web.pages import read_cursor, write_cursor

_REFUSED = problem_responses(404, 409, 422)
Reader = Annotated[Principal, may(READ)]


class Services(NamedTuple):
    """What this door calls."""

    handovers: Handovers
    moving: Moving
    telling: Telling
    outstanding: Outstanding


def build(services: Services) -> Router:
    """The routes of hand-overs."""
    router = Router(prefix="/v1/handovers", tags=["hand-overs"])
    _lists(router, services)
    _before(router, services.handovers)
    _after(router, services)
    return router


def _lists(router: Router, services: Services) -> None:
    handovers = services.handovers

    @router.get("", summary="Hand-overs within reach, newest first", responses=problem_responses(422))
    async def list_handovers(
        tx: Tx, who: Reader, state: State | None = None,
        person: Annotated[str | None, Query(min_length=1, max_length=64, description="of either side")] = None,
        cursor: Cursor = None, limit: Limit = 50,
    ) -> Page[HandoverView]:  # fmt: skip
        before, moment = read_cursor(cursor, UUID)[0] if cursor else None, now()
        found = await handovers.page(tx, who, Asked(state, person, before), limit + 1)
        items = [_shown(each, moment) for each in found[:limit]]
        return Page(items=items, next_cursor=write_cursor(items[-1].id) if len(found) > limit else None)

    @router.get(
        "/outstanding", summary="Leavers whose customers nobody took over", responses=problem_responses(422)
    )  # fmt: skip
    async def list_outstanding_handovers(
        tx: Tx, who: Reader, omitted: bool | None = None, cursor: Cursor = None, limit: Limit = 50
    ) -> Page[OutstandingView]:
        after = tuple(read_cursor(cursor, str, str)) if cursor else None
        found = await services.outstanding.page(tx, who, after, omitted, limit + 1)
        items = [OutstandingView.model_validate(dict(row)) for row in found[:limit]]
        last = items[-1] if len(found) > limit else None
        return Page(items=items, next_cursor=None if last is None else write_cursor(last.person, last.unit))

    @router.get("/{handover_id}", summary="One hand-over", responses=problem_responses(404, 422))
    async def get_handover(handover_id: UUID, tx: Tx, who: Reader) -> HandoverView:
        return _shown(await handovers.get(tx, who, handover_id), now())

    @router.get("/{handover_id}/customers", summary="Its customers, and who was told", responses=_REFUSED)
    async def list_handover_customers(
        handover_id: UUID, tx: Tx, who: Reader, untold: bool | None = None, cursor: Cursor = None, limit: Limit = 50
    ) -> Page[HandedView]:
        after = read_cursor(cursor, UUID)[0] if cursor else None
        found = await handovers.customers(tx, who, handover_id, after, untold, limit + 1)
        items = [HandedView.model_validate(dict(row)) for row in found[:limit]]
        return Page(items=items, next_cursor=write_cursor(items[-1].customer_id) if len(found) > limit else None)


def _before(router: Router, handovers: Handovers) -> None:
    @router.post("", status_code=201, summary="Name a successor for a person's customers (R5.7)", responses=_REFUSED)
    async def propose_handover(
        body: NewHandover, response: Response, tx: Tx, who: Annotated[Principal, may(PROPOSE)]
    ) -> HandoverView:
        moment, wish = now(), Wish(body.predecessor, body.successor, body.reason, body.unit, body.customers)
        made = await handovers.propose(tx, who, wish, moment)
        response.headers["Location"] = f"/v1/handovers/{made.id}"
        return _shown(made, moment)

    @router.post("/{handover_id}/approval", summary="Agree that the successor be asked", responses=_REFUSED)
    async def approve_handover(handover_id: UUID, tx: Tx, who: Annotated[Principal, may(APPROVE)]) -> HandoverView:
        moment = now()
        return _shown(await handovers.approve(tx, who, handover_id, moment), moment)

    @router.post("/{handover_id}/refusal", summary="Decline, as the successor", responses=_REFUSED)
    async def decline_handover(
        handover_id: UUID, body: Ending, tx: Tx, who: Annotated[Principal, may(DECLINE)]
    ) -> HandoverView:
        moment = now()
        return _shown(await handovers.decline(tx, who, handover_id, body.reason, moment), moment)

    @router.post("/{handover_id}/cancellation", summary="Call it off before it is accepted", responses=_REFUSED)
    async def cancel_handover(
        handover_id: UUID, body: Ending, tx: Tx, who: Annotated[Principal, may(CANCEL)]
    ) -> HandoverView:
        moment = now()
        return _shown(await handovers.cancel(tx, who, handover_id, body.reason, moment), moment)


def _after(router: Router, services: Services) -> None:
    @router.post(
        "/{handover_id}/acceptance", summary="Take the customers over: all of them at once", responses=_REFUSED
    )
    async def accept_handover(handover_id: UUID, tx: Tx, who: Annotated[Principal, may(ACCEPT)]) -> HandoverView:
        moment = now()
        return _shown(await services.moving.accept(tx, who, handover_id, moment), moment)

    @router.post("/{handover_id}/undo", summary="Take it back within its term", responses=_REFUSED)
    async def undo_handover(
        handover_id: UUID, body: Ending, tx: Tx, who: Annotated[Principal, may(UNDO)]
    ) -> HandoverView:
        moment = now()
        return _shown(await services.moving.undo(tx, who, handover_id, body.reason, moment), moment)

    @router.post("/{handover_id}/notices", summary="Note that customers were told", responses=_REFUSED)
    async def note_handover_told(
        handover_id: UUID, body: NewNotice, tx: Tx, who: Annotated[Principal, may(TELL)]
    ) -> NoticeView:
        untold = await services.telling.tell(tx, who, handover_id, body.customers, body.channel, now())
        return NoticeView(untold=untold)


def _shown(handover: Handover, now: datetime) -> HandoverView:
    columns = {name: getattr(handover, name) for name in HandoverView.model_fields}
    return HandoverView.model_validate({**columns, "state": handover.state_at(now).value})
