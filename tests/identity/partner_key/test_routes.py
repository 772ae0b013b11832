"""Making, listing, rotating and revoking keys of partner systems over HTTP (R0.4, R4.3)."""

import asyncio
import re
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from shared.auth.keys import digest_of
from shared.clock import now
from shared.events import AccessRefused, Event, KeyChanged, KeyIssued, KeyRevoked
from shared.regime import Clock
from tests.factories.identity import RunningIdentity

pytestmark = [pytest.mark.req("R0.4"), pytest.mark.req("R4.3")]
Headers = dict[str, str]
KEYS = "/v1/clients/partner/keys"
FORM = re.compile(r"kehu_([a-z0-9]{8})_[A-Za-z0-9_-]{43}")
WISH = {
    "title": "Nightly filing",
    "reports": ["large-exposure"],
    "units": ["south", "north"],
    "addresses": ["198.51.100.0/24", "2001:db8::1", "198.51.100.0/24"],
    "rate": 30,
}


@pytest.fixture
async def officer(identity: RunningIdentity) -> Headers:
    return await identity.bearer("guard")


@pytest.fixture
async def partner(identity: RunningIdentity) -> Headers:
    return {"Authorization": f"Bearer {(await identity.ask_token()).json()['access_token']}"}


async def make(identity: RunningIdentity, officer: Headers, **wish: Any) -> dict[str, Any]:
    answer = await identity.http.post(KEYS, json={"title": "x", **wish}, headers=officer)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def listed(identity: RunningIdentity, who: Headers, path: str = KEYS) -> list[dict[str, Any]]:
    answer = await identity.http.get(path, headers=who)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


async def told(identity: RunningIdentity, *kinds: type[Event]) -> list[Any]:
    return [event for _, event in await identity.outbox() if isinstance(event, kinds)]


def problem(answer: httpx.Response, status: int, code: str) -> list[tuple[str, str]]:
    body = answer.json()
    assert (answer.status_code, body["code"]) == (status, code), body
    assert answer.headers["content-type"] == "application/problem+json"
    return [(fault["pointer"], fault["code"]) for fault in body["errors"]]


def clock(identity: RunningIdentity) -> Clock:
    return identity.parts.regimes.get(Clock, "access", on=now().date())


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


async def test_a_key_is_made_shown_once_and_kept_as_a_digest(identity: RunningIdentity, officer: Headers) -> None:
    made = await make(identity, officer, **WISH)
    key = made.pop("key")
    form = FORM.fullmatch(key)
    assert form is not None
    assert made["prefix"] == form[1]
    assert (made["state"], made["client"], made["made_by"], made["version"]) == ("active", "partner", "staff/guard", 1)
    assert made["addresses"] == ["198.51.100.0/24", "2001:db8::1/128"]
    assert (made["reports"], made["units"], made["rate"]) == (["large-exposure"], ["south", "north"], 30)
    life = moment(made["expires_at"]) - moment(made["made_at"])
    assert life == clock(identity).term("api_key_longest")
    assert await listed(identity, officer) == [made]
    [event] = await told(identity, KeyIssued)
    assert (event.key_id, event.digest, event.client, event.version) == (made["id"], digest_of(key), "partner", 1)
    assert (event.reports, event.units, event.rate) == (("large-exposure",), ("south", "north"), 30)
    async with identity.database.reading() as tx:
        assert await tx.fetchval("SELECT digest FROM partner_key") == digest_of(key)


async def test_the_secret_is_nowhere_but_in_the_first_answer(
    identity: RunningIdentity, officer: Headers, capfd: pytest.CaptureFixture[str]
) -> None:
    headers = officer | {"Idempotency-Key": str(uuid4())}
    first = await identity.http.post(KEYS, json=WISH, headers=headers)
    again = await identity.http.post(KEYS, json=WISH, headers=headers)
    assert problem(again, 409, "shown_once") == []
    secret = first.json()["key"][14:]
    rotated = await identity.http.post(f"/v1/keys/{first.json()['id']}/rotation", headers=officer)
    second = rotated.json()["key"][14:]
    tables = ("partner_key", "outbox", "idempotency")
    async with identity.database.reading() as tx:
        kept = [await tx.fetchval(f"SELECT string_agg(t::text, '') FROM {table} t") for table in tables]
        assert await tx.fetchval("SELECT count(*) FROM partner_key") == 2
    stored = "".join(kept)
    assert str(first.json()["id"]) in stored
    hidden = [secret, second, secret.encode().hex(), second.encode().hex()]
    said = stored + again.text + str(await listed(identity, officer)) + "".join(capfd.readouterr())
    assert [each for each in hidden if each in said] == []


