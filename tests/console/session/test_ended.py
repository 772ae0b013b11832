"""Sign-ins that ended, or are too old for something: pages lead to the issuer and back; nothing is lost unsaid."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from services.console.cookies import SESSION_COOKIE
from shared.auth import EFFECTS
from shared.clock import now
from shared.events import Event, Held, SessionEnded, StaffJoined, Standing
from tests.factories import console
from tests.factories.console import RunningConsole
from tests.factories.serving import serve
from tests.factories.waiting import until
from tests.fakes.issuer import Issuer
from tests.fakes.way_in import Person, WayIn

pytestmark = [pytest.mark.req("R4.5"), pytest.mark.req("R2.2")]
LETTER = UUID(int=7)
TOO_OLD = {"code": "sign_in_too_old", "title": "Sign in again", "status": 401, "max_age": 600}
ENDED = {"code": "access_ended", "title": "Sign-in ended", "status": 401}


@dataclass
class Strict:
    """A service that answers everything with one problem, if it has one."""

    problem: dict[str, Any] | None = None
    asked: list[Request] = field(default_factory=list)

    async def answer(self, request: Request) -> Response:
        self.asked.append(request)
        if self.problem is None:
            return JSONResponse({"items": [], "next_cursor": None})
        return JSONResponse(self.problem, self.problem["status"], media_type="application/problem+json")

    def app(self) -> Starlette:
        return Starlette(routes=[Route("/{path:path}", self.answer, methods=["GET", "POST"])])


@pytest.fixture
async def strict(
    dsn: Callable[[str], str], issuer: Issuer, way_in: WayIn
) -> AsyncIterator[tuple[RunningConsole, Strict]]:
    """A console beside a notify service of that kind."""
    service = Strict()
    async with (
        serve(service.app()) as url,
        console.running(
            dsn("console"), issuer, notify_url=url, service_client="console-service", service_secret="s"
        ) as running,
    ):
        yield running, service


Case = tuple[RunningConsole, Strict]


@pytest.mark.parametrize("problem", [ENDED, {**ENDED, "code": "bad_token"}])
async def test_a_service_that_knows_of_the_end_first_leads_to_signing_in_and_back(
    strict: Case, problem: dict[str, Any]
) -> None:
    running, service = strict
    await running.sign_in("auditor")
    service.problem = problem
    answer = await running.http.get("/inbox?unread=true")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?next=%2Finbox%3Funread%3Dtrue")


async def hear(running: RunningConsole, event: Event) -> None:
    """As the roster's consumer does."""
    envelope = running.parts.outbox.envelope(event, feature="test", subject="account/auditor", actor="staff/auditor")
    async with running.database.transaction() as tx:
        await EFFECTS[type(event)](tx, envelope, event)


@pytest.mark.timed
async def test_a_sign_in_that_was_ended_elsewhere_ends_the_session_within_seconds(
    dsn: Callable[[str], str], issuer: Issuer
) -> None:
    held = (Held(role="auditor", unit="unit-1", from_on=date(2020, 1, 1)),)
    standing = Standing(name="auditor", unit="unit-1", state="active", held=held, first_day=date(2020, 1, 1), version=1)
    ended = SessionEnded(name="auditor", session="session-1", reason="signed_out", until=now() + timedelta(hours=1))
    async with console.running(dsn("console"), issuer, authority="directory") as running:

        async def is_known() -> bool:
            return "auditor" in running.parts.authenticator.roster.people

        async def is_over() -> bool:
            return (await running.http.get("/")).status_code == 303

        await hear(running, StaffJoined(standing=standing))
        await until(is_known, within_s=5)
        await running.sign_in("auditor", sid="session-1")
        await running.page("/")
        await hear(running, ended)
        await until(is_over, within_s=5)
        async with running.database.reading() as tx:
            assert await tx.fetchval("SELECT count(*) FROM session") == 0


async def test_a_form_that_was_sent_too_late_is_not_lost_without_a_word(strict: Case) -> None:
    running, service = strict
    await running.sign_in("auditor")
    form = await running.form("/inbox")
    service.problem = ENDED
    sent = {**form, "back": "/inbox", "note": "<i>typed</i>", "empty": ""}
    answer = await running.http.post(
        f"/inbox/{LETTER}/read", data=sent, headers={"Referer": f"{running.url}/inbox?a=b"}
    )
    assert answer.status_code == 401
    assert "neither sent on nor saved" in answer.text
    assert "<li>&lt;i&gt;typed&lt;/i&gt;</li>" in answer.text
    assert answer.text.count("<li>") == 1, "nobody typed the rest"
    assert 'href="/sign-in?next=%2Finbox%3Fa%3Db"' in answer.text


