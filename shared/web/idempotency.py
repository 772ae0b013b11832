"""A request that is sent twice is done once: the same Idempotency-Key gives the same answer. Called by the door.

409 while the first is still running, 422 if the body differs. Keys belong to a caller, so that a route without one
(signing in) does not look at them. The database keeps neither key nor answer in clear: an answer, which may hold
personal values, opens only with the key that its caller has. One that holds a secret (`shown_once`) is not kept at all:
who asks again is told that it was given. Nor is anything of the body of a request that holds one (`holds_secret`): the
key alone says that it is the same request.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Callable, Coroutine
from typing import Any, TypeAlias, cast

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from fastapi import Request, Response
from sqlalchemy import Column, DateTime, LargeBinary, MetaData, SmallInteger, Table, Text, func
from sqlalchemy.dialects.postgresql import JSONB

from shared.auth.doors import caller, require
from shared.db import Record, Work, advisory_key
from shared.errors import Conflict, Fault, Invalid

Handler: TypeAlias = Callable[[Request], Coroutine[Any, Any, Response]]
_KEY_LIMIT = 200
_NONCE = 12
_SHOWN_ONCE = "kehu.shown_once"
_HOLDS_SECRET = "kehu.holds_secret"  # noqa: S105
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


def shown_once(request: Request) -> None:
    """Say that the answer to this request holds a secret, which is kept nowhere."""
    request.scope[_SHOWN_ONCE] = True


def holds_secret(request: Request) -> None:
    """Say that the body of this request holds a secret, of which no trace is kept."""
    request.scope[_HOLDS_SECRET] = True


class _Key:
    """What a caller sent; `name` is what the database knows it by."""

    def __init__(self, sent: str) -> None:
        self._sent = sent.encode()
        self.name = self._derived(b"name").hex()

    def _derived(self, purpose: bytes) -> bytes:
        return hmac.digest(self._sent, purpose, hashlib.sha256)

    def seal(self, answer: bytes) -> bytes:
        nonce = os.urandom(_NONCE)
        return nonce + AESGCM(self._derived(b"answer")).encrypt(nonce, answer, None)

    def open(self, kept: bytes) -> bytes:
        return AESGCM(self._derived(b"answer")).decrypt(kept[:_NONCE], kept[_NONCE:], None)

    def digest(self, request: Request, content: bytes | None = None) -> bytes:
        """What makes two requests the same; without `content`, of whatever body."""
        head = f"{request.method} {request.scope['path']}?".encode() + cast(bytes, request.scope["query_string"])
        return self._derived(b"request " + (head if content is None else head + b"\n" + content))


async def once(request: Request, work: Work, handler: Handler, action: str) -> Response:
    """Run the handler at most once for this caller and key; the answer is repeated only to who still may."""
    sent = request.headers["idempotency-key"]
    if not 1 <= len(sent) <= _KEY_LIMIT or not sent.isprintable():
        fault = Fault("header:Idempotency-Key", "bad_key", sent[:80], f"1 to {_KEY_LIMIT} printable characters")
        raise Invalid("bad_idempotency_key", "Use a fresh UUID as the key.", [fault])
    principal = await caller(request)
    tx = await work.begin()
    if not await tx.fetchval("SELECT pg_try_advisory_xact_lock($1)", advisory_key(f"key:{principal.actor}:{sent}")):
        raise Conflict("still_running", "The first request with this key is still running; ask again in a moment.")
    key = _Key(sent)
    bare, digest = key.digest(request), key.digest(request, await _content(request))
    stored = await tx.fetchrow(
        "SELECT request_sha256, status, headers, body FROM idempotency WHERE caller = $1 AND key = $2",
        principal.actor,
        key.name,
    )
    if stored is not None:
        request.state.action = action
        if action != "*":
            require(principal, action)
        return _repeated(stored, key, sent, (bare, digest))
    response = await handler(request)
    headers = {name: response.headers[name] for name in _REPLAYED_HEADERS if name in response.headers}
    is_secret = _SHOWN_ONCE in request.scope
    await tx.execute(
        "INSERT INTO idempotency (caller, key, request_sha256, status, headers, body) VALUES ($1, $2, $3, $4, $5, $6)",
        principal.actor,
        key.name,
        bare if _HOLDS_SECRET in request.scope else digest,
        response.status_code,
        {_SHOWN_ONCE: "true"} if is_secret else headers,
        b"" if is_secret else key.seal(bytes(response.body)),
    )
    return response


def _repeated(stored: Record, key: _Key, sent: str, digests: tuple[bytes, bytes]) -> Response:
    if stored["request_sha256"] not in digests:
        detail = "This key was used for another request; use a fresh key for a new one."
        raise Invalid("key_reused", detail, [Fault("header:Idempotency-Key", "key_reused", sent, "a fresh key")])
    if _SHOWN_ONCE in stored["headers"]:
        raise Conflict("shown_once", "It was done; the secret in the first answer is not shown again.")
    headers = {**stored["headers"], "Idempotency-Replayed": "true"}
    return Response(key.open(stored["body"]), stored["status"], headers)


async def _content(request: Request) -> bytes:
    """The body; a multipart one without its random boundary."""
    body = await request.body()
    kind, _, boundary = request.headers.get("content-type", "").partition("boundary=")
    if kind.startswith("multipart/") and boundary:
        return body.replace(boundary.strip('"').encode(), b"")
    return body
