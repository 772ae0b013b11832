"""The live stream: nothing is missed, nothing comes twice, outages are said, and it ends with the session."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from services.console.cookies import SESSION_COOKIE
from services.console.entry import live
from tests.factories.audit import RunningAudit, append, change, frame_fields
from tests.factories.console import RunningConsole
from tests.fakes.way_in import WayIn

_LEEWAY_S = 6
"""Services believe a token for a little longer than it says."""
_ROW = re.compile(r'<a href="/entries/(\d+)">')


class Reader:
    """Reads frames of the stream as they come."""

    def __init__(self, response: httpx.Response) -> None:
        self._texts = response.aiter_text()
        self._buffer = ""
        self.raw: list[str] = []

    async def next(self) -> dict[str, str]:
        async with asyncio.timeout(15):
            while True:
                while "\n\n" not in self._buffer:
                    self._buffer += await anext(self._texts)
                frame, _, self._buffer = self._buffer.partition("\n\n")
                self.raw.append(frame)
                if fields := frame_fields(frame):
                    return fields

    async def indexes(self, number: int) -> list[int]:
        """The entries of the next rows, in the order in which they happened."""
        found: list[int] = []
        while len(found) < number:
            await self.next()
            found += sorted(int(index) for index in _ROW.findall(self.raw[-1]))
        return found


@asynccontextmanager
async def following(
    console: RunningConsole, headers: dict[str, str] | None = None, **query: str
) -> AsyncIterator[Reader]:
    async with console.http.stream("GET", "/entries/stream", params=query, headers=headers) as response:
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/event-stream")
        yield Reader(response)


@pytest.mark.req("R0.4")
async def test_rows_come_as_entries_are_appended(beside: RunningConsole, log: RunningAudit) -> None:
    await append(log.database, change("c1"))
    await beside.sign_in("auditor")
    page = await beside.page("/entries/live")
    [address] = re.findall(r'hx-sse:connect="([^"]+)"', page)
    assert address == "/entries/stream?after=0"
    async with following(beside, after="0") as reader:
        assert (await reader.next())["event"] == "live"
        await append(log.database, change("c2"), change("c3"))
        assert await reader.indexes(2) == [1, 2]
        assert "id: 2" in reader.raw[-1]
        assert "Customer changed" in reader.raw[-1]


@pytest.mark.req("R0.4")
async def test_a_page_that_lost_its_connection_goes_on_exactly_there(beside: RunningConsole, log: RunningAudit) -> None:
    await append(log.database, *(change(f"c{number}") for number in range(6)))
    await beside.sign_in("auditor")
    async with following(beside, {"Last-Event-ID": "2"}, after="0") as reader:
        assert await reader.indexes(3) == [3, 4, 5]


async def test_filters_hold_for_the_stream_too(beside: RunningConsole, log: RunningAudit) -> None:
    await append(log.database, change("c1"), change("c1", 3), change("c2"), change("c1", 4))
    await beside.sign_in("auditor")
    async with following(beside, after="0", subject="customer/c1") as reader:
        assert await reader.indexes(2) == [1, 3]


async def test_an_outage_is_said_and_tried_again(alone: RunningConsole) -> None:
    await alone.sign_in("auditor")
    async with following(alone) as reader:
        assert [(await reader.next())["event"] for _ in range(2)] == ["away", "away"]


async def test_who_may_not_read_gets_an_end_not_a_loop(beside: RunningConsole) -> None:
    await beside.sign_in("customer_manager")
    async with following(beside) as reader:
        assert (await reader.next())["event"] == "closed"
        with pytest.raises(StopAsyncIteration):
            await reader.next()


async def test_the_stream_ends_soon_after_the_person_signs_out_even_if_nothing_happens(
    beside: RunningConsole, log: RunningAudit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "LOOK_S", 0.2)
    await append(log.database, change("c1"))
    await beside.sign_in("auditor")
    async with following(beside, after="0") as reader:
        assert (await reader.next())["event"] == "live"
        await beside.submit("/", "/sign-out")
        assert (await reader.next())["event"] == "closed"


async def test_the_stream_goes_on_with_a_fresh_token_when_one_is_used_up(
    beside: RunningConsole, log: RunningAudit, way_in: WayIn
) -> None:
    await append(log.database, change("c1"))
    way_in.lifetime_s = 3
    await beside.sign_in("auditor")
    async with following(beside, after="0") as reader:
        assert (await reader.next())["event"] == "live"
        way_in.lifetime_s = 3600
        await asyncio.sleep(3 + _LEEWAY_S)
        await append(log.database, change("c2"))
        assert await reader.indexes(1) == [1]
        assert way_in.renewals == 1
        assert "event: closed" not in "".join(reader.raw)


async def test_nobody_follows_without_a_session(alone: RunningConsole) -> None:
    alone.http.cookies.set(SESSION_COOKIE, "made up", domain="127.0.0.1")
    assert (await alone.http.get("/entries/stream")).status_code == 303
    stream = await alone.http.get("/entries/stream", headers={"Accept": "text/event-stream"})
    assert stream.headers["content-type"].startswith("text/event-stream"), "a stream cannot be led to a page"
    assert stream.text.startswith("event: closed")