async def test_what_is_not_said_is_not_narrowed(identity: RunningIdentity, officer: Headers) -> None:
    made = await make(identity, officer)
    assert (made["reports"], made["units"], made["addresses"], made["rate"]) == (None, None, None, None)


async def test_a_client_lists_its_own_keys_and_a_person_has_none(
    identity: RunningIdentity, officer: Headers, partner: Headers
) -> None:
    made = await make(identity, officer)
    made.pop("key")
    assert await listed(identity, partner, "/v1/keys") == [made]
    assert await listed(identity, officer, "/v1/keys") == []
    for path in (KEYS, "/v1/clients/site/keys"):
        problem(await identity.http.get(path, headers=partner), 403, "not_allowed")


async def test_a_list_has_pages_newest_first(identity: RunningIdentity, officer: Headers) -> None:
    made = [(await make(identity, officer))["id"] for _ in range(2)]
    first = (await identity.http.get(KEYS, params={"limit": 1}, headers=officer)).json()
    assert [each["id"] for each in first["items"]] == [made[1]]
    second = (
        await identity.http.get(KEYS, params={"limit": 1, "cursor": first["next_cursor"]}, headers=officer)
    ).json()
    assert ([each["id"] for each in second["items"]], second["next_cursor"]) == ([made[0]], None)
    problem(await identity.http.get(KEYS, params={"cursor": "x"}, headers=officer), 422, "bad_cursor")


async def test_only_who_may_change_keys_makes_rotates_or_revokes_them(
    identity: RunningIdentity, officer: Headers, partner: Headers
) -> None:
    made = await make(identity, officer)
    staff = await identity.bearer("staff")
    calls = [("POST", KEYS), ("POST", f"/v1/keys/{made['id']}/rotation"), ("DELETE", f"/v1/keys/{made['id']}")]
    for method, path in calls:
        body = {"json": {"title": "x"}} if path == KEYS else {}
        problem(await identity.http.request(method, path, **body), 401, "no_token")
        for who in (staff, partner):
            problem(await identity.http.request(method, path, headers=who, **body), 403, "not_allowed")
    assert [event.action for event in await told(identity, AccessRefused)] == ["partner_key.change"] * 6
    assert [each["state"] for each in await listed(identity, officer)] == ["active"]


async def test_a_key_is_shown_only_to_who_is_cleared_for_the_roles_of_its_client(
    identity: RunningIdentity, officer: Headers
) -> None:
    admin, key = await identity.bearer("boss"), (await make(identity, officer))["id"]
    for path in (KEYS, f"/v1/keys/{key}/rotation"):
        refused = await identity.http.post(path, json={"title": "x"} if path == KEYS else None, headers=admin)
        assert problem(refused, 403, "role_above_clearance") == [("", "above_clearance")]
    assert [each["id"] for each in await listed(identity, admin)] == [key]
    assert (await identity.http.delete(f"/v1/keys/{key}", headers=admin)).status_code == 204


async def test_what_there_is_not_is_not_found(identity: RunningIdentity, officer: Headers) -> None:
    problem(await identity.http.get("/v1/clients/nobody/keys", headers=officer), 404, "not_found")
    problem(await identity.http.post("/v1/clients/nobody/keys", json={"title": "x"}, headers=officer), 404, "not_found")
    problem(await identity.http.post(f"/v1/keys/{uuid4()}/rotation", headers=officer), 404, "not_found")
    problem(await identity.http.delete(f"/v1/keys/{uuid4()}", headers=officer), 404, "not_found")


