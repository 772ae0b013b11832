"""Signing in over HTTP, as people and partner systems see it."""

import asyncio
import base64
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from shared.auth import Authenticator
from shared.events import SignedIn, SignInFailed
from shared.regime import load
from tests.factories.identity import PASSWORD, REGIMES, SECRET, RunningIdentity, directory_file, running


def basic(name: str, secret: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode()}


@pytest.mark.req("R4.5")
async def test_a_person_gets_a_token_that_says_who_they_are(identity: RunningIdentity) -> None:
    answer = await identity.sign_in("staff")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    assert (body["token_type"], body["expires_in"]) == ("Bearer", 900)
    claims = await identity.claims(body["access_token"])
    assert claims["exp"] - claims["iat"] == 900
    assert claims | {"iat": 0, "exp": 0, "jti": ""} == {
        "iss": identity.settings.issuer,
        "aud": "kehu",
        "sub": "staff",
        "iat": 0,
        "exp": 0,
        "jti": "",
        "name": "示例员工",
        "roles": ["customer_manager"],
        "unit": "north",
        "units": ["north", "north-1"],
    }


async def test_a_partner_gets_a_token_by_form_and_by_header(identity: RunningIdentity) -> None:
    by_form = await identity.ask_token()
    by_header = await identity.http.post(
        "/oauth/token", data={"grant_type": "client_credentials"}, headers=basic("partner", "partner%20secret")
    )
    for answer in (by_form, by_header):
        assert answer.status_code == 200, answer.text
        claims = await identity.claims(answer.json()["access_token"])
        assert (claims["sub"], claims["client_id"], claims["units"]) == ("partner", "partner", ["south"])


async def test_another_service_trusts_the_token_by_discovery_alone(identity: RunningIdentity) -> None:
    token = (await identity.ask_token()).json()["access_token"]
    elsewhere = Authenticator(identity.settings, load(REGIMES))
    principal = await elsewhere.principal(f"Bearer {token}")
    assert principal.actor == "client/partner"
    assert principal.may("submission.create")


@pytest.mark.req("R2.2")
async def test_each_sign_in_and_each_failure_is_an_event(identity: RunningIdentity) -> None:
    await identity.sign_in("staff")
    await identity.sign_in("staff", "wrong password")
    await identity.sign_in("my password by mistake")
    await identity.ask_token()
    await identity.ask_token(client_secret="wrong secret")
    found = [(envelope.subject, envelope.actor, event) for envelope, event in await identity.outbox()]
    assert found == [
        ("account/staff", "staff/staff", SignedIn(name="staff", method="password")),
        ("account/staff", "anonymous", SignInFailed(name="staff", method="password", reason="wrong_secret")),
        ("account/unknown", "anonymous", SignInFailed(name=None, method="password", reason="unknown_name")),
        ("account/partner", "client/partner", SignedIn(name="partner", method="client_credentials")),
        (
            "account/partner",
            "anonymous",
            SignInFailed(name="partner", method="client_credentials", reason="wrong_secret"),
        ),
    ]


async def test_all_refusals_read_the_same(identity: RunningIdentity) -> None:
    async with identity.database.transaction() as tx:
        await tx.execute(
            "INSERT INTO account SELECT 'gone', kind, full_name, secret_hash, roles, unit, false"
            " FROM account WHERE name = 'staff'"
        )
    answers = [
        await identity.sign_in("staff", "wrong password"),
        await identity.sign_in("nobody"),
        await identity.sign_in("gone"),
        await identity.sign_in("partner", SECRET),
        await identity.sign_in("名字"),
        await identity.sign_in("x" * 200),
    ]
    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.text for answer in answers}) == 1
    assert answers[0].json()["code"] == "sign_in_refused"
    assert "WWW-Authenticate" in answers[0].headers


async def test_an_unknown_name_takes_as_long_as_a_wrong_password(identity: RunningIdentity) -> None:
    async def seconds(name: str) -> float:
        answer = await identity.sign_in(name, "wrong password")
        return answer.elapsed.total_seconds()

    await seconds("warm-up")
    known, unknown = [], []
    for turn in range(4):
        known.append(await seconds("staff"))
        unknown.append(await seconds(f"nobody-{turn}"))
    assert 1 / 3 < min(unknown) / min(known) < 3


