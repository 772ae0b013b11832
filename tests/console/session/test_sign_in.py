"""The way in, at an issuer that is not identity: the code flow with PKCE, and everything that must not get through."""

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from services.console.cookies import SESSION_COOKIE
from shared.clock import now
from tests.factories import console
from tests.factories.console import RunningConsole
from tests.fakes.issuer import Issuer
from tests.fakes.way_in import Person, WayIn

pytestmark = [pytest.mark.req("R4.5"), pytest.mark.req("R15.3")]


@pytest.fixture
def at_the_issuer(way_in: WayIn) -> WayIn:
    way_in.person = Person("auditor1", ("auditor",))
    return way_in


async def begin(running: RunningConsole, path: str = "/sign-in", **query: str) -> str:
    """Where the issuer sends the browser back to."""
    running.http.headers["Accept-Language"] = "en"
    asked = await running.http.get(path, params=query or None)
    assert asked.status_code == 303, asked.text
    assert asked.headers["location"].startswith(f"{running.issuer.url}/authorize?")
    return str((await running.http.get(asked.headers["location"])).headers["location"])


async def signs_in(running: RunningConsole, **query: str) -> httpx.Response:
    return await running.http.get(await begin(running, **query))


async def refused(running: RunningConsole, answer: httpx.Response, title: str, status: int = 400) -> str:
    """The browser is told so, holds no session, and can begin again."""
    assert answer.status_code == status, answer.text
    assert f"<strong>{title}</strong>" in answer.text
    assert "You are not signed in" in answer.text
    assert SESSION_COOKIE not in running.http.cookies
    assert (await running.http.get("/")).status_code == 303
    async with running.database.reading() as tx:
        assert await tx.fetchval("SELECT count(*) FROM session") == 0
    return answer.text


def query_of(address: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(address).query))


async def test_a_person_signs_in_and_goes_where_they_wanted_to(alone: RunningConsole, at_the_issuer: WayIn) -> None:
    turned_away = await alone.http.get("/dead-letters?service=audit")
    assert (turned_away.status_code, turned_away.headers["location"]) == (
        303,
        "/sign-in?next=%2Fdead-letters%3Fservice%3Daudit",
    )
    back = await begin(alone, turned_away.headers["location"])
    answer = await alone.http.get(back)
    assert (answer.status_code, answer.headers["location"]) == (303, "/dead-letters?service=audit")
    cookies = [each for each in answer.headers.get_list("set-cookie") if each.startswith(SESSION_COOKIE)]
    assert len(cookies) == 1
    assert "HttpOnly" in cookies[0]
    assert "SameSite=lax" in cookies[0]
    assert "Signed in: auditor1" in await alone.page("/")
    assert list(alone.http.cookies) == [SESSION_COOKIE], "what belonged to the way in is gone"


async def test_the_issuer_is_asked_for_a_code_with_pkce_and_told_what_is_needed(
    alone: RunningConsole, at_the_issuer: WayIn
) -> None:
    await signs_in(alone)
    [asked] = at_the_issuer.asked
    assert min(len(asked.pop(name)) for name in ("state", "nonce", "code_challenge")) >= 43
    assert asked == {
        "response_type": "code",
        "client_id": "console",
        "redirect_uri": f"{alone.url}/sign-in/callback",
        "scope": "openid",
        "code_challenge_method": "S256",
        "max_age": "43200",
        "ui_locales": "en",
    }


async def test_two_windows_sign_in_side_by_side(alone: RunningConsole, at_the_issuer: WayIn) -> None:
    first, second = await begin(alone, next="/inbox"), await begin(alone, next="/entries")
    assert (await alone.http.get(first)).headers["location"] == "/inbox"
    assert (await alone.http.get(second)).headers["location"] == "/entries"


async def test_a_browser_keeps_few_unfinished_sign_ins(alone: RunningConsole, at_the_issuer: WayIn) -> None:
    for _ in range(9):
        await alone.http.get("/sign-in")
    assert len(alone.http.cookies) == 4


@pytest.mark.parametrize("on", ["//evil.example", "https://evil.example/", "/\\evil.example", "/%0d%0aX: y", "x"])
async def test_signing_in_leads_nowhere_else(alone: RunningConsole, at_the_issuer: WayIn, on: str) -> None:
    answer = await signs_in(alone, next=on.replace("%0d%0a", "\r\n"))
    assert answer.headers["location"] == "/"


