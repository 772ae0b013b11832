"""Staying signed in and signing out; the language. Signing in itself is in test_sign_in.py."""

from datetime import timedelta

import pytest

from services.console.cookies import SESSION_COOKIE
from shared.auth.terms import terms_of
from shared.clock import now
from shared.events import AccessRefused
from tests.factories.console import RunningConsole
from tests.factories.notify import outbox
from tests.fakes.way_in import WayIn

pytestmark = pytest.mark.req("R4.5")


@pytest.mark.req("R15.3")
async def test_signing_out_ends_the_session_here_and_at_the_issuer(alone: RunningConsole, way_in: WayIn) -> None:
    await alone.sign_in("auditor", "zh-CN")
    secret = alone.http.cookies[SESSION_COOKIE]
    answer = await alone.submit("/", "/sign-out")
    assert answer.status_code == 303
    assert answer.headers["location"].startswith(f"{alone.issuer.url}/logout?")
    assert SESSION_COOKIE not in alone.http.cookies
    back = await alone.http.get(answer.headers["location"])
    assert back.headers["location"] == f"{alone.url}/signed-out"
    [asked] = way_in.left
    assert asked.pop("id_token_hint").startswith("eyJ")
    assert asked == {
        "client_id": "console",
        "post_logout_redirect_uri": f"{alone.url}/signed-out",
        "ui_locales": "zh-CN",
    }
    assert "已退出" in await alone.page("/signed-out")
    alone.http.cookies.set(SESSION_COOKIE, secret, domain="127.0.0.1")
    assert (await alone.http.get("/")).status_code == 303


async def test_signing_out_works_while_the_issuer_is_away_and_says_what_it_could_not_do(alone: RunningConsole) -> None:
    await alone.sign_in("auditor")
    form = await alone.form("/")
    alone.issuer.down = True
    try:
        answer = await alone.http.post("/sign-out", data=form)
    finally:
        alone.issuer.down = False
    assert answer.headers["location"] == "/signed-out?only_here=true"
    assert "only the console signed you out" in await alone.page(answer.headers["location"])
    assert (await alone.http.get("/")).status_code == 303


async def test_another_site_cannot_sign_anybody_out(alone: RunningConsole) -> None:
    await alone.sign_in("auditor")
    assert (await alone.http.post("/sign-out", data={"form_key": "0" * 64})).status_code == 403
    await alone.page("/")


@pytest.mark.parametrize("charset", ["undefined", "utf-7", "utf-8"])
async def test_a_form_in_another_coding_is_foreign(alone: RunningConsole, charset: str) -> None:
    """Pages send their forms in one way only; what Python could decode besides is not looked at."""
    await alone.sign_in("auditor")
    key = (await alone.form("/"))["form_key"]
    for value in ("+2AA-", key):
        body = f'--b\r\nContent-Disposition: form-data; name="form_key"\r\n\r\n{value}\r\n--b--\r\n'
        headers = {"Content-Type": f"multipart/form-data; boundary=b; charset={charset}"}
        answer = await alone.http.post("/sign-out", content=body.encode(), headers=headers)
        assert answer.status_code in (400, 403)
    await alone.page("/")


@pytest.mark.req("R2.2")
async def test_what_the_console_refuses_somebody_is_a_fact_for_the_audit_log(alone: RunningConsole) -> None:
    await alone.sign_in("peer_service")
    assert "Not allowed" in await alone.page("/customers", 403)
    [(envelope, event)] = await outbox(alone.database)
    assert isinstance(event, AccessRefused)
    assert (event.action, event.code, event.method) == ("console.open", "not_allowed", "GET")
    assert (envelope.subject, envelope.actor) == ("access/peer_service", "staff/peer_service")


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
async def test_a_session_ends_by_either_declared_clock_and_is_dropped(
    alone: RunningConsole, seen: timedelta, ends: timedelta
) -> None:
    await alone.sign_in("auditor")
    async with alone.database.transaction() as tx:
        await tx.execute("UPDATE session SET seen_at = $1, ends_at = $2", now() - seen, now() + ends)
    assert (await alone.http.get("/")).status_code == 303
    drop = next(job for job in alone.parts.jobs if job.name == "drop-ended-sessions")
    assert await drop.once(alone.database) == 1


async def test_use_keeps_a_session_open(alone: RunningConsole) -> None:
    await alone.sign_in("auditor")
    idle = terms_of(alone.parts.regimes, now()).term("session_idle")
    async with alone.database.transaction() as tx:
        await tx.execute("UPDATE session SET seen_at = $1", now() - idle + timedelta(minutes=1))
    await alone.page("/")
    async with alone.database.reading() as tx:
        assert now() - await tx.fetchval("SELECT seen_at FROM session") < timedelta(minutes=1)


async def test_the_longest_time_is_the_declared_one(alone: RunningConsole) -> None:
    await alone.sign_in("auditor")
    longest = terms_of(alone.parts.regimes, now()).term("session_absolute")
    async with alone.database.reading() as tx:
        ends_at = await tx.fetchval("SELECT ends_at FROM session")
    assert timedelta(0) <= now() + longest - ends_at < timedelta(minutes=1)


async def test_the_language_is_the_browsers_until_one_is_chosen(alone: RunningConsole) -> None:
    alone.http.headers["Accept-Language"] = "zh-CN,zh;q=0.9,en;q=0.8"
    assert '<html lang="zh-CN">' in await alone.page("/signed-out")
    answer = await alone.http.get("/language/en?next=/signed-out")
    assert answer.headers["location"] == "/signed-out"
    assert '<html lang="en">' in await alone.page("/signed-out")
    assert (await alone.http.get("/language/en?next=//evil.example")).headers["location"] == "/"
    await alone.page("/language/fr", 404)
