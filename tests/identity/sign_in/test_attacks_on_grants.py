"""Attacks on codes and tokens: used twice, by another app, too late, weakened, mixed up. Named for the attack."""

import secrets
from datetime import timedelta
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from services.identity.signing_key.service import ACCESS_TOKEN, SigningKeys
from shared.auth import issued_at
from shared.clock import now
from shared.events import AccessRevoked, SessionEnded, SignedOut
from tests.factories.browser import Browser
from tests.factories.identity import PASSWORD, SECRET, RunningIdentity

pytestmark = [pytest.mark.req("R4.5"), pytest.mark.req("R0.4")]


async def code_of(browser: Browser, name: str = "staff", **changes: str | None) -> str:
    return browser.answer_of(await browser.enter(name, PASSWORD, **changes))["code"]


async def tokens_of(browser: Browser, name: str = "staff") -> dict[str, Any]:
    answer = await browser.redeem(await code_of(browser, name))
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def ended(identity: RunningIdentity) -> list[str]:
    return [event.reason for _, event in await identity.outbox() if isinstance(event, SessionEnded)]


async def is_active(identity: RunningIdentity, token: str) -> bool:
    answer = await identity.http.post("/oauth/introspect", data={"token": token}, auth=("watch", SECRET))
    assert answer.status_code == 200, answer.text
    return bool(answer.json()["active"])


async def test_code_reuse_ends_what_the_code_gave(identity: RunningIdentity) -> None:
    async with identity.browser() as browser:
        code = await code_of(browser)
        tokens = (await browser.redeem(code)).json()
        assert await is_active(identity, tokens["access_token"])
        again = await browser.redeem(code)
        assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
        assert not await is_active(identity, tokens["access_token"])
        assert (await browser.renew(tokens["refresh_token"])).json()["error"] == "invalid_grant"
        assert browser.answer_of(await browser.ask(prompt="none"))["error"] == "login_required"
    assert await ended(identity) == ["replayed"]


async def test_a_code_that_expired_is_no_good(identity: RunningIdentity) -> None:
    async with identity.browser() as browser:
        code = await code_of(browser)
        async with identity.database.transaction() as tx:
            await tx.execute("UPDATE authorization_code SET expires_at = now()")
        assert (await browser.redeem(code)).json()["error"] == "invalid_grant"


@pytest.mark.parametrize(
    ("challenge", "method"),
    [(None, None), ("", "S256"), ("A" * 43, None), ("A" * 43, "plain"), ("A" * 42, "S256"), (None, "S256")],
)
async def test_pkce_downgrade(identity: RunningIdentity, challenge: str | None, method: str | None) -> None:
    """Neither missing nor plain: refused before anybody signs in, at the app's address."""
    async with identity.browser() as browser:
        sent_on = await browser.http.get(browser.request(code_challenge=challenge, code_challenge_method=method))
        answer = browser.answer_of(sent_on)
        assert (answer["error"], answer["state"]) == ("invalid_request", browser.state)
        assert answer["iss"] == identity.settings.issuer


async def test_a_stolen_code_without_its_verifier(identity: RunningIdentity) -> None:
    async with identity.browser() as browser:
        code = await code_of(browser)
        for verifier in (None, "", "short", secrets.token_urlsafe(48)):
            answer = await browser.redeem(code, code_verifier=verifier)
            assert answer.status_code == 400
            assert answer.json()["error"] in ("invalid_request", "invalid_grant")
        assert (await browser.redeem(code)).status_code == 200


async def test_a_code_that_goes_with_another_address(identity: RunningIdentity) -> None:
    async with identity.browser() as browser:
        code = await code_of(browser)
        for uri in (None, "http://127.0.0.1/", "https://evil.example/"):
            assert (await browser.redeem(code, redirect_uri=uri)).json()["error"] == "invalid_grant"


