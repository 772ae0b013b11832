"""Who is asking and may they: what each request pays, with 100 declared roles and 2,000 units.

No network and no database is in it. Floor of a request: the SHA-256 of the token and one look-up. Floor of the first
request with a token: checking its signature by the same library, nothing else. Somebody who holds every role asks all
the time, also while others sign out, and while the directory changes what they hold; they, and somebody who holds a
few, come for the first time.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

from bench.figures import Figure, median
from shared.auth import Authenticator, Matter, Principal, Roster, decide
from shared.clock import now
from shared.regime import Regimes, Role, Secrecy, load
from shared.settings import ServiceSettings

ROLES, FEW, UNITS, FIELDS = 100, 4, 2_000, 20
ROUNDS, REQUESTS, TOKENS = 7, 5_000, 200
_DAY = date(2026, 1, 1)
_ACTION = "customer.change"
_BUDGET_US = 60
_ANEW = 40
_FOR_EVER = "2999-01-01T00:00:00+00:00"


class _OneKey:
    """The issuer's key at hand."""

    def __init__(self, key: ECKey) -> None:
        self._keys = KeySet([ECKey.import_key(key.as_dict(private=False))])

    async def get(self, _kid: str | None) -> KeySet:
        return self._keys


def _regimes() -> Regimes:
    """The declared measures with as many roles as a large company has, each a variation of a declared one."""
    declared = load(Path(__file__).parents[1] / "regimes")
    roles = [each for each in declared.definitions if isinstance(each, Role)]
    more = []
    for number in range(ROLES - len(roles)):
        role = roles[number % len(roles)]
        copy = role.model_copy(update={"id": f"{role.id}_{number}"})
        copy.stamp(role.ref)
        more.append(copy)
    return Regimes([*declared.definitions, *more])


def _roster(held: list[str]) -> Roster:
    """A tree of units, four deep, one person who holds every role over all of it, and one who holds a few."""
    roster, rows = Roster(), []
    for number in range(UNITS):
        parent = None if not number else f"u{(number - 1) // 7}"
        rows.append({"kind": "unit", "id": f"u{number}", "data": {"parent": parent}})
    grants = [{"role": role, "unit": "u0", "from_on": "2026-01-01"} for role in held]
    for name, few in (("lu", grants), ("fang", grants[:FEW])):
        person = {"name": name, "unit": "u0", "state": "active", "held": few, "first_day": "2026-01-01", "version": 1}
        rows.append({"kind": "person", "id": name, "data": person})
    roster.take({**row, "serial": serial} for serial, row in enumerate(rows, 1))
    return roster


async def _per_call(call: Callable[[int], Awaitable[object]], times: int) -> float:
    """Microseconds a call, median of several rounds."""
    figures = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        for number in range(times):
            await call(number)
        figures.append((time.perf_counter() - began) / times * 1e6)
    return median(figures)


def _token(key: ECKey, name: str, number: int, moment: int) -> str:
    claims: dict[str, Any] = {"iss": "https://issuer", "aud": "kehu", "sub": name, "iat": moment, "auth_time": moment}
    claims |= {"exp": moment + 900, "jti": str(number), "sid": f"s{number}", "roles": [], "unit": "u0"}
    return jwt.encode({"alg": "ES256", "kid": "k", "typ": "at+jwt"}, claims, key)


