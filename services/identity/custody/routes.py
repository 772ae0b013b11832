"""The HTTP door of change-overs. Who is named in one needs no role to see it and to take their own step."""

from typing import Annotated
from uuid import UUID

from fastapi import Query, Request

from services.identity.custody.confirming import Confirmations
from services.identity.custody.rules import PROPOSE, State
from services.identity.custody.schemas import ChangeView, NewChange, NewConfirmation, Refusal, Withdrawal, shown
from services.identity.custody.service import ChangeOvers
from shared.auth import Principal, SignedIn, may
from shared.clock import now
from shared.web import Cursor, Later, Limit, Page, Router, Tx, holds_secret, problem_responses
from shared.web.pages import read_cursor, write_cursor


def build(changes: ChangeOvers, confirmations: Confirmations) -> Router:
    router = Router(prefix="/v1/custody-changes", tags=["custody"])

    @router.get("", summary="One's own change-overs and those within reach", responses=problem_responses(422))
    async def list_custody_changes(
        tx: Tx,
        who: SignedIn,
        state: Annotated[State | None, Query()] = None,
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> Page[ChangeView]:
        before = read_cursor(cursor, UUID)[0] if cursor else None
        found = await changes.page(tx, who, state, before, limit + 1)
        moment = now()
        items = [shown(each, moment) for each in found[:limit]]
        return Page(items=items, next_cursor=write_cursor(items[-1].id) if len(found) > limit else None)

    @router.post(
        "", status_code=201, summary="Propose that a custodian hands over", responses=problem_responses(409, 422)
    )
    async def propose_custody_change(body: NewChange, tx: Tx, who: Annotated[Principal, may(PROPOSE)]) -> ChangeView:
        moment = now()
        return shown(await changes.propose(tx, who, body.wish, moment), moment)

    @router.get("/{change_id}", summary="One change-over", responses=problem_responses(404, 422))
    async def get_custody_change(change_id: UUID, tx: Tx, who: SignedIn) -> ChangeView:
        return shown(await changes.read(tx, who, change_id), now())

    @router.post(
        "/{change_id}/confirmations",
        status_code=201,
        summary="Confirm one's own part; the supervisor comes last and completes it",
        responses=problem_responses(404, 409, 422),
    )
    async def confirm_custody_change(
        change_id: UUID, body: NewConfirmation, request: Request, work: Later, who: SignedIn
    ) -> ChangeView:
        holds_secret(request)
        password = body.password.get_secret_value() if body.password is not None else None
        prepared = await confirmations.prepare(who, change_id, body.part, password, now())
        tx = await work.begin()
        moment = now()
        return shown(await confirmations.confirm(tx, who, prepared, moment), moment)

    @router.post(
        "/{change_id}/withdrawal", summary="Take one's own proposal back", responses=problem_responses(404, 409, 422)
    )
    async def withdraw_custody_change(
        change_id: UUID, tx: Tx, who: SignedIn, body: Withdrawal | None = None
    ) -> ChangeView:
        moment = now()
        return shown(await changes.withdraw(tx, who, change_id, body.reason if body else None, moment), moment)

    @router.post("/{change_id}/refusal", summary="Refuse one's own part", responses=problem_responses(404, 409, 422))
    async def refuse_custody_change(change_id: UUID, body: Refusal, tx: Tx, who: SignedIn) -> ChangeView:
        moment = now()
        return shown(await changes.refuse(tx, who, change_id, body.reason, moment), moment)

    return router
