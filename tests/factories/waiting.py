"""Waiting for what happens by itself, and not a moment longer."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import httpx

from shared.db import Database, is_passing


async def until(ask: Callable[[], Awaitable[object]], wanted: object = True, within_s: float = 25) -> None:
    """Ask until the answer is `wanted`."""
    deadline = time.monotonic() + within_s
    while (seen := await ask()) != wanted:
        assert time.monotonic() < deadline, f"{seen}, not {wanted}"
        await asyncio.sleep(0.05)


async def until_query(database: Database, sql: str, wanted: object, within_s: float = 25) -> None:
    """Ask the database until the first value of the answer is `wanted`; an ended session gives no answer."""

    async def ask() -> object:
        try:
            async with database.reading() as tx:
                return await tx.fetchval(sql)
        except Exception as error:
            if not is_passing(error):
                raise
            return error

    await until(ask, wanted, within_s)


async def settled(ask: Callable[[], Awaitable[httpx.Response]], within_s: float = 25) -> httpx.Response:
    """The answer to a request that is sent again; the database notices a moment late that the first one died."""
    deadline = time.monotonic() + within_s
    while (answer := await ask()).status_code == 409 and answer.json()["code"] == "still_running":
        assert time.monotonic() < deadline, answer.text
        await asyncio.sleep(0.05)
    return answer
