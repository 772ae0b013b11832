"""Programs are counted and told what is left; keys that are used or refused are told to audit (R0.4, R4.5)."""

import asyncio
import time
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from fastapi.middleware.cors import CORSMiddleware

from shared.auth import Principal, Roster
from shared.auth.keys import BadKey, Key
from shared.bus import unpack_headers
from shared.errors import TooManyRequests
from shared.events import KeyRevoked
from shared.web import key_use
from shared.web.app import _SHOWN_HEADERS
from shared.web.key_use import KeyUse
from shared.web.rate import WINDOW_S, Rates, headers_of
from tests.factories.keys import bearer, client, issued, new_key, tell
from tests.shared.web.conftest import Site

ACCESS = Path(__file__).parents[3] / "regimes" / "company" / "clock" / "access.yaml"
pytestmark = pytest.mark.req("R0.4")


@pytest.fixture
def regimes(regimes: Path) -> Path:
    """With the declared figures of access."""
    folder = regimes / "company" / "clock"
    folder.mkdir()
    (folder / "access.yaml").write_text(ACCESS.read_text("utf-8").replace("owner: security_officer", "owner: tester"))
    return regimes


@pytest.fixture
def roster(site: Site) -> Roster:
    found: Roster = site.app.state.authenticator.roster
    tell(found, client(roles=("tester",)))
    return found


async def told(site: Site) -> list[tuple[str, dict[str, Any]]]:
    """Types and contents of the events in the outbox; the actor beside them."""
    async with site.database.reading() as tx:
        rows = await tx.fetch("SELECT headers, value FROM outbox ORDER BY id")
    heads = [dict(unpack_headers(row["headers"])) for row in rows]
    return [
        (head["ce_type"].decode(), {"actor": head["ce_actor"].decode(), **orjson.loads(row["value"])})
        for head, row in zip(heads, rows, strict=True)
    ]


def left(answer: httpx.Response) -> tuple[str, int, int]:
    """What an answer tells: the policy, requests left, seconds to go."""
    _, remaining, seconds = answer.headers["RateLimit"].split(";")
    return answer.headers["RateLimit-Policy"], int(remaining.removeprefix("r=")), int(seconds.removeprefix("t="))


async def test_a_key_is_told_what_is_left_and_then_to_wait(site: Site, roster: Roster) -> None:
    tell(roster, issued(key := new_key(), rate=3))
    for remaining in (2, 1, 0):
        answer = await site.client.get("/v1/things", headers=bearer(key))
        assert answer.status_code == 200
        policy, found, seconds = left(answer)
        assert (policy, found) == ('"default";q=3;w=60', remaining)
        assert 0 < seconds <= WINDOW_S
    refused = await site.client.get("/v1/things", headers=bearer(key) | {"Accept-Language": "zh"})
    assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["violated-policies"] == ["default"]
    assert refused.json()["title"] == "请求过于频繁"
    policy, found, seconds = left(refused)
    assert (policy, found) == ('"default";q=3;w=60', 0)
    assert int(refused.headers["Retry-After"]) >= seconds


async def test_refusals_count_and_are_told_too(site: Site, roster: Roster) -> None:
    tell(roster, issued(key := new_key(), rate=2))
    assert left(await site.client.get("/v1/things/x", headers=bearer(key)))[1] == 1
    assert (await site.client.delete("/v1/things", headers=bearer(key))).status_code == 403
    assert (await site.client.get("/v1/things", headers=bearer(key))).status_code == 429


async def test_a_request_with_an_idempotency_key_counts_once(site: Site, roster: Roster) -> None:
    tell(roster, issued(key := new_key(), rate=5))
    headers = bearer(key) | {"Idempotency-Key": "one"}
    for remaining in (4, 3):
        answer = await site.client.post("/v1/things", json={"name": "a", "amount": 1}, headers=headers)
        assert (answer.status_code, left(answer)[1]) == (201, remaining)
    assert await site.rows() == 1


async def test_each_key_is_counted_for_itself_and_tokens_of_the_client_beside(site: Site, roster: Roster) -> None:
    tell(roster, issued(one := new_key(), rate=1), issued(two := new_key(), rate=1))
    for key in (one, two):
        assert (await site.client.get("/v1/things", headers=bearer(key))).status_code == 200
        assert (await site.client.get("/v1/things", headers=bearer(key))).status_code == 429
    token = site.issuer.bearer("partner1", ["tester"], client_id="partner1")
    answer = await site.client.get("/v1/things", headers=token)
    authority = site.app.state.authenticator.authority
    assert left(answer)[1] == authority.requests_a_minute() - 1


async def test_people_and_services_of_the_suite_are_not_counted(site: Site, roster: Roster) -> None:
    tell(roster, client("audit", kind="service", roles=("tester",)))
    service = site.issuer.bearer("audit", ["tester"], client_id="audit")
    for headers in (site.bearer(), service):
        answer = await site.client.get("/v1/things", headers=headers)
        assert answer.status_code == 200
        assert not {"ratelimit", "ratelimit-policy"} & {name.lower() for name in answer.headers}


async def test_pages_of_declared_origins_may_read_what_is_left(site: Site, roster: Roster) -> None:
    tell(roster, issued(key := new_key()))
    answer = await site.client.get("/v1/things", headers=bearer(key) | {"Origin": "https://app.example"})
    shown = {each.strip() for each in answer.headers["Access-Control-Expose-Headers"].split(",")}
    assert {"RateLimit", "RateLimit-Policy", "Retry-After"} <= shown == set(_SHOWN_HEADERS)
    assert any(each.cls is CORSMiddleware for each in site.app.user_middleware)


