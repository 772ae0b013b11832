"""What every request passes first and last: body limit, trace, timing, safe headers, and the answer to our own faults.

Plain ASGI: it is in each path.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress

from fastapi import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.errors import TooLarge
from shared.telemetry import HTTP_SECONDS, current_traceparent, span
from shared.web.rate import headers_of

_BODY_LIMIT = "kehu.body_limit"
_LINGER_S = 2.0
_SAFE = [
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
    (b"referrer-policy", b"no-referrer"),
]


def allow_body(request: Request, limit: int) -> None:
    """Let the body of this request hold `limit` bytes instead of what the service allows; say so before reading it."""
    request.scope[_BODY_LIMIT] = limit


class Edge:
    """ASGI middleware."""

    def __init__(self, app: ASGIApp, *, service: str, body_limit: int) -> None:
        self._app = app
        self._service = service
        self._limit = body_limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        status, started_answer = 500, False
        headers = dict(scope["headers"])
        parent = headers.get(b"traceparent", b"").decode("latin-1")
        body = _Body(receive, scope, headers, self._limit)

        async def sending(message: Message) -> None:
            nonlocal status, started_answer
            if message["type"] == "http.response.start":
                started_answer = True
                status = message["status"]
                present = {name for name, _ in message["headers"]}
                extra = [pair for pair in _SAFE if pair[0] not in present]
                extra.append((b"traceparent", (current_traceparent() or "").encode()))
                message["headers"] = [*message["headers"], *extra, *headers_of(scope)]
            if body.is_over and message["type"] == "http.response.body" and not message.get("more_body"):
                await send({**message, "more_body": True})
                await body.drop()
                message = {"type": "http.response.body", "body": b""}
            await send(message)

        with span(f"{scope['method']} {self._service}", parent=parent):
            try:
                await self._app(scope, body.receive, sending)
            except Exception as error:
                if started_answer:
                    raise  # too late for another answer: the connection breaks off
                response = await scope["app"].exception_handlers[Exception](Request(scope), error)
                await response(scope, receive, sending)
        route = scope.get("kehu.route", "none")
        HTTP_SECONDS.labels(self._service, scope["method"], route, str(status)).observe(time.perf_counter() - started)


class _Body:
    """The request's body as it comes in. More than it may hold, declared or actual, is refused, not kept."""

    def __init__(self, receive: Receive, scope: Scope, headers: dict[bytes, bytes], usual: int) -> None:
        text = headers.get(b"content-length", b"0")
        self.is_over = False
        self._receive = receive
        self._scope = scope
        self._usual = usual
        self._declared = int(text) if text.isdigit() else 0
        self._taken = 0

    async def receive(self) -> Message:
        """The next part. Raises: TooLarge"""
        limit: int = self._scope.get(_BODY_LIMIT, self._usual)
        self._require(self._declared, limit)
        message = await self._receive()
        self._taken += len(message.get("body", b""))
        self._require(self._taken, limit)
        return message

    def _require(self, size: int, limit: int) -> None:
        if size > limit:
            self.is_over = True
            raise _over(limit)

    async def drop(self) -> None:
        """Read on for a moment: a connection that is closed while something unread waits takes our answer with it."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_LINGER_S):
                while (await self._receive()).get("more_body"):
                    pass


def _over(limit: int) -> TooLarge:
    detail = f"The body may hold {limit} bytes at most."
    return TooLarge("body_too_large", detail, members={"limit_bytes": limit}, headers={"Connection": "close"})