async def test_cookies_keep_to_https_and_to_this_host_unless_told_otherwise(dsn: Any, issuer: Issuer) -> None:
    async with console.running(dsn("console"), issuer, secure_cookies=True) as running:
        [cookie] = (await running.http.get("/sign-in")).headers.get_list("set-cookie")
    assert cookie.startswith("__Host-kehu_flow_")
    for part in ("Secure", "HttpOnly", "SameSite=lax", "Path=/", "Max-Age=600"):
        assert part in cookie
    assert "Domain" not in cookie


async def test_an_answer_that_nobody_here_asked_for_is_refused(alone: RunningConsole, at_the_issuer: WayIn) -> None:
    """Login CSRF: somebody sends their own answer to another browser."""
    address = await begin(alone)
    alone.http.cookies.clear()
    await refused(alone, await alone.http.get(address), "This sign-in is out of date")


@pytest.mark.parametrize("state", [None, "", "another", "\udcff"])
async def test_an_answer_without_the_right_state_is_refused(
    alone: RunningConsole, at_the_issuer: WayIn, state: str | None
) -> None:
    given = query_of(await begin(alone))
    changed = {**given, "state": state} if state is not None else {k: v for k, v in given.items() if k != "state"}
    query = "&".join(
        f"{name}={value if value.isascii() else '%FF'}" for name, value in changed.items() if value is not None
    )
    await refused(alone, await alone.http.get(f"/sign-in/callback?{query}"), "This sign-in is out of date")


async def test_an_answer_is_good_once(alone: RunningConsole, at_the_issuer: WayIn) -> None:
    address = await begin(alone)
    assert (await alone.http.get(address)).status_code == 303
    again = await alone.http.get(address)
    assert again.status_code == 400
    assert "This sign-in is out of date" in again.text
    await alone.page("/")


async def test_a_cookie_is_of_no_use_with_the_state_of_another_sign_in(
    alone: RunningConsole, at_the_issuer: WayIn
) -> None:
    theirs = await begin(alone)
    theirs_cookie = next(iter(alone.http.cookies.values()))
    alone.http.cookies.clear()
    mine = await begin(alone)
    [name] = alone.http.cookies
    alone.http.cookies.clear()
    alone.http.cookies.set(name, theirs_cookie, domain="127.0.0.1")
    await refused(alone, await alone.http.get(mine), "This sign-in is out of date")
    assert query_of(theirs)["state"] != query_of(mine)["state"]


async def test_a_sign_in_that_takes_too_long_is_refused(
    alone: RunningConsole, at_the_issuer: WayIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = await begin(alone)
    moment = now()
    monkeypatch.setattr("services.console.session.routes.now", lambda: moment.replace(year=moment.year + 1))
    await refused(alone, await alone.http.get(address), "This sign-in is out of date")


async def test_a_refusal_by_the_issuer_is_said_and_not_repeated(alone: RunningConsole, at_the_issuer: WayIn) -> None:
    at_the_issuer.error = "access_denied"
    at_the_issuer.more = {"error_description": "<b>call 555-0100</b>"}
    page = await refused(alone, await signs_in(alone, next="/inbox"), "The sign-in service declined")
    assert "555-0100" not in page
    assert 'href="/sign-in?next=%2Finbox"' in page


async def test_an_issuer_that_has_trouble_is_waited_for(alone: RunningConsole, at_the_issuer: WayIn) -> None:
    at_the_issuer.error = "temporarily_unavailable"
    await refused(alone, await signs_in(alone), "Sign-in service unavailable", 503)


@pytest.mark.parametrize("iss", ["https://other.example", None])
async def test_an_answer_of_another_issuer_is_refused(
    alone: RunningConsole, at_the_issuer: WayIn, iss: str | None
) -> None:
    """Mix-up: the issuer says that it always names itself."""
    at_the_issuer.more = {"iss": iss}
    await refused(alone, await signs_in(alone), "The answer is from elsewhere")


@pytest.mark.parametrize(
    "twist",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"iss": "https://other.example"},
        {"aud": "another-app"},
        {"aud": ["console", "another-app"]},
        {"aud": ["console", "another-app"], "azp": "another-app"},
        {"azp": "another-app"},
        {"exp": 1},
        {"exp": None},
        {"iat": 4_000_000_000},
        {"sub": None},
        {"auth_time": None},
        {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"},
    ],
    ids=str,
)
async def test_an_id_token_that_does_not_fit_is_refused(
    alone: RunningConsole, at_the_issuer: WayIn, twist: dict[str, Any]
) -> None:
    at_the_issuer.twist = twist
    await refused(alone, await signs_in(alone), "It is not proven who you are")


