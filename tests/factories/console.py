"""Makes what console tests need: a migrated database, the console running for real, people who are signed in."""

import base64
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx

from services.console.app import SERVICE, compose
from services.console.session.service import Sessions
from services.console.settings import ConsoleSettings
from services.console.visits import SESSION_COOKIE
from shared.clock import now
from shared.db import Database
from shared.migrations import upgrade
from shared.process import Parts
from tests.factories.serving import serve
from tests.fakes.issuer import Issuer

REGIMES = Path(__file__).parents[2] / "regimes"
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
    known = {"database_url": dsn, "bus_url": dsn, "issuer": issuer, "kek": KEK, "regimes_path": REGIMES}
    peers = {f"{name}_url": NOBODY for name in PEERS}
    return ConsoleSettings.model_validate({**known, **peers, "secure_cookies": False, **more})


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

    async def session(self, role: str, unit: str = "unit-1", **claims: Any) -> str:
        """The cookie of somebody in this role who signed in a moment ago; the name is the role's unless given."""
        token = self.issuer.token(claims.pop("name", role), [role], unit, **claims)
        settings = self.settings
        sessions = Sessions(settings.key_ring, idle=settings.session_idle, longest=settings.session_longest)
        async with self.database.transaction() as tx:
            return await sessions.open(tx, token, now() + timedelta(hours=1), now())

    async def sign_in(self, role: str, language: str = "en", **claims: Any) -> None:
        """Let `http` be that person's browser from now on."""
        self.http.cookies.clear()
        self.http.cookies.set(SESSION_COOKIE, await self.session(role, **claims), domain="127.0.0.1")
        self.http.headers["Accept-Language"] = language

    async def page(self, path: str, status: int = 200, **query: Any) -> str:
        answer = await self.http.get(path, params=query or None)
        assert answer.status_code == status, (answer.status_code, answer.headers.get("location"), answer.text[:2000])
        return answer.text

    async def submit(self, form: str, action: str, **fields: str) -> httpx.Response:
        """Send a form as the page at `form` offers it: with the key that the page holds."""
        found = _FORM_KEY.search(await self.page(form))
        assert found is not None, f"{form} offers no form"
        return await self.http.post(action, data={"form_key": found[1], **fields})


@asynccontextmanager
async def running(dsn: str, issuer: Issuer, /, **settings: Any) -> AsyncIterator[RunningConsole]:
    chosen = settings_of(dsn, **{"issuer": issuer.url, **settings})
    parts = compose(chosen)
    async with serve(parts.app()) as url, httpx.AsyncClient(base_url=url, timeout=15, trust_env=False) as http:
        yield RunningConsole(parts, chosen, issuer, url, http)
