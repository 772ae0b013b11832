"""The audit stream as rows of a table, as Server-Sent Events: a page keeps its place across every outage.

While the audit service is away the page is told so and the stream is taken up again where it broke off. It ends with a
`closed` event when the person has signed out or may no longer read. Events to the page: rows carry the entry's index as
`id:` and no name; `live`, `away` and `closed` are about the connection.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import httpx
import orjson

from services.console.clients import Peers, Refused
from services.console.visits import Visit
from shared.errors import Forbidden, Unavailable

SILENCE_S = 45.0
LOOK_S = 5.0
_FIRST_WAIT_S = 0.5
_LONGEST_WAIT_S = 10.0
_FINAL = (401, 403, 422)
LIVE = b"event: live\ndata: 1\n\n"
AWAY = b"event: away\ndata: 1\n\n"
CLOSED = b"event: closed\ndata: 1\n\n"
_ALIVE = b": alive\n\n"


@dataclass(frozen=True, slots=True)
class Source:
    """What to follow, and how a row looks. `again`: for whom, with a good token; None once they are not signed in."""

    peers: Peers
    filters: dict[str, str | None]
    row: Callable[[dict[str, Any]], str]
    again: Callable[[], Awaitable[Visit | None]]


class _Ended(Exception):
    """The person has signed out, or may not read any more."""


async def rows(source: Source, after: str | None) -> AsyncIterator[bytes]:
    """Frames for the page, from behind the entry `after` on (None: whatever comes next)."""
    wait = _FIRST_WAIT_S
    while True:
        is_away = True
        try:
            async with aclosing(_connected(source, await _reader(source), after)) as frames:
                async for index, frame in frames:
                    after, wait = index or after, _FIRST_WAIT_S
                    yield frame
            is_away = False  # audit ended it, perhaps because a token is used up: the next look tells
        except (_Ended, Forbidden):
            yield CLOSED
            return
        except Refused as refused:
            if refused.problem.status in _FINAL:
                yield CLOSED
                return
        except (httpx.HTTPError, Unavailable):
            pass
        if is_away:
            yield AWAY
        await asyncio.sleep(wait)
        wait = min(2 * wait, _LONGEST_WAIT_S)


async def _reader(source: Source) -> Visit:
    visit = await source.again()
    if visit is None:
        raise _Ended
    return visit


async def _connected(source: Source, visit: Visit, after: str | None) -> AsyncGenerator[tuple[str | None, bytes]]:
    """Index of the newest entry and frame of each batch, and signs of life, until the connection breaks.

    What comes together goes to the page together, so that a busy log does not drown a browser in messages.
    """
    filters = {**source.filters, "values": "false"}
    clock = asyncio.get_running_loop().time
    following = source.peers.stream(visit, "audit", "/v1/stream", after, SILENCE_S, **filters)
    async with following as stream, aclosing(_with_pauses(stream, LOOK_S)) as texts:
        yield None, LIVE
        buffer, looked_at = "", clock()
        async for text in texts:
            if clock() - looked_at >= LOOK_S:
                await _reader(source)
                looked_at = clock()
            *frames, buffer = (buffer + text).split("\n\n")
            fields = [_fields(frame) for frame in frames]
            entries = [orjson.loads(each["data"]) for each in fields if each.get("event") == "entry"]
            yield (str(entries[-1]["index"]), _frame(source, entries)) if entries else (None, _ALIVE)
            if any(each.get("event") == "closed" for each in fields):
                return
    raise httpx.ReadError("the stream broke off")


async def _with_pauses(texts: AsyncIterator[str], longest_s: float) -> AsyncGenerator[str]:
    """The texts as they come, and nothing ("") whenever none came for so long."""
    coming = asyncio.ensure_future(anext(texts, None))
    try:
        while True:
            done, _ = await asyncio.wait({coming}, timeout=longest_s)
            text = coming.result() if done else ""
            if text is None:
                return
            yield text
            if done:
                coming = asyncio.ensure_future(anext(texts, None))
    finally:
        coming.cancel()
        await asyncio.wait({coming})


def _fields(frame: str) -> dict[str, str]:
    """The fields of a frame; comments have none."""
    pairs = (line.partition(": ") for line in frame.splitlines() if not line.startswith(":"))
    return {name: value for name, _, value in pairs if name}


def _frame(source: Source, entries: list[dict[str, Any]]) -> bytes:
    """Rows for the top of the table, newest first."""
    rows = "\n".join(source.row(entry) for entry in reversed(entries))
    lines = "".join(f"data: {line}\n" for line in rows.splitlines() if line.strip())
    return f"id: {entries[-1]['index']}\n{lines}\n".encode()
