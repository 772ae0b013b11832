"""Bearer tokens: what is believed, what is refused, and how the issuer's keys are kept (R0.1, R15.4)."""

import asyncio
import base64
import hmac
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from shared.auth import Authenticator, Principal, tokens, within
from shared.errors import NotFound, Unauthenticated, Unavailable
from shared.regime import Regimes, Secrecy, load
from shared.settings import ServiceSettings
from tests.fakes.issuer import Issuer

ROLES = ["customer_manager"]


@pytest.fixture(scope="module")
def regimes() -> Regimes:
    return load(Path(__file__).parents[3] / "regimes")


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with Issuer() as running:
        yield running


def settings_of(issuer: Issuer, **more: Any) -> ServiceSettings:
    known = {"database_url": "postgresql://nowhere", "bus_url": "postgresql://nowhere", "issuer": issuer.url}
    known |= {"authority": "claims"}
    return ServiceSettings.model_validate({**known, **more})


@pytest.fixture
def authenticator(issuer: Issuer, regimes: Regimes) -> Authenticator:
    return Authenticator(settings_of(issuer), regimes)


async def ask(authenticator: Authenticator, token: str) -> Principal:
    return await authenticator.principal(f"Bearer {token}")


async def refused(authenticator: Authenticator, authorization: str | None) -> str:
    with pytest.raises(Unauthenticated) as refusal:
        await authenticator.principal(authorization)
    assert refusal.value.headers["WWW-Authenticate"].startswith("Bearer")
    return refusal.value.code


def part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


@pytest.mark.req("R15.4")
async def test_a_good_token_gives_the_authority_of_the_declared_roles(
    authenticator: Authenticator, issuer: Issuer
) -> None:
    who = await ask(authenticator, issuer.token("manager1", ROLES, "north", ["north", "north-1"]))
    assert (who.name, who.actor, who.unit, who.roles) == ("manager1", "staff/manager1", "north", ("customer_manager",))
    assert who.may("customer.change")
    assert not who.may("customer.register")
    assert who.scope("customer.read").units == {"north"}
    assert who.clears("customer.read", Secrecy.CONFIDENTIAL)
    assert not who.clears("customer.read", Secrecy.SECRET)
    assert not who.clears("entry.read", Secrecy.PUBLIC)
    assert who.token not in repr(who)


async def test_a_partner_is_named_a_client(authenticator: Authenticator, issuer: Issuer) -> None:
    partner = await ask(authenticator, issuer.token("partner1", ["partner_reporter"], client_id="partner1"))
    assert partner.actor == "client/partner1"
    by_console = await ask(authenticator, issuer.token("manager1", ROLES, client_id="console"))
    assert by_console.actor == "staff/manager1"


async def test_a_role_that_nobody_declared_grants_nothing(authenticator: Authenticator, issuer: Issuer) -> None:
    who = await ask(authenticator, issuer.token("x", ["emperor", "../../etc"]))
    assert not who.powers


async def test_several_roles_add_up(authenticator: Authenticator, issuer: Issuer) -> None:
    who = await ask(authenticator, issuer.token("x", ["customer_manager", "security_officer"], "north"))
    assert who.scope("customer.read").everything
    assert who.clears("customer.read", Secrecy.TOP_SECRET)
    assert who.scope("customer.change").units == {"north"}
    assert not who.scope("customer.change").everything


async def test_an_audience_among_several_is_enough(authenticator: Authenticator, issuer: Issuer) -> None:
    assert (await ask(authenticator, issuer.token("x", ROLES, aud=["other", "kehu"]))).name == "x"


async def test_a_record_out_of_reach_looks_like_none(authenticator: Authenticator, issuer: Issuer) -> None:
    who = await ask(authenticator, issuer.token("m", ROLES, "north"))
    within(who, "customer.read", "north")
    for unit in ("south", None):
        with pytest.raises(NotFound) as refusal:
            within(who, "customer.read", unit)
        assert (refusal.value.code, refusal.value.members) == ("not_found", {})


async def test_no_token_is_told_apart_from_a_bad_one(authenticator: Authenticator) -> None:
    for authorization in (None, "", "Bearer", "Bearer ", "Basic YTpi", "Token x"):
        assert await refused(authenticator, authorization) == "no_token"


