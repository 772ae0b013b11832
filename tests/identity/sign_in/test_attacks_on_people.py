"""Attacks on whoever signs in: guessing, planting, sending astray, replaying. Each test is named for its attack."""

import asyncio
import itertools
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pyotp
import pytest
from fastapi.routing import APIRoute

from services.identity.account.passwords import Passwords
from services.identity.sign_in.visits import Visits
from shared.events import SignInFailed
from shared.web.site import form_key
from tests.factories.browser import Browser
from tests.factories.identity import PASSWORD, SECRET, RunningIdentity, patient
from tests.factories.tables import content

pytestmark = [pytest.mark.req("R4.5"), pytest.mark.req("R0.4")]
COOKIE, NEW = "kehu_sign_in", "Brand-new-pass-1"
FILLED = {"name": "staff", "password": PASSWORD, "new_password": NEW, "again": NEW, "code": "000000"}
FROM_APPS = {"/oauth/authorize", "/oauth/logout"}
"""An app's own question may come as a form, too (OpenID Connect Core 3.1.2.1, RP-Initiated Logout 2)."""


async def failures(identity: RunningIdentity, *, tell_all: bool = True) -> list[tuple[str, int]]:
    """Reasons and attempts of what was told; `tell_all`: of what is told when the service stops, too."""
    if tell_all:
        for stop in identity.parts.on_stop:
            await stop()
    return [(event.reason, event.attempts) for _, event in await identity.outbox() if isinstance(event, SignInFailed)]


async def entered(identity: RunningIdentity, name: str) -> dict[str, Any]:
    """A partner's system with a secret that the service made, as the answer tells it."""
    title = {"zh": "示例系统", "en": "Example system"}
    body = {"name": name, "kind": "partner", "title": title, "unit": "south", "roles": ["partner_reporter"]}
    answer = await identity.http.post("/v1/clients", json=body, headers=await identity.bearer("guard"))
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_enumeration_by_text(identity: RunningIdentity) -> None:
    """Every name that cannot sign in reads the same: unknown, wrong, locked by an administrator, without a password."""
    async with identity.database.transaction() as tx:
        await tx.execute("INSERT INTO account (name, secret_hash) SELECT 'gone', secret_hash FROM account LIMIT 1")
        await tx.execute("INSERT INTO account (name) VALUES ('invited')")
        await tx.execute("UPDATE account SET locked_at = now() WHERE name = 'boss'")
    pages = set()
    for name, password in (
        ("staff", "wrong password"),
        ("nobody", PASSWORD),
        ("gone", PASSWORD),
        ("invited", PASSWORD),
        ("boss", PASSWORD),
        ("partner", "partner secret"),
        ("名字", PASSWORD),
    ):
        async with identity.browser() as browser:
            page = await browser.enter(name, password)
            assert page.status_code == 401
            key = form_key(browser.http.cookies[COOKIE])
            request = parse_qs(urlsplit(str(page.request.url)).query)
            assert request == {}
            text = page.text.replace(key, "KEY").replace(f'value="{name}"', 'value="NAME"')
            pages.add("".join(line for line in text.splitlines() if "request" not in line))
    assert len(pages) == 1
    assert 'role="alert"' in pages.pop()