async def test_only_partners_have_keys_and_closed_ones_get_no_more(identity: RunningIdentity, officer: Headers) -> None:
    problem(
        await identity.http.post("/v1/clients/site/keys", json={"title": "x"}, headers=officer), 409, "not_a_partner"
    )
    made = await make(identity, officer)
    async with identity.database.transaction() as tx:
        await tx.execute("UPDATE client SET closed_at = now() WHERE name = 'partner'")
    problem(await identity.http.post(KEYS, json={"title": "x"}, headers=officer), 409, "client_closed")
    problem(await identity.http.post(f"/v1/keys/{made['id']}/rotation", headers=officer), 409, "client_closed")
    assert [each["state"] for each in await listed(identity, officer)] == ["client_closed"]


async def test_all_faults_are_told_at_once(identity: RunningIdentity, officer: Headers) -> None:
    terms = clock(identity)
    wish = {
        "title": "x",
        "reports": ["large-exposure", "no-such"],
        "units": ["nowhere"],
        "addresses": ["198.51.100.7/24", "fe80::/129", "everywhere", "10.0.0.0/8"],
        "rate": terms.count("requests_a_minute_most") + 1,
        "expires_at": (now() + terms.term("api_key_longest") + timedelta(minutes=1)).isoformat(),
    }
    assert problem(await identity.http.post(KEYS, json=wish, headers=officer), 422, "unfit_key") == [
        ("/reports/1", "no_such_report"),
        ("/units/0", "no_such_unit"),
        ("/addresses/0", "bad_network"),
        ("/addresses/1", "bad_network"),
        ("/addresses/2", "bad_network"),
        ("/expires_at", "out_of_range"),
        ("/rate", "out_of_range"),
    ]
    past = {"title": "x", "expires_at": (now() - timedelta(seconds=1)).isoformat()}
    problem(await identity.http.post(KEYS, json=past, headers=officer), 422, "unfit_key")
    assert await listed(identity, officer) == []


UNREADABLE: list[dict[str, Any]] = [
    {"key": "kehu_abcdefgh_x"}, {"digest": "0" * 64}, {"prefix": "abcdefgh"}, {"client": "site"}, {"version": 9},
    {"state": "active"}, {"roles": ["admin"]}, {"made_by": "staff/x"}, {"revoked_at": None}, {"title": " "},
    {"title": ""}, {"title": None}, {"rate": 0}, {"rate": -1}, {"rate": "many"}, {"rate": 2**70}, {"reports": []},
    {"units": []}, {"addresses": []}, {"addresses": ["x"] * 101}, {"reports": "large-exposure"},
    {"expires_at": "2026-12-01"}, {"expires_at": "2026-12-01T00:00:00"}, {"expires_at": "never"},
]  # fmt: skip


async def test_nothing_else_can_be_set(identity: RunningIdentity, officer: Headers) -> None:
    for more in UNREADABLE:
        answer = await identity.http.post(KEYS, json={"title": "x", **more}, headers=officer)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request"), more
    assert await listed(identity, officer) == []


async def test_a_rotation_keeps_the_scope_and_lets_both_live_for_a_while(
    identity: RunningIdentity, officer: Headers
) -> None:
    former = await make(identity, officer, **WISH)
    answer = await identity.http.post(f"/v1/keys/{former['id']}/rotation", headers=officer)
    made = answer.json()
    assert answer.status_code == 201
    assert made["replaces"] == former["id"]
    assert made["key"] != former["key"]
    for name in ("title", "reports", "units", "addresses", "rate", "client"):
        assert made[name] == former[name], name
    overlap = moment(made["former_ends_at"]) - moment(made["made_at"])
    assert overlap == clock(identity).term("api_key_overlap")
    shown = {each["id"]: each for each in await listed(identity, officer)}
    assert [each["state"] for each in shown.values()] == ["active", "active"]
    assert shown[former["id"]]["expires_at"] == made["former_ends_at"]
    [changed] = await told(identity, KeyChanged)
    assert (changed.key_id, changed.version, changed.revoked) == (former["id"], 2, False)
    assert changed.expires_at == moment(made["former_ends_at"])
    assert [event.replaces for event in await told(identity, KeyIssued)] == [None, former["id"]]


