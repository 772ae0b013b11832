"""What a person sees when a page cannot be shown: the same problems that services report, in words."""

from collections.abc import Mapping

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from services.console.clients import Problem
from services.console.pages import Pages, with_query
from services.console.visits import Visit, language_of, path_of
from shared.errors import Invalid, KehuError
from shared.telemetry import log
from shared.web.problems import texts

_ENDED = 401


class Refusals:
    """Renders problems as pages; an ended sign-in leads to the sign-in page and back."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    def of_error(self, request: Request, error: KehuError) -> Response:
        """A refusal by the console itself."""
        return self.page(request, problem_of(error, language_of(request)))

    def page(self, request: Request, problem: Problem) -> Response:
        is_get = request.method == "GET"
        if problem.status == _ENDED:
            back = path_of(request) if is_get and request.url.path != "/" else None
            return self._pages.redirect(with_query("/sign-in", next=back))
        visit = Visit(path_of(request) if is_get else "/", language_of(request), "")
        return self._pages.answer(visit, "problem.html", problem.status, problem=problem)


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
