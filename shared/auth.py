"""Who is asking, and may they: bearer tokens of any OpenID issuer, authority from the declared roles.

Tokens are verified against the issuer's published keys (cached) and remembered by digest for at most a minute, so
that a verification is not paid on each request. What a role may do is data (regimes, kind `role`); a route names one
action.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, Protocol

import httpx
import orjson
from fastapi import Depends, Request
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from shared.clock import CHINA, now
from shared.errors import Forbidden, NotFound, Unauthenticated, Unavailable
from shared.regime import Regimes, Role, Secrecy, Units
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
_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="kehu"'}


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose records an action reaches: all, those of some units, those assigned to the person."""

    everything: bool = False
    units: frozenset[str] = frozenset()
    assigned_to: str | None = None

    def __or__(self, other: Scope) -> Scope:
        return Scope(
            self.everything or other.everything, self.units | other.units, self.assigned_to or other.assigned_to
        )

    def reaches(self, unit: str | None, assignee: str | None = None) -> bool:
        """Whether a record of this unit, assigned to this person, is within reach."""
        return self.everything or unit in self.units or (self.assigned_to is not None and assignee == self.assigned_to)


@dataclass(frozen=True, slots=True)
class Principal:
    """An authenticated caller: `name` as in the directory, `actor` as events name it, authority by action."""

    name: str
    actor: str
    unit: str
    roles: tuple[str, ...]
    scopes: Mapping[str, Scope]
    clearances: Mapping[str, Secrecy]
    expires_at: float
    token: str = field(repr=False)

    def may(self, action: str) -> bool:
        """Whether any role grants the action."""
        return action in self.scopes

    def scope(self, action: str) -> Scope:
        """Where the action reaches; nowhere if it is not granted."""
        return self.scopes.get(action, Scope())

    def clears(self, action: str, level: Secrecy) -> bool:
        """Whether a role that grants the action may read items of this secrecy level."""
        held = self.clearances.get(action)
        return held is not None and held.covers(level)


def principal_of(claims: Mapping[str, Any], token: str, roles: Iterable[Role]) -> Principal:
    """The authority that the declared roles give to the holder of these (verified) claims.

    Claims: sub, roles, unit, units (own and subordinate units), client_id for a partner system. Roles of the token
    that are not declared grant nothing.
    """
    name, unit = str(claims["sub"]), str(claims.get("unit", ""))
    below = frozenset(_names(claims, "units")) | {unit}
    reach = {
        Units.ALL: Scope(everything=True),
        Units.SUBTREE: Scope(units=below),
        Units.OWN: Scope(units=frozenset({unit})),
        Units.ASSIGNED: Scope(assigned_to=name),
    }
    scopes: dict[str, Scope] = {}
    clearances: dict[str, Secrecy] = {}
    for role in roles:
        for action in role.actions:
            scopes[action] = scopes.get(action, Scope()) | reach[role.units]
            held = clearances.get(action)
            clearances[action] = held if held is not None and held.covers(role.clearance) else role.clearance
    return Principal(
        name=name,
        actor=f"client/{name}" if claims.get("client_id") == name else f"staff/{name}",
        unit=unit,
        roles=_names(claims, "roles"),
        scopes=scopes,
        clearances=clearances,
        expires_at=float(claims["exp"]),
        token=token,
    )


def _names(claims: Mapping[str, Any], claim: str) -> tuple[str, ...]:
    """A claim that lists names; ValueError if it holds anything else."""
    listed = claims.get(claim, [])
    if not isinstance(listed, list) or not all(isinstance(each, str) for each in listed):
        raise ValueError(f"{claim} is not a list of names")
    return tuple(listed)


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


class Authenticator:
    """Turns a bearer token into a Principal, or refuses."""

    def __init__(
        self,
        settings: ServiceSettings,
        regimes: Regimes,
        *,
        keys: Keys | None = None,
        clock: Callable[[], datetime] = now,
    ) -> None:
        self._keys = keys or IssuerKeys(settings.issuer, settings.jwks_url)
        self._regimes = regimes
        self._clock = clock
        self._claims = jwt.JWTClaimsRegistry(
            now=lambda: int(clock().timestamp()),
            leeway=_LEEWAY_S,
            iss={"essential": True, "value": settings.issuer},
            aud={"essential": True, "value": settings.audience},
            sub={"essential": True},
            exp={"essential": True},
        )
        self._known: OrderedDict[bytes, tuple[Principal, float]] = OrderedDict()

    async def principal(self, authorization: str | None) -> Principal:
        """Who is asking, from the Authorization header. Raises: Unauthenticated, Unavailable."""
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Unauthenticated("no_token", "Send a bearer token in the Authorization header.", headers=_CHALLENGE)
        digest = hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
        moment = self._clock().timestamp()
        known = self._known.get(digest)
        if known is not None and moment < known[1]:
            return known[0]
        principal = await self._verify(token)
        self._known[digest] = (principal, min(principal.expires_at, moment + _REMEMBER_S))
        while len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        return principal

    async def _verify(self, token: str) -> Principal:
        try:
            if len(token) > _LONGEST_TOKEN:
                raise ValueError("too long")
            keys = await self._keys.get(_kid_of(token))
            claims = dict(jwt.decode(token, keys, algorithms=list(ALGORITHMS)).claims)
            self._claims.validate(claims)
            return principal_of(claims, token, self._roles(claims))
        except (JoseError, ValueError, TypeError, KeyError) as error:
            detail = "The token is expired, of another issuer or audience, or not signed by a key of the issuer."
            raise Unauthenticated("bad_token", detail, headers=_CHALLENGE) from error

    def _roles(self, claims: Mapping[str, Any]) -> list[Role]:
        today = self._clock().astimezone(CHINA).date()
        found = (self._regimes.find(Role, name, on=today) for name in _names(claims, "roles"))
        return [role for role in found if role is not None]


def may(action: str) -> Any:
    """Declare on a route who may: `who: Annotated[Principal, may("customer.read")]`."""

    async def granted(request: Request) -> Principal:
        authenticator: Authenticator = request.app.state.authenticator
        principal = await authenticator.principal(request.headers.get("authorization"))
        request.state.principal = principal
        request.state.action = action
        if not principal.may(action):
            raise Forbidden("not_allowed", f"None of your roles grants {action}.", members={"action": action})
        return principal

    granted.__dict__["action"] = action
    return Depends(granted)


async def _signed_in(request: Request) -> Principal:
    authenticator: Authenticator = request.app.state.authenticator
    principal = await authenticator.principal(request.headers.get("authorization"))
    request.state.principal = principal
    return principal


_signed_in.__dict__["action"] = "*"
SignedIn = Annotated[Principal, Depends(_signed_in)]
"""Any signed-in caller, for what is theirs by nature (their own inbox)."""


def within(principal: Principal, action: str, unit: str | None, assignee: str | None = None) -> None:
    """Refuse a record outside the caller's reach as if it were not there: its existence is not theirs to know."""
    if not principal.scope(action).reaches(unit, assignee):
        raise NotFound("not_found", "There is no such record, or it is not yours to see.", members={"hidden": True})
