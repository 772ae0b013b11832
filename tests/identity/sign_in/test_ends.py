"""When a sign-in is over: by its clocks, and by what happens to its person. The moment is an argument: nobody waits."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from services.identity.sign_in.rules import Session, Stage
from services.identity.sign_in.sessions import Sessions
from shared.clock import now
from shared.events import AccessRevoked, SessionEnded
from tests.factories.browser import Browser
from tests.factories.identity import PASSWORD, SECRET, RunningIdentity

pytestmark = pytest.mark.req("R4.5")
COOKIE = "kehu_sign_in"
AT = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
WAITING = "SELECT count(*) FROM pg_locks WHERE NOT granted AND pid <> pg_backend_pid()"
MINUTE, SECOND = timedelta(minutes=1), timedelta(seconds=1)
IDLE, LONGEST = timedelta(minutes=30), timedelta(hours=12)


def session(**changes: datetime) -> Session:
    opened = Session(uuid4(), "staff", Stage.OPEN, "password", "", AT, AT, AT + LONGEST, None, None, None)
    return replace(opened, **changes)


def test_a_session_ends_when_idle_and_in_any_case() -> None:
    assert session().lasts(IDLE, AT + IDLE - SECOND)
    assert not session().lasts(IDLE, AT + IDLE)
    used = session(seen_at=AT + LONGEST - MINUTE)
    assert used.lasts(IDLE, AT + LONGEST - SECOND)
    assert not used.lasts(IDLE, AT + LONGEST)


def test_a_session_ends_with_what_happens_to_its_account() -> None:
    assert not session(ended_at=AT + MINUTE).lasts(IDLE, AT + MINUTE)
    assert not session(locked_at=AT + MINUTE).lasts(IDLE, AT + MINUTE)
    assert not session(revoked_at=AT + MINUTE).lasts(IDLE, AT + MINUTE)
    assert session(revoked_at=AT).lasts(IDLE, AT + MINUTE)


async def test_no_token_is_given_while_all_of_a_person_are_being_taken_back(identity: RunningIdentity) -> None:
    """It would be dated after the revocation, and outlive it."""
    async with identity.browser() as browser:
        tokens = (await browser.sign_in("staff", PASSWORD)).json()
        async with identity.database.transaction() as tx:
            await tx.execute("UPDATE account SET revoked_at = clock_timestamp() WHERE name = 'staff'")
            renewal = asyncio.create_task(browser.renew(tokens["refresh_token"]))
            async with asyncio.timeout(20):
                while not (renewal.done() or await tx.fetchval(WAITING)):  # noqa: ASYNC110 - as below
                    await asyncio.sleep(0.02)
        answer = await renewal
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")


async def test_use_puts_the_idle_end_off_but_not_the_last_one(identity: RunningIdentity) -> None:
    sessions = Sessions(identity.parts.outbox, identity.parts.regimes, lifetime=identity.settings.token_lifetime)
    async with identity.browser() as browser:
        await browser.sign_in("staff", PASSWORD)
        secret = browser.http.cookies[COOKIE]
    began = now()
    async with identity.database.transaction() as tx:
        moment = began
        while moment < began + LONGEST - 26 * MINUTE:
            moment += 25 * MINUTE
            assert await sessions.find(tx, secret, moment) is not None
        assert await sessions.find(tx, secret, moment + IDLE) is None
        assert await sessions.find(tx, secret, began + LONGEST) is None
        assert await sessions.find(tx, secret, moment + MINUTE) is not None


async def test_a_step_that_is_not_finished_in_time_is_over(identity: RunningIdentity) -> None:
    await identity.enrol("staff")
    sessions = Sessions(identity.parts.outbox, identity.parts.regimes, lifetime=identity.settings.token_lifetime)
    async with identity.browser() as browser:
        await browser.enter("staff", PASSWORD)
        secret = browser.http.cookies[COOKIE]
    async with identity.database.transaction() as tx:
        assert await sessions.find(tx, secret, now() + 9 * MINUTE) is not None
        assert await sessions.find(tx, secret, now() + 10 * MINUTE) is None


async def signed_in(browser: Browser, name: str = "staff") -> dict[str, str]:
    answer = await browser.sign_in(name, PASSWORD)
    assert answer.status_code == 200, answer.text
    found: dict[str, str] = answer.json()
    return found


async def is_over(identity: RunningIdentity, browser: Browser, tokens: dict[str, str]) -> bool:
    """Neither cookie nor tokens are good for anything; True or False for all of them alike."""
    asked = {"token": tokens["access_token"]}
    active = (await identity.http.post("/oauth/introspect", data=asked, auth=("watch", SECRET))).json()["active"]
    silent = browser.answer_of(await browser.ask(prompt="none"))
    page = await browser.follow(await browser.http.get("/account"))
    renewed = await browser.renew(tokens["refresh_token"])
    over = {not active, "error" in silent, page.url.path == "/sign-in", renewed.status_code == 400}
    assert len(over) == 1
    return over.pop()


@pytest.mark.parametrize(
    ("what", "statement"),
    [
        ("idle", "UPDATE sign_in_session SET seen_at = seen_at - interval '30 minutes'"),
        ("absolute", "UPDATE sign_in_session SET ends_at = now()"),
        ("left", "UPDATE staff SET state = 'left', last_day = current_date - 1, first_day = current_date - 9"),
        ("last day over", "UPDATE staff SET last_day = current_date - 2, first_day = current_date - 9"),
        ("not joined yet", "UPDATE staff SET first_day = current_date + 2"),
        ("locked", "UPDATE account SET locked_at = now()"),
        ("revoked", "UPDATE account SET revoked_at = now()"),
    ],
)
async def test_whatever_ends_a_sign_in_ends_all_that_it_gave(
    identity: RunningIdentity, what: str, statement: str
) -> None:
    async with identity.browser() as browser:
        tokens = await signed_in(browser)
        assert not await is_over(identity, browser, tokens)
        tokens = await signed_in(browser)
        async with identity.database.transaction() as tx:
            await tx.execute(statement)
        assert await is_over(identity, browser, tokens), what


@pytest.mark.parametrize("state", ["left", "not joined yet"])
async def test_people_who_do_not_work_here_cannot_sign_in(identity: RunningIdentity, state: str) -> None:
    days = {
        "left": "state = 'left', last_day = current_date - 1, first_day = current_date - 9",
        "not joined yet": "state = 'expected', first_day = current_date + 2",
    }
    async with identity.database.transaction() as tx:
        await tx.execute(f"UPDATE staff SET {days[state]} WHERE name = 'staff'")
    page = await identity.knock("staff")
    assert page.status_code == 401
    assert (await identity.knock("staff", "wrong password")).status_code == 401


async def test_ending_one_sign_in_leaves_the_others(identity: RunningIdentity) -> None:
    async with identity.browser() as one, identity.browser() as two:
        first, second = await signed_in(one), await signed_in(two)
        bearer = {"Authorization": f"Bearer {second['access_token']}"}
        listed = (await identity.http.get("/v1/me/sessions", headers=bearer)).json()["items"]
        assert [each["present"] for each in listed] == [True, False]
        assert [each["apps"] for each in listed] == [["kehu-cli"], ["kehu-cli"]]
        other = listed[1]["id"]
        assert (await identity.http.delete(f"/v1/me/sessions/{other}", headers=bearer)).status_code == 204
        assert (await identity.http.delete(f"/v1/me/sessions/{other}", headers=bearer)).status_code == 404
        boss = await identity.bearer("boss")
        assert (await identity.http.delete(f"/v1/me/sessions/{listed[0]['id']}", headers=boss)).status_code == 404
        assert await is_over(identity, one, first)
        assert not await is_over(identity, two, second)
    ended = [event for _, event in await identity.outbox() if isinstance(event, SessionEnded)]
    assert [(event.session, event.reason) for event in ended] == [(other, "signed_out")]


async def test_a_new_password_ends_every_other_sign_in(identity: RunningIdentity) -> None:
    new = "Brand-new-pass-1"
    async with identity.browser() as one, identity.browser() as two:
        first, second = await signed_in(one), await signed_in(two)
        page = await one.http.get("/account/password")
        for current, fresh, status in (("wrong password", new, 422), (PASSWORD, "staff", 422)):
            page = await one.submit(page, password=current, new_password=fresh, again=fresh)
            assert page.status_code == status
            assert PASSWORD not in page.text
        left = await one.submit(page, password=PASSWORD, new_password=new, again=new)
        assert left.url.path == "/account"
        assert await is_over(identity, two, second)
        assert (await one.renew(first["refresh_token"])).status_code == 400
        assert (await one.http.get("/account")).status_code == 200
        assert "code" in one.answer_of(await one.ask(prompt="none"))
    assert (await identity.knock("staff")).status_code == 401
    (event,) = [event for _, event in await identity.outbox() if isinstance(event, AccessRevoked)]
    assert (event.name, event.reason) == ("staff", "password_changed")
    assert event.until - event.issued_until == identity.settings.token_lifetime


async def test_what_apps_were_given_before_a_new_password_is_not_signed_in_of_late_by_it(
    identity: RunningIdentity,
) -> None:
    """A stolen refresh token, or a code that was not used yet, does not come in with the password's owner."""
    new = "Brand-new-pass-1"
    async with identity.browser() as browser:
        stolen = (await signed_in(browser))["refresh_token"]
        code = browser.answer_of(await browser.ask(prompt="none"))["code"]
        page = await browser.http.get("/account/password")
        assert (await browser.submit(page, password=PASSWORD, new_password=new, again=new)).url.path == "/account"
        for answer in (await browser.renew(stolen), await browser.redeem(code)):
            assert answer.json()["error"] == "invalid_grant"
        assert (await browser.http.get("/account")).status_code == 200


