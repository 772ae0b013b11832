"""Keys of partner systems: whom they let in, from where, for what; every refusal sounds the same (R0.4, R4.3)."""

import ipaddress
import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from shared.auth import Authenticator, Principal, decide
from shared.auth.decision import Matter
from shared.auth.keys import BadKey, origin
from shared.events import KeyChanged, KeyRevoked
from shared.regime import load
from shared.settings import ServiceSettings
from tests.factories.keys import client, issued, new_key, tell, unit

REGIMES = load(Path(__file__).parents[3] / "regimes")
MOMENT = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
pytestmark = [pytest.mark.req("R0.4"), pytest.mark.req("R4.3")]


def authenticator(clock: Callable[[], datetime] = lambda: MOMENT, **settings: Any) -> Authenticator:
    known = {"database_url": "postgresql://nowhere", "bus_url": "postgresql://nowhere", "issuer": "http://nowhere"}
    made = Authenticator(ServiceSettings.model_validate({**known, **settings}), REGIMES, clock=clock)
    tell(made.roster, unit("hq"), unit("south", "hq"), unit("south-1", "south"), client())
    return made


def lasting(key: str, **more: Any) -> Any:
    return issued(key, **{"expires_at": MOMENT + timedelta(days=1), **more})


async def ask(by: Authenticator, key: str, address: str | None = None) -> Principal:
    return await by.principal(f"Bearer {key}", address)


async def reason(by: Authenticator, key: str, address: str | None = None) -> tuple[str, str | None]:
    """Why a key was refused, and the id of the key that was meant."""
    with pytest.raises(BadKey) as refusal:
        await ask(by, key, address)
    error = refusal.value
    assert (error.status, error.code, error.detail) == (401, "bad_key", BadKey().detail)
    assert key not in repr(error) + str(error)
    return error.reason, error.key and error.key.id


async def test_a_key_gives_what_its_client_may_do() -> None:
    by, key = authenticator(), new_key()
    event = lasting(key)
    tell(by.roster, event)
    who = await ask(by, key)
    assert (who.name, who.actor, who.unit, who.roles) == ("partner1", "client/partner1", "south", ("partner_reporter",))
    assert (who.key, who.limits) == (event.key_id, {})
    assert who.scope("submission.create").units == {"south"}
    assert not who.may("customer.read")
    assert who.is_allowed("report", "large-exposure")
    assert who.expires_at == event.expires_at.timestamp()
    assert key not in repr(who)
    assert await ask(by, key) is who


async def test_a_key_narrows_reports_and_institutions_and_widens_nothing() -> None:
    by, key, other = authenticator(), new_key(), new_key()
    tell(by.roster, client(roles=("report_reviewer",), version=2))
    tell(by.roster, lasting(key, units=("south-1", "elsewhere"), reports=("large-exposure",)))
    tell(
        by.roster,
        lasting(other, units=("hq",)),
        client("partner2", "south"),
        lasting(third := new_key(), client="partner2", units=("hq",)),
    )
    who = await ask(by, key)
    assert who.scope("submission.read").units == {"south-1", "elsewhere"}
    assert not who.scope("submission.read").everything
    assert who.is_allowed("report", "large-exposure")
    assert not who.is_allowed("report", "another")
    assert (await ask(by, other)).is_allowed("report", "another")
    assert not (await ask(by, third)).scope("submission.read")


async def test_a_key_follows_its_client_s_roles_at_once() -> None:
    by, key = authenticator(), new_key()
    tell(by.roster, lasting(key))
    assert (await ask(by, key)).may("submission.create")
    tell(by.roster, client(roles=(), version=2))
    assert not (await ask(by, key)).powers


async def test_a_key_is_no_sign_in_of_late() -> None:
    by, key = authenticator(), new_key()
    tell(by.roster, client(roles=("admin",), version=2), lasting(key))
    who = await ask(by, key)
    assert who.may("partner_key.change")
    for at in (0.0, MOMENT.timestamp()):
        assert decide(by.authority, who, "partner_key.change", Matter(), at).code == "sign_in_too_old"
    assert decide(by.authority, who, "partner_key.read", Matter(), 0.0).allowed


async def test_a_key_expires_by_the_clock_and_sooner_once_it_is_replaced() -> None:
    moment = MOMENT
    by, key = authenticator(lambda: moment), new_key()
    event = lasting(key)
    tell(by.roster, event)
    moment = event.expires_at - timedelta(seconds=1)
    await ask(by, key)
    moment = event.expires_at
    assert await reason(by, key) == ("expired", event.key_id)
    moment = MOMENT
    await ask(by, key)
    state = event.model_dump() | {"version": 2, "expires_at": MOMENT + timedelta(hours=1)}
    tell(by.roster, KeyChanged(**state))
    moment = MOMENT + timedelta(hours=1)
    assert await reason(by, key) == ("expired", event.key_id)


async def test_a_revoked_key_and_one_of_a_closed_client_are_refused_though_they_were_let_in_before() -> None:
    by, key = authenticator(), new_key()
    event = lasting(key)
    tell(by.roster, event)
    await ask(by, key)
    tell(by.roster, client(active=False, version=2))
    assert await reason(by, key) == ("client_closed", event.key_id)
    tell(by.roster, client(version=3), KeyRevoked(**event.model_dump() | {"version": 2, "revoked": True}))
    assert await reason(by, key) == ("revoked", event.key_id)


