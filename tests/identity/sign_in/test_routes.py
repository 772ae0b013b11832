"""Signing in over HTTP, as people and partner systems see it."""

import asyncio
import base64
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from kehu.code_flow import Form
from shared.auth import Authenticator
from shared.events import SignedIn, SignInFailed
from shared.regime import load
from tests.factories.identity import PASSWORD, REGIMES, SECRET, RunningIdentity, directory_file, patient, running


def basic(name: str, secret: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode()}


async def test_a_partner_gets_a_token_by_form_and_by_header(identity: RunningIdentity) -> None:
    by_form = await identity.ask_token()
    by_header = await identity.http.post(
        "/oauth/token", data={"grant_type": "client_credentials"}, headers=basic("partner", "partner%20secret")
    )
    for answer in (by_form, by_header):
        assert answer.status_code == 200, answer.text
        claims = await identity.claims(answer.json()["access_token"])
        assert (claims["sub"], claims["client_id"], claims["unit"]) == ("partner", "partner", "south")
        assert {"sid", "auth_time", "scope"} & claims.keys() == set()


async def test_another_service_trusts_the_token_by_discovery_alone(identity: RunningIdentity) -> None:
    token = (await identity.ask_token()).json()["access_token"]
    elsewhere = Authenticator(identity.settings, load(REGIMES))
    principal = await elsewhere.principal(f"Bearer {token}")
    assert principal.actor == "client/partner"
    assert principal.may("submission.create")


@pytest.mark.req("R2.2")
async def test_each_sign_in_and_each_failure_is_an_event(identity: RunningIdentity) -> None:
    await identity.knock("staff")
    await identity.knock("staff", "wrong password")
    await identity.knock("my password by mistake")
    await identity.ask_token()
    await identity.ask_token(client_secret="wrong secret")
    found = [
        (envelope.subject, envelope.actor, event)
        for envelope, event in await identity.outbox()
        if envelope.source == "/identity/sign_in"
    ]
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


async def test_a_refused_grant_is_told_in_the_words_of_rfc_6749(identity: RunningIdentity) -> None:
    cases: list[tuple[dict[str, str], dict[str, str], int, str]] = [
        ({"grant_type": ""}, {}, 400, "unsupported_grant_type"),
        ({"grant_type": "password"}, {}, 400, "unsupported_grant_type"),
        ({"scope": "everything"}, {}, 400, "invalid_scope"),
        ({"client_secret": "wrong secret"}, {}, 401, "invalid_client"),
        ({"client_id": "staff", "client_secret": PASSWORD}, {}, 401, "invalid_client"),
        ({"client_secret": ""}, {}, 401, "invalid_client"),
        ({"client_id": "nul\0"}, {}, 400, "invalid_request"),
        ({"client_id": "kehu-cli"}, {}, 401, "invalid_client"),
        ({"grant_type": "authorization_code", "code": "x"}, {}, 400, "unauthorized_client"),
        ({}, basic("partner", SECRET), 400, "invalid_request"),
    ]
    known = {"grant_type": "client_credentials", "client_id": "partner", "client_secret": SECRET}
    for form, headers, status, error in cases:
        answer = await identity.http.post("/oauth/token", data={**known, **form}, headers=headers)
        assert (answer.status_code, answer.json()["error"]) == (status, error), form
        assert "www-authenticate" in answer.headers or status != 401


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


@pytest.mark.parametrize("pair", [b"a\0b:x", b"a:x\0", b"a%00b:x", b"partner:%00"])
@pytest.mark.parametrize("path", ["token", "revoke", "introspect"])
async def test_a_header_with_what_no_name_holds_is_a_refusal(identity: RunningIdentity, path: str, pair: bytes) -> None:
    answer = await identity.http.post(
        f"/oauth/{path}",
        data={"grant_type": "client_credentials", "token": "x"},
        headers={"Authorization": "Basic " + base64.b64encode(pair).decode()},
    )
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


async def test_a_partner_s_key_tells_nothing_of_a_person(identity_dsn: str, tmp_path: Path) -> None:
    async with running(identity_dsn, directory_file=directory_file(tmp_path), authority="directory") as identity:
        await identity.tell_the_roster()
        guard = await identity.bearer("guard")
        made = await identity.http.post("/v1/clients/partner/keys", json={"title": "x"}, headers=guard)
        await identity.tell_the_roster()
        key = {"Authorization": f"Bearer {made.json()['key']}"}
        assert (await identity.http.get("/v1/me", headers=key)).json()["actor"] == "client/partner"
        for method in ("GET", "POST"):
            nobody = await identity.http.request(method, "/oauth/userinfo", headers=key)
            assert (nobody.status_code, nobody.json()["code"]) == (403, "insufficient_scope")


async def test_a_json_body_is_no_grant(identity: RunningIdentity) -> None:
    answer = await identity.http.post("/oauth/token", json={"grant_type": "client_credentials"})
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


