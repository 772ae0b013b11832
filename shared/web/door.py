"""The one place where an HTTP request commits: after the handler has built its answer, before the answer leaves.

A failing COMMIT is therefore a 5xx, never a 2xx. POST requests with an Idempotency-Key store their answer in the same
transaction: the same key again gives the same answer, 409 while the first is still running, 422 if the body differs.
Keys belong to a caller, so that a route without one (signing in) does not look at them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Coroutine
from typing import Annotated, Any, TypeAlias, cast

import orjson
from fastapi import APIRouter, Depends, Request, Response
from fastapi.routing import APIRoute
from sqlalchemy import Column, DateTime, LargeBinary, MetaData, SmallInteger, Table, Text, func
from sqlalchemy.dialects.postgresql import JSONB

from shared.db import Database, Transaction, Work, advisory_key, database_away, is_passing
from shared.errors import Conflict, Fault, Invalid, KehuError, Malformed
from shared.web.plain import plan_of

Handler: TypeAlias = Callable[[Request], Coroutine[Any, Any, Response]]
_KEY_LIMIT = 200
_REPLAYED_HEADERS = ("location", "etag", "content-type", "content-language")


def idempotency_table(metadata: MetaData) -> Table:
    """Answers to POST requests that carried an Idempotency-Key."""
    return Table(
        "idempotency",
        metadata,
        Column("caller", Text, primary_key=True, comment="keys of different callers do not meet"),
        Column("key", Text, primary_key=True),
        Column("request_sha256", LargeBinary, nullable=False, comment="method, path, query and body"),
        Column("status", SmallInteger, nullable=False),
        Column("headers", JSONB, nullable=False),
        Column("body", LargeBinary, nullable=False),
        Column("at", DateTime(timezone=True), nullable=False, server_default=func.now()),
        comment="answers to repeat",
    )


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
        handler = self._plain_or(super().get_route_handler())
        keyed = "POST" in (self.methods or ()) and action_of(self) is not None
        template = self.path

        async def answer(request: Request) -> Response:
            strict = StrictRequest(request.scope, request.receive)
            request.scope["kehu.route"] = template
            if b"%00" in request.scope["raw_path"] or b"%00" in request.scope["query_string"]:
                raise Malformed("nul_character", "The address holds a NUL character (%00); remove it.")
            try:
                async with Work(request.app.state.database, "writer") as work:
                    request.state.work = work
                    if keyed and "idempotency-key" in request.headers:
                        return await _once(strict, work, handler)
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


class Router(APIRouter):
    """An APIRouter whose routes are doors."""

    def __init__(self, **options: Any) -> None:
        super().__init__(route_class=Door, **options)


async def _once(request: Request, work: Work, handler: Callable[[Request], Coroutine[Any, Any, Response]]) -> Response:
    """Run the handler at most once for this caller and key."""
    key = request.headers["idempotency-key"]
    if not 1 <= len(key) <= _KEY_LIMIT or not key.isprintable():
        fault = Fault("header:Idempotency-Key", "bad_key", key[:80], f"1 to {_KEY_LIMIT} printable characters")
        raise Invalid("bad_idempotency_key", "Use a fresh UUID as the key.", [fault])
    principal = await request.app.state.authenticator.principal(request.headers.get("authorization"))
    tx = await work.begin()
    if not await tx.fetchval("SELECT pg_try_advisory_xact_lock($1)", advisory_key(f"key:{principal.actor}:{key}")):
        raise Conflict("still_running", "The first request with this key is still running; ask again in a moment.")
    digest = await _digest(request)
    stored = await tx.fetchrow(
        "SELECT request_sha256, status, headers, body FROM idempotency WHERE caller = $1 AND key = $2",
        principal.actor,
        key,
    )
    if stored is not None:
        if stored["request_sha256"] != digest:
            detail = "This key was used for another request; use a fresh key for a new one."
            raise Invalid("key_reused", detail, [Fault("header:Idempotency-Key", "key_reused", key, "a fresh key")])
        return Response(stored["body"], stored["status"], {**stored["headers"], "Idempotency-Replayed": "true"})
    response = await handler(request)
    await tx.execute(
        "INSERT INTO idempotency (caller, key, request_sha256, status, headers, body) VALUES ($1, $2, $3, $4, $5, $6)",
        principal.actor,
        key,
        digest,
        response.status_code,
        {name: response.headers[name] for name in _REPLAYED_HEADERS if name in response.headers},
        bytes(response.body),
    )
    return response


async def _digest(request: Request) -> bytes:
    """What makes two requests the same; a multipart body counts without its random boundary."""
    body = await request.body()
    kind, _, boundary = request.headers.get("content-type", "").partition("boundary=")
    if kind.startswith("multipart/") and boundary:
        body = body.replace(boundary.strip('"').encode(), b"")
    head = f"{request.method} {request.scope['path']}?".encode() + cast(bytes, request.scope["query_string"])
    return hashlib.sha256(head + b"\n" + body).digest()


def database_of(request: Request) -> Database:
    """The service's database."""
    database: Database = request.app.state.database
    return database