async def test_client_confusion(identity: RunningIdentity) -> None:
    """A code or refresh token of one app is none for another, nor for a system with a secret."""
    async with identity.browser() as browser:
        code = await code_of(browser)
        assert (await browser.redeem(code, client_id="site")).json()["error"] == "invalid_grant"
        assert (await browser.redeem(code, client_id="nobody")).json()["error"] == "invalid_client"
        own = {"client_id": "partner", "client_secret": SECRET}
        assert (await browser.redeem(code, **own)).json()["error"] == "unauthorized_client"
        assert (await browser.redeem(code, client_secret="made up")).json()["error"] == "invalid_client"
        tokens = (await browser.redeem(code)).json()
        assert (await browser.renew(tokens["refresh_token"], client_id="site")).json()["error"] == "invalid_grant"
        revoked = await browser.post("/oauth/revoke", {"token": tokens["refresh_token"], "client_id": "site"})
        assert revoked.json()["error"] == "invalid_grant"
        assert (await browser.renew(tokens["refresh_token"])).status_code == 200


async def test_mix_up(identity: RunningIdentity) -> None:
    """Every answer names its issuer, errors as well, so that an app sees when it comes from another one."""
    async with identity.browser() as browser:
        for changes in ({"prompt": "none"}, {"response_type": "token"}, {"scope": "profile"}, {"request": "x"}):
            answer = browser.answer_of(await browser.http.get(browser.request(**changes)))
            assert answer["iss"] == identity.settings.issuer
            assert answer["error"]
            assert answer["state"] == browser.state
        answer = browser.answer_of(await browser.enter("staff", PASSWORD))
        assert answer["iss"] == identity.settings.issuer


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": None}, "unsupported_response_type"),
        ({"response_type": "code id_token"}, "unsupported_response_type"),
        ({"scope": None}, "invalid_scope"),
        ({"scope": "profile"}, "invalid_scope"),
        ({"prompt": "none"}, "login_required"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"max_age": "soon"}, "invalid_request"),
        ({"max_age": "-1"}, "invalid_request"),
        ({"max_age": "9" * 5000}, "invalid_request"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"request": "eyJ"}, "request_not_supported"),
        ({"request_uri": "https://evil.example/"}, "request_uri_not_supported"),
    ],
)
async def test_what_is_not_offered_is_refused(identity: RunningIdentity, changes: dict[str, str], error: str) -> None:
    async with identity.browser() as browser:
        answer = browser.answer_of(await browser.http.get(browser.request(**changes)))
        assert answer["error"] == error
        assert "code" not in answer


async def test_a_parameter_that_stands_twice(identity: RunningIdentity) -> None:
    async with identity.browser() as browser:
        for more in ("&state=x", "&client_id=site", "&redirect_uri=https%3A%2F%2Fsite.example%2Fback", "&scope=openid"):
            answer = await browser.http.get(browser.request() + more)
            assert answer.status_code == 400
            assert "location" not in answer.headers


async def test_a_replayed_refresh_token_ends_the_family_and_the_sign_in(identity: RunningIdentity) -> None:
    async with identity.browser() as browser:
        first = await tokens_of(browser)
        second = (await browser.renew(first["refresh_token"])).json()
        third = (await browser.renew(second["refresh_token"])).json()
        assert len({each["refresh_token"] for each in (first, second, third)}) == 3
        stolen = await browser.renew(first["refresh_token"])
        assert (stolen.status_code, stolen.json()["error"]) == (400, "invalid_grant")
        assert (await browser.renew(third["refresh_token"])).json()["error"] == "invalid_grant"
        assert not await is_active(identity, third["access_token"])
        assert browser.answer_of(await browser.ask(prompt="none"))["error"] == "login_required"
    assert await ended(identity) == ["replayed"]


async def test_a_lost_answer_to_a_renewal_is_given_again_for_a_moment_only(identity: RunningIdentity) -> None:
    async with identity.browser() as browser:
        first = await tokens_of(browser)
        lost = (await browser.renew(first["refresh_token"])).json()
        again = (await browser.renew(first["refresh_token"])).json()
        assert again["refresh_token"] == lost["refresh_token"]
        assert again["access_token"] != lost["access_token"]
        async with identity.database.transaction() as tx:
            await tx.execute("UPDATE refresh_token SET used_at = used_at - interval '1 minute'")
        assert (await browser.renew(first["refresh_token"])).json()["error"] == "invalid_grant"
        assert (await browser.renew(lost["refresh_token"])).json()["error"] == "invalid_grant"
    assert await ended(identity) == ["replayed"]