@pytest.mark.parametrize(
    "claims",
    [
        pytest.param({"iss": "https://elsewhere.example"}, id="another issuer"),
        pytest.param({"iss": None}, id="no issuer"),
        pytest.param({"aud": "another-suite"}, id="another audience"),
        pytest.param({"aud": []}, id="no audience in the list"),
        pytest.param({"aud": None}, id="no audience"),
        pytest.param({"sub": None}, id="no subject"),
        pytest.param({"sub": ""}, id="empty subject"),
        pytest.param({"sub": 5}, id="subject is a number"),
        pytest.param({"exp": lambda: int(time.time()) - 60}, id="expired"),
        pytest.param({"exp": None}, id="never expires"),
        pytest.param({"exp": "tomorrow"}, id="expiry is a word"),
        pytest.param({"exp": True}, id="expiry is a boolean"),
        pytest.param({"nbf": lambda: int(time.time()) + 600}, id="not valid yet"),
        pytest.param({"iat": lambda: int(time.time()) + 600}, id="issued in the future"),
        pytest.param({"issued_at": "noon"}, id="the moment of issue is a word"),
        pytest.param({"issued_at": [1]}, id="the moment of issue is a list"),
        pytest.param({"roles": "admin"}, id="roles are a word"),
        pytest.param({"roles": {"admin": True}}, id="roles are an object"),
        pytest.param({"roles": [["admin"]]}, id="roles hold a list"),
        pytest.param({"units": "north"}, id="units are a word"),
        pytest.param({"units": 7}, id="units are a number"),
        pytest.param({"units": [7]}, id="units hold a number"),
    ],
)
async def test_a_signed_token_with_wrong_claims_is_refused(
    authenticator: Authenticator, issuer: Issuer, claims: dict[str, Any]
) -> None:
    """Moments are worked out here: a run may take longer than they lie ahead."""
    given = {name: value() if callable(value) else value for name, value in claims.items()}
    wrong = {name: value for name, value in {**issuer.claims("x", ["admin"]), **given}.items() if value is not None}
    key = issuer.keys[0]
    token = jwt.encode({"alg": "ES256", "kid": key.kid, "typ": "at+jwt"}, wrong, key)
    assert await refused(authenticator, f"Bearer {token}") == "bad_token"


@pytest.mark.parametrize("kind", ["JWT", "jwt", "at", "jwt+at", "", "id+jwt", None])
async def test_what_is_no_access_token_is_refused_though_the_issuer_signed_it(
    authenticator: Authenticator, issuer: Issuer, kind: str | None
) -> None:
    """An ID token of a client that is called like the audience has all claims of an access token."""
    claims = issuer.claims("x", ["admin"], nonce="n", azp="kehu")
    assert await refused(authenticator, f"Bearer {issuer.sign(claims, kind)}") == "bad_token"


@pytest.mark.parametrize("kind", ["at+jwt", "AT+JWT", "application/at+jwt"])
async def test_an_access_token_may_spell_its_kind_as_a_media_type(
    authenticator: Authenticator, issuer: Issuer, kind: str
) -> None:
    assert (await ask(authenticator, issuer.sign(issuer.claims("x", ROLES), kind))).name == "x"


async def test_an_issuer_that_calls_access_tokens_otherwise_is_named_in_the_settings(
    issuer: Issuer, regimes: Regimes
) -> None:
    authenticator = Authenticator(settings_of(issuer, token_type="JWT"), regimes)
    assert (await ask(authenticator, issuer.sign(issuer.claims("x", ROLES), "JWT"))).name == "x"
    assert await refused(authenticator, f"Bearer {issuer.sign(issuer.claims('x', ROLES), None)}") == "bad_token"


async def test_an_unsigned_token_is_refused(authenticator: Authenticator, issuer: Issuer) -> None:
    for algorithm in ("none", "None", "NONE", "nOnE", ""):
        header = {"alg": algorithm, "kid": issuer.keys[0].kid, "typ": "at+jwt"}
        token = f"{part(header)}.{part(issuer.claims('x', ['admin']))}."
        assert await refused(authenticator, f"Bearer {token}") == "bad_token"


