"""HTTP door of registration forms."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

import orjson
from fastapi import Header, Query, Response

from services.customer.registration import errors
from services.customer.registration.decision import Decisions
from services.customer.registration.rules import APPROVE, DRAFT, READ, RETURN, SUBMIT, Asked, State
from services.customer.registration.schemas import FormChange, FormRow, FormView, NewApproval, NewForm, NewReturn
from services.customer.registration.service import Forms, Shown
from services.customer.registration.submission import Submissions
from shared.auth import Principal, may
from shared.clock import now
from shared.edits import etag_of, version_of
from shared.web import Cursor, Limit, Page, Router, Tx, problem_responses
from shared.web.pages import read_cursor, write_cursor

IfMatch = Annotated[str | None, Header(description='ETag of the version that was read, such as "3"')]
Filter = Annotated[str | None, Query(min_length=1, max_length=100)]
_CHANGE = problem_responses(400, 404, 409, 412, 413, 422, 428)


def build(forms: Forms, submissions: Submissions, decisions: Decisions) -> Router:
    """The routes of registration forms."""
    router = Router(prefix="/v1/registrations", tags=["registrations"])
    _lists(router, forms)
    _drafts(router, forms)
    _submissions(router, submissions)
    _decisions(router, decisions)
    return router


def _lists(router: Router, forms: Forms) -> None:
    @router.get(
        "", summary="Registration forms within reach, newest first", response_model=Page[FormRow],
        responses=problem_responses(422),
    )  # fmt: skip
    async def list_registrations(
        tx: Tx,
        who: Annotated[Principal, may(READ)],
        cursor: Cursor = None,
        limit: Limit = 50,
        state: State | None = None,
        unit: Filter = None,
        kind: Filter = None,
        proposer: Filter = None,
    ) -> Response:
        before = read_cursor(cursor, UUID)[0] if cursor else None
        items, more = await forms.page(tx, who, Asked(state, unit, kind, proposer, before), limit, now())
        return _json({"items": items, "next_cursor": write_cursor(items[-1]["id"]) if more else None})

    @router.get(
        "/waiting", summary="Forms that wait for the caller's word, the longest waiting first",
        response_model=Page[FormRow], responses=problem_responses(422),
    )  # fmt: skip
    async def list_waiting_registrations(
        tx: Tx, who: Annotated[Principal, may(APPROVE)], cursor: Cursor = None, limit: Limit = 50
    ) -> Response:
        items, more = await forms.waiting(tx, who, _after(cursor), limit, now())
        last = items[-1] if more else None
        after = None if last is None else write_cursor(last["submitted_at"].isoformat(), last["id"])
        return _json({"items": items, "next_cursor": after})


def _after(cursor: str | None) -> tuple[datetime, UUID] | None:
    if cursor is None:
        return None
    since, last = read_cursor(cursor, str, UUID)
    try:
        return datetime.fromisoformat(since).astimezone(UTC), last
    except (ValueError, OverflowError):
        raise errors.bad_cursor(cursor) from None


def _drafts(router: Router, forms: Forms) -> None:
    @router.post(
        "", status_code=201, summary="Begin a draft", response_model=FormView,
        responses=problem_responses(400, 413, 422),
    )  # fmt: skip
    async def open_registration(body: NewForm, tx: Tx, who: Annotated[Principal, may(DRAFT)]) -> Response:
        shown = await forms.open(tx, who, body.kind, body.values, body.staff, body.unit, now())
        return _form(shown, 201, Location=f"/v1/registrations/{shown.body['id']}")

    @router.get(
        "/{registration_id}", summary="One form, with all that is wrong with it", response_model=FormView,
        responses=problem_responses(404, 422),
    )  # fmt: skip
    async def get_registration(registration_id: UUID, tx: Tx, who: Annotated[Principal, may(READ)]) -> Response:
        return _form(await forms.read(tx, who, registration_id, now()))

    @router.patch(
        "/{registration_id}", summary="Change a draft, or what was returned", response_model=FormView,
        responses=_CHANGE,
    )  # fmt: skip
    async def change_registration(
        registration_id: UUID,
        body: FormChange,
        tx: Tx,
        who: Annotated[Principal, may(DRAFT)],
        if_match: IfMatch = None,
    ) -> Response:
        base = version_of(if_match)
        return _form(await forms.change(tx, who, registration_id, base, body.values, body.staff, now()))

    @router.delete(
        "/{registration_id}", status_code=204, summary="Delete a draft and the key of its values", responses=_CHANGE
    )
    async def delete_registration(
        registration_id: UUID, tx: Tx, who: Annotated[Principal, may(DRAFT)], if_match: IfMatch = None
    ) -> Response:
        await forms.delete(tx, who, registration_id, version_of(if_match), now())
        return Response(status_code=204)


def _submissions(router: Router, submissions: Submissions) -> None:
    @router.post(
        "/{registration_id}/submission", summary="Hand a whole form in", response_model=FormView, responses=_CHANGE
    )
    async def submit_registration(
        registration_id: UUID, tx: Tx, who: Annotated[Principal, may(SUBMIT)], if_match: IfMatch = None
    ) -> Response:
        return _form(await submissions.submit(tx, who, registration_id, version_of(if_match), now()))

    @router.post(
        "/{registration_id}/withdrawal", summary="Take a form back", response_model=FormView, responses=_CHANGE
    )
    async def withdraw_registration(
        registration_id: UUID, tx: Tx, who: Annotated[Principal, may(SUBMIT)], if_match: IfMatch = None
    ) -> Response:
        return _form(await submissions.withdraw(tx, who, registration_id, version_of(if_match), now()))


def _decisions(router: Router, decisions: Decisions) -> None:
    @router.post(
        "/{registration_id}/approval", summary="Approve a form: with the last approval it becomes a customer",
        response_model=FormView, responses=_CHANGE,
    )  # fmt: skip
    async def approve_registration(
        registration_id: UUID,
        body: NewApproval,
        tx: Tx,
        who: Annotated[Principal, may(APPROVE)],
        if_match: IfMatch = None,
    ) -> Response:
        base = version_of(if_match)
        return _form(await decisions.approve(tx, who, registration_id, base, body.acknowledged, now()))

    @router.post(
        "/{registration_id}/return", summary="Return a form with reasons", response_model=FormView, responses=_CHANGE
    )
    async def return_registration(
        registration_id: UUID, body: NewReturn, tx: Tx, who: Annotated[Principal, may(RETURN)], if_match: IfMatch = None
    ) -> Response:
        base = version_of(if_match)
        return _form(await decisions.give_back(tx, who, registration_id, base, body.reason, body.items, now()))


def _form(shown: Shown, status: int = 200, **headers: str) -> Response:
    return _json(shown.body, status, ETag=etag_of(shown.version), **headers)


def _json(body: Any, status: int = 200, **headers: str) -> Response:
    return Response(
        orjson.dumps(body, default=str), status, headers, "application/json"
    )  # asyncpg has a UUID of its own
