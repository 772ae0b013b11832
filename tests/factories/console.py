"""Makes what console tests need: a migrated database, the console running for real, people who are signed in."""

import base64
import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx

from services.console.app import SERVICE, compose
from services.console.cookies import SESSION_COOKIE
from services.console.session.rules import Tokens, renew_at
from services.console.session.service import Sessions
from services.console.settings import ConsoleSettings
from shared.clock import now
from shared.db import Database
from shared.migrations import upgrade
from shared.process import Parts
from tests.factories.regimes import REGIMES
from tests.factories.serving import serve
from tests.fakes.issuer import Issuer
from tests.fakes.way_in import Person

KEK = f"k1:{base64.b64encode(b'console test key number one 32!!').decode()}"
NOBODY = "http://127.0.0.1:9"
"""Where no service listens."""
PEERS = ("identity", "customer", "reporting", "audit", "notify")

_FORM_KEY = re.compile(r'name="form_key" value="([0-9a-f]{64})"')


def migrated(dsn: str) -> str:
    upgrade(SERVICE.migrations, dsn)
    return dsn


def settings_of(dsn: str, *, issuer: str = "http://issuer.invalid", **more: Any) -> ConsoleSettings:
    """Every service is away unless `more` says where it is."""
    known = {"database_url": dsn, "bus_url": dsn, "issuer": issuer, "kek": KEK, "regimes_path": REGIMES, "url": NOBODY}
    peers = {f"{name}_url": NOBODY for name in PEERS}
    return ConsoleSettings.model_validate({**known, **peers, "secure_cookies": False, "authority": "claims", **more})


@dataclass
class RunningConsole:
    """The api on a free port, with its parts at hand; `http` is a browser without scripts."""

    parts: Parts
    settings: ConsoleSettings
    issuer: Issuer
    url: str
    http: httpx.AsyncClient

    @property
    def database(self) -> Database:
        return self.parts.database

    @property
    def sessions(self) -> Sessions:
        return Sessions(self.settings.key_ring, self.parts.regimes)

    async def session(
        self, role: str, unit: str = "unit-1", *, ago_s: int = 0, due: bool = False, **claims: Any
    ) -> str:
        """The cookie of somebody in this role who signed in so long ago; the name is the role's unless given.

        The access token lasts as long as the issuer's way in says; `due`: it is time to renew it.
        """
        person = Person(claims.pop("name", role), (role,), unit, claims)
        return await self.open(person.name, self.issuer.way_in.begin(person, ago_s=ago_s), due=due)

    async def open(self, name: str, given: dict[str, Any], *, due: bool = False) -> str:
        """The cookie of a session with what an issuer gave."""
        at = now()
        ends_at = at + timedelta(seconds=given["expires_in"])
        tokens = Tokens(
            access=given["access_token"],
            refresh=given.get("refresh_token"),
            id=given.get("id_token", ""),
            subject=name,
            name=name,
            ends_at=ends_at,
            renew_at=at if due else renew_at(at, ends_at),
        )
        async with self.database.transaction() as tx:
            return await self.sessions.open(tx, tokens, at, at)

    async def be(self, name: str, bearer: dict[str, str], language: str = "en") -> None:
        """Let `http` be the browser of whoever these headers are of."""
        given = {"access_token": bearer["Authorization"].removeprefix("Bearer "), "expires_in": 900}
        self._become(await self.open(name, given), language)

    def _become(self, cookie: str, language: str) -> None:
        self.http.cookies.clear()
        self.http.cookies.set(SESSION_COOKIE, cookie, domain="127.0.0.1")
        self.http.headers["Accept-Language"] = language

    async def sign_in(self, role: str, language: str = "en", **claims: Any) -> None:
        """Let `http` be that person's browser from now on."""
        self._become(await self.session(role, **claims), language)

    async def page(self, path: str, status: int = 200, **query: Any) -> str:
        answer = await self.http.get(path, params=query or None)
        assert answer.status_code == status, (answer.status_code, answer.headers.get("location"), answer.text[:2000])
        return answer.text

    async def form(self, path: str) -> dict[str, str]:
        """The key that forms of a page carry."""
        found = _FORM_KEY.search(await self.page(path))
        assert found is not None, f"{path} offers no form"
        return {"form_key": found[1]}

    async def submit(self, form: str, action: str, **fields: str) -> httpx.Response:
        """Send a form as the page at `form` offers it: with the key that the page holds."""
        key = await self.form(form)
        return await self.http.post(action, data={**key, **fields}, headers={"Referer": f"{self.url}{form}"})


def address_of(listener: socket.socket) -> str:
    return f"http://127.0.0.1:{listener.getsockname()[1]}"


@asynccontextmanager
async def running(
    dsn: str, issuer: Issuer, /, listener: socket.socket | None = None, **settings: Any
) -> AsyncIterator[RunningConsole]:
    with listener or socket.create_server(("127.0.0.1", 0)) as listening:
        chosen = settings_of(dsn, **{"issuer": issuer.url, "url": address_of(listening), **settings})
        parts, url = compose(chosen), chosen.url
        async with serve(parts.app(), listening), httpx.AsyncClient(base_url=url, timeout=30, trust_env=False) as http:
            yield RunningConsole(parts, chosen, issuer, url, http)