async def test_an_idempotency_key_does_not_stand_in_the_way(identity: RunningIdentity) -> None:
    form = {"grant_type": "client_credentials", "client_id": "partner", "client_secret": SECRET}
    headers = {"Idempotency-Key": "same"}
    answers = [await identity.http.post("/oauth/token", data=form, headers=headers) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    async with identity.database.reading() as tx:
        assert await tx.fetchval("SELECT count(*) FROM idempotency") == 0


@pytest.mark.req("R4.5")
async def test_guessing_locks_a_name_whether_it_exists_or_not(identity_dsn: str, tmp_path: Path) -> None:
    async with patient(identity_dsn, tmp_path, free_failures_of_name=2, lock_first=60) as identity:
        for name in ("staff", "nobody"):
            assert [(await identity.knock(name, "wrong password")).status_code for _ in range(3)] == [401, 401, 429]
        locked = await identity.knock("staff")
        assert "Sign-in locked" in locked.text
        assert 1 <= int(locked.headers["retry-after"]) <= 60
        async with identity.database.transaction() as tx:
            await tx.execute("UPDATE sign_in_failure SET locked_until = locked_until - interval '60 s'")
        assert (await identity.knock("staff")).status_code == 200
        for stop in identity.parts.on_stop:
            await stop()
        assert [event.reason for _, event in await identity.outbox() if isinstance(event, SignInFailed)] == [
            "wrong_secret", "wrong_secret", "locked", "unknown_name", "unknown_name", "locked", "locked",
        ]  # fmt: skip


async def test_a_success_clears_the_name(identity_dsn: str, tmp_path: Path) -> None:
    async with patient(identity_dsn, tmp_path, free_failures_of_name=2) as identity:
        for _ in range(3):
            assert (await identity.knock("staff", "wrong password")).status_code == 401
            assert (await identity.knock("staff")).status_code == 200


async def test_parallel_guesses_count_one_by_one(identity_dsn: str, tmp_path: Path) -> None:
    async with patient(identity_dsn, tmp_path, free_failures_of_name=3, lock_first=600) as identity:
        answers = await asyncio.gather(*(identity.knock("staff", "wrong password") for _ in range(12)))
        statuses = sorted(answer.status_code for answer in answers)
        assert statuses.count(401) == 3
        assert statuses.count(429) == 9


async def test_one_address_that_tries_many_names_is_locked_too(identity_dsn: str, tmp_path: Path) -> None:
    async with patient(identity_dsn, tmp_path, free_failures_of_address=3, lock_first=600) as identity:
        statuses = [(await identity.knock(f"name-{turn}", "wrong password")).status_code for turn in range(4)]
        assert statuses == [401, 401, 401, 429]
        for name in ("partner", "watch", "partner"):
            assert (await identity.ask_token(client_id=name, client_secret="wrong secret")).status_code == 401
        assert (await identity.ask_token()).json()["error"] == "temporarily_unavailable"


async def test_guesses_at_systems_lock_no_people(identity_dsn: str, tmp_path: Path) -> None:
    async with patient(
        identity_dsn, tmp_path, free_failures_of_name=2, free_failures_of_address=3, lock_first=600
    ) as identity:
        for name in ("partner", "watch", "watch", "partner", "staff"):
            assert (await identity.ask_token(client_id=name, client_secret="wrong secret")).is_error
        assert (await identity.knock("staff")).url.path == "/account"


async def test_nobody_waits_behind_more_than_the_queue_holds(identity_dsn: str, tmp_path: Path) -> None:
    file = directory_file(tmp_path)
    async with running(identity_dsn, directory_file=file, hashing_queue=2) as identity:
        answers = await asyncio.gather(*(identity.knock("staff") for _ in range(8)))
        assert {answer.status_code for answer in answers} == {200, 429}
        busy = next(answer for answer in answers if answer.status_code == 429)
        assert "Sign-in busy" in busy.text


async def test_neither_names_nor_addresses_are_stored_in_clear(identity: RunningIdentity) -> None:
    await identity.knock("my password by mistake")
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
    for answer in (await identity.knock("staff"), await identity.ask_token()):
        assert answer.status_code == 503
        assert "access_token" not in answer.text


async def test_an_outdated_hash_is_renewed_when_its_secret_is_proven(identity: RunningIdentity) -> None:
    cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    async with identity.database.transaction() as tx:
        await tx.execute("UPDATE account SET secret_hash = $1 WHERE name = 'staff'", cheap)
    assert (await identity.knock("staff")).status_code == 200
    async with identity.database.reading() as tx:
        stored = await tx.fetchval("SELECT secret_hash FROM account WHERE name = 'staff'")
    assert "m=65536" in stored
    assert (await identity.knock("staff")).status_code == 200


async def test_bad_input_is_never_our_fault(identity: RunningIdentity) -> None:
    async with identity.browser() as browser:
        page = await browser.http.get("/sign-in")
        form = Form(page.text).fields
        for filled in ({}, {"name": "x\0", "password": "x"}, {"name": "x" * 5000, "password": "y" * 5000}):
            answer = await browser.http.post("/sign-in", data={**form, **filled})
            assert (answer.status_code, answer.headers["content-type"]) == (401, "text/html; charset=utf-8"), filled
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        for body in (b"", b"name=%ff%fe", b"\xff", b"a=1&" * 2000):
            answer = await browser.http.post("/sign-in", content=body, headers=headers)
            assert answer.status_code in (400, 403), body
        for charset in ("undefined", "utf-7", "utf-16", "\xff"):
            for media in ("multipart/form-data; boundary=b", "application/x-www-form-urlencoded"):
                headers = {"Content-Type": f"{media}; charset={charset}".encode("latin-1")}
                body = b'--b\r\nContent-Disposition: form-data; name="name"\r\n\r\n+2AA-\r\n--b--\r\n'
                answer = await browser.http.post("/sign-in", content=body, headers=headers)
                assert answer.status_code in (400, 403), (charset, media)
        for query in ("", "%ff", "client_id=%ff%fe", "client_id=kehu-cli&redirect_uri=%zz", "a=1&" * 60):
            answer = await browser.http.get(f"/oauth/authorize?{query}")
            assert answer.status_code == 400, query
