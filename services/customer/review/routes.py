"""HTTP door of reviews: what is due, and verifications of one file or of many."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

import orjson
from fastapi import Header, Query, Request, Response

from services.customer.file.verifying import Statement
from services.customer.review.listing import Wanted
from services.customer.review.rules import State
from services.customer.review.schemas import (
    Answered,
    BulkVerification,
    BulkView,
    Summary,
    TasksOf,
    TaskView,
    VerificationRequest,
    VerificationView,
    VerifiedView,
)
from services.customer.review.service import CONFIRM, LIST, Reviews
from shared.auth import Principal, Scope, may
from shared.clock import day_of, now
from shared.edits import etag_of, version_of
from shared.errors import Fault, Invalid, PreconditionFailed
from shared.web import Cursor, Limit, Page, Router, Tx, problem_responses
from shared.web.pages import read_cursor, write_cursor
from shared.web.problems import render

Filter = Annotated[str | None, Query(min_length=1, max_length=100)]


def build(reviews: Reviews) -> Router:
    """The routes of reviews."""
    router = Router(prefix="/v1", tags=["reviews"])
    _verify_routes(router, reviews)
    _list_routes(router, reviews)
    return router


def _verify_routes(router: Router, reviews: Reviews) -> None:
    @router.post(
        "/customers/{customer_id}/verification", summary="Confirm items of a file without a change (R1.2, R7.3)",
        response_model=VerifiedView, responses=problem_responses(400, 404, 409, 412, 413, 422, 428),
    )  # fmt: skip
    async def verify_customer(
        customer_id: UUID,
        body: VerificationRequest,
        request: Request,
        tx: Tx,
        who: Annotated[Principal, may(CONFIRM)],
        if_match: Annotated[str | None, Header(description='ETag of the version that was read, such as "3"')] = None,
    ) -> Response:
        base, moment = version_of(if_match), now()
        done = await reviews.verify(tx, who, customer_id, base, body.items, _said(body, moment), moment)
        if isinstance(done, PreconditionFailed):
            return render(request, done)
        answer, version = done
        return _json(answer, ETag=etag_of(version))

    @router.post(
        "/verifications", summary="Confirm the files of many customers, each for itself", response_model=BulkView,
        responses=problem_responses(400, 413, 422),
    )  # fmt: skip
    async def verify_customers(body: BulkVerification, tx: Tx, who: Annotated[Principal, may(CONFIRM)]) -> Response:
        moment, more = now(), False
        if isinstance(body.customers, TasksOf):
            wanted = body.customers
            customers, more = await reviews.open_of(tx, who, wanted.manager, wanted.cadence, moment)
        else:
            customers = {each.id: each.version for each in body.customers}
        bulk = await reviews.verify_many(tx, who, customers, body.items, _said(body, moment), moment, more=more)
        return _json({name: getattr(bulk, name) for name in ("verified", "unchanged", "refused", "more")})

    @router.get(
        "/customers/{customer_id}/verifications", summary="What the customer answered, newest first",
        response_model=Page[VerificationView], responses=problem_responses(404, 409, 422),
    )  # fmt: skip
    async def list_verifications(
        customer_id: UUID, tx: Tx, who: Annotated[Principal, may(LIST)], cursor: Cursor = None, limit: Limit = 50
    ) -> Response:
        before = None
        if cursor is not None:
            at, last = read_cursor(cursor, str, UUID)
            before = _moment(at, cursor), last
        items, more = await reviews.verifications(tx, who, customer_id, before, limit, now())
        last_one = items[-1] if more else None
        after = None if last_one is None else write_cursor(last_one["at"].isoformat(), str(last_one["id"]))
        return _json({"items": items, "next_cursor": after})


def _list_routes(router: Router, reviews: Reviews) -> None:
    @router.get(
        "/reviews", summary="Reviews that are due, overdue or upcoming, those to be made first at the front",
        response_model=Page[TaskView], responses=problem_responses(422),
    )  # fmt: skip
    async def list_reviews(
        tx: Tx,
        who: Annotated[Principal, may(LIST)],
        state: State = State.DUE,
        manager: Filter = None,
        unit: Filter = None,
        kind: Filter = None,
        cadence: Filter = None,
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> Response:
        after = None
        if cursor is not None:
            day, customer_id, name = read_cursor(cursor, str, UUID, str)
            after = _day(day, cursor), customer_id, name
        wanted = Wanted(Scope(), (), manager, unit, kind, after)
        items, last = await reviews.page(tx, who, state, cadence, wanted, limit, now())
        return _json({"items": items, "next_cursor": None if last is None else write_cursor(*map(str, last))})

    @router.get(
        "/reviews/summary", summary="How many reviews are in which state, by unit and manager",
        response_model=Summary, responses=problem_responses(422),
    )  # fmt: skip
    async def summarize_reviews(
        tx: Tx,
        who: Annotated[Principal, may(LIST)],
        manager: Filter = None,
        unit: Filter = None,
        kind: Filter = None,
    ) -> Response:
        return _json(await reviews.summary(tx, who, Wanted(Scope(), (), manager, unit, kind), now()))


def _said(body: Answered, moment: datetime) -> Statement:
    return Statement(body.channel, body.on or day_of(moment), body.answer, body.answered_by)


def _day(text: str, cursor: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise _bad_cursor(cursor) from None


def _moment(text: str, cursor: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise _bad_cursor(cursor) from None
    if found.tzinfo is None:
        raise _bad_cursor(cursor)
    return found


def _bad_cursor(cursor: str) -> Invalid:
    fault = Fault("query:cursor", "bad_cursor", cursor[:80], "next_cursor of the page before, unchanged")
    return Invalid("bad_cursor", "Start again without a cursor.", [fault])


def _json(body: Any, **headers: str) -> Response:
    return Response(orjson.dumps(body, default=str), 200, headers, "application/json")
