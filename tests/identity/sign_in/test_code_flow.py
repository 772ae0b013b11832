"""The authorization code flow over HTTP, as an app and a browser see it."""

import pyotp
import pytest
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata

from shared.events import PasswordChanged, SignedIn
from tests.factories.browser import APP
from tests.factories.identity import PASSWORD, RunningIdentity


@pytest.mark.req("R4.5")
async def test_a_person_signs_in_and_the_app_gets_tokens_that_say_who_they_are(identity: RunningIdentity) -> None:
    async with identity.browser() as browser:
        sent_on = await browser.enter("staff", PASSWORD)
        answer = browser.answer_of(sent_on)
        assert answer["state"] == browser.state
        assert answer["iss"] == identity.settings.issuer
        tokens = (await browser.redeem(answer["code"])).json()
    assert {name: tokens[name] for name in ("token_type", "expires_in", "scope")} == {
        "token_type": "Bearer",
        "expires_in": 900,
        "scope": "openid profile",
    }
    claims = await identity.claims(tokens["access_token"])
    assert claims["exp"] - claims["iat"] == 900
    assert 0 <= claims["iat"] - claims["auth_time"] < 30
    assert claims["sid"]
    assert type(claims["iat"]) is int  # widespread verifiers refuse a fraction
    assert claims["iat"] == int(claims["issued_at"]) < claims["issued_at"]
    variable = {"iat": 0, "issued_at": 0, "exp": 0, "jti": "", "auth_time": 0, "sid": ""}
    assert claims | variable == variable | {
        "iss": identity.settings.issuer,
        "aud": "kehu",
        "sub": "staff",
        "roles": ["customer_manager"],
        "unit": "north",
        "client_id": APP,
        "azp": APP,
        "scope": "openid profile",
    }
    who = await identity.claims(tokens["id_token"])
    assert who["aud"] == APP
    assert (who["sub"], who["sid"], who["nonce"], who["amr"]) == ("staff", claims["sid"], "n-0S6_WzA2Mj", ["pwd"])


async def test_whoever_is_signed_in_goes_on_to_another_app_without_a_page(identity: RunningIdentity) -> None:
    async with identity.browser() as browser:
        first = await identity.claims((await browser.sign_in("staff", PASSWORD)).json()["access_token"])
        browser.client_id, browser.redirect_uri = "site", "https://site.example/back"
        answer = browser.answer_of(await browser.http.get(browser.request(prompt="none")))
        second = await identity.claims((await browser.redeem(answer["code"])).json()["access_token"])
    assert (second["sid"], second["auth_time"]) == (first["sid"], first["auth_time"])
    assert second["client_id"] == "site"


@pytest.mark.parametrize("asked", [{"prompt": "login"}, {"prompt": "select_account"}, {"max_age": "0"}])
async def test_an_app_may_want_a_fresh_sign_in(identity: RunningIdentity, asked: dict[str, str]) -> None:
    async with identity.browser() as browser:
        await browser.sign_in("staff", PASSWORD)
        page = await browser.ask(login_hint="staff", **asked)
        assert page.url.path == "/sign-in"
        assert 'value="staff"' in page.text
        sent_on = await browser.submit(page, name="staff", password=PASSWORD)
        tokens = (await browser.redeem(browser.answer_of(sent_on)["code"])).json()
        claims = await identity.claims(tokens["access_token"])
        assert claims["iat"] - claims["auth_time"] <= 1
        assert (await browser.ask(max_age="600")).is_redirect


async def test_an_app_learns_who_signed_in_as_far_as_it_asked(identity: RunningIdentity) -> None:
    for scope, known in (
        ("openid profile email", {"name": "示例员工", "preferred_username": "staff"}),
        ("openid", {"name": None, "preferred_username": None}),
    ):
        tokens = (await identity.sign_in("staff", scope=scope)).json()
        headers = {"Authorization": f"Bearer {tokens['access_token']}"}
        for method in ("GET", "POST"):
            answer = await identity.http.request(method, "/oauth/userinfo", headers=headers)
            assert answer.json() == {"sub": "staff", **known}
    partner = {"Authorization": f"Bearer {(await identity.ask_token()).json()['access_token']}"}
    refused = await identity.http.get("/oauth/userinfo", headers=partner)
    assert (refused.status_code, refused.json()["code"]) == (403, "insufficient_scope")
    assert (await identity.http.get("/oauth/userinfo")).status_code == 401


async def test_the_request_may_come_as_a_form(identity: RunningIdentity) -> None:
    async with identity.browser() as browser:
        query = browser.request().partition("?")[2]
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        sent_on = await browser.http.post("/oauth/authorize", content=query, headers=headers)
        page = await browser.follow(sent_on)
        assert browser.answer_of(await browser.submit(page, name="staff", password=PASSWORD))["code"]


@pytest.mark.req("R4.5")
async def test_the_second_factor_is_asked_for_and_told(identity: RunningIdentity) -> None:
    secret = await identity.enrol("staff")
    async with identity.browser() as browser:
        page = await browser.enter("staff", PASSWORD)
        assert page.url.path == "/sign-in/code"
        sent_on = await browser.submit(page, code=pyotp.TOTP(secret).now())
        tokens = (await browser.redeem(browser.answer_of(sent_on)["code"])).json()
        assert (await identity.claims(tokens["id_token"]))["amr"] == ["pwd", "otp", "mfa"]
    methods = [event.method for _, event in await identity.outbox() if isinstance(event, SignedIn)]
    assert methods == ["password", "password+totp"]


@pytest.mark.req("R4.5")
async def test_a_password_that_is_due_must_be_changed_before_anything_else(identity: RunningIdentity) -> None:
    async with identity.database.transaction() as tx:
        await tx.execute("UPDATE account SET set_at = set_at - interval '91 days' WHERE name = 'staff'")
    async with identity.browser() as browser:
        page = await browser.enter("staff", PASSWORD)
        assert page.url.path == "/sign-in/password"
        assert browser.answer_of(await browser.ask(prompt="none"))["error"] == "login_required"
        for new, again, said in (
            (PASSWORD, PASSWORD, "too few kinds"),
            ("Short-1", "Short-1", "too short"),
            ("A-staff-member-1", "A-staff-member-1", "contains your name"),
            ("Brand-new-pass-1", "Brand-new-pass-2", "not the same"),
        ):
            page = await browser.submit(page, new_password=new, again=again)
            assert page.status_code == 422
            assert said in page.text
            assert new not in page.text
        sent_on = await browser.submit(page, new_password="Brand-new-pass-1", again="Brand-new-pass-1")
        assert (await browser.redeem(browser.answer_of(sent_on)["code"])).status_code == 200
    assert (await identity.knock("staff")).status_code == 401
    assert (await identity.knock("staff", "Brand-new-pass-1")).url.path == "/account"
    changed = [event for _, event in await identity.outbox() if isinstance(event, PasswordChanged)]
    assert changed == [PasswordChanged(name="staff", occasion="rotation")]


async def test_discovery_is_whole_and_every_address_in_it_answers(identity: RunningIdentity) -> None:
    found = (await identity.http.get("/.well-known/openid-configuration")).json()
    AuthorizationServerMetadata(found).validate()
    for name, address in found.items():
        if name.endswith(("_endpoint", "_uri")):
            assert address.startswith(identity.settings.issuer)
            answer = await identity.http.get(address.removeprefix(identity.settings.issuer))
            assert answer.status_code != 404, name
    assert set(found["code_challenge_methods_supported"]) == {"S256"}
    assert found["response_types_supported"] == ["code"]
