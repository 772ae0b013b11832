"""Signing in by the real identity service; staying signed in; signing out."""

from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from services.console.session.service import Sessions
from services.console.visits import SESSION_COOKIE
from shared.clock import now
from tests.factories import console, identity
from tests.factories.console import RunningConsole
from tests.fakes.issuer import Issuer


@pytest.fixture
async def signing(dsn: Callable[[str], str], tmp_path: Path, issuer: Issuer) -> AsyncIterator[RunningConsole]:
    """A console beside a real identity service, whose directory has `boss` and `staff`."""
    directory = identity.directory_file(tmp_path)
    async with identity.running(dsn("identity"), directory_file=directory) as people:
        address = str(people.http.base_url).rstrip("/")
        async with console.running(dsn("console"), issuer, issuer=address, identity_url=address) as running:
            running.http.headers["Accept-Language"] = "en"
            yield running


async def sign_in(console: RunningConsole, name: str, password: str = identity.PASSWORD, **more: str) -> httpx.Response:
    return await console.submit("/sign-in", "/sign-in", name=name, password=password, **more)


async def test_a_person_signs_in_and_goes_where_they_wanted_to(signing: RunningConsole) -> None:
    turned_away = await signing.http.get("/dead-letters?service=audit")
    assert (turned_away.status_code, turned_away.headers["location"]) == (
        303,
        "/sign-in?next=%2Fdead-letters%3Fservice%3Daudit",
    )
    before = signing.http.cookies.get(SESSION_COOKIE)
    answer = await sign_in(signing, "boss", next="/dead-letters?service=audit")
    assert (answer.status_code, answer.headers["location"]) == (303, "/dead-letters?service=audit")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert signing.http.cookies[SESSION_COOKIE] != before, "a cookie from before does not become a session"
    assert "Signed in: boss" in await signing.page("/")


async def test_cookies_keep_to_https_unless_told_otherwise(dsn: Callable[[str], str], issuer: Issuer) -> None:
    async with console.running(dsn("console"), issuer, secure_cookies=True) as running:
        assert "Secure" in (await running.http.get("/sign-in")).headers["set-cookie"]


async def test_a_wrong_password_is_refused_in_words_of_both_languages(signing: RunningConsole) -> None:
    answer = await sign_in(signing, "boss", "wrong password")
    assert answer.status_code == 401
    assert "Sign-in refused" in answer.text
    assert 'value="boss"' in answer.text
    assert "wrong password" not in answer.text
    signing.http.headers["Accept-Language"] = "zh-CN"
    assert "登录失败" in (await sign_in(signing, "boss", "wrong password")).text


async def test_a_person_without_the_right_to_the_console_is_told_so(
    dsn: Callable[[str], str], tmp_path: Path, issuer: Issuer
) -> None:
    person = {**identity.DIRECTORY["people"][0], "name": "outsider", "roles": ["partner_reporter"]}
    directory = identity.directory_file(tmp_path, {**identity.DIRECTORY, "people": [person]})
    async with identity.running(dsn("identity"), directory_file=directory) as people:
        address = str(people.http.base_url).rstrip("/")
        async with console.running(dsn("console"), issuer, issuer=address, identity_url=address) as running:
            answer = await sign_in(running, "outsider")
            assert answer.status_code == 403
            assert (await running.http.get("/")).status_code == 303


async def test_signing_in_while_identity_is_away_says_so(alone: RunningConsole) -> None:
    alone.http.headers["Accept-Language"] = "en"
    answer = await sign_in(alone, "boss")
    assert answer.status_code == 503
    assert "The identity service does not answer" in answer.text


async def test_a_form_of_another_site_is_refused(signing: RunningConsole) -> None:
    await signing.page("/sign-in")
    for forged in ({}, {"form_key": "0" * 64}):
        answer = await signing.http.post("/sign-in", data={"name": "boss", "password": identity.PASSWORD, **forged})
        assert answer.status_code == 403
        assert "The form is out of date" in answer.text
    assert (await signing.http.get("/")).status_code == 303


async def test_signing_out_ends_the_session_for_good(alone: RunningConsole) -> None:
    await alone.sign_in("auditor")
    secret = alone.http.cookies[SESSION_COOKIE]
    answer = await alone.submit("/", "/sign-out")
    assert answer.headers["location"] == "/sign-in"
    alone.http.cookies.set(SESSION_COOKIE, secret, domain="127.0.0.1")
    assert (await alone.http.get("/")).status_code == 303


async def test_the_database_holds_neither_cookie_nor_token(alone: RunningConsole) -> None:
    await alone.sign_in("auditor")
    secret = alone.http.cookies[SESSION_COOKIE]
    async with alone.database.reading() as tx:
        [row] = await tx.fetch("SELECT * FROM session")
    stored = b" ".join(value if isinstance(value, bytes) else str(value).encode() for value in row.values())
    assert secret.encode() not in stored
    assert b"eyJ" not in stored


@pytest.mark.parametrize(
    ("seen", "ends"), [(timedelta(minutes=31), timedelta(hours=1)), (timedelta(0), -timedelta(seconds=1))]
)
async def test_a_session_ends_by_either_clock_and_is_dropped(
    alone: RunningConsole, seen: timedelta, ends: timedelta
) -> None:
    await alone.sign_in("auditor")
    async with alone.database.transaction() as tx:
        await tx.execute("UPDATE session SET seen_at = $1, ends_at = $2", now() - seen, now() + ends)
    assert (await alone.http.get("/")).status_code == 303
    [job] = alone.parts.jobs
    assert await job.once(alone.database) == 1


async def test_use_keeps_a_session_open(alone: RunningConsole) -> None:
    await alone.sign_in("auditor")
    async with alone.database.transaction() as tx:
        await tx.execute("UPDATE session SET seen_at = $1", now() - timedelta(minutes=29))
    await alone.page("/")
    async with alone.database.reading() as tx:
        assert now() - await tx.fetchval("SELECT seen_at FROM session") < timedelta(minutes=1)


async def test_a_session_never_outlives_its_token(alone: RunningConsole) -> None:
    sessions = Sessions(alone.settings.key_ring, idle=timedelta(hours=1), longest=timedelta(hours=8))
    expires_at = now() + timedelta(minutes=15)
    async with alone.database.transaction() as tx:
        secret = await sessions.open(tx, "token", expires_at, now())
        assert await sessions.find(tx, secret, expires_at + timedelta(seconds=1)) is None


async def test_the_language_is_the_browsers_until_one_is_chosen(alone: RunningConsole) -> None:
    alone.http.headers["Accept-Language"] = "zh-CN,zh;q=0.9,en;q=0.8"
    assert '<html lang="zh-CN">' in await alone.page("/sign-in")
    answer = await alone.http.get("/language/en?next=/sign-in")
    assert answer.headers["location"] == "/sign-in"
    assert '<html lang="en">' in await alone.page("/sign-in")
    assert (await alone.http.get("/language/en?next=//evil.example")).headers["location"] == "/"
    await alone.page("/language/fr", 404)