async def test_a_made_up_token_is_none(identity: RunningIdentity) -> None:
    async with identity.browser() as browser:
        for text in ("x", "名", "a" * 9000, "a.b.c"):
            assert (await browser.renew(text)).json()["error"] == "invalid_grant"
            assert not await is_active(identity, text)
        assert (await browser.redeem("x")).json()["error"] == "invalid_grant"


async def test_introspection_by_a_stranger(identity: RunningIdentity) -> None:
    """Whoever cannot prove to be a system with a secret learns nothing; a partner's learns of its own tokens only."""
    async with identity.browser() as browser:
        tokens = await tokens_of(browser)
        for form in (
            {},
            {"client_id": "kehu-cli"},
            {"client_id": "site"},
            {"client_id": "partner", "client_secret": "wrong secret"},
            {"client_id": "nobody", "client_secret": SECRET},
        ):
            answer = await browser.post("/oauth/introspect", {"token": tokens["access_token"], **form})
            assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client"), form
            assert set(answer.json()) == {"error", "error_description"}
        own = {"client_id": "partner", "client_secret": SECRET}
        answer = await browser.post("/oauth/introspect", {"token": tokens["access_token"], **own})
        assert answer.json() == {"active": False}
        mine = (await identity.ask_token()).json()["access_token"]
        answer = await browser.post("/oauth/introspect", {"token": mine, **own})
        assert (answer.json()["active"], answer.json()["sub"]) == (True, "partner")


@pytest.mark.parametrize(("kind", "status"), [(ACCESS_TOKEN, 200), ("JWT", 401)])
async def test_an_id_token_for_the_audience_of_access_tokens(identity: RunningIdentity, kind: str, status: int) -> None:
    """Signed by the same key, with the same claims: nothing but its type tells it apart. No app may be called so."""
    async with identity.browser() as browser:
        claims = await identity.claims((await tokens_of(browser))["access_token"])
    parts, settings = identity.parts, identity.settings
    keys = SigningKeys(parts.outbox, settings.key_ring, lifetime=settings.token_lifetime, prepublish=timedelta(0))
    async with identity.database.transaction() as tx:
        token = (await keys.signer(tx, now())).sign(claims, kind=kind)
    assert (await identity.http.get("/v1/me", headers={"Authorization": f"Bearer {token}"})).status_code == status


async def test_logout_with_a_foreign_hint(identity: RunningIdentity) -> None:
    """Neither an ID token of somebody else's making nor one of another person ends a sign-in without a question."""
    async with identity.browser() as mine, identity.browser() as theirs:
        own, other = await tokens_of(mine), await tokens_of(theirs, "boss")
        forged = jwt.encode({"alg": "ES256"}, await identity.claims(own["id_token"]), ECKey.generate_key("P-256"))
        back = {"post_logout_redirect_uri": "https://site.example/out", "client_id": "kehu-cli"}
        for hint in (forged, "x.y.z", other["id_token"], own["access_token"], ""):
            page = await mine.http.get("/oauth/logout", params={"id_token_hint": hint, **back})
            assert page.status_code == 200
            assert 'action="/sign-out"' in page.text
        assert (await mine.http.get("/account")).status_code == 200
        assert (await theirs.http.get("/account")).status_code == 200
    assert await ended(identity) == []


async def test_a_revoked_token_is_over_and_so_is_its_sign_in(identity: RunningIdentity) -> None:
    async with identity.browser() as browser:
        tokens = await tokens_of(browser)
        gone = await browser.post("/oauth/revoke", {"token": tokens["refresh_token"], "client_id": "kehu-cli"})
        assert (gone.status_code, gone.json()) == (200, {})
        assert (await browser.renew(tokens["refresh_token"])).json()["error"] == "invalid_grant"
        assert not await is_active(identity, tokens["access_token"])
        unknown = await browser.post("/oauth/revoke", {"token": "never given", "client_id": "kehu-cli"})
        assert unknown.status_code == 200
    assert await ended(identity) == ["revoked"]


