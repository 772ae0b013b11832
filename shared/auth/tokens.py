"""Who is asking: bearer tokens of any OpenID issuer, verified against its published keys, matched with the roster.

A verified token is remembered by digest for at most a minute, so that a verification is not paid on each request;
whether it was taken back is looked up each time. What its holder may do is worked out anew when the roster says
something new of them or of the tree, or the day has changed. Whoever is not in the roster stands nowhere, whatever
their token says; only where no directory is kept (`authority=claims`) its claims count.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Protocol

import httpx
import orjson
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from shared.auth import keys as api_keys
from shared.auth.authority import Authority, Holding, Principal
from shared.auth.keys import BadKey
from shared.auth.roster import Client, Roster, holdings, is_in_service
from shared.clock import day_of, now
from shared.errors import Forbidden, KehuError, Unauthenticated, Unavailable
from shared.regime import Regimes, Secrecy
from shared.settings import ServiceSettings
from shared.telemetry import log

ALGORITHMS = ("ES256", "RS256", "EdDSA", "PS256", "ES384")
_REMEMBER_S = 60.0
_REMEMBERED = 10_000
_KEYS_FRESH_S = 600.0
_KEYS_RETRY_S = 5.0
_FIRST_KEYS_RETRY_S = 1.0
_LONGEST_TOKEN = 8192
_LEEWAY_S = 5
CHALLENGE = {"WWW-Authenticate": 'Bearer realm="kehu"'}
ISSUED_AT = "issued_at"
"""Our own issuer's claim beside `iat`: with the fraction of the second, as a revocation is dated."""


def _kid_of(token: str) -> str | None:
    """The key that a token says it is signed with; nothing else of the header is believed before the signature is."""
    header = orjson.loads(base64.urlsafe_b64decode(token.partition(".")[0] + "=="))
    kid = header.get("kid") if isinstance(header, dict) else None
    return kid if isinstance(kid, str) else None


class Keys(Protocol):
    """Where an issuer's public keys come from."""

    async def get(self, kid: str | None) -> KeySet:
        """The keys, looked up anew if none of them is called `kid`. Raises: Unavailable"""
        ...


class IssuerKeys:
    """The issuer's published keys; fetched when first needed, when old, and when a token names an unknown one.

    A fetch keeps nobody waiting whose key is known already, and happens at most every few seconds, so that neither
    made-up key names nor an issuer that stands still can hold a service up. Known keys outlive an outage.
    """

    def __init__(self, issuer: str, jwks_url: str | None = None) -> None:
        self._issuer = issuer.rstrip("/")
        self._url = jwks_url
        self._keys: KeySet | None = None
        self._fetched_at = float("-inf")
        self._tried_at = float("-inf")
        self._lock = asyncio.Lock()

    async def get(self, kid: str | None) -> KeySet:
        """The keys; `Unavailable` if there are none and the issuer does not answer."""
        clock = asyncio.get_running_loop().time
        known = self._keys if self._keys is not None and _has(self._keys, kid) else None
        if known is not None and (clock() - self._fetched_at < _KEYS_FRESH_S or self._lock.locked()):
            return known
        async with self._lock:
            if self._is_due(kid, clock()):
                self._tried_at = clock()
                try:
                    self._keys, self._fetched_at = await self._fetch(), clock()
                except (httpx.HTTPError, JoseError, KeyError, ValueError, TypeError, AttributeError) as error:
                    # Outside input: anything but a key set leaves us with what we have.
                    log(part="auth").warning("issuer_keys_not_fetched", error=type(error).__name__)
        if self._keys is None:
            raise Unavailable(
                "issuer_unavailable",
                "The sign-in service does not answer, so tokens cannot be checked. Try again.",
                headers={"Retry-After": "2"},
            )
        return self._keys

    def _is_due(self, kid: str | None, moment: float) -> bool:
        if self._keys is None:
            return moment - self._tried_at > _FIRST_KEYS_RETRY_S
        wanted = not _has(self._keys, kid) or moment - self._fetched_at >= _KEYS_FRESH_S
        return wanted and moment - self._tried_at > _KEYS_RETRY_S

    async def _fetch(self) -> KeySet:
        # Without keys nobody gets in, so one connection that does not come about is tried once more.
        patient = httpx.AsyncHTTPTransport(retries=1, trust_env=False)
        async with httpx.AsyncClient(transport=patient, timeout=3, trust_env=False) as client:
            if self._url is None:
                discovery = await client.get(f"{self._issuer}/.well-known/openid-configuration")
                self._url = str(discovery.raise_for_status().json()["jwks_uri"])
            answer = await client.get(self._url)
            return KeySet.import_key_set(answer.raise_for_status().json())


def _has(keys: KeySet, kid: str | None) -> bool:
    return kid is None or any(key.kid == kid for key in keys)


