"""Knows how long the log is, and wakes those who wait for it to grow. One for each process, whatever the readers.

It listens on a connection of its own to what the writer notifies, and asks a few times a second in case a notification
is lost. It starts with the first reader.
"""

import asyncio
from contextlib import suppress

from services.audit.stream import repository
from shared.db import Database, Transaction, is_passing
from shared.telemetry import log

_CHANNEL = "kehu_audit"
_POLL_S = 0.2
_RETRY_S = 0.5


class Tail:
    def __init__(self, database: Database, origin: str) -> None:
        self._database = database
        self._origin = origin
        self._size = 0
        self._grown = asyncio.Condition()
        self._task: asyncio.Task[None] | None = None

    async def beyond(self, size: int, timeout_s: float) -> int:
        """Wait until the log has more than `size` entries, or the time is over; how many it has."""
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._follow())
        async with self._grown:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._grown.wait_for(lambda: self._size > size), timeout_s)
        return self._size

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _follow(self) -> None:
        while True:
            try:
                await self._listen()
            except Exception as error:
                if not is_passing(error):
                    raise
                log(part="tail").warning("tail_waits", error=type(error).__name__)
                await asyncio.sleep(_RETRY_S)

    async def _listen(self) -> None:
        session = await self._database.session()
        told = asyncio.Event()
        try:
            await session.add_listener(_CHANNEL, lambda *_: told.set())
            tx = Transaction(session)
            while True:
                told.clear()
                await self._reach(await repository.size(tx, self._origin))
                with suppress(TimeoutError):
                    await asyncio.wait_for(told.wait(), _POLL_S)
        finally:
            session.terminate()

    async def _reach(self, size: int) -> None:
        if size != self._size:
            async with self._grown:
                self._size = size
                self._grown.notify_all()
