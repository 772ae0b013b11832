"""The audit stream as rows of a table, as Server-Sent Events: a page keeps its place across every outage.

While the audit service is away the page is told so and the stream is taken up again where it broke off. It ends with a
`closed` event when the person has signed out or may no longer read. Events to the page: rows carry the entry's index as
`id:` and no name; `live`, `away` and `closed` are about the connection.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import httpx
import orjson

from services.console.clients import Peers, Refused
from services.console.visits import Visit

SILENCE_S = 45.0
LOOK_S = 30.0
_FIRST_WAIT_S = 0.5
_LONGEST_WAIT_S = 10.0
_FINAL = (401, 403, 422)
_NO_AUTHORITY = ("bad_token", "no_token", "not_allowed", "entries_need_all_units")
LIVE = b"event: live\ndata: 1\n\n"
AWAY = b"event: away\ndata: 1\n\n"
CLOSED = b"event: closed\ndata: 1\n\n"
_ALIVE = b": alive\n\n"


@dataclass(frozen=True, slots=True)
class Source:
    """What to follow, for whom, and how a row looks. `lasts` says whether the person is still signed in."""

    peers: Peers
    visit: Visit
    filters: dict[str, str | None]
    row: Callable[[dict[str, Any]], str]
    lasts: Callable[[], Awaitable[bool]]


class _Ended(Exception):
    """The person has signed out, or may not read any more."""


async def rows(source: Source, after: str | None) -> AsyncIterator[bytes]:
    """Frames for the page, from behind the entry `after` on (None: whatever comes next)."""
    clock = asyncio.get_running_loop().time
    wait, looked_at = _FIRST_WAIT_S, clock()
    while True:
        try:
            async for index, frame in _connected(source, after):
                after, wait = index or after, _FIRST_WAIT_S
                yield frame
                if clock() - looked_at >= LOOK_S:
                    if not await source.lasts():
                        raise _Ended
                    looked_at = clock()
        except _Ended:
            yield CLOSED
            return
        except Refused as refused:
            if refused.problem.status in _FINAL:
                yield CLOSED
                return
        except httpx.HTTPError:
            pass
        yield AWAY
        await asyncio.sleep(wait)
        wait = min(2 * wait, _LONGEST_WAIT_S)


async def _connected(source: Source, after: str | None) -> AsyncIterator[tuple[str | None, bytes]]:
    """Index of the newest entry and frame of each batch, and signs of life, until the connection breaks.

    What comes together goes to the page together, so that a busy log does not drown a browser in messages.
    """
    filters = {**source.filters, "values": "false"}
    async with source.peers.stream(source.visit, "audit", "/v1/stream", after, SILENCE_S, **filters) as texts:
        yield None, LIVE
        buffer = ""
        async for text in texts:
            *frames, buffer = (buffer + text).split("\n\n")
            fields = [_fields(frame) for frame in frames]
            entries = [orjson.loads(each["data"]) for each in fields if each.get("event") == "entry"]
            yield (str(entries[-1]["index"]), _frame(source, entries)) if entries else (None, _ALIVE)
            closed = [each.get("data", "") for each in fields if each.get("event") == "closed"]
            if any(code in data for data in closed for code in _NO_AUTHORITY):
                raise _Ended
            if closed:
                return


def _fields(frame: str) -> dict[str, str]:
    """The fields of a frame; comments have none."""
    pairs = (line.partition(": ") for line in frame.splitlines() if not line.startswith(":"))
    return {name: value for name, _, value in pairs if name}


def _frame(source: Source, entries: list[dict[str, Any]]) -> bytes:
    """Rows for the top of the table, newest first."""
    rows = "\n".join(source.row(entry) for entry in reversed(entries))
    lines = "".join(f"data: {line}\n" for line in rows.splitlines() if line.strip())
    return f"id: {entries[-1]['index']}\n{lines}\n".encode()
