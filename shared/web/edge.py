"""What every request passes first and last: body limit, trace, timing, safe headers, and the answer to our own faults.

Plain ASGI: it is in each path.
"""

from __future__ import annotations

import time
from typing import Any

from fastapi import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.errors import TooLarge
from shared.telemetry import HTTP_SECONDS, current_traceparent, span

_BODY_LIMIT = "kehu.body_limit"
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

        async def sending(message: Message) -> None:
            nonlocal status, started_answer
            if message["type"] == "http.response.start":
                started_answer = True
                status = message["status"]
                present = {name for name, _ in message["headers"]}
                extra = [pair for pair in _SAFE if pair[0] not in present]
                extra.append((b"traceparent", (current_traceparent() or "").encode()))
                message["headers"] = [*message["headers"], *extra]
            await send(message)

        with span(f"{scope['method']} {self._service}", parent=parent):
            try:
                await self._app(scope, _limited(receive, scope, headers, self._limit), sending)
            except Exception as error:
                if started_answer:
                    raise  # too late for another answer: the connection breaks off
                response = await scope["app"].exception_handlers[Exception](Request(scope), error)
                await response(scope, receive, sending)
        route = scope.get("kehu.route", "none")
        HTTP_SECONDS.labels(self._service, scope["method"], route, str(status)).observe(time.perf_counter() - started)


def _limited(receive: Receive, scope: Scope, headers: dict[bytes, bytes], usual: int) -> Receive:
    """Count the body as it comes in; a declared or actual length over the limit is refused, not read."""
    text = headers.get(b"content-length", b"0")
    declared = int(text) if text.isdigit() else 0
    taken = 0

    async def counting() -> Any:
        nonlocal taken
        limit: int = scope.get(_BODY_LIMIT, usual)
        if declared > limit:
            raise _over(limit)
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > limit:
            raise _over(limit)
        return message

    return counting


def _over(limit: int) -> TooLarge:
    detail = f"The body may hold {limit} bytes at most."
    return TooLarge("body_too_large", detail, members={"limit_bytes": limit}, headers={"Connection": "close"})