async def test_enumeration_by_time(identity: RunningIdentity, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that does not exist costs the same work: one argon2 verification with the same parameters."""
    verified: list[str | None] = []
    fits = Passwords._fits

    def counting(self: Passwords, hashed: str | None, secret: str) -> bool:
        verified.append(hashed and hashed[: hashed.index("p=1")])
        return fits(self, hashed, secret)

    monkeypatch.setattr(Passwords, "_fits", counting)
    seconds: dict[str, list[float]] = {"staff": [], "nobody": []}
    for _ in range(3):
        for name, taken in seconds.items():
            answer = await identity.knock(name, "wrong password")
            taken.append(answer.elapsed.total_seconds())
    assert len(verified) == 6
    assert set(verified) == {"$argon2id$v=19$m=65536,t=3,", None}
    assert 1 / 4 < min(seconds["staff"]) / min(seconds["nobody"]) < 4


async def test_brute_force_of_one_name(identity_dsn: str, tmp_path: Path) -> None:
    async with patient(identity_dsn, tmp_path, free_failures_of_name=2, lock_first=60) as identity:
        async with identity.browser() as browser:
            page = await browser.ask()
            for status in (401, 401, 429):
                page = await browser.submit(page, name="staff", password="wrong password")
                assert page.status_code == status
            assert int(page.headers["retry-after"]) <= 60
            page = await browser.submit(page, name="staff", password=PASSWORD)
            assert page.status_code == 429
        assert await failures(identity) == [("wrong_secret", 1), ("wrong_secret", 1), ("locked", 1), ("locked", 1)]


@pytest.mark.req("R2.2")
async def test_the_log_cannot_be_flooded(identity_dsn: str, tmp_path: Path) -> None:
    """Attempts that are refused without any hashing are told together, and every one is counted."""
    async with patient(identity_dsn, tmp_path, free_failures_of_name=1, lock_first=600) as identity:
        secret = (await entered(identity, "shop"))["secret"]
        for _ in range(7):
            await identity.knock("staff", "wrong password")
            await identity.ask_token(client_id="nobody")
            await identity.ask_token(client_id="shop", client_secret=f"{secret}x")
        once = [("wrong_secret", 1), ("unknown_name", 1), ("wrong_secret", 1), ("locked", 1)]
        assert await failures(identity, tell_all=False) == once
        rest = [("locked", 5), ("unknown_name", 6), ("wrong_secret", 6)]
        assert sorted(await failures(identity)) == sorted([*once, *rest])


@pytest.mark.req("R2.2")
async def test_nobody_shuts_out_a_system_by_wrong_secrets(identity_dsn: str, tmp_path: Path) -> None:
    """A secret that we made is not guessed: neither its client nor its address waits for anything."""
    async with patient(
        identity_dsn, tmp_path, free_failures_of_name=1, free_failures_of_address=1, lock_first=600
    ) as identity:
        secret = (await entered(identity, "shop"))["secret"]
        for guess in ("wrong secret", f"{secret}x", SECRET):
            assert (await identity.ask_token(client_id="shop", client_secret=guess)).status_code == 401
            assert (await identity.ask_token(client_id="nobody", client_secret=guess)).status_code == 401
        assert (await identity.ask_token(client_secret="wrong secret")).status_code == 401
        assert (await identity.ask_token()).status_code == 429, "a chosen one is guarded as passwords are"
        assert (await identity.ask_token(client_id="shop", client_secret=secret)).status_code == 200
        async with identity.database.reading() as tx:
            assert await tx.fetchval("SELECT count(*) FROM sign_in_failure") == 2


async def test_enumeration_of_systems_by_time(identity: RunningIdentity, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that does not exist costs the same work as one whose secret we made, or that has none."""
    await entered(identity, "shop")
    verified: list[str] = []
    fits = Passwords._fits

    def counting(self: Passwords, hashed: str | None, secret: str) -> bool:
        verified.append(secret)
        return fits(self, hashed, secret)

    monkeypatch.setattr(Passwords, "_fits", counting)
    answers = [await identity.ask_token(client_id=name) for name in ("shop", "nobody", "kehu-cli")]
    assert {(answer.status_code, answer.text) for answer in answers} == {(401, answers[0].text)}
    assert verified == []


async def test_brute_force_of_many_names_from_one_address(identity_dsn: str, tmp_path: Path) -> None:
    async with patient(identity_dsn, tmp_path, free_failures_of_address=3, lock_first=600) as identity:
        async with identity.browser() as browser:
            page = await browser.ask()
            statuses = []
            for turn in range(4):
                page = await browser.submit(page, name=f"name-{turn}", password="wrong password")
                statuses.append(page.status_code)
        assert statuses == [401, 401, 401, 429]
        assert (await identity.ask_token()).status_code == 200, "a system does not pay for people behind its address"


async def test_brute_force_of_the_second_factor(identity_dsn: str, tmp_path: Path) -> None:
    async with patient(identity_dsn, tmp_path, free_failures_of_name=2, lock_first=600) as identity:
        secret = await identity.enrol("staff")
        async with identity.browser() as browser:
            page = await browser.enter("staff", PASSWORD)
            for status in (422, 422, 429):
                page = await browser.submit(page, code="000000")
                assert page.status_code == status
            page = await browser.submit(page, code=pyotp.TOTP(secret).now())
            assert page.status_code == 429


async def test_a_known_password_does_not_give_more_guesses_at_the_second_factor(
    identity_dsn: str, tmp_path: Path
) -> None:
    async with patient(identity_dsn, tmp_path, free_failures_of_name=3, lock_first=600) as identity:
        await identity.enrol("staff")
        async with identity.browser() as browser:
            page = await browser.enter("staff", PASSWORD)
            for _ in range(2):
                page = await browser.submit(page, code="000000")
                assert page.status_code == 422
            page = await browser.enter("staff", PASSWORD)
            assert (await browser.submit(page, code="000000")).status_code == 422
            assert (await browser.enter("staff", PASSWORD)).status_code == 429


async def test_replay_of_a_second_factor_within_its_window(identity: RunningIdentity) -> None:
    secret = await identity.enrol("staff")
    code = pyotp.TOTP(secret).now()
    async with identity.browser() as browser, identity.browser() as another:
        page, seen = await browser.enter("staff", PASSWORD), await another.enter("staff", PASSWORD)
        assert (await browser.submit(page, code=code)).is_redirect
        refused = await another.submit(seen, code=code)
        assert refused.status_code == 422
        assert "used before" in refused.text


async def test_the_second_factor_cannot_be_gone_round(identity: RunningIdentity) -> None:
    """Neither by the page of another step nor by the app's address."""
    await identity.enrol("staff")
    async with identity.browser() as browser:
        await browser.enter("staff", PASSWORD)
        for path in ("/account", "/account/password"):
            assert (await browser.follow(await browser.http.get(path))).url.path == "/sign-in"
        assert (await browser.ask()).url.path == "/sign-in"
        assert browser.answer_of(await browser.ask(prompt="none"))["error"] == "login_required"
        page = await browser.http.get("/sign-in/password")
        page = await browser.submit(page, new_password="Brand-new-pass-1", again="Brand-new-pass-1")
        assert page.url.path == "/sign-in"


async def test_session_fixation(identity: RunningIdentity) -> None:
    """A cookie that was there before is not the one of the session, and opens nothing afterwards."""
    async with identity.browser() as victim:
        page = await victim.ask()
        planted = victim.http.cookies[COOKIE]
        await victim.submit(page, name="staff", password=PASSWORD)
        assert victim.http.cookies[COOKIE] != planted
    async with identity.browser() as attacker:
        attacker.http.cookies.set(COOKIE, planted)
        assert (await attacker.follow(await attacker.http.get("/account"))).url.path == "/sign-in"
        assert attacker.answer_of(await attacker.ask(prompt="none"))["error"] == "login_required"


def form_routes(identity: RunningIdentity) -> list[APIRoute]:
    """All that a page's form may be sent to, whatever pages there are."""
    routes = [each for each in identity.parts.app().state.routes if "POST" in each.methods]
    assert {each.path for each in routes} > FROM_APPS
    return [each for each in routes if not each.include_in_schema and each.path not in FROM_APPS]


async def test_cross_site_request_forgery(identity: RunningIdentity) -> None:
    """A form without this browser's key is refused, and nothing happens."""
    routes = form_routes(identity)
    assert "/sign-in" in {each.path for each in routes}
    async with identity.browser() as browser:
        await browser.submit(await browser.ask(), name="staff", password=PASSWORD)
        async with identity.database.reading() as tx:
            given = {"session": await tx.fetchval("SELECT id FROM sign_in_session"), "code": "whatever"}
        foreign = form_key("the cookie of somebody else")
        keys: tuple[dict[str, str], ...] = ({}, {"form_key": ""}, {"form_key": foreign}, {"form_key": "名"})
        before = await content(identity.database)
        for route, key in itertools.product(routes, keys):
            answer = await browser.http.post(route.path_format.format_map(given), data={**FILLED, **key})
            assert answer.status_code == 403, (route.path, key)
            assert "The form is out of date" in answer.text
        assert await content(identity.database) == before


async def test_no_script_or_other_site_gets_at_the_cookie(identity: RunningIdentity) -> None:
    cookie = (await identity.http.get("/sign-in")).headers["set-cookie"]
    assert {"HttpOnly", "SameSite=lax", "Path=/"} <= {part.strip() for part in cookie.split(";")}


async def test_a_cookie_of_an_https_site_is_bound_to_it(identity_dsn: str, tmp_path: Path) -> None:
    async with patient(identity_dsn, tmp_path, lock_first=1) as identity:
        assert "Secure" not in (await identity.http.get("/sign-in")).headers["set-cookie"]
    assert Visits(secure=True).cookie == "__Host-kehu_sign_in"


async def test_open_redirect(identity: RunningIdentity) -> None:
    """Nowhere but to this site, or to an address that is the app's."""
    async with identity.browser() as browser:
        for next_page in ("https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "/\n/e"):
            answer = await browser.http.get("/language/zh", params={"next": next_page})
            assert answer.headers["location"] == "/account"
        page = await browser.http.get("/sign-in", params={"request": "https://evil.example/", "next": "//evil.example"})
        left = await browser.submit(page, name="staff", password=PASSWORD)
        assert left.url.path == "/account"
        sent = await browser.http.get("/oauth/logout", params={"post_logout_redirect_uri": "https://evil.example/"})
        assert sent.status_code == 200


@pytest.mark.parametrize(
    "uri",
    [
        None,
        "",
        "https://evil.example/",
        "https://site.example/back/../evil",
        "https://site.example/back?x",
        "https://site.example@evil.example/back",
        "http://127.0.0.1:1/other",
        'https://site.example/"back',
        "https://site.example/back\\",
    ],
)
async def test_redirect_uri_mismatch(identity: RunningIdentity, uri: str | None) -> None:
    """Until it is sure that the address is the app's, nobody is sent there, not even with an error."""
    async with identity.browser() as browser:
        for more in ({}, {"prompt": "none"}, {"response_type": "token"}, {"code_challenge": None}):
            answer = await browser.http.get(browser.request(redirect_uri=uri, **more))
            assert answer.status_code == 400
            assert "location" not in answer.headers
            assert answer.headers["content-type"].startswith("text/html")
            assert "evil" not in answer.text


async def test_an_unknown_app_is_not_answered(identity: RunningIdentity) -> None:
    async with identity.browser() as browser:
        for client in ("nobody", "partner", None, ""):
            answer = await browser.http.get(browser.request(client_id=client))
            assert answer.status_code == 400
            assert "location" not in answer.headers


async def test_clickjacking_and_scripts(identity: RunningIdentity) -> None:
    """No page may be framed or run a script; a form leads to this site, or on to the app that waits."""
    async with identity.browser() as browser:
        page = await browser.ask()
        policy = page.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "script" not in policy
        assert "frame-ancestors 'none'" in policy
        assert "form-action 'self' http://127.0.0.1:49152" in policy
        assert page.headers["x-frame-options"] == "DENY"
        assert page.headers["referrer-policy"] == "no-referrer"
        assert page.headers["cache-control"] == "no-store"
        assert "<script" not in page.text
        assert "style=" not in page.text


async def test_markup_in_what_is_given(identity: RunningIdentity) -> None:
    async with identity.browser() as browser:
        sign = '"><script>alert(1)</script>'
        page = await browser.ask(login_hint=sign)
        assert "<script" not in page.text
        page = await browser.submit(page, name=sign, password="x")
        assert page.status_code == 401
        assert "<script" not in page.text


async def test_two_browsers_do_not_share_a_request(identity: RunningIdentity) -> None:
    """What an app asked for is granted once."""
    async with identity.browser() as one, identity.browser() as two:
        page = await one.ask()
        copied = await two.http.get(str(page.url))
        assert (await one.submit(page, name="staff", password=PASSWORD)).is_redirect
        again = await two.submit(copied, name="staff", password=PASSWORD)
        assert (again.is_redirect, again.url.path) == (False, "/account")


async def test_parallel_guesses_on_the_page_count_one_by_one(identity_dsn: str, tmp_path: Path) -> None:
    async def guess(browser: Browser, page: httpx.Response) -> int:
        return (await browser.submit(page, name="staff", password="wrong password")).status_code

    service = patient(identity_dsn, tmp_path, free_failures_of_name=3, lock_first=600)
    async with service as identity, identity.browser() as browser:
        page = await browser.ask()
        statuses = await asyncio.gather(*(guess(browser, page) for _ in range(8)))
    assert sorted(statuses) == [401] * 3 + [429] * 5
