"""How many requests a minute a program may make: counted in this process, told in headers (R0.4).

A window of a minute opens with a caller's first request and closes by itself; so a caller never waits longer than that,
and callers that began at different moments do not all come back at once. Headers as in
draft-ietf-httpapi-ratelimit-headers-11. People are not counted.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from starlette.types import Scope

from shared.errors import TooManyRequests

WINDOW_S = 60
_POLICY = "default"
_HEADERS = "kehu.rate"


@dataclass(slots=True)
class _Window:
    closes_at: float
    quota: int
    left: int
    policy: bytes


class Rates:
    """The counts of one process. Callers are known ones, so there are never more counts than keys and clients."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._windows: dict[str, _Window] = {}

    def take(self, scope: Scope, caller: str, quota: int) -> None:
        """Count a request of a caller who may make `quota` a window; the answer will tell what is left.

        Raises: TooManyRequests
        """
        moment = self._clock()
        window = self._windows.get(caller)
        if window is None or moment >= window.closes_at:
            window = self._windows[caller] = _opened(moment, quota, quota)
        elif window.quota != quota:
            window = self._windows[caller] = _opened(window.closes_at - WINDOW_S, quota, min(window.left, quota))
        window.left -= 1
        closes_in = math.ceil(window.closes_at - moment)
        limit = b'"default";r=%d;t=%d' % (max(window.left, 0), closes_in)
        scope[_HEADERS] = ((b"ratelimit-policy", window.policy), (b"ratelimit", limit))
        if window.left < 0:
            raise TooManyRequests(
                "rate_limited",
                f"These were {quota} requests within a minute. Go on in {closes_in} s.",
                members={"violated-policies": [_POLICY]},
                headers={"Retry-After": str(closes_in)},
            )


def _opened(moment: float, quota: int, left: int) -> _Window:
    return _Window(moment + WINDOW_S, quota, left, b'"default";q=%d;w=%d' % (quota, WINDOW_S))


def headers_of(scope: Scope) -> tuple[tuple[bytes, bytes], ...]:
    """What to tell a counted caller; nothing to others."""
    headers: tuple[tuple[bytes, bytes], ...] = scope.get(_HEADERS, ())
    return headers