async def test_the_public_key_used_as_a_shared_secret_is_refused(authenticator: Authenticator, issuer: Issuer) -> None:
    key = issuer.keys[0]
    for secret in (key.as_pem(private=False), key.as_der(private=False), json.dumps(key.as_dict()).encode()):
        for algorithm in ("HS256", "HS512"):
            head = {"alg": algorithm, "kid": key.kid, "typ": "at+jwt"}
            signed = f"{part(head)}.{part(issuer.claims('x', ['admin']))}"
            mac = hmac.digest(secret, signed.encode(), algorithm.replace("HS", "sha"))
            forged = f"{signed}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"
            assert await refused(authenticator, f"Bearer {forged}") == "bad_token"


async def test_a_key_that_comes_with_the_token_is_not_believed(authenticator: Authenticator, issuer: Issuer) -> None:
    mine = ECKey.generate_key("P-256", {"kid": "mine"}, private=True)
    for kid in ("mine", issuer.keys[0].kid):
        header = {
            "alg": "ES256",
            "kid": kid,
            "typ": "at+jwt",
            "jwk": mine.as_dict(private=False),
            "jku": "http://127.0.0.1:9/keys",
        }
        forged = jwt.encode(header, issuer.claims("x", ["admin"]), mine)
        assert await refused(authenticator, f"Bearer {forged}") == "bad_token"


async def test_changed_claims_or_signature_are_refused(authenticator: Authenticator, issuer: Issuer) -> None:
    header, payload, signature = issuer.token("x", ROLES).split(".")
    promoted = part(issuer.claims("x", ["admin"]))
    for token in (
        f"{header}.{promoted}.{signature}",
        f"{header}.{payload}.{signature[:-8]}AAAAAAAA",
        f"{header}.{payload}.",
        f"{header}.{payload}",
        f"{header}.{payload}.{part('zero')}",
        f"{header}.{payload}.{base64.urlsafe_b64encode(bytes(64)).rstrip(b'=').decode()}",
    ):
        assert await refused(authenticator, f"Bearer {token}") == "bad_token"


@pytest.mark.parametrize(
    "junk",
    [
        ".", "..", "a.b.c", "é.ü.ß", "\ud800", "x" * 9000, "{}", "e30.e30.e30", "bnVsbA.bnVsbA.", "W10.W10.W10",
        "MQ.MQ.MQ", "a b c", "." * 500, "令牌", "eyJhbGciOiJFUzI1NiIsImtpZCI6NX0.e30.AAAA",
        "eyJhbGciOlsiRVMyNTYiXX0.e30.AAAA", "eyJhbGciOiJFUzI1NiIsImNyaXQiOlsieCJdfQ.e30.AAAA",
    ],
    ids=range(17),
)  # fmt: skip
async def test_junk_is_refused_and_nothing_worse(authenticator: Authenticator, junk: str) -> None:
    assert await refused(authenticator, f"Bearer {junk}") == "bad_token"


async def test_a_huge_token_is_refused_though_it_is_signed(authenticator: Authenticator, issuer: Issuer) -> None:
    token = issuer.token("x", ROLES, padding="p" * 20_000)
    assert await refused(authenticator, f"Bearer {token}") == "bad_token"
    assert issuer.fetches == 0


async def test_a_token_is_not_remembered_beyond_its_expiry(issuer: Issuer, regimes: Regimes) -> None:
    moment = datetime.now(UTC)  # noqa: TID251 - the test's own clock, moved by hand
    authenticator = Authenticator(settings_of(issuer), regimes, clock=lambda: moment)
    token = issuer.token("x", ROLES, exp=int(moment.timestamp()) + 20)
    await ask(authenticator, token)
    moment += timedelta(seconds=19)
    await ask(authenticator, token)
    moment += timedelta(seconds=10)
    assert await refused(authenticator, f"Bearer {token}") == "bad_token"


async def test_keys_are_fetched_once_for_many_callers(authenticator: Authenticator, issuer: Issuer) -> None:
    tokens = [issuer.token(f"x{number}", ROLES) for number in range(20)]
    await asyncio.gather(*(ask(authenticator, token) for token in tokens))
    assert issuer.fetches == 1


