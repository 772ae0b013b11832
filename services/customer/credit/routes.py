"""HTTP door of credit: forms, supply, the feed of bills, the list of what is due."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any
from uuid import UUID

import orjson
from fastapi import Query, Response

from services.customer.credit.feed import RECORD, Bills, Due
from services.customer.credit.ledger import Wanted
from services.customer.credit.schemas import (
    CreditFeed,
    CreditFormView,
    DueBill,
    HoldView,
    NewCreditForm,
    OverdueReport,
    Reasoned,
    RecordedBills,
    SupplyView,
)
from services.customer.credit.service import APPROVE, END, PROPOSE, READ, RETURN, Terms
from services.customer.credit.supply import LIFT, REPORT, STOP, Supply
from shared.auth import Principal, Scope, may
from shared.clock import now
from shared.errors import Fault, Invalid
from shared.web import Cursor, Limit, Page, Router, Tx, problem_responses
from shared.web.pages import read_cursor, write_cursor

Filter = Annotated[str | None, Query(min_length=1, max_length=100)]
_REFUSED = problem_responses(400, 404, 409, 413, 422)


def build(terms: Terms, supply: Supply, bills: Bills) -> Router:
    """The routes of credit."""
    router = Router(prefix="/v1", tags=["credit"])
    _forms(router, terms)
    _supply(router, supply)
    _feed(router, bills)
    return router


def _forms(router: Router, terms: Terms) -> None:
    path = "/customers/{customer_id}/credit/forms"

    @router.get(path, summary="Forms for credit, newest first", response_model=Page[CreditFormView], responses=_REFUSED)
    async def list_credit_forms(
        customer_id: UUID, tx: Tx, who: Annotated[Principal, may(READ)], cursor: Cursor = None, limit: Limit = 50
    ) -> Response:
        below = read_cursor(cursor, UUID)[0] if cursor else None
        return _page(await terms.page(tx, who, customer_id, below, limit + 1, now()), limit)

    @router.post(
        path, status_code=201, summary="Put a form for credit forward (R7.5)", response_model=CreditFormView,
        responses=_REFUSED,
    )  # fmt: skip
    async def propose_credit(
        customer_id: UUID, body: NewCreditForm, tx: Tx, who: Annotated[Principal, may(PROPOSE)]
    ) -> Response:
        form = await terms.propose(tx, who, customer_id, body.term_days, body.limit_fen, body.answers, now())
        return _json(form, 201)

    @router.post(
        path + "/{form_id}/approval", summary="Agree; with the last agreement there is credit",
        response_model=CreditFormView, responses=_REFUSED,
    )  # fmt: skip
    async def approve_credit(
        customer_id: UUID, form_id: UUID, tx: Tx, who: Annotated[Principal, may(APPROVE)]
    ) -> Response:
        return _json(await terms.approve(tx, who, customer_id, form_id, now()))

    @router.post(
        path + "/{form_id}/return", summary="Return a form with reasons", response_model=CreditFormView,
        responses=_REFUSED,
    )  # fmt: skip
    async def return_credit(
        customer_id: UUID, form_id: UUID, body: Reasoned, tx: Tx, who: Annotated[Principal, may(RETURN)]
    ) -> Response:
        return _json(await terms.give_back(tx, who, customer_id, form_id, body.reason, now()))

    @router.post(
        path + "/{form_id}/end", summary="End credit that is in force", response_model=CreditFormView,
        responses=_REFUSED,
    )  # fmt: skip
    async def end_credit(
        customer_id: UUID, form_id: UUID, body: Reasoned, tx: Tx, who: Annotated[Principal, may(END)]
    ) -> Response:
        return _json(await terms.end(tx, who, customer_id, form_id, body.reason, now()))


def _supply(router: Router, supply: Supply) -> None:
    path = "/customers/{customer_id}/supply"

    @router.get(path, summary="Whether the customer gets goods", response_model=SupplyView, responses=_REFUSED)
    async def get_supply(customer_id: UUID, tx: Tx, who: Annotated[Principal, may(READ)]) -> Response:
        return _json(await supply.show(tx, who, customer_id, now()))

    @router.get(
        path + "/holds", summary="What held up the supply, newest first", response_model=Page[HoldView],
        responses=_REFUSED,
    )  # fmt: skip
    async def list_supply_holds(
        customer_id: UUID, tx: Tx, who: Annotated[Principal, may(READ)], cursor: Cursor = None, limit: Limit = 50
    ) -> Response:
        below = read_cursor(cursor, UUID)[0] if cursor else None
        return _page(await supply.page(tx, who, customer_id, below, limit + 1, now()), limit)

    @router.post(
        path + "/report", summary="Report why bills are unpaid and what is done", response_model=SupplyView,
        responses=_REFUSED,
    )  # fmt: skip
    async def report_overdue(
        customer_id: UUID, body: OverdueReport, tx: Tx, who: Annotated[Principal, may(REPORT)]
    ) -> Response:
        content = body.model_dump(mode="json", exclude_none=True)
        return _json(await supply.report(tx, who, customer_id, content, now()))

    @router.post(
        path + "/stop", summary="Stop supply until somebody lifts it", response_model=SupplyView, responses=_REFUSED
    )
    async def stop_supply(customer_id: UUID, body: Reasoned, tx: Tx, who: Annotated[Principal, may(STOP)]) -> Response:
        return _json(await supply.stop(tx, who, customer_id, body.reason, now()))

    @router.post(
        path + "/lifting", summary="Let supply go on, with a reason", response_model=SupplyView, responses=_REFUSED
    )
    async def lift_supply(customer_id: UUID, body: Reasoned, tx: Tx, who: Annotated[Principal, may(LIFT)]) -> Response:
        return _json(await supply.lift(tx, who, customer_id, body.reason, now()))


def _feed(router: Router, bills: Bills) -> None:
    @router.post(
        "/credit/bills", summary="Record or correct bills and payments", responses=problem_responses(400, 409, 413, 422)
    )
    async def record_credit_bills(body: CreditFeed, tx: Tx, who: Annotated[Principal, may(RECORD)]) -> RecordedBills:
        rows = [[row.model_dump() for row in rows] for rows in (body.bills, body.payments)]
        outcome = await bills.record(tx, who, rows[0], rows[1], now())
        return RecordedBills(recorded=outcome.recorded, unchanged=outcome.unchanged, customers=outcome.customers)

    @router.get(
        "/credit/due", summary="Unpaid bills, those due first at the front", response_model=Page[DueBill],
        responses=problem_responses(422),
    )  # fmt: skip
    async def list_due_bills(
        tx: Tx,
        who: Annotated[Principal, may(READ)],
        state: Due = Due.UNPAID,
        unit: Filter = None,
        manager: Filter = None,
        customer: UUID | None = None,
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> Response:
        wanted = Wanted(Scope(), unit=unit, manager=manager, customer_id=customer, after=_after(cursor))
        items, last = await bills.page(tx, who, state, wanted, limit, now())
        return _json({"items": items, "next_cursor": None if last is None else write_cursor(*last)})


def _after(cursor: str | None) -> tuple[date, str] | None:
    if cursor is None:
        return None
    day, last = read_cursor(cursor, str, str)
    try:
        return date.fromisoformat(day), last
    except ValueError:
        fault = Fault("query:cursor", "bad_cursor", cursor[:80], "next_cursor of the page before, unchanged")
        raise Invalid("bad_cursor", "Start again without a cursor.", [fault]) from None


def _page(found: list[dict[str, Any]], limit: int) -> Response:
    items = found[:limit]
    return _json({"items": items, "next_cursor": write_cursor(items[-1]["id"]) if len(found) > limit else None})


def _json(body: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(body, default=str), status, media_type="application/json")