class _Site:
    """A service's door, and who asks there."""

    def __init__(self, regimes: Regimes, roles: list[str]) -> None:
        known = {"database_url": "postgresql://nowhere", "bus_url": "postgresql://nowhere", "issuer": "https://issuer"}
        key = ECKey.generate_key("P-256", {"kid": "k", "alg": "ES256", "use": "sig"}, private=True)
        self.keys = _OneKey(key)
        self._settings, self._regimes, self._roster = ServiceSettings.model_validate(known), regimes, _roster(roles)
        self._authenticator = self._fresh()
        self._moment = int(now().timestamp())
        self._matter = Matter("u1999", is_record=True)
        self._standing = self._roster.people["lu"].model_dump(mode="json")
        self.tokens = {
            name: [_token(key, name, number, self._moment) for number in range(TOKENS)] for name in ("fang", "lu")
        }
        self._digests = {sha256(each.encode()).digest(): each for tokens in self.tokens.values() for each in tokens}
        assert len(self._roster.below("u0")) == UNITS

    def _fresh(self) -> Authenticator:
        return Authenticator(self._settings, self._regimes, roster=self._roster, keys=self.keys)

    async def asked(self, _number: int) -> Principal:
        """What a door and a use case do: who, may they, this record, these fields of it."""
        who = await self._authenticator.principal(f"Bearer {self.tokens['lu'][0]}")
        assert decide(self._authenticator.authority, who, _ACTION, self._matter, self._moment).allowed
        sight = who.sight(_ACTION, "u1999")
        assert all(sight.shows(Secrecy.CONFIDENTIAL, "contact") for _ in range(FIELDS))
        return who

    async def looked_up(self, _number: int) -> str:
        return self._digests[sha256(self.tokens["lu"][0].encode()).digest()]

    async def after_a_sign_out(self, number: int) -> Principal:
        return await self._after({"kind": "session", "id": f"x{number}", "data": {"until": _FOR_EVER}})

    async def after_a_change(self, _number: int) -> Principal:
        return await self._after({"kind": "person", "id": "lu", "data": self._standing})

    async def _after(self, row: dict[str, Any]) -> Principal:
        """A request when the roster has just heard something."""
        self._roster.take([{**row, "serial": self._roster.serial + 1}])
        return await self.asked(0)

    def first(self, name: str) -> Callable[[int], Awaitable[object]]:
        """Requests with tokens that were never seen."""
        met = [self._fresh()]

        async def come(number: int) -> object:
            if number == 0:
                met[0] = self._fresh()
            return await met[0].principal(f"Bearer {self.tokens[name][number]}")

        return come

    async def verified(self, number: int) -> object:
        return jwt.decode(self.tokens["fang"][number], await self.keys.get(None), algorithms=["ES256"])


async def run() -> list[Figure]:
    regimes = _regimes()
    roles = [role.id for role in regimes.all(Role, on=_DAY)]
    assert len(roles) == ROLES
    site = _Site(regimes, roles)
    request, floor = await _per_call(site.asked, REQUESTS), await _per_call(site.looked_up, REQUESTS)
    beside, anew = await _per_call(site.after_a_sign_out, TOKENS), await _per_call(site.after_a_change, TOKENS)
    asked = (site.first("fang"), site.first("lu"), site.verified)
    fresh, all_roles, bare = [await _per_call(each, TOKENS) for each in asked]
    digest, signature = "SHA-256 and a look-up", "a signature alone"
    each, all_anew = f"≤ {_BUDGET_US} µs", f"≤ {_ANEW} ×"
    return [
        Figure(
            "token check and decision, each request", request, "µs", each, request <= _BUDGET_US, floor, digest,
            f"{ROLES} roles held, {UNITS:,} units, {FIELDS} fields",
        ),
        Figure(
            "the same, just after somebody else signed out", beside, "µs", each, beside <= _BUDGET_US, floor, digest,
            "the powers stay",
        ),
        Figure(
            "the same, just after one's own roles changed", anew, "µs", all_anew, anew <= _ANEW * bare, bare, signature,
            f"powers of {ROLES} roles made anew",
        ),
        Figure(
            "the first request with a token", fresh, "µs", "≤ 3 ×", fresh <= 3 * bare, bare, signature,
            f"verified, matched with the roster, powers of {FEW} roles",
        ),
        Figure(
            "the first request of who holds all roles", all_roles, "µs", all_anew, all_roles <= _ANEW * bare, bare,
            signature, f"powers of {ROLES} roles",
        ),
    ]  # fmt: skip
