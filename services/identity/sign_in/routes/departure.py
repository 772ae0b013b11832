"""Signing out, by the person or because an app asks."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from services.identity.sign_in.departure import Departed, Departure
from services.identity.sign_in.pages import Pages
from services.identity.sign_in.provider import Parameters
from services.identity.sign_in.routes.page_door import page_router, parameters_of
from services.identity.sign_in.sessions import Sessions
from services.identity.sign_in.visits import Visit, Visits
from shared.clock import now
from shared.db import Transaction
from shared.web import Tx


def build(pages: Pages, visits: Visits, departure: Departure, sessions: Sessions) -> APIRouter:
    router = page_router(pages, visits)
    Anybody = Annotated[Visit, Depends(visits.of)]  # noqa: N806 - a type

    def gone(visit: Visit, onward: str | None) -> Response:
        response = pages.onward(onward) if onward else pages.answer(visit, "signed_out.html")
        pages.forget(response)
        return response

    async def leave(request: Request, asked_for: Parameters, tx: Transaction) -> Response:
        visit = visits.unread(request)
        session = await sessions.find(tx, visit.secret, now())
        found = await departure.ask(tx, asked_for, session, now())
        return gone(visit, found.onward) if isinstance(found, Departed) else pages.answer(visit, "sign_out.html")

    @router.get("/oauth/logout")
    async def log_out(request: Request, tx: Tx) -> Response:
        return await leave(request, parameters_of(request.scope["query_string"]), tx)

    @router.post("/oauth/logout")
    async def log_out_by_form(request: Request, tx: Tx) -> Response:
        return await leave(request, parameters_of(await request.body()), tx)

    @router.get("/sign-out")
    async def show_sign_out(visit: Anybody) -> Response:
        return pages.answer(visit, "sign_out.html")

    @router.post("/sign-out")
    async def sign_out(visit: Anybody, tx: Tx) -> Response:
        session = await sessions.find(tx, visit.secret, now())
        if session is not None:
            await sessions.sign_out(tx, session, now())
        return gone(visit, None)

    return router
