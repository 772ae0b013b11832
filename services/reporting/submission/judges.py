"""Processes that examine filings, so that a large table never holds up the event loop. Owned by the api.

They are spawned at the first filing, end with their parent however it ends, and are replaced when one of them dies.
They are given no key and no connection, and a bounded memory: bytes go in, a judgement comes out.
"""

import asyncio
import multiprocessing
import os
import resource
import signal
import threading
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from datetime import date
from pathlib import Path

from services.reporting.submission import errors
from services.reporting.submission.filing import Examined, Examiner, Filing
from shared.regime import load


class Judges:
    """A bounded queue before `processes` processes."""

    def __init__(self, regimes: Path, *, processes: int, waiting: int, memory_mib: int) -> None:
        self._regimes = regimes
        self._memory = memory_mib * 1024 * 1024
        self._processes = processes
        self._most = processes + waiting
        self._pending = 0
        self._pool: ProcessPoolExecutor | None = None

    async def examine(self, filing: Filing, today: date) -> Examined:
        """As `Examiner.examine`, elsewhere. Raises also: TooLarge, Unavailable (judges_busy, judge_lost)"""
        if self._pending >= self._most:
            raise errors.judges_busy()
        self._pending += 1
        pool = self._pool = self._pool or self._spawn()
        try:
            return await asyncio.get_running_loop().run_in_executor(pool, _examine, filing, today)
        except BrokenProcessPool:
            if self._pool is pool:
                self._pool = None
            pool.shutdown(wait=False)
            raise errors.judge_lost() from None
        finally:
            self._pending -= 1

    async def close(self) -> None:
        """End the processes; a filing that is being examined is waited for."""
        pool, self._pool = self._pool, None
        if pool is not None:
            await asyncio.to_thread(pool.shutdown, wait=True, cancel_futures=True)

    def _spawn(self) -> ProcessPoolExecutor:
        context = multiprocessing.get_context("spawn")
        return ProcessPoolExecutor(self._processes, context, _prepare, (self._regimes, self._memory))


class _Process:
    """What one judging process keeps between filings."""

    examiner: Examiner


def _prepare(regimes: Path, memory: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent ends us in good order
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _Process.examiner = Examiner(load(regimes))


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _examine(filing: Filing, today: date) -> Examined:
    try:
        return _Process.examiner.examine(filing, today)
    except MemoryError:
        raise errors.too_large_to_judge() from None
