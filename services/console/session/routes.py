"""Signing in at the issuer and out again, and the choice of a language."""

from typing import Annotated

from fastapi import Depends, Request, Response

from services.console.clients import Problem
from services.console.cookies import Cookies
from services.console.pages import Pages
from services.console.refusals import problem_of
from services.console.session.signing import Signing
from services.console.visits import Visit, Visits, require_console
from shared.clock import now
from shared.errors import KehuError, NotFound, Unavailable
from shared.web import Later, Router, Tx
from shared.web.site import LANGUAGE_COOKIE, LANGUAGES, local_path
from shared.web.texts import LANGUAGE_TAGS

_YEAR_S = 365 * 86_400


def build(pages: Pages, visits: Visits, signing: Signing, cookies: Cookies) -> Router:
    router = Router(include_in_schema=False)
    Anybody = Annotated[Visit, Depends(visits.anybody)]  # noqa: N806 - a type

    @router.get("/sign-in")
    async def begin_sign_in(request: Request, visit: Anybody, next: str | None = None, fresh: bool = False) -> Response:
        hint = await visits.name_in(visit) if fresh else None
        begun = await signing.begin(local_path(next), LANGUAGE_TAGS[visit.language], now(), fresh=fresh, hint=hint)
        response = pages.redirect(begun.address)
        for name in cookies.left_over(request):
            cookies.drop(response, name)
        cookies.set(response, cookies.flow(begun.state), begun.cookie, seconds=begun.seconds)
        return response

    @router.get("/sign-in/callback")
    async def finish_sign_in(request: Request, visit: Anybody, work: Later) -> Response:
        answer, on = dict(request.query_params), "/"
        cookie = cookies.flow(answer.get("state", ""))
        try:
            flow = signing.flow_of(request.cookies.get(cookie), answer.get("state", ""), now())
            on = flow.next
            proven = await signing.finish(flow, answer, now())
            require_console(proven.principal)
        except KehuError as error:
            response = _refused(visit, problem_of(error, visit.language), on)
        else:
            secret = await signing.open(await work.begin(), visit.secret, proven, now())
            response = pages.redirect(on)
            cookies.set(response, cookies.session, secret)
        cookies.drop(response, cookie)
        return response

    def _refused(visit: Visit, problem: Problem, on: str) -> Response:
        shown = Visit("/", visit.language, "")
        return pages.answer(shown, "not_signed_in.html", problem.status, problem=problem, next=on)

    @router.post("/sign-out")
    async def sign_out(visit: Anybody, tx: Tx) -> Response:
        session = await signing.close(tx, visit.secret)
        try:
            onward = await signing.way_out(session, LANGUAGE_TAGS[visit.language]) or "/signed-out"
        except Unavailable:
            onward = "/signed-out?only_here=true"
        response = pages.redirect(onward)
        cookies.drop(response, cookies.session)
        return response

    @router.get("/signed-out")
    async def show_signed_out(visit: Anybody, only_here: bool = False) -> Response:
        shown = Visit("/signed-out", visit.language, "")
        return pages.answer(shown, "signed_out.html", only_here=only_here)

    @router.get("/language/{language}")
    async def choose_language(language: str, next: str | None = None) -> Response:
        if language not in LANGUAGES:
            raise NotFound("not_found", "There are zh and en.")
        response = pages.redirect(local_path(next))
        cookies.set(response, LANGUAGE_COOKIE, language, seconds=_YEAR_S)
        return response

    return router