async def test_a_refused_grant_is_told_in_the_words_of_rfc_6749(identity: RunningIdentity) -> None:
    cases: list[tuple[dict[str, str], dict[str, str], int, str]] = [
        ({"grant_type": ""}, {}, 400, "unsupported_grant_type"),
        ({"grant_type": "password"}, {}, 400, "unsupported_grant_type"),
        ({"scope": "everything"}, {}, 400, "invalid_scope"),
        ({"client_secret": "wrong secret"}, {}, 401, "invalid_client"),
        ({"client_id": "staff", "client_secret": PASSWORD}, {}, 401, "invalid_client"),
        ({"client_secret": ""}, {}, 401, "invalid_client"),
        ({"client_id": "nul\0"}, {}, 401, "invalid_client"),
        ({}, basic("partner", SECRET), 400, "invalid_request"),
    ]
    known = {"grant_type": "client_credentials", "client_id": "partner", "client_secret": SECRET}
    for form, headers, status, error in cases:
        answer = await identity.http.post("/oauth/token", data={**known, **form}, headers=headers)
        assert (answer.status_code, answer.json()["error"]) == (status, error), form
        assert answer.json()["error_description"]


async def test_a_form_that_cannot_be_read_is_a_bad_request(identity: RunningIdentity) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    for body in (
        b"",
        b"client_id=partner&client_secret=x",
        b"grant_type=client_credentials&grant_type=client_credentials",
        b"grant_type=client_credentials&client_id=%ff",
        b"\xff\xfe",
        b"a=1&" * 50,
    ):
        answer = await identity.http.post("/oauth/token", content=body, headers=headers)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request"), body


async def test_a_header_that_is_not_basic_is_challenged(identity: RunningIdentity) -> None:
    for header in ("Basic", "Basic !!!", "Basic " + base64.b64encode(b"nocolon").decode(), "Bearer x"):
        answer = await identity.http.post(
            "/oauth/token", data={"grant_type": "client_credentials"}, headers={"Authorization": header}
        )
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client"), header
        assert answer.headers["www-authenticate"].startswith("Basic")


async def test_a_json_body_is_no_grant(identity: RunningIdentity) -> None:
    answer = await identity.http.post("/oauth/token", json={"grant_type": "client_credentials"})
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


async def test_every_fault_of_a_sign_in_is_told_at_once_and_no_password_with_it(identity: RunningIdentity) -> None:
    answer = await identity.http.post("/v1/sign-ins", json={"password": "p" * 1001, "more": 1})
    assert answer.status_code == 422
    assert {each["pointer"] for each in answer.json()["errors"]} == {"/name", "/password", "/more"}
    assert "ppp" not in answer.text


