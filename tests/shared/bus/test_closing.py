"""Closing a client never reaches its caller, however it ends."""

import asyncio

import pytest

from shared.bus import kafka

pytestmark = pytest.mark.req("R0.2")


async def test_a_client_that_ends_by_cancelling_itself_does_not_cancel_who_closes_it() -> None:
    async def close() -> None:
        fetch = asyncio.create_task(asyncio.sleep(60))
        await asyncio.sleep(0)
        fetch.cancel()
        await fetch

    await kafka._let_go(close())


async def test_a_client_that_fails_to_close_fails_nobody() -> None:
    async def close() -> None:
        raise OSError("gone already")

    await kafka._let_go(close())


async def test_a_client_that_does_not_end_and_hears_no_cancellation_is_left_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(kafka, "_CLOSE_S", 0.05)
    end = asyncio.Event()

    async def close() -> None:
        while not end.is_set():
            try:
                await end.wait()
            except asyncio.CancelledError:
                continue

    async with asyncio.timeout(2):
        await kafka._let_go(close())
    end.set()


async def test_who_is_cancelled_while_closing_is_cancelled() -> None:
    closing = asyncio.create_task(kafka._let_go(asyncio.sleep(60)))
    await asyncio.sleep(0.01)
    closing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await closing
