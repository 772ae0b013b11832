"""The pages of whoever is signed in: their sign-ins, their password, their second factor."""

from typing import Annotated, Any, NamedTuple
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from services.identity.account.service import Accounts, typed_twice
from services.identity.sign_in.own import OwnAccount, Self
from services.identity.sign_in.pages import Pages, qr_code
from services.identity.sign_in.routes.page_door import page_router
from services.identity.sign_in.rules import START
from services.identity.sign_in.visits import Visit, Visits
from shared.clock import now
from shared.errors import KehuError
from shared.web import Later, Tx


class Mine(NamedTuple):
    """A request for a page by somebody who is signed in."""

    visit: Visit
    me: Self


_PASSWORD, _FACTOR = f"{START}/password", f"{START}/second-factor"


def build(pages: Pages, visits: Visits, own: OwnAccount, accounts: Accounts) -> APIRouter:
    router = page_router(pages, visits)

    async def mine(request: Request) -> Mine:
        visit = await visits.of(request)
        return Mine(visit, await own.me(visit.secret, visit.address, now()))

    mine.__dict__["action"] = "*"
    Me = Annotated[Mine, Depends(mine)]  # noqa: N806 - a type

    def page(my: Mine, template: str, problem: KehuError | None = None, **content: Any) -> Response:
        return pages.answer(my.visit, template, problem, me=my.me, policy=accounts.policy(now()), **content)

    @router.get("/")
    async def show_start() -> Response:
        return pages.onward(START)

    @router.get(START)
    async def show_account(my: Me, work: Later) -> Response:
        tx = await work.begin()
        factor, sessions = await own.has_second_factor(tx, my.me), await own.sessions(tx, my.me, now())
        return page(my, "account.html", sessions=sessions, has_factor=factor)

    @router.post(f"{START}/sessions/{{session}}/end")
    async def end_session_by_form(session: UUID, my: Me, work: Later) -> Response:
        await own.end_session(await work.begin(), my.me, session, now())
        return pages.onward(START)

    @router.get(_PASSWORD)
    async def show_own_password(my: Me) -> Response:
        return page(my, "own_password.html")

    @router.post(_PASSWORD)
    async def change_password_by_form(my: Me) -> Response:
        try:
            new = typed_twice(my.visit.text("new_password"), my.visit.text("again"))
            secret = await own.change_password(my.me, my.visit.text("password"), new, now(), in_browser=True)
        except KehuError as problem:
            return page(my, "own_password.html", problem)
        return pages.onward(START, secret)

    @router.get(_FACTOR)
    async def show_second_factor(my: Me, work: Later) -> Response:
        return page(my, "second_factor.html", has_factor=await own.has_second_factor(await work.begin(), my.me))

    @router.post(_FACTOR)
    async def enrol_by_form(my: Me) -> Response:
        try:
            enrolment = await own.enrol(my.me, my.visit.text("password"), now())
        except KehuError as problem:
            return page(my, "second_factor.html", problem, has_factor=False)
        return page(my, "enrolment.html", secret=enrolment.secret, qr=qr_code(enrolment.address))

    @router.post(f"{_FACTOR}/confirm")
    async def confirm_by_form(my: Me, tx: Tx) -> Response:
        try:
            codes = await own.confirm(tx, my.me, my.visit.text("code"), now())
        except KehuError as problem:
            return page(my, "enrolment.html", problem, secret="", qr="")
        return page(my, "recovery_codes.html", codes=codes)

    @router.post(f"{_FACTOR}/off")
    async def drop_by_form(my: Me) -> Response:
        try:
            await own.drop(my.me, my.visit.text("password"), now())
        except KehuError as problem:
            return page(my, "second_factor.html", problem, has_factor=True)
        return pages.onward(START)

    return router
