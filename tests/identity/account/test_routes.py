"""Accounts as administrators see them over HTTP: invitations, locks, the end of sign-ins."""

from datetime import datetime, timedelta

import httpx
import pytest

from shared.clock import now
from shared.events import AccessRevoked, Event, Invited, LockChanged, PasswordChanged, SecondFactorChanged
from tests.factories.identity import PASSWORD, RunningIdentity

pytestmark = [pytest.mark.req("R4.5"), pytest.mark.req("R2.2")]
NEW = "Brand-new-pass-1"


async def post(identity: RunningIdentity, path: str, who: str = "boss", **headers: str) -> httpx.Response:
    bearer = await identity.bearer(who)
    return await identity.http.post(f"/v1/accounts/{path}", headers={**bearer, **headers})


async def release(identity: RunningIdentity) -> None:
    """Let `staff` hold no role that clears more than an administrator's."""
    async with identity.database.transaction() as tx:
        await tx.execute("DELETE FROM role_grant WHERE staff = 'staff'")


async def facts(identity: RunningIdentity, *kinds: type[Event]) -> list[Event]:
    return [event for _, event in await identity.outbox() if isinstance(event, kinds)]


async def test_an_invited_person_sets_a_password_once(identity: RunningIdentity) -> None:
    await release(identity)
    answer = await post(identity, "staff/invitation")
    assert answer.status_code == 201, answer.text
    body = answer.json()
    assert body["link"] == f"{identity.settings.issuer}/invitation/{body['code']}"
    assert datetime.fromisoformat(body["expires_at"]) - now() > timedelta(days=2, hours=23)
    async with identity.browser() as browser:
        page = await browser.http.get(f"/invitation/{body['code']}")
        assert "staff" in page.text
        page = await browser.submit(page, new_password="short", again="short")
        assert page.status_code == 422
        page = await browser.submit(page, new_password=PASSWORD, again=PASSWORD)
        assert page.status_code == 422
        done = await browser.submit(page, new_password=NEW, again=NEW)
        assert done.status_code == 200
        assert "The password is set" in done.text
        assert (await browser.http.get(f"/invitation/{body['code']}")).status_code == 404
        assert (await browser.submit(page, new_password=f"{NEW}2", again=f"{NEW}2")).status_code == 404
    assert (await identity.knock("staff", NEW)).url.path == "/account"
    assert (await identity.knock("staff")).status_code == 401
    invited, changed = await facts(identity, Invited, PasswordChanged)
    assert isinstance(invited, Invited)
    assert (invited.name, changed) == ("staff", PasswordChanged(name="staff", occasion="invitation"))


async def test_a_new_invitation_makes_the_former_void_and_time_makes_both(identity: RunningIdentity) -> None:
    await release(identity)
    codes = [(await post(identity, "staff/invitation")).json()["code"] for _ in range(2)]
    assert (await identity.http.get(f"/invitation/{codes[0]}")).status_code == 404
    assert (await identity.http.get(f"/invitation/{codes[1].upper()}")).status_code == 200
    async with identity.database.transaction() as tx:
        marks = await tx.fetch("SELECT * FROM invitation")
        await tx.execute("UPDATE invitation SET expires_at = now()")
    assert (await identity.http.get(f"/invitation/{codes[1]}")).status_code == 404
    assert codes[1] not in str(marks)


async def test_an_invitation_is_not_kept_for_its_idempotency_key(identity: RunningIdentity) -> None:
    await release(identity)
    bearer = {**await identity.bearer("boss"), "Idempotency-Key": "once"}
    first = await identity.http.post("/v1/accounts/staff/invitation", headers=bearer)
    assert first.status_code == 201
    async with identity.database.reading() as tx:
        assert first.json()["code"] not in str(await tx.fetch("SELECT body FROM idempotency"))


async def test_a_person_without_a_password_cannot_sign_in_before_setting_one(identity: RunningIdentity) -> None:
    async with identity.database.transaction() as tx:
        await tx.execute("DELETE FROM account WHERE name = 'staff'")
    assert (await identity.knock("staff")).status_code == 401
    code = (await post(identity, "staff/invitation")).json()["code"]
    shown = await identity.http.get("/v1/accounts/staff", headers=await identity.bearer("boss"))
    assert shown.json()["password_set_at"] is None
    assert (await identity.knock("staff")).status_code == 401
    async with identity.browser() as browser:
        page = await browser.http.get(f"/invitation/{code}")
        assert (await browser.submit(page, new_password=NEW, again=NEW)).status_code == 200
    assert (await identity.knock("staff", NEW)).url.path == "/account"


