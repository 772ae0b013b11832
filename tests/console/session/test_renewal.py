"""Access tokens are renewed before they expire: once, whoever asks, and never in a way that ends the sign-in."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest

from services.console.cookies import SESSION_COOKIE
from services.console.session.service import Session
from shared.clock import now
from tests.factories import console
from tests.factories.console import RunningConsole
from tests.fakes.issuer import Issuer
from tests.fakes.way_in import WayIn

pytestmark = pytest.mark.req("R4.5")


async def kept(running: RunningConsole) -> Session:
    async with running.database.transaction() as tx:
        found = await running.sessions.find(tx, running.http.cookies[SESSION_COOKIE], now())
    assert found is not None
    return found


async def sign_in_with_an_expired_token(running: RunningConsole, way_in: WayIn) -> None:
    way_in.lifetime_s = -60
    await running.sign_in("auditor")
    way_in.lifetime_s = 3600


async def test_a_token_is_left_alone_until_it_is_about_to_expire(alone: RunningConsole, way_in: WayIn) -> None:
    await alone.sign_in("auditor")
    await alone.page("/")
    assert way_in.renewals == 0
    tokens = (await kept(alone)).tokens
    assert tokens.ends_at - tokens.renew_at == timedelta(minutes=1)


async def test_a_token_that_is_about_to_expire_is_renewed_once(alone: RunningConsole, way_in: WayIn) -> None:
    await alone.sign_in("auditor", due=True)
    before = (await kept(alone)).tokens
    await alone.page("/")
    await alone.page("/")
    after = (await kept(alone)).tokens
    assert way_in.renewals == 1
    assert before.access != after.access
    assert before.refresh != after.refresh
    assert before.id != after.id


@pytest.mark.parametrize("is_expired", [False, True])
async def test_all_windows_of_a_browser_renew_once_together_in_two_processes(
    dsn: Callable[[str], str], issuer: Issuer, way_in: WayIn, is_expired: bool
) -> None:
    database = dsn("console")
    async with console.running(database, issuer) as one, console.running(database, issuer) as other:
        if is_expired:
            await sign_in_with_an_expired_token(one, way_in)
        else:
            await one.sign_in("auditor", due=True)
        other.http.cookies = one.http.cookies
        way_in.delay_s = 0.5
        asked = [each.http.get("/signed-out") for each in (one, other)]  # warm
        await asyncio.gather(*asked)
        answers = await asyncio.gather(*(each.http.get("/") for _ in range(4) for each in (one, other)))
        assert [answer.status_code for answer in answers] == [200] * 8
        assert way_in.renewals == 1
        way_in.delay_s = 0
        refresh = (await kept(one)).tokens.refresh or ""
        assert way_in.token({"grant_type": "refresh_token", "refresh_token": refresh})[0] == 200, "it goes on"


async def test_a_sign_in_that_the_issuer_ended_is_over(alone: RunningConsole, way_in: WayIn) -> None:
    await alone.sign_in("auditor", due=True)
    way_in.refuses = True
    answer = await alone.http.get("/inbox?unread=true")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?next=%2Finbox%3Funread%3Dtrue")
    async with alone.database.reading() as tx:
        assert await tx.fetchval("SELECT count(*) FROM session") == 0


async def test_while_the_issuer_is_away_a_token_is_used_as_long_as_it_is_good(
    alone: RunningConsole, way_in: WayIn
) -> None:
    await alone.sign_in("auditor")
    await alone.page("/")
    await alone.sign_in("auditor", due=True)
    alone.issuer.down = True
    try:
        await alone.page("/")
    finally:
        alone.issuer.down = False
    await alone.page("/")
    assert way_in.renewals == 1


async def test_a_token_that_cannot_be_renewed_now_is_no_reason_to_sign_in_again(
    alone: RunningConsole, way_in: WayIn
) -> None:
    await sign_in_with_an_expired_token(alone, way_in)
    alone.issuer.down = True
    try:
        assert "Sign-in service unavailable" in await alone.page("/inbox", 503)
    finally:
        alone.issuer.down = False
    await alone.page("/inbox")


@pytest.mark.timed
async def test_whoever_leaves_meanwhile_loses_nothing(alone: RunningConsole, way_in: WayIn) -> None:
    await alone.sign_in("auditor", due=True)
    way_in.delay_s = 0.5
    with pytest.raises(httpx.ReadTimeout):
        await alone.http.get("/", timeout=0.2)
    way_in.delay_s = 0
    await alone.page("/")
    await alone.page("/")
    assert way_in.renewals == 1


@pytest.mark.timed
async def test_one_who_died_while_renewing_holds_the_others_up_for_a_little_while(
    alone: RunningConsole, way_in: WayIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.console.session.renewal._PATIENCE_S", 0.3)
    await sign_in_with_an_expired_token(alone, way_in)
    async with alone.database.transaction() as tx:
        await tx.execute("UPDATE session SET renewing_until = $1", now() + timedelta(seconds=1.5))
    await alone.page("/", 503)
    assert way_in.renewals == 0
    await asyncio.sleep(1.5)
    await alone.page("/")
    assert way_in.renewals == 1


async def test_tokens_of_somebody_else_are_not_taken(alone: RunningConsole, way_in: WayIn) -> None:
    await alone.sign_in("auditor", due=True)
    way_in.twist = {"sub": "admin"}
    assert (await alone.http.get("/")).headers["location"] == "/sign-in"


async def test_a_session_without_refresh_token_ends_with_its_token(alone: RunningConsole, way_in: WayIn) -> None:
    await sign_in_with_an_expired_token(alone, way_in)
    session, until = await kept(alone), now()
    async with alone.database.transaction() as tx:
        await tx.execute("UPDATE session SET renewing_until = $1", until)
        await alone.sessions.renewed(tx, session, until, replace(session.tokens, refresh=None))
    assert (await alone.http.get("/")).status_code == 303
    assert way_in.renewals == 0
