"""Builds a service's FastAPI application: routers, refusals, health, metrics, and an honest OpenAPI document."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson
from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import PlainTextResponse
from fastapi.routing import APIRoute
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.exceptions import HTTPException

from shared.auth import Authenticator, Principal
from shared.auth.doors import Admit
from shared.bus import Transport
from shared.db import Database
from shared.errors import KehuError
from shared.outbox import Outbox
from shared.settings import ServiceSettings
from shared.web import problems
from shared.web.door import Door, PlainRouter, action_of
from shared.web.edge import Edge
from shared.web.key_use import KeyUse
from shared.web.rate import Rates
from shared.web.refusals import record_refusal

_BEARER = {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
_CORS_HEADERS = ("Authorization", "Content-Type", "If-Match", "Idempotency-Key", "Accept-Language", "Last-Event-ID")

_SHOWN_HEADERS = (
    "ETag", "Location", "Retry-After", "Idempotency-Replayed", "RateLimit", "RateLimit-Policy", "traceparent"
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Surface:
    """What an application needs of its service."""

    service: str
    settings: ServiceSettings
    database: Database
    transport: Transport
    outbox: Outbox
    authenticator: Authenticator | None
    facts: Mapping[str, str] = field(default_factory=dict)
    """How the service is set up, as /readyz says."""


def create_app(
    surface: Surface,
    routers: Iterable[APIRouter],
    *,
    on_start: Iterable[Callable[[], Awaitable[None]]] = (),
    on_stop: Iterable[Callable[[], Awaitable[None]]] = (),
) -> FastAPI:
    """The application; opens database and bus when it starts, closes them when it stops."""

    app = FastAPI(
        title=f"Kehu {surface.service}",
        version="1",
        lifespan=lambda app: _running(surface, on_start, (*on_stop, app.state.key_use.close)),
        redirect_slashes=False,
    )
    app.state.database = surface.database
    app.state.authenticator = surface.authenticator
    app.state.outbox = surface.outbox
    app.state.service = surface.service
    app.state.key_use = KeyUse(surface.outbox, surface.database)
    app.state.admit = _admit(Rates(), app.state.key_use)
    included = (*routers, _health(surface))  # matched in this order: what is asked most comes first
    for router in included:
        app.router.routes += router.routes  # `include_router` would build each route twice, and match it twice
    app.state.routes = [each for each in app.routes if isinstance(each, APIRoute)]
    _answer_refusals(app)
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign]
    app.add_middleware(Edge, service=surface.service, body_limit=surface.settings.body_limit_bytes)
    if surface.settings.cors_origins:
        _allow_origins(app, surface.settings.cors_origins)
    return app


def _admit(rates: Rates, keys: KeyUse) -> Admit:
    async def admit(request: Request, who: Principal) -> None:
        if who.rate is not None:
            rates.take(request.scope, who.key or who.actor, who.rate)
        if who.key is not None:
            await keys.used(who)

    return admit


@asynccontextmanager
async def _running(
    surface: Surface,
    on_start: Iterable[Callable[[], Awaitable[None]]],
    on_stop: Iterable[Callable[[], Awaitable[None]]],
) -> AsyncIterator[None]:
    await surface.database.start()
    await surface.transport.start()
    for start in on_start:
        await start()
    yield
    for stop in on_stop:
        await stop()
    await surface.transport.close()
    await surface.database.close()


def _allow_origins(app: FastAPI, origins: Sequence[str]) -> None:
    app.add_middleware(
        CORSMiddleware,
        allow_origins=origins,
        allow_methods=["GET", "POST", "PATCH", "PUT", "DELETE"],
        allow_headers=[*_CORS_HEADERS],
        expose_headers=[*_SHOWN_HEADERS],
    )


def _answer_refusals(app: FastAPI) -> None:
    async def refused(request: Request, error: Exception) -> Response:
        assert isinstance(error, KehuError)
        await record_refusal(request, error)
        return problems.render(request, error)

    async def invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        return problems.validation_refusal(request, error)

    async def http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return problems.http_refusal(request, error)

    async def unexpected(request: Request, error: Exception) -> Response:
        return problems.unexpected(request, error)

    app.add_exception_handler(KehuError, refused)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(Exception, unexpected)  # Edge calls it, so that such an answer passes the edge too


def _health(surface: Surface) -> APIRouter:
    router = PlainRouter(tags=["operations"])

    @router.get("/healthz", summary="The process lives")
    async def health() -> dict[str, str]:
        return {"status": "alive"}

    @router.get("/readyz", summary="Database, bus and regimes are usable", responses={503: {"description": "Not all"}})
    async def ready() -> Response:
        database, bus = await asyncio.gather(surface.database.is_usable(), surface.transport.is_usable())
        parts = {"database": database, "bus": bus, "regimes": True, "directory": _knows_people(surface)}
        return Response(
            orjson.dumps({"ready": all(parts.values()), "parts": parts, "facts": surface.facts}),
            200 if all(parts.values()) else 503,
            {} if all(parts.values()) else {"Retry-After": "2"},
            "application/json",
        )

    @router.get("/metrics", summary="Prometheus series", response_class=PlainTextResponse)
    async def metrics() -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return router


def _knows_people(surface: Surface) -> bool:
    """Whether the roster is whole and followed, if this process keeps one: nobody stands outside it."""
    if surface.authenticator is None or surface.settings.authority != "directory":
        return True
    return surface.authenticator.roster.is_usable()


def _openapi(app: FastAPI) -> dict[str, Any]:
    """FastAPI's document, plus what holds for every route of ours: which refusals are possible, as problem+json."""
    if app.openapi_schema is None:
        document = FastAPI.openapi(app)
        document.setdefault("components", {}).setdefault("securitySchemes", {})["bearer"] = _BEARER
        for route in app.state.routes:
            for method in (route.methods or ()) if route.include_in_schema and isinstance(route, Door) else ():
                _tell_refusals(document["paths"][route.path_format][method.lower()], action_of(route))
        app.openapi_schema = document
    return app.openapi_schema


def _tell_refusals(operation: dict[str, Any], action: str | None) -> None:
    """What the door and the token check may answer; FastAPI's own 422 is not what we send."""
    responses = operation["responses"]
    problem = {"content": {problems.MEDIA_TYPE: {"schema": problems.Problem.model_json_schema()}}}
    possible = {"400": "Cannot be read", "503": "A part is away"}
    if "requestBody" in operation:
        possible |= {"413": "Body too large", "415": "Not called JSON"}
    if action is not None:
        operation["security"] = [{"bearer": []}]
        operation["x-kehu-action"] = action
        possible |= {"401": "No usable token", "403": "Not allowed", "429": "Too many requests of a program"}
    for status, what in possible.items():
        responses.setdefault(status, {"description": what, **problem})
    for response in responses.values():
        if problems.MEDIA_TYPE in response.get("content", {}):
            response.update(problem)  # FastAPI would have it as application/json, too
    if "HTTPValidationError" in str(responses.get("422")):
        responses["422"] = {"description": "Some values are wrong", **problem}