@pytest.mark.parametrize("referer", ["https://evil.example//evil.example/x", "", "http://[", "/\\evil.example"])
async def test_a_form_from_an_unlikely_place_leads_back_to_the_start(strict: Case, referer: str) -> None:
    running, service = strict
    await running.sign_in("auditor")
    form = await running.form("/inbox")
    service.problem = ENDED
    answer = await running.http.post(f"/inbox/{LETTER}/read", data=form, headers={"Referer": referer})
    assert answer.status_code == 401
    assert 'href="/sign-in"' in answer.text


async def test_what_needs_a_sign_in_of_late_leads_to_a_fresh_one_and_back(strict: Case, way_in: WayIn) -> None:
    running, service = strict
    await running.sign_in("auditor", ago_s=3600)
    service.problem = TOO_OLD
    answer = await running.http.get("/inbox?unread=true")
    assert answer.headers["location"] == "/sign-in?next=%2Finbox%3Funread%3Dtrue&fresh=true"
    asked = await running.http.get(answer.headers["location"])
    way_in.person, way_in.signed_in_ago_s = Person("auditor", ("auditor",)), 3600
    back = await running.http.get(asked.headers["location"])
    assert (way_in.asked[-1]["prompt"], way_in.asked[-1]["login_hint"]) == ("login", "auditor")
    before = running.http.cookies[SESSION_COOKIE]
    onward = await running.http.get(back.headers["location"])
    assert onward.headers["location"] == "/inbox?unread=true"
    assert running.http.cookies[SESSION_COOKIE] != before
    async with running.database.reading() as tx:
        assert await tx.fetchval("SELECT count(*) FROM session") == 1, "the former one is over"
    service.problem = None
    await running.page("/inbox?unread=true")


async def test_an_issuer_that_does_not_ask_anew_is_not_believed(strict: Case, way_in: WayIn) -> None:
    running, _ = strict
    await running.sign_in("auditor", ago_s=3600)
    way_in.person, way_in.signed_in_ago_s, way_in.overlooks_age = Person("auditor", ("auditor",)), 3600, True
    asked = await running.http.get("/sign-in?next=/inbox&fresh=true")
    back = await running.http.get(asked.headers["location"])
    answer = await running.http.get(back.headers["location"])
    assert answer.status_code == 400
    assert "It is not proven who you are" in answer.text


async def test_a_form_that_needs_a_sign_in_of_late_is_not_sent_again_by_itself(strict: Case) -> None:
    running, service = strict
    await running.sign_in("auditor", "zh-CN", ago_s=3600)
    form = await running.form("/inbox")
    service.problem = TOO_OLD
    answer = await running.http.post(
        f"/inbox/{LETTER}/read", data={**form, "note": "所写内容"}, headers={"Referer": f"{running.url}/inbox"}
    )
    assert answer.status_code == 401
    assert "没有发送，也没有保存" in answer.text
    assert "所写内容" in answer.text
    assert 'href="/sign-in?next=%2Finbox&amp;fresh=true"' in answer.text
    assert [each.method for each in service.asked].count("POST") == 1


@pytest.mark.parametrize("ago_s", [0, None])
async def test_a_service_that_is_never_content_does_not_send_people_round_in_circles(
    strict: Case, ago_s: int | None
) -> None:
    running, service = strict
    more: dict[str, Any] = {"ago_s": ago_s} if ago_s is not None else {"auth_time": None}
    await running.sign_in("auditor", **more)
    service.problem = TOO_OLD
    assert "Sign in again" in await running.page("/inbox", 401)


async def test_services_are_told_who_asks_and_for_whom(strict: Case) -> None:
    running, service = strict
    await running.sign_in("auditor")
    await running.page("/inbox")
    headers = service.asked[-1].headers
    person = await running.parts.authenticator.principal(headers["authorization"])
    itself = await running.parts.authenticator.principal(headers["service-authorization"])
    assert (person.actor, itself.actor) == ("staff/auditor", "client/console-service")


async def test_pages_stand_while_the_console_cannot_prove_itself(strict: Case) -> None:
    running, service = strict
    await running.sign_in("auditor")
    await running.parts.authenticator.principal(f"Bearer {running.issuer.token('auditor')}")  # so its keys are known
    running.issuer.down = True
    try:
        await running.page("/inbox")
    finally:
        running.issuer.down = False
    assert "service-authorization" not in service.asked[-1].headers


async def test_without_a_client_of_its_own_the_console_asks_for_people_alone(
    dsn: Callable[[str], str], issuer: Issuer, way_in: WayIn
) -> None:
    service = Strict()
    async with serve(service.app()) as url, console.running(dsn("console"), issuer, notify_url=url) as running:
        await running.sign_in("auditor")
        await running.page("/inbox")
    assert "service-authorization" not in service.asked[-1].headers
