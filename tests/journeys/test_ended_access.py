"""Whatever ends a sign-in at identity ends it at the other services, with the access token at hand."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from tests.factories.browser import Browser
from tests.factories.live import Live, becomes

pytestmark = [pytest.mark.slow, pytest.mark.req("R4.5")]
Tokens = dict[str, Any]


@asynccontextmanager
async def signed_in(live: Live, name: str, password: str) -> AsyncIterator[tuple[Browser, Tokens]]:
    """A browser in which the person signed in, and what the app was given."""
    http = httpx.AsyncClient(base_url=live.urls["identity"], timeout=30, trust_env=False)
    async with Browser(http) as browser:
        answer = await browser.sign_in(name, password)
        assert answer.status_code == 200, answer.text
        yield browser, answer.json()


def answer(live: Live, tokens: Tokens) -> tuple[int, str | None]:
    """What the customer service answers: the status, and why not."""
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    found = live.nobody("customer").get("/v1/customers", headers=bearer)
    return found.status_code, found.json().get("code")


def administer(live: Live, name: str, deed: str) -> None:
    done = live.as_("admin", "identity").post(f"/v1/accounts/{name}/{deed}")
    assert done.status_code == 204, done.text


async def sign_out(_live: Live, _name: str, browser: Browser, _tokens: Tokens) -> None:
    left = await browser.submit(await browser.http.get("/sign-out"))
    assert left.status_code == 200, left.text


async def lock(live: Live, name: str, _browser: Browser, _tokens: Tokens) -> None:
    administer(live, name, "lock")


async def replay(_live: Live, _name: str, browser: Browser, tokens: Tokens) -> None:
    """The refresh token comes again after the one that took its place was used, too."""
    second = (await browser.renew(tokens["refresh_token"])).json()
    assert (await browser.renew(second["refresh_token"])).status_code == 200
    stolen = await browser.renew(tokens["refresh_token"])
    assert (stolen.status_code, stolen.json()["error"]) == (400, "invalid_grant")


@pytest.mark.parametrize("end", [sign_out, lock, replay])
async def test_the_token_at_hand_is_refused_elsewhere_once_its_sign_in_is_over(
    live: Live, end: Callable[[Live, str, Browser, Tokens], Awaitable[None]]
) -> None:
    live = Live(live.data, live.bus)  # administrators sign in anew: these are sensitive actions
    name, password = live.newcomer(unit="east")
    live.give(name, "customer_manager", unit="east")
    async with signed_in(live, name, password) as (browser, tokens):
        becomes(lambda: answer(live, tokens), (200, None))
        try:
            await end(live, name, browser, tokens)
            becomes(lambda: answer(live, tokens), (401, "access_ended"))
        finally:
            administer(live, name, "unlock")
    async with signed_in(live, name, password) as (_, fresh):
        assert answer(live, fresh) == (200, None)
    assert answer(live, tokens) == (401, "access_ended")
