"""Keys come, sign, and go, and every token stays verifiable for as long as it lives."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
from joserfc import jws

from services.identity.app import compose
from shared.auth import Authenticator
from shared.clock import now
from shared.errors import Unauthenticated
from shared.events import AccessRefused, SigningKeyRotated
from shared.regime import load
from shared.sealing import Unopenable
from tests.factories.directory import running_directory
from tests.factories.identity import KEK, REGIMES, RunningIdentity, directory_file, running, settings_of


async def published(identity: RunningIdentity) -> list[str]:
    answer = await identity.http.get("/.well-known/jwks.json")
    assert answer.headers["cache-control"] == "public, max-age=60"
    return [key["kid"] for key in answer.json()["keys"]]


def kid_of(bearer: dict[str, str]) -> str:
    return jws.extract_compact(bearer["Authorization"].split()[1].encode()).headers()["kid"]


async def test_discovery_tells_a_verifier_all_it_needs(identity: RunningIdentity) -> None:
    found = (await identity.http.get("/.well-known/openid-configuration")).json()
    assert found["issuer"] == identity.settings.issuer
    for address in (found["jwks_uri"], found["token_endpoint"]):
        assert address.startswith(identity.settings.issuer)
    keys = (await identity.http.get(found["jwks_uri"])).json()["keys"]
    assert [(key["kty"], key["crv"], key["alg"], key["use"]) for key in keys] == [("EC", "P-256", "ES256", "sig")]
    assert "d" not in keys[0]


async def test_a_rotation_keeps_old_tokens_and_signs_new_ones_with_the_new_key(identity: RunningIdentity) -> None:
    before = await identity.bearer("boss")
    answer = await identity.http.post("/v1/signing-keys", headers=before)
    assert answer.status_code == 201, answer.text
    after = await identity.bearer("boss")
    assert kid_of(after) == answer.json()["kid"] != kid_of(before)
    assert await published(identity) == [kid_of(after), kid_of(before)]
    for bearer in (before, after):
        assert (await identity.http.get("/v1/me", headers=bearer)).status_code == 200
    envelope, event = next(each for each in await identity.outbox() if isinstance(each[1], SigningKeyRotated))
    assert (envelope.actor, event) == ("staff/boss", SigningKeyRotated(key_id=kid_of(after)))


async def test_a_verifier_elsewhere_learns_the_new_key_from_the_first_token(identity: RunningIdentity) -> None:
    elsewhere = Authenticator(identity.settings, load(REGIMES))
    before = await identity.bearer("boss")
    await elsewhere.principal(before["Authorization"])
    await asyncio.sleep(5.1)  # a verifier looks keys up at most once in 5 s
    await identity.http.post("/v1/signing-keys", headers=before)
    principal = await elsewhere.principal((await identity.bearer("staff"))["Authorization"])
    assert principal.name == "staff"


async def test_a_new_key_is_published_before_it_signs(identity_dsn: str, tmp_path: Path) -> None:
    async with running(identity_dsn, directory_file=directory_file(tmp_path), key_prepublish_s=3600) as identity:
        bearer = await identity.bearer("boss")
        fresh = (await identity.http.post("/v1/signing-keys", headers=bearer)).json()["kid"]
        assert await published(identity) == [fresh, kid_of(bearer)]
        assert kid_of(await identity.bearer("boss")) == kid_of(bearer)
        again = await identity.http.post("/v1/signing-keys", headers=bearer)
        assert (again.status_code, again.json()["code"]) == (409, "rotation_pending")
        assert again.json()["active_from"]


async def test_rotations_at_once_make_one_key(identity_dsn: str, tmp_path: Path) -> None:
    async with running(identity_dsn, directory_file=directory_file(tmp_path), key_prepublish_s=3600) as identity:
        bearer = await identity.bearer("boss")
        answers = await asyncio.gather(*(identity.http.post("/v1/signing-keys", headers=bearer) for _ in range(4)))
        assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
        assert len(await published(identity)) == 2


async def test_a_retired_key_is_unpublished_and_then_destroyed(identity: RunningIdentity) -> None:
    before = await identity.bearer("boss")
    await identity.http.post("/v1/signing-keys", headers=before)
    after = await identity.bearer("boss")
    job = next(job for job in identity.parts.jobs if job.name == "destroy-retired-keys")
    async with identity.database.transaction() as tx:
        assert await job.due(tx, now() + timedelta(minutes=10)) == 0
        await tx.execute("UPDATE signing_key SET retires_at = now() - interval '1 s' WHERE retires_at IS NOT NULL")
    assert await published(identity) == [kid_of(after)]
    identity.parts.authenticator._known.clear()  # a verified token is remembered for up to a minute
    with pytest.raises(Unauthenticated):
        await identity.parts.authenticator.principal(before["Authorization"])
    async with identity.database.transaction() as tx:
        assert await job.due(tx, now()) == 1


@pytest.mark.req("R2.2")
async def test_only_who_may_rotates_and_a_refusal_is_recorded(identity: RunningIdentity) -> None:
    assert (await identity.http.post("/v1/signing-keys")).status_code == 401
    answer = await identity.http.post("/v1/signing-keys", headers=await identity.bearer("staff"))
    assert answer.status_code == 403
    refusals = [event for _, event in await identity.outbox() if isinstance(event, AccessRefused)]
    assert [refusal.action for refusal in refusals] == ["identity.key.rotate"]
    assert len(await published(identity)) == 1


async def test_private_keys_do_not_stand_in_the_database(identity: RunningIdentity) -> None:
    async with identity.database.reading() as tx:
        row = await tx.fetchrow("SELECT * FROM signing_key")
    assert row is not None
    assert "d" not in row["public"]
    assert b'"d"' not in row["sealed"]


async def test_a_restart_keeps_the_key(identity_dsn: str, tmp_path: Path, identity: RunningIdentity) -> None:
    async with running(identity_dsn, directory_file=directory_file(tmp_path)) as restarted:
        assert await published(restarted) == await published(identity)


async def test_a_key_ring_that_lost_its_key_is_noticed_at_start(identity: RunningIdentity) -> None:
    lost = compose(settings_of(identity.settings.database_url.get_secret_value(), kek=KEK.replace("k1:", "k2:")))
    await lost.database.start()
    with pytest.raises(Unopenable):
        await lost.on_start[-1]()
    await lost.database.close()


async def test_first_requests_of_many_at_once_do_not_wait_for_each_others_connections(
    identity_dsn: str, tmp_path: Path
) -> None:
    async with running_directory(identity_dsn, tmp_path, database_pool=2) as directory:
        bearers = [await directory.token("root", "admin", "hq", jti=str(number)) for number in range(12)]
        asked = [directory.call(each, "GET", "/v1/staff/clerk") for each in bearers]
        assert [each.status_code for each in await asyncio.gather(*asked)] == [200] * 12
