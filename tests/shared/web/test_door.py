"""The HTTP door commits before it answers, and answers the same POST once."""

import asyncio
import hashlib
import uuid

import pytest

from tests.shared.web.conftest import Site

THING = {"name": "cup", "amount": 3}


async def test_a_change_is_durable_when_its_answer_arrives(site: Site) -> None:
    answer = await site.client.post("/v1/things", json=THING, headers=site.bearer())
    assert answer.status_code == 201
    assert await site.rows() == 1


@pytest.mark.req("R0.2")
async def test_a_failing_commit_is_never_a_success(site: Site) -> None:
    await site.client.post("/v1/things", json=THING, headers=site.bearer())
    answer = await site.client.post("/v1/things", json=THING, headers=site.bearer())
    assert answer.status_code == 500
    assert answer.json()["code"] == "internal_error"
    assert await site.rows() == 1


@pytest.mark.req("R0.2")
async def test_a_commit_whose_connection_dies_has_an_unknown_outcome(site: Site) -> None:
    async with site.database.transaction() as tx:
        await tx.execute(
            """
            CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS
              $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$;
            CREATE CONSTRAINT TRIGGER dies AFTER INSERT ON thing DEFERRABLE INITIALLY DEFERRED
              FOR EACH ROW EXECUTE FUNCTION die();
            """
        )
    answer = await site.client.post("/v1/things", json=THING, headers=site.bearer())
    assert answer.status_code == 503
    assert answer.json()["code"] == "outcome_unknown"
    assert "Retry-After" in answer.headers
    assert await site.rows() == 0


async def test_a_refused_request_leaves_nothing_behind(site: Site) -> None:
    answer = await site.client.post("/v1/things", json={**THING, "amount": -1}, headers=site.bearer())
    assert answer.status_code == 422
    assert await site.rows() == 0


def keyed(site: Site, key: str, name: str = "tester") -> dict[str, str]:
    return {**site.bearer(name), "Idempotency-Key": key}


async def test_the_same_key_gives_the_same_answer_and_one_effect(site: Site) -> None:
    key = str(uuid.uuid4())
    first = await site.client.post("/v1/things", json=THING, headers=keyed(site, key))
    again = await site.client.post("/v1/things", json=THING, headers=keyed(site, key))
    assert (first.status_code, first.content) == (again.status_code, again.content) == (201, first.content)
    assert again.headers["Location"] == first.headers["Location"]
    assert again.headers["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first.headers
    assert await site.rows() == 1


async def test_an_answer_is_not_repeated_to_who_may_not_any_more(site: Site) -> None:
    key = {"Idempotency-Key": str(uuid.uuid4())}
    first = await site.client.post("/v1/things", json=THING, headers=site.bearer() | key)
    again = await site.client.post("/v1/things", json=THING, headers=site.bearer(roles=()) | key)
    assert (first.status_code, again.status_code, again.json()["code"]) == (201, 403, "not_allowed")
    assert THING["name"] not in again.text


async def test_another_body_under_the_same_key_is_refused(site: Site) -> None:
    key = str(uuid.uuid4())
    await site.client.post("/v1/things", json=THING, headers=keyed(site, key))
    other = await site.client.post("/v1/things", json={**THING, "amount": 4}, headers=keyed(site, key))
    elsewhere = await site.client.post("/v1/slow-things", json=THING, headers=keyed(site, key))
    assert [each.status_code for each in (other, elsewhere)] == [422, 422]
    assert other.json()["code"] == elsewhere.json()["code"] == "key_reused"
    assert await site.rows() == 1


async def test_not_even_a_digest_is_kept_of_a_request_that_holds_a_secret(site: Site) -> None:
    headers = keyed(site, str(uuid.uuid4()))
    first = await site.client.post("/v1/secret-things", json=THING, headers=headers)
    again = await site.client.post("/v1/secret-things", json={**THING, "amount": 4}, headers=headers)
    assert (first.status_code, again.status_code, again.headers["Idempotency-Replayed"]) == (201, 201, "true")
    elsewhere = await site.client.post("/v1/things", json=THING, headers=headers)
    assert elsewhere.json()["code"] == "key_reused"


@pytest.mark.req("R15.1")
async def test_the_database_holds_neither_key_nor_answer_in_clear(site: Site) -> None:
    key = str(uuid.uuid4())
    first = await site.client.post("/v1/things", json=THING, headers=keyed(site, key))
    async with site.database.reading() as tx:
        row = await tx.fetchrow("SELECT * FROM idempotency")
    assert row is not None
    assert THING["name"] in first.text
    assert not any(each in bytes(row["body"]) for each in (THING["name"].encode(), first.content))
    assert key not in str(dict(row))
    digest = hashlib.sha256(b"POST /v1/things?\n" + first.request.content).digest()
    assert row["request_sha256"] != digest, "a digest that needs no key would let contents be guessed"


async def test_keys_of_different_callers_do_not_meet(site: Site) -> None:
    key = str(uuid.uuid4())
    await site.client.post("/v1/things", json=THING, headers=keyed(site, key, "one"))
    other = await site.client.post("/v1/things", json={**THING, "name": "bowl"}, headers=keyed(site, key, "two"))
    assert other.status_code == 201
    assert await site.rows() == 2


async def test_while_the_first_is_running_the_second_waits_outside(site: Site) -> None:
    key = str(uuid.uuid4())
    first = asyncio.create_task(site.client.post("/v1/slow-things", json=THING, headers=keyed(site, key)))
    await asyncio.sleep(0.5)
    early = await site.client.post("/v1/slow-things", json=THING, headers=keyed(site, key))
    site.gate.set()
    assert (await first).status_code == 201
    late = await site.client.post("/v1/slow-things", json=THING, headers=keyed(site, key))
    assert early.status_code == 409
    assert early.json()["code"] == "still_running"
    assert late.headers["Idempotency-Replayed"] == "true"
    assert await site.rows() == 1


async def test_a_refusal_is_not_kept_so_that_a_corrected_request_may_use_the_key(site: Site) -> None:
    key = str(uuid.uuid4())
    wrong = await site.client.post("/v1/things", json={**THING, "amount": -1}, headers=keyed(site, key))
    right = await site.client.post("/v1/things", json=THING, headers=keyed(site, key))
    assert (wrong.status_code, right.status_code) == (422, 201)


async def test_a_key_does_not_open_the_door_without_a_token(site: Site) -> None:
    answer = await site.client.post("/v1/things", json=THING, headers={"Idempotency-Key": str(uuid.uuid4())})
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("key", ["", "x" * 201, "tab\there"])
async def test_an_unusable_key_is_refused(site: Site, key: str) -> None:
    answer = await site.client.post("/v1/things", json=THING, headers=keyed(site, key))
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "header:Idempotency-Key"


async def test_requests_at_once_with_one_key_have_one_effect(site: Site) -> None:
    key = str(uuid.uuid4())
    answers = await asyncio.gather(
        *(site.client.post("/v1/things", json=THING, headers=keyed(site, key)) for _ in range(8))
    )
    assert {each.status_code for each in answers} <= {201, 409}
    assert any(each.status_code == 201 for each in answers)
    assert await site.rows() == 1