async def test_a_third_key_is_refused_until_one_has_ended(identity: RunningIdentity, officer: Headers) -> None:
    first = await make(identity, officer)
    second = (await identity.http.post(f"/v1/keys/{first['id']}/rotation", headers=officer)).json()
    problem(await identity.http.post(KEYS, json={"title": "x"}, headers=officer), 409, "too_many_keys")
    for key in (first, second):
        problem(await identity.http.post(f"/v1/keys/{key['id']}/rotation", headers=officer), 409, "too_many_keys")
    assert (await identity.http.delete(f"/v1/keys/{first['id']}", headers=officer)).status_code == 204
    problem(await identity.http.post(f"/v1/keys/{first['id']}/rotation", headers=officer), 409, "key_ended")
    await make(identity, officer)
    problem(await identity.http.post(KEYS, json={"title": "x"}, headers=officer), 409, "too_many_keys")


async def test_two_who_make_keys_at_once_do_not_pass_the_limit(identity: RunningIdentity, officer: Headers) -> None:
    made = await make(identity, officer)
    answers = await asyncio.gather(
        *(identity.http.post(KEYS, json={"title": "x"}, headers=officer) for _ in range(4)),
        *(identity.http.post(f"/v1/keys/{made['id']}/rotation", headers=officer) for _ in range(4)),
    )
    assert sorted(each.status_code for each in answers) == [201] + [409] * 7
    assert len(await listed(identity, officer)) == clock(identity).count("api_keys_alive")


async def test_the_former_key_may_end_sooner_but_not_later(identity: RunningIdentity, officer: Headers) -> None:
    made = await make(identity, officer, expires_at=(now() + timedelta(days=3)).isoformat())
    address = f"/v1/keys/{made['id']}/rotation"
    for late in (now() + timedelta(days=4), now() - timedelta(seconds=1)):
        answer = await identity.http.post(address, json={"ends_at": late.isoformat()}, headers=officer)
        assert problem(answer, 422, "unfit_key") == [("/ends_at", "out_of_range")]
    soon = now() + timedelta(minutes=5)
    answer = await identity.http.post(address, json={"ends_at": soon.isoformat()}, headers=officer)
    assert moment(answer.json()["former_ends_at"]) == soon
    unknown = await identity.http.post(address, json={"ends_at": None, "key": "x"}, headers=officer)
    problem(unknown, 422, "invalid_request")


async def test_a_rotation_does_not_lengthen_the_former_key(identity: RunningIdentity, officer: Headers) -> None:
    made = await make(identity, officer, expires_at=(now() + timedelta(days=3)).isoformat())
    answer = await identity.http.post(f"/v1/keys/{made['id']}/rotation", headers=officer)
    assert answer.json()["former_ends_at"] == made["expires_at"]


async def test_a_key_is_revoked_once_and_stays_so(identity: RunningIdentity, officer: Headers) -> None:
    made = await make(identity, officer)
    for _ in range(2):
        assert (await identity.http.delete(f"/v1/keys/{made['id']}", headers=officer)).status_code == 204
    [shown] = await listed(identity, officer)
    assert (shown["state"], shown["revoked_by"], shown["version"]) == ("revoked", "staff/guard", 2)
    [event] = await told(identity, KeyRevoked)
    assert (event.key_id, event.version, event.revoked) == (made["id"], 2, True)
    envelopes = [each for each, event in await identity.outbox() if isinstance(event, KeyIssued | KeyRevoked)]
    assert [(each.subject, each.sequence, each.actor) for each in envelopes] == [
        (f"key/{made['id']}", 1, "staff/guard"),
        (f"key/{made['id']}", 2, "staff/guard"),
    ]


async def test_an_expired_key_counts_no_more(identity: RunningIdentity, officer: Headers) -> None:
    made = [await make(identity, officer) for _ in range(2)]
    async with identity.database.transaction() as tx:
        await tx.execute("UPDATE partner_key SET expires_at = now() - interval '1 second' WHERE id = $1", made[0]["id"])
    assert [each["state"] for each in await listed(identity, officer)] == ["active", "expired"]
    problem(await identity.http.post(f"/v1/keys/{made[0]['id']}/rotation", headers=officer), 409, "key_ended")
    await make(identity, officer)