@dataclass(slots=True)
class _Known:
    """A token that was verified, and the caller that it made at a serial of the roster and on a day."""

    claims: Mapping[str, Any]
    until: float
    principal: Principal
    serial: int
    day: date


@dataclass(frozen=True, slots=True)
class _Place:
    """Where somebody stands: main unit, roles over units, own clearance; `below`: units that the token adds."""

    unit: str
    held: list[Holding]
    clearance: Secrecy | None = None
    below: frozenset[str] = frozenset()


class Authenticator:
    """Turns a bearer token into a Principal, or refuses."""

    def __init__(
        self,
        settings: ServiceSettings,
        regimes: Regimes,
        *,
        roster: Roster | None = None,
        keys: Keys | None = None,
        clock: Callable[[], datetime] = now,
    ) -> None:
        self.roster = roster or Roster()
        self.authority = Authority(regimes)
        self.proxies = settings.proxies
        self._keys = keys or IssuerKeys(settings.issuer, settings.jwks_url)
        self._clock = clock
        self._names = settings
        self._claims = jwt.JWTClaimsRegistry(
            now=lambda: int(clock().timestamp()),
            leeway=_LEEWAY_S,
            iss={"essential": True, "value": settings.issuer},
            aud={"essential": True, "value": settings.audience},
            sub={"essential": True},
            exp={"essential": True},
        )
        self._known: OrderedDict[bytes, _Known] = OrderedDict()

    async def principal(self, authorization: str | None, address: str | None = None) -> Principal:
        """Who is asking, from the Authorization header; `address` is where from, which some keys are bound to.

        Raises: Unauthenticated, Unavailable
        """
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Unauthenticated("no_token", "Send a bearer token in the Authorization header.", headers=CHALLENGE)
        moment = self._clock()
        today = day_of(moment)
        if token.startswith(api_keys.MARK):
            return self._by_key(token, address, moment.timestamp(), today)
        digest = hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
        known = self._known.get(digest)
        if known is None or moment.timestamp() >= known.until:
            known = await self._verify(token, today)
            known.until = min(known.principal.expires_at, moment.timestamp() + _REMEMBER_S)
            self._remember(digest, known)
        elif known.day != today or known.serial < self.roster.serial_of(known.principal.name):
            known.principal = self._principal_of(known.claims, token, today)
            known.serial, known.day = self.roster.serial, today
        else:
            self._require_not_revoked(known.principal.name, known.claims)
        return known.principal

    def _by_key(self, token: str, address: str | None, at: float, today: date) -> Principal:
        """The client whose key it is, narrowed to what the key is for. Raises: BadKey"""
        key = self.roster.keys.check(token, address, at)
        client = self.roster.clients.get(key.client)
        if client is None or not client.active:
            raise BadKey(key, "client_closed")
        digest = bytes.fromhex(key.digest)
        known = self._known.get(digest)
        if known is None or known.day != today or known.serial < self.roster.serial_of(key.client):
            place = _place_of(client)
            whole = self._made(key.client, True, place, {"exp": key.expires_at}, token, today)
            narrowed = replace(whole.narrowed(key.units, key.limits), key=key.id, rate=key.rate or whole.rate)
            known = self._remember(digest, _Known({}, key.expires_at, narrowed, self.roster.serial, today))
        return known.principal

    def _remember(self, digest: bytes, known: _Known) -> _Known:
        self._known[digest] = known
        while len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        return known

    async def _verify(self, token: str, today: date) -> _Known:
        try:
            if len(token) > _LONGEST_TOKEN:
                raise ValueError("too long")
            keys = await self._keys.get(_kid_of(token))
            found = jwt.decode(token, keys, algorithms=list(ALGORITHMS))
            claims = dict(found.claims)
            self._claims.validate(claims)
            if not self._is_access_token(found.header.get("typ")):
                raise ValueError("no access token")
            return _Known(claims, 0.0, self._principal_of(claims, token, today), self.roster.serial, today)
        except (JoseError, ValueError, TypeError, KeyError) as error:
            detail = "The token is expired, of another issuer or audience, or not signed by a key of the issuer."
            raise Unauthenticated("bad_token", detail, headers=CHALLENGE) from error

    def _is_access_token(self, kind: object) -> bool:
        """By its `typ`, a media type that may leave its first part out (RFC 7515, RFC 9068)."""
        given = kind.lower().removeprefix("application/") if isinstance(kind, str) else ""
        return given == self._names.token_type.lower()

    def _principal_of(self, claims: Mapping[str, Any], token: str, today: date) -> Principal:
        """The caller.

        Raises: Unauthenticated (access_ended), Forbidden (not_in_directory), Unavailable (directory_incomplete);
        ValueError, KeyError for claims that cannot be read
        """
        name = str(_claim(claims, self._names.claim_name) or "")
        if not name:
            raise ValueError("the caller has no name")
        is_client = _claim(claims, self._names.claim_client) == name
        self._require_not_revoked(name, claims)
        if not self._is_in_service(name, today, is_client):
            raise _access_ended()
        place = self._place_of(name, today, is_client)
        if place is None:
            if self._names.authority == "directory":
                raise self._not_in_directory()
            place = self._claimed(claims)
        return self._made(name, is_client, place, claims, token, today)

    def _require_not_revoked(self, name: str, claims: Mapping[str, Any]) -> None:
        if self.roster.is_revoked(name, claims.get("sid"), issued_at(claims)):
            raise _access_ended()

    def _not_in_directory(self) -> KehuError:
        if not self.roster.is_whole:
            detail = "This service has not yet heard of everybody in the directory. Try again."
            return Unavailable("directory_incomplete", detail, headers={"Retry-After": "2"})
        return Forbidden("not_in_directory", "The directory knows nobody of this name, so nothing is granted.")

    def stand_in(self, name: str, moment: datetime) -> Principal | None:
        """Somebody whom the directory knows, as if they had just signed in; holds no token. For explanations only."""
        today, is_client = day_of(moment), name in self.roster.clients
        place = self._place_of(name, today, is_client)
        at = moment.timestamp()
        if place is None:
            return None
        return self._made(name, is_client, place, {"exp": at, "iat": at, "auth_time": at}, "", today)

    def _is_in_service(self, name: str, today: date, is_client: bool) -> bool:
        if is_client:
            return name not in self.roster.clients or self.roster.clients[name].active
        return name not in self.roster.people or is_in_service(self.roster.people[name], today)

    def _place_of(self, name: str, today: date, is_client: bool) -> _Place | None:
        """Where somebody stands by the directory; None if it does not know them."""
        if is_client:
            client = self.roster.clients.get(name)
            return _place_of(client) if client else None
        standing = self.roster.people.get(name)
        if standing is None:
            return None
        clearance = Secrecy(standing.clearance) if standing.clearance else None
        return _Place(standing.unit, holdings(standing, today), clearance)

    def _claimed(self, claims: Mapping[str, Any]) -> _Place:
        """Where the token itself says that its holder stands; for services that keep no directory."""
        unit = str(_claim(claims, self._names.claim_unit) or "")
        held = [Holding(role, unit) for role in _list(claims, self._names.claim_roles)]
        return _Place(unit, held, below=frozenset(_list(claims, "units")))

    def _made(
        self, name: str, is_client: bool, place: _Place, claims: Mapping[str, Any], token: str, today: date
    ) -> Principal:
        def below(unit: str) -> frozenset[str]:
            return self.roster.below(unit) | place.below if place.below else self.roster.below(unit)

        signed_in_at = claims.get("iat" if is_client else "auth_time")
        authority = self.authority.on(today)
        is_counted = is_client and not self._is_peer(name)
        return Principal(
            name=name,
            actor=f"client/{name}" if is_client else f"staff/{name}",
            unit=place.unit,
            roles=tuple(dict.fromkeys(holding.role for holding in place.held)),
            powers=authority.powers(name, place.held, below, place.clearance),
            expires_at=float(claims["exp"]),
            token=token,
            signed_in_at=None if signed_in_at is None else float(signed_in_at),
            session=claims.get("sid"),
            rate=authority.requests_a_minute() if is_counted else None,
        )

    def _is_peer(self, name: str) -> bool:
        """Whether it is a service of the suite."""
        client = self.roster.clients.get(name)
        return client is not None and client.kind == "service"


def _place_of(client: Client) -> _Place:
    """A closed one holds nothing."""
    return _Place(client.unit, [Holding(role, client.unit) for role in client.roles if client.active])


def issued_at(claims: Mapping[str, Any]) -> float:
    """When a token was given, in POSIX seconds: to the microsecond by our own issuer.

    Others say whole seconds: what they give within the second of a revocation counts as given before it.
    """
    return float(claims.get(ISSUED_AT) or claims.get("iat") or 0)


def _access_ended() -> Unauthenticated:
    detail = "This sign-in was ended, or its holder is not in service. Sign in again."
    return Unauthenticated("access_ended", detail, headers=CHALLENGE)


def _claim(claims: Mapping[str, Any], path: str) -> Any:
    """A claim, perhaps within others ("realm_access.roles"); None if there is none."""
    found: Any = claims
    for name in path.split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def _list(claims: Mapping[str, Any], path: str) -> tuple[str, ...]:
    """A claim that lists names; ValueError if it holds anything else."""
    listed = _claim(claims, path)
    if listed is None:
        return ()
    if not isinstance(listed, list) or not all(isinstance(each, str) for each in listed):
        raise ValueError(f"{path} is not a list of names")
    return tuple(listed)