async def test_an_id_token_for_several_is_taken_if_it_was_given_to_us(
    alone: RunningConsole, at_the_issuer: WayIn
) -> None:
    at_the_issuer.twist = {"aud": ["console", "another-app"], "azp": "console"}
    assert (await signs_in(alone)).status_code == 303


async def test_an_id_token_by_a_foreign_key_is_refused(alone: RunningConsole, at_the_issuer: WayIn) -> None:
    with Issuer() as other:
        at_the_issuer.sign = other.sign
        await refused(alone, await signs_in(alone), "It is not proven who you are")


async def test_a_code_of_another_browser_is_worth_nothing(alone: RunningConsole, at_the_issuer: WayIn) -> None:
    """The code was injected: the verifier does not fit it."""
    stolen = query_of(await begin(alone))["code"]
    given = query_of(await begin(alone))
    answer = await alone.http.get("/sign-in/callback", params={**given, "code": stolen})
    await refused(alone, answer, "The sign-in service declined")


async def test_an_access_token_that_services_refuse_opens_nothing(alone: RunningConsole, at_the_issuer: WayIn) -> None:
    at_the_issuer.person = Person("auditor1", ("auditor",), claims={"aud": "another-api"})
    answer = await signs_in(alone)
    await refused(alone, answer, "Token refused", 401)


async def test_a_person_without_the_right_to_the_console_is_told_so_and_may_be_somebody_else(
    alone: RunningConsole, at_the_issuer: WayIn
) -> None:
    at_the_issuer.person = Person("outsider", ("partner_reporter",))
    page = await refused(alone, await signs_in(alone), "Not allowed", 403)
    assert 'href="/sign-in?next=%2F&amp;fresh=true">Sign in as somebody else' in page
    await begin(alone, fresh="true")
    assert at_the_issuer.asked[-1]["prompt"] == "login"


async def test_an_issuer_that_overlooks_how_old_a_sign_in_may_be_is_not_believed(
    alone: RunningConsole, at_the_issuer: WayIn
) -> None:
    at_the_issuer.signed_in_ago_s, at_the_issuer.overlooks_age = 13 * 3600, True
    await refused(alone, await signs_in(alone), "It is not proven who you are")


async def test_the_longest_time_counts_from_the_proof_not_from_when_the_console_was_opened(
    alone: RunningConsole, at_the_issuer: WayIn
) -> None:
    at_the_issuer.signed_in_ago_s = 11 * 3600
    assert (await signs_in(alone)).status_code == 303
    async with alone.database.reading() as tx:
        left = await tx.fetchval("SELECT ends_at FROM session") - now()
    assert 3500 < left.total_seconds() <= 3600


async def test_a_console_with_a_secret_shows_it(dsn: Any, issuer: Issuer, at_the_issuer: WayIn) -> None:
    async with console.running(dsn("console"), issuer, client_secret="of the console") as running:
        assert (await signs_in(running)).status_code == 303


async def test_without_the_issuer_the_page_says_so(dsn: Any, issuer: Issuer) -> None:
    async with console.running(dsn("console"), issuer) as running:
        issuer.down = True
        try:
            page = await running.page("/sign-in", 503)
        finally:
            issuer.down = False
        assert "Sign-in service unavailable" in page
        assert 'href="/sign-in"' in page


async def test_a_document_of_another_issuer_is_not_believed(dsn: Any, issuer: Issuer) -> None:
    lookalike = issuer.url.replace("127.0.0.1", "localhost")
    async with console.running(dsn("console"), issuer, issuer=lookalike) as running:
        await running.page("/sign-in", 503)
