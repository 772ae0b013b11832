"""Clock inputs: a job is a name, a rhythm and a function; one process runs it at a time, the others stand by."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from shared.clock import now
from shared.db import Database, Transaction, advisory_key, is_passing
from shared.telemetry import log

Due = Callable[[Transaction, datetime], Awaitable[int]]
"""Does what is due at the given moment, within the transaction; how many things it did (0: nothing left)."""


@dataclass(frozen=True, slots=True)
class Job:
    """`due` is called every `every_s` seconds, and again at once while it finds something to do."""

    name: str
    every_s: float
    due: Due

    async def run(self, database: Database, stop: asyncio.Event) -> None:
        """Until `stop`; outages are waited out, a failing round is logged and tried again."""
        pause = self.every_s
        while not stop.is_set():
            try:
                pause = 0.0 if await self.once(database) else self.every_s
            except Exception as error:
                level = 30 if is_passing(error) else 40
                log(job=self.name).log(level, "job_waits", error=type(error).__name__)
                pause = max(self.every_s, 1.0)
            try:
                await asyncio.wait_for(stop.wait(), pause)
            except TimeoutError:
                continue

    async def once(self, database: Database) -> int:
        """One round, unless another process is in one."""
        async with database.transaction("job") as tx:
            if not await tx.fetchval("SELECT pg_try_advisory_xact_lock($1)", advisory_key(f"job:{self.name}")):
                return 0
            return await self.due(tx, now())
