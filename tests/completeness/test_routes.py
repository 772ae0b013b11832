"""Every route of every service says who may call it and what it may refuse, or stands on the short public list."""

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute

from shared.web import Router
from shared.web.app import action_of
from tests.factories import services

PUBLIC = {
    "*": {"health": "is it alive", "ready": "is it ready", "metrics": "numbers without personal data"},
    "identity": {
        "get_discovery": "OpenID discovery",
        "get_keys": "public keys",
        "issue_token": "gives the first token",
        "revoke_token": "the client proves itself",
        "introspect_token": "the client proves itself",
        "authorize": "the way in",
        "authorize_by_form": "the way in",
        "show_sign_in": "the way in",
        "sign_in_by_form": "the way in",
        "show_code": "the way in, second step",
        "give_code": "the way in, second step",
        "show_due_password": "the way in, last step",
        "renew_password": "the way in, last step",
        "show_invitation": "whoever holds the link",
        "use_invitation": "whoever holds the link",
        "log_out": "the way out",
        "log_out_by_form": "the way out",
        "show_sign_out": "the way out",
        "sign_out": "the way out",
        "show_start": "leads to the way in",
        "choose_language": "a cookie",
        "get_asset": "style and icon",
    },
    "console": {
        "get_asset": "style and script",
        "begin_sign_in": "the way in",
        "finish_sign_in": "the way in",
        "sign_out": "the way out",
        "show_signed_out": "the way out",
        "choose_language": "a cookie",
    },
}
ANSWERING_OTHERWISE = {
    "/readyz": "its parts",
    "/oauth/token": "as RFC 6749 says",
    "/oauth/revoke": "as RFC 6749 says",
    "/oauth/introspect": "as RFC 6749 says",
}
APPS = {name: parts.app() for name, parts in services.composed()}
every_service = pytest.mark.parametrize(("name", "app"), APPS.items(), ids=APPS)
pytestmark = pytest.mark.req("R0.4")


def routes(app: FastAPI) -> list[APIRoute]:
    return list(app.state.routes)


@every_service
def test_every_route_is_closed_or_on_the_public_list(name: str, app: FastAPI) -> None:
    public = PUBLIC["*"] | PUBLIC.get(name, {})
    open_routes = {route.name for route in routes(app) if action_of(route) is None}
    assert open_routes == set(public)


def test_a_route_that_declares_nothing_is_seen_as_open() -> None:
    router = Router()

    @router.get("/open")
    async def forgotten() -> None:
        """No `may`."""

    (route,) = router.routes
    assert isinstance(route, APIRoute)
    assert action_of(route) is None


@every_service
def test_operations_have_stable_names_of_their_own_and_say_what_they_do(name: str, app: FastAPI) -> None:
    shown = [route for route in routes(app) if route.include_in_schema]
    names = [route.operation_id or route.unique_id for route in shown]
    assert sorted(names) == sorted(set(names))
    assert [route.name for route in shown if not (route.summary or route.description)] == []


@every_service
def test_refusals_are_declared_as_problem_documents(name: str, app: FastAPI) -> None:
    for path, operations in app.openapi()["paths"].items():
        for method, operation in operations.items():
            declared = operation["responses"]
            if path in ANSWERING_OTHERWISE:
                continue
            for status, response in declared.items():
                if status >= "400":
                    assert set(response["content"]) == {"application/problem+json"}, (method, path, status)
            if "security" in operation:
                assert {"401", "403"} <= declared.keys(), (method, path)
            if operation.get("parameters") or "requestBody" in operation:
                assert declared.keys() & {"404", "422"}, (method, path)