async def test_an_idempotency_key_does_not_stand_in_the_way(identity: RunningIdentity) -> None:
    answers = [await identity.sign_in("staff", **{"Idempotency-Key": "same"}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    async with identity.database.reading() as tx:
        assert await tx.fetchval("SELECT count(*) FROM idempotency") == 0


@pytest.mark.req("R4.5")
async def test_guessing_locks_a_name_whether_it_exists_or_not(identity_dsn: str, tmp_path: Path) -> None:
    file = directory_file(tmp_path)
    async with running(identity_dsn, directory_file=file, name_free_failures=2, first_lock_s=60) as identity:
        for name in ("staff", "nobody"):
            assert [(await identity.sign_in(name, "wrong password")).status_code for _ in range(3)] == [401, 401, 429]
        locked = await identity.sign_in("staff")
        assert locked.json()["code"] == "sign_in_locked"
        assert 1 <= int(locked.headers["retry-after"]) <= 60
        async with identity.database.transaction() as tx:
            await tx.execute("UPDATE sign_in_failure SET locked_until = locked_until - interval '60 s'")
        assert (await identity.sign_in("staff")).status_code == 200
        assert [event.reason for _, event in await identity.outbox() if isinstance(event, SignInFailed)] == [
            "wrong_secret", "wrong_secret", "locked", "unknown_name", "unknown_name", "locked", "locked",
        ]  # fmt: skip


async def test_a_success_clears_the_name(identity_dsn: str, tmp_path: Path) -> None:
    file = directory_file(tmp_path)
    async with running(identity_dsn, directory_file=file, name_free_failures=2) as identity:
        for _ in range(3):
            assert (await identity.sign_in("staff", "wrong password")).status_code == 401
            assert (await identity.sign_in("staff")).status_code == 200


async def test_parallel_guesses_count_one_by_one(identity_dsn: str, tmp_path: Path) -> None:
    file = directory_file(tmp_path)
    async with running(identity_dsn, directory_file=file, name_free_failures=3, first_lock_s=600) as identity:
        answers = await asyncio.gather(*(identity.sign_in("staff", "wrong password") for _ in range(12)))
        statuses = sorted(answer.status_code for answer in answers)
        assert statuses.count(401) == 3
        assert statuses.count(429) == 9


async def test_one_address_that_tries_many_names_is_locked_too(identity_dsn: str, tmp_path: Path) -> None:
    file = directory_file(tmp_path)
    async with running(identity_dsn, directory_file=file, address_free_failures=3, first_lock_s=600) as identity:
        statuses = [(await identity.sign_in(f"name-{turn}", "wrong password")).status_code for turn in range(4)]
        assert statuses == [401, 401, 401, 429]
        assert (await identity.ask_token()).json()["error"] == "temporarily_unavailable"


async def test_nobody_waits_behind_more_than_the_queue_holds(identity_dsn: str, tmp_path: Path) -> None:
    file = directory_file(tmp_path)
    async with running(identity_dsn, directory_file=file, hashing_queue=2) as identity:
        answers = await asyncio.gather(*(identity.sign_in("staff") for _ in range(8)))
        assert {answer.status_code for answer in answers} == {200, 429}
        busy = next(answer for answer in answers if answer.status_code == 429)
        assert busy.json()["code"] == "sign_in_busy"


async def test_neither_names_nor_addresses_are_stored_in_clear(identity: RunningIdentity) -> None:
    await identity.sign_in("my password by mistake")
    async with identity.database.reading() as tx:
        marks = await tx.fetch("SELECT mark FROM sign_in_failure")
        everything = str(await tx.fetch("SELECT * FROM outbox"))
    assert [len(row["mark"]) for row in marks] == [32, 32]
    assert "by mistake" not in everything
    assert "127.0.0.1" not in everything


async def test_a_failing_commit_gives_no_token(identity: RunningIdentity) -> None:
    async with identity.database.transaction() as tx:
        await tx.execute(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql"
            " AS $$BEGIN RAISE 'no' USING ERRCODE = '53100'; END$$"
        )
        await tx.execute(
            "CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON outbox DEFERRABLE INITIALLY DEFERRED"
            " FOR EACH ROW EXECUTE FUNCTION refuse()"
        )
    for answer in (await identity.sign_in("staff"), await identity.ask_token()):
        assert answer.status_code == 503
        assert "access_token" not in answer.text


async def test_an_outdated_hash_is_renewed_when_its_secret_is_proven(identity: RunningIdentity) -> None:
    cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    async with identity.database.transaction() as tx:
        await tx.execute("UPDATE account SET secret_hash = $1 WHERE name = 'staff'", cheap)
    assert (await identity.sign_in("staff")).status_code == 200
    async with identity.database.reading() as tx:
        stored = await tx.fetchval("SELECT secret_hash FROM account WHERE name = 'staff'")
    assert "m=65536" in stored
    assert (await identity.sign_in("staff")).status_code == 200


async def test_bad_input_is_never_our_fault(identity: RunningIdentity) -> None:
    headers = {"Content-Type": "application/json"}
    for body in (b"", b"[]", b"null", b'{"name": 1, "password": []}', b'{"name": "\\ud800", "password": "x"}'):
        answer = await identity.http.post("/v1/sign-ins", content=body, headers=headers)
        assert answer.status_code in (400, 422), body
        assert answer.headers["content-type"] == "application/problem+json"
