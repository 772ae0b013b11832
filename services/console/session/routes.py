"""Signing in and out, and the choice of a language."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, Response

from services.console.clients import Peers, Problem, Refused
from services.console.pages import Pages
from services.console.refusals import problem_of
from services.console.session.rules import local_path
from services.console.session.service import Sessions
from services.console.visits import LANGUAGE_COOKIE, LANGUAGES, SESSION_COOKIE, Visit, Visits, require_console
from shared.auth import Authenticator
from shared.clock import now
from shared.errors import KehuError, NotFound
from shared.web import Later, Router, Tx

_YEAR_S = 365 * 86_400


def build(pages: Pages, visits: Visits, sessions: Sessions, peers: Peers, authenticator: Authenticator) -> Router:
    router = Router(include_in_schema=False)
    Anybody = Annotated[Visit, Depends(visits.anybody)]  # noqa: N806 - a type

    def form(visit: Visit, on: str, name: str = "", problem: Problem | None = None) -> Response:
        response = pages.answer(
            visit, "sign_in.html", problem.status if problem else 200, next=on, problem=problem, name=name
        )
        pages.set_cookie(response, SESSION_COOKIE, visit.secret)
        return response

    @router.get("/sign-in")
    async def show_sign_in(visit: Anybody, next: str | None = None) -> Response:
        return form(visit, local_path(next))

    @router.post("/sign-in")
    async def sign_in(visit: Anybody, work: Later) -> Response:
        name, on = visit.text("name") or "", local_path(visit.text("next"))
        try:
            token = await peers.token(name, visit.text("password") or "", visit.language)
            principal = await authenticator.principal(f"Bearer {token}")
            require_console(principal)
        except Refused as refused:
            return form(visit, on, name, refused.problem)
        except KehuError as error:
            return form(visit, on, name, problem_of(error, visit.language))
        tx = await work.begin()
        await sessions.close(tx, visit.secret)
        secret = await sessions.open(tx, token, datetime.fromtimestamp(principal.expires_at, UTC), now())
        response = pages.redirect(on)
        pages.set_cookie(response, SESSION_COOKIE, secret)
        return response

    @router.post("/sign-out")
    async def sign_out(visit: Anybody, tx: Tx) -> Response:
        await sessions.close(tx, visit.secret)
        response = pages.redirect("/sign-in")
        response.delete_cookie(SESSION_COOKIE, path="/", httponly=True, samesite="lax")
        return response

    @router.get("/language/{language}")
    async def choose_language(language: str, next: str | None = None) -> Response:
        if language not in LANGUAGES:
            raise NotFound("not_found", "There are zh and en.")
        response = pages.redirect(local_path(next))
        pages.set_cookie(response, LANGUAGE_COOKIE, language, seconds=_YEAR_S)
        return response

    return router