def test_a_window_opens_with_the_first_request_and_closes_by_itself() -> None:
    moment = 1000.0
    rates = Rates(lambda: moment)
    scope: dict[str, Any] = {}
    rates.take(scope, "key", 1)
    moment += WINDOW_S - 0.5
    with pytest.raises(TooManyRequests) as refusal:
        rates.take(scope, "key", 1)
    assert refusal.value.headers["Retry-After"] == "1"
    moment += 0.5
    rates.take(scope, "key", 1)
    assert headers_of(scope)[1] == (b"ratelimit", b'"default";r=0;t=60')


def test_a_lowered_quota_counts_at_once() -> None:
    rates = Rates(lambda: 0.0)
    rates.take({}, "key", 100)
    rates.take({}, "key", 2)
    rates.take({}, "key", 2)
    with pytest.raises(TooManyRequests):
        rates.take({}, "key", 2)


@pytest.mark.timed
def test_counting_takes_microseconds() -> None:
    rates, scope, rounds = Rates(), {}, 20_000
    started = time.perf_counter()
    for _ in range(rounds):
        rates.take(scope, "key", 1_000_000)
    assert (time.perf_counter() - started) / rounds < 20e-6


@pytest.mark.req("R4.5")
async def test_a_use_is_told_once_an_hour(site: Site, roster: Roster, monkeypatch: pytest.MonkeyPatch) -> None:
    tell(roster, event := issued(key := new_key()))
    await asyncio.gather(*(site.client.get("/v1/things", headers=bearer(key)) for _ in range(5)))
    used = ("partner.key_used", {"actor": "client/partner1", "key_id": event.key_id, "client": "partner1"})
    assert await told(site) == [used]
    monkeypatch.setattr(key_use, "USE_TOLD_EVERY_S", 0)
    await site.client.get("/v1/things", headers=bearer(key))
    assert await told(site) == [used, used]


@pytest.mark.req("R4.5")
async def test_a_refused_key_is_told_with_its_reason_and_the_answer_tells_none(site: Site, roster: Roster) -> None:
    key, expired, elsewhere = new_key(), new_key(), new_key()
    known = issued(key)
    ended = issued(expired, expires_at="2026-01-01T00:00:00Z")
    bound = issued(elsewhere, addresses=("198.51.100.0/24",))
    tell(roster, known, ended, bound)
    spoofed = {"X-Forwarded-For": "198.51.100.9", "Forwarded": "for=198.51.100.9", "X-Real-IP": "198.51.100.9"}
    wrong = key[:14] + new_key()[14:]
    answers = [
        await site.client.get("/v1/things", headers=bearer(sent) | spoofed)
        for sent in (wrong, expired, elsewhere, new_key(), "kehu_x")
    ]
    tell(roster, KeyRevoked(**known.model_dump(exclude={"replaces"}) | {"version": 2, "revoked": True}))
    answers.append(await site.client.get("/v1/things", headers=bearer(key)))
    assert {each.status_code for each in answers} == {401}
    assert {each.text for each in answers} == {answers[0].text}
    assert {each.headers["WWW-Authenticate"] for each in answers} == {'Bearer realm="kehu", error="invalid_token"'}
    assert not any("ratelimit" in each.headers for each in answers)
    found = await told(site)
    assert [(kind, data["reason"], data["key_id"], data["actor"]) for kind, data in found] == [
        ("partner.key_refused", "wrong_secret", known.key_id, "anonymous"),
        ("partner.key_refused", "expired", ended.key_id, "client/partner1"),
        ("partner.key_refused", "wrong_address", bound.key_id, "client/partner1"),
        ("partner.key_refused", "revoked", known.key_id, "client/partner1"),
    ]
    text = str(found)
    assert not any(secret[14:] in text for secret in (key, expired, elsewhere, wrong))
    assert "198.51.100" not in text


@pytest.mark.req("R4.5")
async def test_knocking_does_not_fill_the_log_and_every_knock_is_counted(site: Site) -> None:
    uses = KeyUse(site.app.state.outbox, site.database)
    key = Key.of(issued(new_key()).model_dump(mode="json"))
    for _ in range(5):
        await uses.refused(BadKey(key, "expired"))
    await uses.refused(BadKey(key, "wrong_secret"))
    await uses.refused(BadKey(None, "wrong_secret"))
    assert [data["attempts"] for _, data in await told(site)] == [1, 1]
    await uses.close()
    assert [data["attempts"] for _, data in await told(site)] == [1, 1, 4]


@pytest.mark.req("R4.5")
async def test_a_use_that_cannot_be_written_down_is_none(site: Site, roster: Roster) -> None:
    tell(roster, issued(key := new_key()))
    async with site.database.transaction() as tx:
        await tx.execute("ALTER TABLE outbox RENAME TO away")
    assert (await site.client.get("/v1/things", headers=bearer(key))).status_code == 500
    async with site.database.transaction() as tx:
        await tx.execute("ALTER TABLE away RENAME TO outbox")
    assert (await site.client.get("/v1/things", headers=bearer(key))).status_code == 200
    assert len(await told(site)) == 1


def test_a_principal_is_counted_only_if_it_has_a_rate() -> None:
    who = Principal(name="x", actor="staff/x", unit="u", roles=(), powers={}, expires_at=0.0, token="t")
    assert (who.rate, who.key) == (None, None)