async def test_a_token_that_has_expired_ends_no_sign_in(identity: RunningIdentity) -> None:
    """Whoever finds an old one can do nothing with it."""
    async with identity.browser() as browser:
        tokens = await tokens_of(browser)
        claims = await identity.claims(tokens["access_token"])
        parts, settings = identity.parts, identity.settings
        keys = SigningKeys(parts.outbox, settings.key_ring, lifetime=timedelta(0), prepublish=timedelta(0))
        async with identity.database.transaction() as tx:
            signer = await keys.signer(tx, now())
        old = signer.sign({**claims, "iat": claims["iat"] - 9, "exp": claims["iat"] - 1}, kind=ACCESS_TOKEN)
        gone = await browser.post("/oauth/revoke", {"token": old, "client_id": "kehu-cli"})
        assert (gone.status_code, gone.json()) == (200, {})
        assert not await is_active(identity, old)
        assert await is_active(identity, tokens["access_token"])
        assert (await browser.http.get("/account")).status_code == 200
    assert await ended(identity) == []


async def test_a_revoked_token_of_a_system_is_over(identity: RunningIdentity) -> None:
    """However soon it came after the last revocation; and the one that comes right after is good."""
    tokens = []
    for _ in range(3):
        tokens.append((await identity.ask_token()).json()["access_token"])
        assert await is_active(identity, tokens[-1])
        gone = await identity.http.post("/oauth/revoke", data={"token": tokens[-1]}, auth=("partner", SECRET))
        assert gone.status_code == 200
        assert not await is_active(identity, tokens[-1])
    events = [event for _, event in await identity.outbox() if isinstance(event, AccessRevoked)]
    assert [(event.name, event.reason) for event in events] == [("partner", "revoked")] * 3
    given = [issued_at(await identity.claims(token)) for token in tokens]
    ended = [event.issued_until.timestamp() for event in events]
    assert given[0] < ended[0] < given[1] < ended[1] < given[2] < ended[2]


async def test_signing_out_where_an_app_asks_ends_everything_of_that_sign_in(identity: RunningIdentity) -> None:
    async with identity.browser(client_id="site", redirect_uri="https://site.example/back") as browser:
        tokens = await tokens_of(browser)
        leave = {"id_token_hint": tokens["id_token"], "state": "s 1"}
        unknown = await browser.http.get("/oauth/logout", params={**leave, "client_id": "kehu-cli"})
        assert unknown.status_code == 200
        sent = await browser.http.get(
            "/oauth/logout", params={**leave, "post_logout_redirect_uri": "https://site.example/out"}
        )
        assert sent.headers["location"] == "https://site.example/out?state=s+1"
        assert not await is_active(identity, tokens["access_token"])
        assert (await browser.renew(tokens["refresh_token"])).json()["error"] == "invalid_grant"
        assert browser.answer_of(await browser.ask(prompt="none"))["error"] == "login_required"
    assert await ended(identity) == ["signed_out"]
    assert [event.name for _, event in await identity.outbox() if isinstance(event, SignedOut)] == ["staff"]


async def test_an_app_of_this_machine_is_led_back_to_whatever_its_port_is_now(identity: RunningIdentity) -> None:
    async with identity.browser(client_id="site", redirect_uri="https://site.example/back") as browser:
        leave = {"id_token_hint": (await tokens_of(browser))["id_token"]}
        back = {"post_logout_redirect_uri": "http://127.0.0.1:31747/out"}
        sent = await browser.http.get("/oauth/logout", params=leave | back)
        assert sent.headers["location"] == "http://127.0.0.1:31747/out"


async def test_an_address_to_go_to_after_signing_out_must_be_the_app_s(identity: RunningIdentity) -> None:
    async with identity.browser(client_id="site", redirect_uri="https://site.example/back") as browser:
        tokens = await tokens_of(browser)
        leave = {"id_token_hint": tokens["id_token"], "post_logout_redirect_uri": "https://site.example/out/"}
        answer = await browser.http.get("/oauth/logout", params=leave)
        assert (answer.status_code, "location" in answer.headers) == (200, False)
        assert "signed out" in answer.text
    assert await ended(identity) == ["signed_out"]
