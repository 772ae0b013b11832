"""What a person sees when a page cannot be shown: the same problems that services report, in words."""

from collections.abc import Mapping

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from services.console.clients import Problem
from services.console.pages import Pages
from services.console.session.rules import is_worth_asking
from services.console.visits import Visit, visit_of
from shared.clock import now
from shared.errors import Invalid, KehuError
from shared.telemetry import log
from shared.web.problems import texts
from shared.web.site import FORM_FIELD, language_of, page_of, path_of, with_query

_ENDED = 401
_TOO_OLD = "sign_in_too_old"
_UNSEEN = (FORM_FIELD, "etag", "once", "back", "next")
"""Fields of forms that nobody types."""
_CLOSED = b"event: closed\ndata: 1\n\n"
_STREAM = "text/event-stream"


class Refusals:
    """Renders problems as pages; an ended sign-in, and one that is too old for something, lead to the issuer and back.

    What a form sent is never sent again by itself: the page says that it was not done, and shows what was typed.
    """

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    def of_error(self, request: Request, error: KehuError) -> Response:
        """A refusal by the console itself."""
        return self.page(request, problem_of(error, language_of(request)))

    def page(self, request: Request, problem: Problem) -> Response:
        is_get = request.method == "GET"
        visit = visit_of(request)
        if problem.status == _ENDED and self._leads_on(visit, problem):
            if not is_get:
                return self._not_done(request, visit, problem)
            if _STREAM in request.headers.get("accept", ""):
                return Response(_CLOSED, media_type=_STREAM)
            return self._pages.redirect(_sign_in(problem, path_of(request)))
        shown = Visit(path_of(request) if is_get else "/", visit.language, "")
        return self._pages.answer(shown, "problem.html", problem.status, problem=problem)

    @staticmethod
    def _leads_on(visit: Visit, problem: Problem) -> bool:
        if problem.code != _TOO_OLD:
            return True
        signed_in_at = visit.principal.signed_in_at if visit.principal is not None else None
        return is_worth_asking(signed_in_at, problem.members.get("max_age"), now())

    def _not_done(self, request: Request, visit: Visit, problem: Problem) -> Response:
        """A form was sent in vain."""
        shown = Visit("/", visit.language, "")
        typed = [text for name, text in visit.form.items() if name not in _UNSEEN and isinstance(text, str) and text]
        return self._pages.answer(
            shown,
            "not_done.html",
            problem.status,
            is_too_old=problem.code == _TOO_OLD,
            onward=_sign_in(problem, page_of(request.headers.get("referer", ""))),
            typed=typed,
        )


def _sign_in(problem: Problem, back: str) -> str:
    fresh = "true" if problem.code == _TOO_OLD else None
    return with_query("/sign-in", next=back if back != "/" else None, fresh=fresh)


def problem_of(error: KehuError, language: str) -> Problem:
    """A refusal of ours in the language of the page."""
    known: Mapping[str, str] = texts().get(error.code, {})
    title = known.get(language) or error.code.replace("_", " ").capitalize()
    detail = (known.get("detail_zh") if language == "zh" else None) or error.detail
    faults = tuple(each.as_dict() for each in error.faults)
    return Problem("console", error.status, error.code, title, "" if detail == title else detail, faults)


def unreadable() -> KehuError:
    """An address or form that does not fit the page."""
    return Invalid("invalid_request", "A part of the address or the form cannot be read.")


class _Other(KehuError):
    """A refusal by the framework, or a fault of ours."""

    def __init__(self, code: str, detail: str, status: int) -> None:
        super().__init__(code, detail)
        self.status = status  # type: ignore[misc]


def not_served(error: HTTPException) -> KehuError:
    """No such page, wrong method, and the like."""
    codes = {404: "no_such_route", 405: "method_not_allowed"}
    return _Other(codes.get(error.status_code, "http_error"), "", error.status_code)


def unexpected(request: Request, error: Exception) -> KehuError:
    """A fault of ours: logged with its trace, shown without any detail."""
    route = request.scope.get("kehu.route")
    log(part="web").error("unexpected_error", error=type(error).__name__, route=route, exc_info=error)
    return _Other("internal_error", "Something failed on our side; it was logged.", 500)
