"""Work beside the event loop: processes that are given bytes and give answers back. Owned by whoever starts them.

They are spawned at the first call, end with their parent however it ends, and are replaced when one of them dies. Their
memory is bounded, so that a file that unpacks to the sky takes its own process with it and nothing else.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import resource
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any, TypeVar

T = TypeVar("T")


class Full(Exception):
    """More calls are waiting than may."""


class Lost(Exception):
    """The process died over a call."""


class Aside:
    """`processes` processes, each made ready by `prepare(*given)`, and a bounded queue before them."""

    def __init__(
        self, prepare: Callable[..., None], *given: Any, processes: int, waiting: int, memory_mib: int
    ) -> None:
        self._start = (prepare, given, memory_mib * 1024 * 1024)
        self._processes = processes
        self._most = processes + waiting
        self._pending = 0
        self._pool: ProcessPoolExecutor | None = None

    async def call(self, function: Callable[..., T], *given: Any) -> T:
        """What a module's function answers, elsewhere. Raises: Full, Lost, and whatever the function raises"""
        if self._pending >= self._most:
            raise Full
        self._pending += 1
        pool = self._pool = self._pool or self._spawn()
        try:
            return await asyncio.get_running_loop().run_in_executor(pool, function, *given)
        except BrokenProcessPool:
            if self._pool is pool:
                self._pool = None
            pool.shutdown(wait=False)
            raise Lost from None
        finally:
            self._pending -= 1

    async def close(self) -> None:
        """End the processes; a call that is running is waited for."""
        pool, self._pool = self._pool, None
        if pool is not None:
            await asyncio.to_thread(pool.shutdown, wait=True, cancel_futures=True)

    def _spawn(self) -> ProcessPoolExecutor:
        context = multiprocessing.get_context("spawn")
        return ProcessPoolExecutor(self._processes, context, _ready, self._start)


def _ready(prepare: Callable[..., None], given: tuple[Any, ...], memory: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent ends us in good order
    threading.Thread(target=_end_with_parent, daemon=True).start()
    prepare(*given)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
