"""A route that answers people in pages, refusals included; a transaction ends as it does in every other route."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.exceptions import RequestValidationError

from services.identity.sign_in.errors import bad_request
from services.identity.sign_in.forms import Refused, read_parameters
from services.identity.sign_in.pages import Pages
from services.identity.sign_in.provider import Parameters
from services.identity.sign_in.visits import Visits
from shared.errors import Invalid, KehuError
from shared.web import problems
from shared.web.door import Door, PlainRouter

_LONGEST = 8192


class _Fault(KehuError):
    status = 500


def parameters_of(raw: bytes) -> Parameters:
    """What an app asks for, by address or by form. Raises: Malformed (bad_authorization_request)"""
    try:
        if len(raw) > _LONGEST:
            raise Refused("invalid_request", "too long")
        return read_parameters(raw)
    except Refused as error:
        raise bad_request(error.error) from None


def page_router(pages: Pages, visits: Visits) -> APIRouter:
    """A router of pages."""

    class PageDoor(Door):
        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            """Wrap the door's handler."""
            handler = super().get_route_handler()

            async def answer(request: Request) -> Response:
                try:
                    return await handler(request)
                except KehuError as error:
                    if error.code == "no_session":
                        return pages.onward("/sign-in")
                    return pages.answer(visits.unread(request), "problem.html", error)
                except RequestValidationError:
                    unreadable = Invalid("invalid_request", "A part of the address or the form cannot be read.")
                    return pages.answer(visits.unread(request), "problem.html", unreadable)
                except Exception as error:
                    problems.unexpected(request, error)
                    fault = _Fault("internal_error", "Something failed on our side; it was logged.")
                    return pages.answer(visits.unread(request), "problem.html", fault)

            return answer

    return PlainRouter(route_class=PageDoor, include_in_schema=False)
