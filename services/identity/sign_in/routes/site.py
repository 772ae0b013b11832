"""The pages of signing in: asked for by an app, step by step, and back to the app. They work without JavaScript."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from services.identity.account.service import typed_twice
from services.identity.sign_in.pages import Pages
from services.identity.sign_in.routes.page_door import page_router, parameters_of
from services.identity.sign_in.service import Attempt, SignIns
from services.identity.sign_in.steps import Steps
from services.identity.sign_in.visits import Visit, Visits
from shared.clock import now
from shared.errors import KehuError
from shared.web import Later, Tx

Kept = Annotated[str, Query(alias="request", max_length=100)]


def build(pages: Pages, visits: Visits, steps: Steps, sign_ins: SignIns) -> APIRouter:
    router = page_router(pages, visits)
    Anybody = Annotated[Visit, Depends(visits.of)]  # noqa: N806 - a type

    @router.get("/oauth/authorize")
    async def authorize(request: Request, tx: Tx) -> Response:
        asked_for = parameters_of(request.scope["query_string"])
        return await steps.arrive(tx, asked_for, request.cookies.get(visits.cookie, ""), now())

    @router.post("/oauth/authorize")
    async def authorize_by_form(request: Request, tx: Tx) -> Response:
        asked_for = parameters_of(await request.body())
        return await steps.arrive(tx, asked_for, request.cookies.get(visits.cookie, ""), now())

    @router.get("/sign-in")
    async def show_sign_in(visit: Anybody, tx: Tx, kept_as: Kept = "") -> Response:
        return await steps.show(visit, tx, "sign_in.html", kept_as, now())

    @router.post("/sign-in")
    async def sign_in_by_form(visit: Anybody, work: Later) -> Response:
        name, kept_as = visit.text("name"), visit.text("request")
        attempt = Attempt(name, visit.text("password"), visit.address, visit.agent, replaces=visit.secret)
        try:
            opened = await sign_ins.begin(attempt, now())
        except KehuError as problem:
            return await steps.show(visit, await work.begin(), "sign_in.html", kept_as, now(), problem, name[:64])
        return await steps.take(await work.begin(), opened, kept_as, now())

    @router.get("/sign-in/code")
    async def show_code(visit: Anybody, tx: Tx, kept_as: Kept = "") -> Response:
        return await steps.show(visit, tx, "code.html", kept_as, now())

    @router.post("/sign-in/code")
    async def give_code(visit: Anybody, work: Later) -> Response:
        kept_as = visit.text("request")
        try:
            opened = await sign_ins.give_code(visit.secret, visit.text("code"), visit.address, now())
        except KehuError as problem:
            return await steps.show(visit, await work.begin(), "code.html", kept_as, now(), problem)
        return await steps.take(await work.begin(), opened, kept_as, now())

    @router.get("/sign-in/password")
    async def show_due_password(visit: Anybody, tx: Tx, kept_as: Kept = "") -> Response:
        return await steps.show(visit, tx, "due_password.html", kept_as, now())

    @router.post("/sign-in/password")
    async def renew_password(visit: Anybody, work: Later) -> Response:
        kept_as = visit.text("request")
        try:
            new = typed_twice(visit.text("new_password"), visit.text("again"))
            opened = await sign_ins.renew_password(visit.secret, new, now())
        except KehuError as problem:
            return await steps.show(visit, await work.begin(), "due_password.html", kept_as, now(), problem)
        return await steps.take(await work.begin(), opened, kept_as, now())

    return router
