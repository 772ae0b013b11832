"""The people and programs of the matrix, and how they speak to the running suite.

They get their tokens signed by the suite's own key, as its identity service signs them: so a sign-in may be of any age,
and the tokens say nothing of roles or units. What they may do follows from the directory's events alone.
"""

import json
import time
from collections.abc import Iterable, Mapping
from functools import cache, partial
from typing import Any
from uuid import UUID, uuid4

import httpx
from joserfc import jwt
from joserfc.jwk import ECKey

from shared.sealing import KeyRing, WrappedKey
from tests.authority.stage import MADE, NOBODY, PEER, PROGRAMS, UNITS, name_of
from tests.factories.live import Live, until

_LONG_AGO_S = 86_400
_GOOD_FOR_S = 3_600
_RENEWED_S = 120


class Mint:
    """Signs access tokens as the suite's identity service does."""

    def __init__(self, live: Live) -> None:
        columns = "kid, kek, encode(wrapped, 'hex') AS wrapped, encode(sealed, 'hex') AS sealed"
        active = f"SELECT {columns} FROM signing_key WHERE active_from <= now() ORDER BY active_from DESC LIMIT 1"
        row = json.loads(live.query("identity", f"SELECT row_to_json(found) FROM ({active}) found"))
        ring = KeyRing.parse("first:" + (live.data / "secrets" / "identity-kek").read_text())
        wrapped = WrappedKey(row["kek"], bytes.fromhex(row["wrapped"]))
        self._key = ECKey.import_key(ring.open(wrapped, row["kid"], UUID(row["kid"]), bytes.fromhex(row["sealed"])))
        self._head = {"alg": "ES256", "kid": row["kid"], "typ": "at+jwt"}
        self._issuer = live.urls["identity"]

    def token(self, name: str, *, is_program: bool, signed_in_s_ago: int = 0) -> str:
        now = int(time.time())
        then = now - signed_in_s_ago
        claims: dict[str, Any] = {
            "iss": self._issuer, "aud": "kehu", "sub": name, "iat": then, "exp": now + _GOOD_FOR_S, "jti": str(uuid4()),
        }  # fmt: skip
        return jwt.encode(self._head, claims | ({"client_id": name} if is_program else {"auth_time": then}), self._key)


class Cast:
    """`token("auditor", "here")` is of the one who holds that role over the unit `here`; of the role "", who has none.

    `replicas` answer those whose role only they know.
    """

    def __init__(self, live: Live, replicas: Mapping[str, str]) -> None:
        self.live = live
        self._replicas = replicas
        self._mint = Mint(live)
        self._http = httpx.Client(timeout=30, trust_env=False)
        self._token = cache(self._made)

    def close(self) -> None:
        self._http.close()

    def token(self, role: str, place: str, *, is_old: bool = False) -> str:
        """The same token for a while, as people have it."""
        return self._token(name_of(role or NOBODY, place), role in PROGRAMS, is_old, int(time.time()) // _RENEWED_S)

    def peer(self) -> str:
        """The token of a service that asks in the name of others."""
        return self._token(PEER, True, False, int(time.time()) // _RENEWED_S)

    def _made(self, name: str, is_program: bool, is_old: bool, _since: int) -> str:
        return self._mint.token(name, is_program=is_program, signed_in_s_ago=_LONG_AGO_S if is_old else 0)

    def url(self, service: str, role: str) -> str:
        """Who answers this role's holders."""
        return (self._replicas if role in MADE else self.live.urls)[service]

    def send(
        self, url: str, method: str, token: str | None, *, headers: Mapping[str, str] | None = None,
        is_stream: bool = False, **parts: Any,
    ) -> httpx.Response:  # fmt: skip
        """One call; of a stream only how it begins."""
        given = dict(headers or {}) | ({"Authorization": f"Bearer {token}"} if token else {})
        if not is_stream:
            return self._http.request(method, url, headers=given, **parts)
        with self._http.stream(method, url, headers=given, **parts) as answer:
            if not answer.is_success:
                answer.read()
            return answer

    def do(self, service: str, method: str, path: str, role: str, place: str, **parts: Any) -> Any:
        """A call that must succeed; what it answers."""
        answer = self.send(self.url(service, role) + path, method, self.token(role, place), **parts)
        assert answer.is_success, (method, path, answer.text)
        return answer.json() if answer.content else None

    def await_everybody(self, roles: Iterable[str]) -> None:
        """Until every api has heard of everybody."""
        names = [PEER, *(name_of(role or NOBODY, place) for role in roles for place in UNITS)]
        urls = [*self.live.urls.values(), *self._replicas.values()]
        asker = self.token("admin", "here")

        def is_known(url: str, name: str) -> bool:
            question = {"name": name, "action": "inbox.read"}
            return self.send(f"{url}/v1/decisions", "GET", asker, params=question).is_success

        for url in urls:
            for name in names:
                until(partial(is_known, url, name))
