"""A key at work: the events of its life reach a service's roster, and what the service says of it comes back."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from shared.outbox import Relay
from tests.factories.identity import DIRECTORY, SECRET_HASH, RunningIdentity, directory_file, regimes_with, running
from tests.factories.keys import bearer

pytestmark = [pytest.mark.req("R0.4"), pytest.mark.req("R4.3")]
KEY_KEEPER = """
id: key_keeper
title: {zh: 密钥管理系统, en: System that keeps keys}
requirement: R0.4
effective_from: 2025-01-01
owner: admin
held_by: partner
units: all
clearance: internal
grants:
  - {resource: partner_key, actions: [read, change]}
examples:
  - {action: partner_key.change, allowed: true}
  - {action: entry.read, allowed: false}
"""
ROBOT = {"name": "robot", "full_name": "示例机器", "roles": ["key_keeper"], "unit": "hq", "secret_hash": SECRET_HASH}


@asynccontextmanager
async def working(service: RunningIdentity) -> AsyncIterator[None]:
    """The loops of a worker, beside an api that knows the directory."""
    await service.tell_the_roster()
    stop, parts = asyncio.Event(), service.parts
    loops = [Relay(parts.name, parts.database, parts.transport).run, *(each.run for each in parts.groups)]
    tasks = [asyncio.create_task(loop(stop)) for loop in loops]
    try:
        yield
    finally:
        stop.set()
        await asyncio.wait_for(asyncio.gather(*tasks), 20)


@pytest.fixture
async def live(identity_dsn: str, tmp_path: Path) -> AsyncIterator[RunningIdentity]:
    """The service with its worker."""
    regimes = regimes_with(tmp_path)
    (regimes / "company" / "role" / "key_keeper.yaml").write_text(KEY_KEEPER, encoding="utf-8")
    file = directory_file(tmp_path, {**DIRECTORY, "clients": [*DIRECTORY["clients"], ROBOT]})
    settings = {"directory_file": file, "regimes_path": regimes, "authority": "directory"}
    async with running(identity_dsn, **settings) as service, working(service):
        yield service


async def until(look: Callable[[], Awaitable[Any]], within_s: float = 25) -> Any:
    async with asyncio.timeout(within_s):
        while not (found := await look()):  # noqa: ASYNC110 - another process's table tells
            await asyncio.sleep(0.05)
    return found


async def make(live: RunningIdentity, client: str = "partner", **wish: Any) -> dict[str, Any]:
    answer = await live.http.post(
        f"/v1/clients/{client}/keys", json={"title": "x", **wish}, headers=await live.bearer("guard")
    )
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def status(live: RunningIdentity, key: str, **headers: str) -> int:
    return (await live.http.get("/v1/keys", headers=bearer(key) | headers)).status_code


def lets_in(live: RunningIdentity, key: str) -> Callable[[], Awaitable[bool]]:
    async def look() -> bool:
        return await status(live, key) == 200

    return look


def turns_away(live: RunningIdentity, key: str) -> Callable[[], Awaitable[bool]]:
    async def look() -> bool:
        return await status(live, key) == 401

    return look


async def test_a_key_works_within_seconds_and_both_of_a_rotation_do(live: RunningIdentity) -> None:
    made = await make(live)
    await until(lets_in(live, made["key"]))
    me = (await live.http.get("/v1/me", headers=bearer(made["key"]))).json()
    assert (me["actor"], me["unit"], me["roles"]) == ("client/partner", "south", ["partner_reporter"])
    guard = await live.bearer("guard")
    second = (await live.http.post(f"/v1/keys/{made['id']}/rotation", headers=guard)).json()
    await until(lets_in(live, second["key"]))
    assert await status(live, made["key"]) == 200


async def test_a_revoked_key_and_keys_of_a_closed_client_are_refused_within_seconds(live: RunningIdentity) -> None:
    made, other = await make(live), await make(live)
    await until(lets_in(live, made["key"]))
    await until(lets_in(live, other["key"]))
    boss = await live.bearer("boss")
    assert (await live.http.delete(f"/v1/keys/{made['id']}", headers=boss)).status_code == 204
    await until(turns_away(live, made["key"]), 2)
    assert await status(live, other["key"]) == 200
    closed = await live.http.post("/v1/clients/partner/closing", headers=boss)
    assert closed.status_code == 200, closed.text
    await until(turns_away(live, other["key"]), 2)


async def test_the_use_of_a_key_comes_back_and_its_refusal_is_told(live: RunningIdentity) -> None:
    made = await make(live)
    assert made["last_used_at"] is None
    await until(lets_in(live, made["key"]))
    boss = await live.bearer("boss")

    async def last_used() -> Any:
        [shown] = (await live.http.get("/v1/clients/partner/keys", headers=boss)).json()["items"]
        return shown["last_used_at"]

    assert await until(last_used) > made["made_at"]
    wrong = made["key"][:14] + "A" * 43
    assert await status(live, wrong) == 401

    async def on_the_bus() -> Any:
        async with live.database.reading() as tx:
            return await tx.fetchval("SELECT count(*) FROM consumed WHERE consumer_group = 'identity-key-use'")

    assert await on_the_bus() == 1


async def test_a_key_of_a_client_that_keeps_keys_makes_none(live: RunningIdentity) -> None:
    made = await make(live, "robot")
    await until(lets_in(live, made["key"]))
    answers = [
        await live.http.post("/v1/clients/partner/keys", json={"title": "x"}, headers=bearer(made["key"])),
        await live.http.post(f"/v1/keys/{made['id']}/rotation", headers=bearer(made["key"])),
        await live.http.delete(f"/v1/keys/{made['id']}", headers=bearer(made["key"])),
    ]
    for answer in answers:
        assert (answer.status_code, answer.json()["code"]) == (401, "sign_in_too_old")
        assert "insufficient_user_authentication" in answer.headers["WWW-Authenticate"]
    assert (await live.http.get("/v1/clients/partner/keys", headers=bearer(made["key"]))).status_code == 200


async def test_what_a_caller_claims_of_its_address_is_not_believed(live: RunningIdentity) -> None:
    home, away = await make(live, addresses=["127.0.0.1"]), await make(live, addresses=["198.51.100.0/24"])
    await until(lets_in(live, home["key"]))
    for name in ("X-Forwarded-For", "Forwarded", "X-Real-IP", "X-Client-IP", "True-Client-IP"):
        claimed = "for=198.51.100.9" if name == "Forwarded" else "198.51.100.9"
        assert await status(live, away["key"], **{name: claimed}) == 401
        assert await status(live, home["key"], **{name: claimed}) == 200


async def test_a_trusted_proxy_is_believed_about_its_peer_only(identity_dsn: str, tmp_path: Path) -> None:
    settings = {"directory_file": directory_file(tmp_path), "trusted_proxies": ("127.0.0.0/8",)}
    async with running(identity_dsn, **settings, authority="directory") as service, working(service):
        away, home = await make(service, addresses=["198.51.100.0/24"]), await make(service, addresses=["203.0.113.7"])

        async def come_from(key: str, forwarded: str) -> int:
            return await status(service, key, **{"X-Forwarded-For": forwarded})

        await until(lambda: _is(come_from(away["key"], "198.51.100.9"), 200))
        await until(lambda: _is(come_from(home["key"], "203.0.113.7"), 200))
        assert await come_from(home["key"], "198.51.100.9, 203.0.113.7") == 200
        assert await come_from(away["key"], "198.51.100.9, 203.0.113.7") == 401
        assert await come_from(away["key"], "nonsense") == 401
        assert await status(service, away["key"]) == 401


async def _is(found: Awaitable[int], wanted: int) -> bool:
    return await found == wanted
