"""Tells of what strangers may do in any number, without filling the log: the first time at once, then once a span.

Called by whoever notes refusals (keys, sign-ins). Each telling says how often it came since the last one; nothing is
lost but with the process. What is counted must be bounded: what exists, never what somebody typed.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from shared.telemetry import log

K = TypeVar("K")


class Tally(Generic[K]):
    """`tell` is given what came, and how often; `span_s`: seconds between two tellings of the same."""

    def __init__(self, tell: Callable[[K, int], Awaitable[None]], span_s: float) -> None:
        self._tell = tell
        self._span_s = span_s
        self._untold: Counter[K] = Counter()
        self._spans: dict[K, asyncio.Task[None]] = {}

    async def add(self, about: K) -> None:
        """It came once more. Raises: whatever `tell` raises, if this is the first of a span"""
        self._untold[about] += 1
        if about in self._spans:
            return
        self._spans[about] = asyncio.create_task(self._follow(about))  # before the wait: others need not tell it, too
        try:
            await self._tell_of(about)
        except BaseException:
            self._spans.pop(about).cancel()
            raise

    async def _follow(self, about: K) -> None:
        """Span by span, until one in which nothing came."""
        await asyncio.sleep(self._span_s)
        while self._untold[about]:
            await self._try_to_tell_of(about)
            await asyncio.sleep(self._span_s)
        del self._untold[about], self._spans[about]

    async def _tell_of(self, about: K) -> None:
        if not (attempts := self._untold.pop(about, 0)):
            return
        try:
            await self._tell(about, attempts)
        except BaseException:
            self._untold[about] += attempts
            raise

    async def _try_to_tell_of(self, about: K) -> None:
        try:
            await self._tell_of(about)
        except Exception as problem:
            log(part="web").error("refusal_not_recorded", error=type(problem).__name__)

    async def close(self) -> None:
        """Tell what is left, as far as that is possible."""
        for task in self._spans.values():
            task.cancel()
        self._spans.clear()
        for about in [*self._untold]:
            await self._try_to_tell_of(about)