async def test_a_key_made_later_is_fetched_when_its_first_token_comes(
    authenticator: Authenticator, issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "_KEYS_RETRY_S", 0.05)
    old = issuer.token("old", ROLES)
    await ask(authenticator, old)
    issuer.rotate()
    await asyncio.sleep(0.1)
    assert (await ask(authenticator, issuer.token("new", ROLES))).name == "new"
    assert (await ask(authenticator, issuer.token("newer", ROLES))).name == "newer"
    assert issuer.fetches == 2


async def test_made_up_key_names_do_not_make_it_fetch_each_time(authenticator: Authenticator, issuer: Issuer) -> None:
    await ask(authenticator, issuer.token("x", ROLES))
    for number in range(30):
        head = {"alg": "ES256", "kid": f"k{number}", "typ": "at+jwt"}
        token = jwt.encode(head, issuer.claims("x", ROLES), issuer.keys[0])
        assert await refused(authenticator, f"Bearer {token}") == "bad_token"
    assert issuer.fetches == 1


async def test_a_withdrawn_key_is_forgotten_once_the_keys_are_old(
    authenticator: Authenticator, issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "_KEYS_FRESH_S", 0.1)
    monkeypatch.setattr(tokens, "_KEYS_RETRY_S", 0.05)
    withdrawn = [issuer.token(f"x{number}", ROLES) for number in range(2)]
    await ask(authenticator, withdrawn[0])
    issuer.rotate(keep=0)
    await asyncio.sleep(0.15)
    assert await refused(authenticator, f"Bearer {withdrawn[1]}") == "bad_token"


async def test_known_keys_outlive_an_outage_of_the_issuer(
    authenticator: Authenticator, issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "_KEYS_FRESH_S", 0.05)
    monkeypatch.setattr(tokens, "_KEYS_RETRY_S", 0.01)
    await ask(authenticator, issuer.token("x", ROLES))
    issuer.down = True
    await asyncio.sleep(0.1)
    assert (await ask(authenticator, issuer.token("y", ROLES))).name == "y"


async def test_without_any_keys_a_caller_is_told_to_come_again(
    authenticator: Authenticator, issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "_FIRST_KEYS_RETRY_S", 0.05)
    issuer.down = True
    for _ in range(2):
        with pytest.raises(Unavailable) as refusal:
            await ask(authenticator, issuer.token("x", ROLES))
        assert refusal.value.headers["Retry-After"]
    issuer.down = False
    await asyncio.sleep(0.1)
    assert (await ask(authenticator, issuer.token("x", ROLES))).name == "x"


async def test_keys_can_be_fetched_without_discovery(issuer: Issuer, regimes: Regimes) -> None:
    address = f"{issuer.url}/.well-known/jwks.json"
    authenticator = Authenticator(settings_of(issuer, jwks_url=address), regimes)
    assert (await ask(authenticator, issuer.token("x", ROLES))).name == "x"


@pytest.mark.parametrize(
    "document", [{}, {"keys": []}, {"keys": 5}, {"keys": [5]}, {"keys": [{"kty": "EC"}]}, [], "text", None]
)
async def test_an_issuer_that_publishes_nonsense_counts_as_away(
    issuer: Issuer, authenticator: Authenticator, document: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        Issuer,
        "document",
        lambda self, path: document if "jwks" in path else {"jwks_uri": f"{self.url}/.well-known/jwks.json"},
    )
    with pytest.raises(Unavailable):
        await ask(authenticator, issuer.token("x", ROLES))


async def test_keys_of_kinds_that_we_do_not_know_are_passed_over(
    issuer: Issuer, authenticator: Authenticator, monkeypatch: pytest.MonkeyPatch
) -> None:
    published = Issuer.document

    def with_more(self: Issuer, path: str) -> Any:
        found = published(self, path)
        if found and "keys" in found:
            found["keys"].insert(0, {"kty": "AKP", "kid": "pq", "alg": "ML-DSA-44", "pub": "AAAA"})
        return found

    monkeypatch.setattr(Issuer, "document", with_more)
    assert (await ask(authenticator, issuer.token("x", ROLES))).name == "x"
