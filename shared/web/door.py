"""The one place where an HTTP request commits: after the handler has built its answer, before the answer leaves.

A failing COMMIT is therefore a 5xx, never a 2xx. POST requests with an Idempotency-Key store their answer in the same
transaction (shared/web/idempotency.py).
"""

from __future__ import annotations

from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Request, Response
from fastapi.routing import APIRoute

from shared.auth.doors import require_unchanged
from shared.db import Transaction, Work, database_away, is_passing
from shared.errors import KehuError, Malformed
from shared.web.idempotency import Handler, once
from shared.web.plain import plan_of


class StrictRequest(Request):
    """Reads JSON strictly: no lone surrogates, no NaN, no NUL characters that PostgreSQL could not store."""

    async def json(self) -> Any:
        raw = await self.body()
        found = orjson.loads(raw)
        if b"\\u0000" in raw and _holds_nul(found):
            raise Malformed("nul_character", "The body holds a NUL character (\\u0000); remove it.")
        return found


def _holds_nul(found: Any) -> bool:
    if isinstance(found, dict):
        return any("\0" in name or _holds_nul(each) for name, each in found.items())
    if isinstance(found, list):
        return any(map(_holds_nul, found))
    return isinstance(found, str) and "\0" in found


class Door(APIRoute):
    """A route with a transaction that opens at need and is committed here."""

    def get_route_handler(self) -> Handler:
        """Wrap FastAPI's handler."""
        handler = _guarded(self._plain_or(super().get_route_handler()))
        action = action_of(self) if "POST" in (self.methods or ()) else None
        template = self.path

        async def answer(request: Request) -> Response:
            strict = StrictRequest(request.scope, request.receive)
            request.scope["kehu.route"] = template
            if b"%00" in request.scope["raw_path"] or b"%00" in request.scope["query_string"]:
                raise Malformed("nul_character", "The address holds a NUL character (%00); remove it.")
            try:
                async with Work(request.app.state.database, "writer") as work:
                    request.state.work = work
                    if action is not None and "idempotency-key" in request.headers:
                        return await once(strict, work, handler, action)
                    return await handler(strict)
            except KehuError:
                raise
            except Exception as error:
                if is_passing(error):
                    raise database_away(error) from error
                raise

        return answer

    def _plain_or(self, general: Handler) -> Handler:
        """Read plain requests directly, all others the general way."""
        plan = plan_of(self, (_transaction, _work))
        if plan is None:
            return general

        async def handler(request: Request) -> Response:
            return await plan.answer(request) or await general(request)

        return handler


def _guarded(handler: Handler) -> Handler:
    """The handler, and then a look whether its caller still may: before the commit, not after."""

    async def guarded(request: Request) -> Response:
        response = await handler(request)
        await require_unchanged(request)
        return response

    return guarded


def action_of(route: APIRoute) -> str | None:
    """The action that a route declares with `may`, "*" for any signed-in caller, None for a public route."""
    for dependant in route.dependant.dependencies:
        action = getattr(dependant.call, "action", None)
        if action is not None:
            return str(action)
    return None


async def _transaction(request: Request) -> Transaction:
    work: Work = request.state.work
    return await work.begin()


Tx = Annotated[Transaction, Depends(_transaction)]
"""The request's transaction; asking for it opens it."""


async def _work(request: Request) -> Work:
    work: Work = request.state.work
    return work


Later = Annotated[Work, Depends(_work)]
"""For a route with much to do before its first statement: `tx = await work.begin()`, committed like any other."""


class PlainRouter(APIRouter):
    """A router whose routes go by their names, and take JSON that is not called so."""

    def __init__(self, **options: Any) -> None:
        super().__init__(generate_unique_id_function=lambda route: route.name, strict_content_type=False, **options)


class Router(PlainRouter):
    """One whose routes are doors."""

    def __init__(self, **options: Any) -> None:
        super().__init__(route_class=Door, **options)