async def test_a_new_password_ends_what_the_old_one_opened_while_it_was_hashed(identity: RunningIdentity) -> None:
    """The change has begun and waits for its turn; the old password is still good, but what it opens ends with it."""
    new = "Brand-new-pass-1"
    async with identity.browser() as owner, identity.browser() as thief:
        await signed_in(owner)
        page = await owner.http.get("/account/password")
        async with identity.database.transaction() as tx:
            await tx.execute("SELECT 1 FROM sign_in_session FOR UPDATE")
            changing = asyncio.create_task(owner.submit(page, password=PASSWORD, new_password=new, again=new))
            async with asyncio.timeout(20):
                while not await tx.fetchval(WAITING):  # noqa: ASYNC110 - what waits is in the database
                    await asyncio.sleep(0.02)
            tokens = await signed_in(thief)
        assert (await changing).url.path == "/account"
        assert await is_over(identity, thief, tokens)
        assert (await owner.http.get("/account")).status_code == 200


@pytest.mark.parametrize("change", ["secret_hash = 'another'", "locked_at = now()"])
async def test_a_sign_in_does_not_outrun_what_ends_it(identity: RunningIdentity, change: str) -> None:
    """The old password is proven while the change is not committed yet: no session comes of it."""
    async with identity.database.transaction() as tx:
        await tx.execute("SELECT 1 FROM account WHERE name = 'staff' FOR UPDATE")
        running = asyncio.create_task(identity.knock("staff"))
        async with asyncio.timeout(20):
            while not await tx.fetchval(WAITING):  # noqa: ASYNC110 - what waits is in the database
                await asyncio.sleep(0.02)
        await tx.execute(f"UPDATE account SET {change} WHERE name = 'staff'")
    assert (await running).status_code == 401
    async with identity.database.reading() as tx:
        assert await tx.fetchval("SELECT count(*) FROM sign_in_session") == 0