async def test_a_locked_account_is_shut_and_what_was_open_is_over(identity: RunningIdentity) -> None:
    async with identity.browser() as browser:
        tokens = (await browser.sign_in("staff", PASSWORD)).json()
        for _ in range(2):
            assert (await post(identity, "staff/lock")).status_code == 204
        assert (await browser.renew(tokens["refresh_token"])).json()["error"] == "invalid_grant"
        assert (await browser.follow(await browser.http.get("/account"))).url.path == "/sign-in"
    assert (await identity.knock("staff")).status_code == 401
    shown = await identity.http.get("/v1/accounts/staff", headers=await identity.bearer("boss"))
    assert shown.json() | {"password_set_at": ""} == {
        "name": "staff",
        "locked": True,
        "password_set_at": "",
        "password_due": False,
        "second_factor": False,
    }
    assert (await post(identity, "staff/unlock")).status_code == 204
    assert (await identity.knock("staff")).url.path == "/account"
    locks = await facts(identity, LockChanged)
    assert locks == [LockChanged(name="staff", locked=True), LockChanged(name="staff", locked=False)]
    assert [event.reason for event in await facts(identity, AccessRevoked)] == ["locked"]  # type: ignore[attr-defined]


async def test_an_administrator_ends_all_sign_ins_of_a_person(identity: RunningIdentity) -> None:
    async with identity.browser() as browser:
        tokens = (await browser.sign_in("staff", PASSWORD)).json()
        assert (await post(identity, "staff/sessions/end")).status_code == 204
        assert (await browser.renew(tokens["refresh_token"])).json()["error"] == "invalid_grant"
        assert (await browser.sign_in("staff", PASSWORD)).status_code == 200
    (event,) = await facts(identity, AccessRevoked)
    assert isinstance(event, AccessRevoked)
    assert (event.name, event.reason) == ("staff", "ended_by_administrator")


async def test_a_lost_second_factor_is_switched_off_by_somebody_else(identity: RunningIdentity) -> None:
    await release(identity)
    await identity.enrol("staff")
    assert (await post(identity, "staff/second-factor/off")).status_code == 204
    assert (await post(identity, "staff/second-factor/off")).status_code == 409
    assert (await identity.knock("staff")).url.path == "/account"
    changes = await facts(identity, SecondFactorChanged)
    assert changes == [
        SecondFactorChanged(name="staff", enabled=True),
        SecondFactorChanged(name="staff", enabled=False),
    ]


@pytest.mark.parametrize("deed", ["invitation", "second-factor/off", "lock", "unlock", "sessions/end"])
async def test_who_may_not_is_refused_and_who_is_not_there_is_not_found(identity: RunningIdentity, deed: str) -> None:
    assert (await identity.http.post(f"/v1/accounts/staff/{deed}")).status_code == 401
    assert (await post(identity, f"boss/{deed}", who="staff")).status_code == 403
    assert (await post(identity, f"nobody/{deed}")).status_code == 404


@pytest.mark.parametrize("deed", ["invitation", "second-factor/off", "lock", "unlock", "sessions/end"])
async def test_nobody_does_so_for_themself(identity: RunningIdentity, deed: str) -> None:
    refused = await post(identity, f"boss/{deed}")
    assert (refused.status_code, refused.json()["code"]) == (403, "own_account")


@pytest.mark.parametrize("deed", ["invitation", "second-factor/off", "lock", "unlock", "sessions/end"])
async def test_a_sign_in_of_long_ago_is_not_enough(identity: RunningIdentity, deed: str) -> None:
    async with identity.browser() as browser:
        await browser.sign_in("boss", PASSWORD)
        async with identity.database.transaction() as tx:
            await tx.execute("UPDATE sign_in_session SET authenticated_at = authenticated_at - interval '11 minutes'")
        code = browser.answer_of(await browser.ask(prompt="none"))["code"]
        bearer = {"Authorization": f"Bearer {(await browser.redeem(code)).json()['access_token']}"}
        refused = await identity.http.post(f"/v1/accounts/staff/{deed}", headers=bearer)
        assert (refused.status_code, refused.json()["code"]) == (401, "sign_in_too_old")
