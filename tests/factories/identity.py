"""Makes what identity tests need: a migrated database with a small directory, and the service running for real."""

import asyncio
import base64
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import orjson
import uvicorn
from argon2 import PasswordHasher
from joserfc import jwt
from joserfc.jwk import KeySet

from services.identity.app import SERVICE, compose
from services.identity.settings import IdentitySettings
from shared.bus import Delivery, unpack_headers
from shared.db import Database
from shared.events import EVENTS, Envelope, Event
from shared.process import Parts

REGIMES = Path(__file__).parents[2] / "regimes"
MIGRATIONS = SERVICE.migrations
KEK = f"k1:{base64.b64encode(b'identity test key number one 32!').decode()}"
PASSWORD, SECRET = "correct horse", "partner secret"
_HASHER = PasswordHasher(time_cost=3, memory_cost=65_536, parallelism=1)
PASSWORD_HASH, SECRET_HASH = _HASHER.hash(PASSWORD), _HASHER.hash(SECRET)

DIRECTORY: dict[str, Any] = {
    "units": [
        {"id": "north-1", "parent": "north", "title": {"zh": "北一", "en": "North 1"}},
        {"id": "hq", "title": {"zh": "总部", "en": "Head office"}},
        {"id": "north", "parent": "hq", "title": {"zh": "北区", "en": "North"}},
        {"id": "south", "parent": "hq", "title": {"zh": "南区", "en": "South"}},
    ],
    "people": [
        {"name": "boss", "full_name": "示例经理", "roles": ["admin"], "unit": "hq", "password_hash": PASSWORD_HASH},
        {
            "name": "staff",
            "full_name": "示例员工",
            "roles": ["customer_manager"],
            "unit": "north",
            "password_hash": PASSWORD_HASH,
        },
    ],
    "clients": [
        {
            "name": "partner",
            "full_name": "示例合作方",
            "roles": ["partner_reporter"],
            "unit": "south",
            "secret_hash": SECRET_HASH,
        }
    ],
}


def directory_file(folder: Path, content: Any = None) -> Path:
    path = folder / "directory.json"
    path.write_text(json.dumps(DIRECTORY if content is None else content), encoding="utf-8")
    return path


def settings_of(dsn: str, **more: Any) -> IdentitySettings:
    known = {"database_url": dsn, "bus_url": dsn, "issuer": "http://identity.invalid", "kek": KEK}
    return IdentitySettings.model_validate({**known, "regimes_path": REGIMES, "key_prepublish_s": 0, **more})


@dataclass
class RunningIdentity:
    """The api on a free port, which is its issuer address, with its parts at hand."""

    parts: Parts
    settings: IdentitySettings
    http: httpx.AsyncClient

    @property
    def database(self) -> Database:
        return self.parts.database

    async def sign_in(self, name: str, password: str = PASSWORD, **headers: str) -> httpx.Response:
        return await self.http.post("/v1/sign-ins", json={"name": name, "password": password}, headers=headers)

    async def ask_token(self, **form: str) -> httpx.Response:
        """A client_credentials grant by form, as `partner` unless the form says otherwise."""
        known = {"grant_type": "client_credentials", "client_id": "partner", "client_secret": SECRET}
        return await self.http.post("/oauth/token", data={**known, **form})

    async def bearer(self, name: str) -> dict[str, str]:
        answer = await self.sign_in(name)
        assert answer.status_code == 200, answer.text
        return {"Authorization": f"Bearer {answer.json()['access_token']}"}

    async def claims(self, token: str) -> dict[str, Any]:
        """The claims, proven by the published keys."""
        keys = KeySet.import_key_set((await self.http.get("/.well-known/jwks.json")).json())
        return dict(jwt.decode(token, keys, algorithms=["ES256"]).claims)

    async def outbox(self) -> list[tuple[Envelope, Event]]:
        """The events not yet on the bus, in order."""
        async with self.database.reading() as tx:
            rows = await tx.fetch("SELECT * FROM outbox ORDER BY id")
        deliveries = [
            Delivery(row["topic"], 0, row["id"], row["key"], row["value"], unpack_headers(row["headers"]))
            for row in rows
        ]
        envelopes = [Envelope.of(each) for each in deliveries]
        return [
            (envelope, EVENTS[envelope.type].model_validate(orjson.loads(each.value)))
            for envelope, each in zip(envelopes, deliveries, strict=True)
        ]


@asynccontextmanager
async def running(dsn: str, **settings: Any) -> AsyncIterator[RunningIdentity]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        chosen = settings_of(dsn, **{"issuer": address, **settings})
        parts = compose(chosen)
        config = uvicorn.Config(parts.app(), log_config=None, timeout_graceful_shutdown=1)
        server = uvicorn.Server(config)
        task = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            async with asyncio.timeout(15):
                while not server.started:
                    if task.done():
                        task.result()
                    await asyncio.sleep(0.02)
            async with httpx.AsyncClient(base_url=address, timeout=10, trust_env=False) as http:
                yield RunningIdentity(parts, chosen, http)
        finally:
            server.should_exit = True
            await task