async def test_a_key_whose_client_is_not_known_yet_waits() -> None:
    by, key = authenticator(), new_key()
    tell(by.roster, event := lasting(key, client="later"))
    assert await reason(by, key) == ("client_closed", event.key_id)
    tell(by.roster, client("later"))
    assert (await ask(by, key)).name == "later"


async def test_another_secret_for_a_known_prefix_is_told_apart_for_audit_only() -> None:
    by, key = authenticator(), new_key()
    tell(by.roster, event := lasting(key))
    for wrong in (key[:14] + secrets.token_urlsafe(32), key[:-1] + ("A" if key[-1] != "A" else "E")):
        assert await reason(by, wrong) == ("wrong_secret", event.key_id)
    assert await reason(by, new_key()) == ("wrong_secret", None)


@pytest.mark.parametrize(
    "junk",
    ["", "x", "_", "abcdefgh_short", "ABCDEFGH_" + "a" * 43, "abcdefgh_" + "a" * 44, "abcdefgh_" + "a" * 42 + "é",
     "abcdefgh_" + "a" * 43 + "\n", "abcdefgh_" + "a" * 42 + "+", "\ud800", "a" * 100_000, "ａbcdefgh_" + "a" * 43],
    ids=range(12),
)  # fmt: skip
async def test_what_is_no_key_is_refused_and_nothing_worse(junk: str) -> None:
    assert await reason(authenticator(), f"kehu_{junk}") == ("unknown", None)


async def test_keys_are_not_known_where_authority_comes_from_tokens_alone() -> None:
    by = authenticator(authority="claims")
    assert await reason(by, new_key()) == ("wrong_secret", None)


SCOPED = ("198.51.100.0/24", "203.0.113.7/32", "2001:db8:1::/48")


@pytest.mark.parametrize("address", ["198.51.100.9", "203.0.113.7", "2001:db8:1::7", "::ffff:198.51.100.9"])
async def test_a_key_works_from_its_networks(address: str) -> None:
    by, key = authenticator(), new_key()
    tell(by.roster, lasting(key, addresses=SCOPED))
    assert (await ask(by, key, address)).key


@pytest.mark.parametrize(
    "address", ["198.51.101.9", "203.0.113.8", "2001:db8:2::7", "::1", "127.0.0.1", "", "testclient", None]
)
async def test_a_key_is_refused_from_anywhere_else(address: str | None) -> None:
    by, key = authenticator(), new_key()
    tell(by.roster, event := lasting(key, addresses=SCOPED))
    await ask(by, key, "198.51.100.9")
    assert await reason(by, key, address) == ("wrong_address", event.key_id)


PROXIES = [ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("fd00::/8")]


@pytest.mark.parametrize(
    ("peer", "forwarded", "found"),
    [
        pytest.param("198.51.100.9", ["203.0.113.7"], "198.51.100.9", id="who is no proxy is not believed"),
        pytest.param("10.0.0.1", ["203.0.113.7"], "203.0.113.7", id="a proxy is"),
        pytest.param("10.0.0.1", ["198.51.100.9, 203.0.113.7"], "203.0.113.7", id="what the caller put before is not"),
        pytest.param("10.0.0.1", ["198.51.100.9", "203.0.113.7"], "203.0.113.7", id="nor in a header before"),
        pytest.param("10.0.0.1", ["203.0.113.7, 10.0.0.2, fd00::3"], "203.0.113.7", id="proxies in a row"),
        pytest.param("10.0.0.1", ["10.0.0.9"], "10.0.0.9", id="a caller within"),
        pytest.param("10.0.0.1", [], "10.0.0.1", id="a proxy that says nothing asks itself"),
        pytest.param("10.0.0.1", ["203.0.113.7, unknown"], None, id="what cannot be read is nowhere"),
        pytest.param("10.0.0.1", [""], None, id="nothing"),
        pytest.param("10.0.0.1", ["203.0.113.7:4711"], "203.0.113.7", id="with a port"),
        pytest.param("fd00::1", ["[2001:db8::7]:4711"], "2001:db8::7", id="IPv6 with a port"),
        pytest.param("::ffff:10.0.0.1", ["::ffff:203.0.113.7"], "203.0.113.7", id="IPv4 over an IPv6 socket"),
        pytest.param(None, ["203.0.113.7"], None, id="no peer"),
    ],
)
def test_where_a_request_comes_from(peer: str | None, forwarded: list[str], found: str | None) -> None:
    assert origin(peer, forwarded, PROXIES) == found


def test_without_trusted_proxies_nobody_is_believed() -> None:
    assert origin("127.0.0.1", ["203.0.113.7"], []) == "127.0.0.1"


async def test_a_key_has_its_own_rate_or_the_declared_one_and_services_have_none() -> None:
    by, key, own = authenticator(), new_key(), new_key()
    tell(by.roster, lasting(key), lasting(own, rate=7))
    assert (await ask(by, own)).rate == 7
    assert (await ask(by, key)).rate == by.authority.requests_a_minute() > 7


@pytest.mark.timed
def test_checking_a_key_takes_microseconds() -> None:
    many, roster = [new_key() for _ in range(2_000)], authenticator().roster
    tell(roster, *(lasting(each, addresses=SCOPED) for each in many))
    started = time.perf_counter()
    for each in many:
        roster.keys.check(each, "2001:db8:1::7", MOMENT.timestamp())
    assert (time.perf_counter() - started) / len(many) < 60e-6