async def test_a_former_password_may_not_return_for_a_while(identity: RunningIdentity) -> None:
    """Of the last five none may come back, the present one included; the sixth may."""
    async with identity.browser() as browser:
        await signed_in(browser)
        passwords = ["Correct horse 1", *(f"Another pass {n}" for n in range(5))]
        current = PASSWORD
        for new in passwords:
            page = await browser.http.get("/account/password")
            assert (await browser.submit(page, password=current, new_password=new, again=new)).url.path == "/account"
            current = new
        for again, status in ((passwords[1], 422), (current, 422), (passwords[0], 200)):
            page = await browser.http.get("/account/password")
            page = await browser.submit(page, password=current, new_password=again, again=again)
            assert page.status_code == status, again


async def test_what_ended_is_forgotten_once_no_token_remembers_it(identity: RunningIdentity) -> None:
    sessions = Sessions(identity.parts.outbox, identity.parts.regimes, lifetime=identity.settings.token_lifetime)
    async with identity.browser() as browser:
        await signed_in(browser)
        await browser.ask(prompt="login")
    async with identity.database.transaction() as tx:
        assert await sessions.tidy(tx, now()) == 0
        assert await sessions.tidy(tx, now() + LONGEST) == 1
        assert await sessions.tidy(tx, now() + LONGEST + identity.settings.token_lifetime) == 1
        assert await tx.fetchval("SELECT count(*) FROM refresh_token") == 0
