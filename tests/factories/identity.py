"""Makes what identity tests need: a migrated database with a small directory, and the service running for real."""

import base64
import json
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import orjson
import pyotp
import yaml
from argon2 import PasswordHasher
from joserfc import jwt
from joserfc.jwk import KeySet

from services.identity.app import SERVICE, compose
from services.identity.settings import IdentitySettings
from shared.auth import EFFECTS
from shared.bus import Delivery, unpack_headers
from shared.db import Database
from shared.events import EVENTS, Envelope, Event
from shared.process import Parts
from tests.factories.browser import Browser
from tests.factories.regimes import REGIMES
from tests.factories.serving import served
from tests.factories.waiting import until

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
        {
            "name": "guard",
            "full_name": "示例保密专员",
            "roles": ["security_officer"],
            "unit": "hq",
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
        },
        {"name": "watch", "kind": "service", "full_name": "示例服务", "secret_hash": SECRET_HASH},
        {"name": "kehu-cli", "kind": "app", "full_name": "命令行", "redirect_uris": ["http://127.0.0.1/"]},
        {
            "name": "site",
            "kind": "app",
            "full_name": "示例应用",
            "redirect_uris": ["https://site.example/back"],
            "sign_out_uris": ["https://site.example/out", "http://127.0.0.1:8100/out"],
        },
    ],
}


def directory_file(folder: Path, content: Any = None) -> Path:
    path = folder / "directory.json"
    path.write_text(json.dumps(DIRECTORY if content is None else content), encoding="utf-8")
    return path


def regimes_with(folder: Path, **figures: int) -> Path:
    """The declared measures with other figures of the clock `access`: counts by name, terms in seconds."""
    copied = folder / "regimes"
    shutil.copytree(REGIMES, copied, dirs_exist_ok=True)
    path = copied / "company" / "clock" / "access.yaml"
    clock = yaml.safe_load(path.read_text("utf-8"))
    for name, figure in figures.items():
        if name in clock["counts"]:
            clock["counts"][name]["count"] = figure
        else:
            clock["terms"][name] = {"title": clock["terms"][name]["title"], "seconds": figure}
    clock["examples"] = [each for each in clock["examples"] if each["term"] not in figures]
    path.write_text(yaml.safe_dump(clock, allow_unicode=True), encoding="utf-8")
    return copied


def settings_of(dsn: str, **more: Any) -> IdentitySettings:
    known = {
        "database_url": dsn,
        "bus_url": dsn,
        "issuer": "http://identity.invalid",
        "kek": KEK,
        "authority": "claims",
    }
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

    def browser(self, **settings: Any) -> Browser:
        """A fresh browser with an app of its own; `settings` as for `Browser`."""
        client = httpx.AsyncClient(base_url=str(self.http.base_url), timeout=30, trust_env=False)
        return Browser(client, **settings)

    async def sign_in(self, name: str, password: str = PASSWORD, **asked: str | None) -> httpx.Response:
        """The answer to the app's question for tokens, or the page on which the person was left."""
        async with self.browser() as browser:
            return await browser.sign_in(name, password, **asked)

    async def knock(self, name: str, password: str = PASSWORD) -> httpx.Response:
        """Sign in to one's own page, without an app: that page, or the sign-in page that says why not."""
        async with self.browser() as browser:
            return await browser.submit(await browser.http.get("/sign-in"), name=name, password=password)

    async def ask_token(self, **form: str) -> httpx.Response:
        """A client_credentials grant by form, as `partner` unless the form says otherwise."""
        known = {"grant_type": "client_credentials", "client_id": "partner", "client_secret": SECRET}
        return await self.http.post("/oauth/token", data={**known, **form})

    async def bearer(self, name: str) -> dict[str, str]:
        answer = await self.sign_in(name)
        assert answer.headers["content-type"] == "application/json", answer.text
        assert answer.status_code == 200, answer.text
        return {"Authorization": f"Bearer {answer.json()['access_token']}"}

    async def enrol(self, name: str) -> str:
        """Switch a second factor on for a person; its secret. The present code is good once more."""
        bearer = await self.bearer(name)
        begun = await self.http.post("/v1/me/second-factor", json={"password": PASSWORD}, headers=bearer)
        assert begun.status_code == 201, begun.text
        secret: str = begun.json()["secret"]
        given = {"code": pyotp.TOTP(secret).now()}
        done = await self.http.post("/v1/me/second-factor/confirmation", json=given, headers=bearer)
        assert done.status_code == 201, done.text
        async with self.database.transaction() as tx:
            await tx.execute("UPDATE second_factor SET last_step = 0 WHERE name = $1", name)
        return secret

    async def claims(self, token: str) -> dict[str, Any]:
        """The claims, proven by the published keys."""
        keys = KeySet.import_key_set((await self.http.get("/.well-known/jwks.json")).json())
        return dict(jwt.decode(token, keys, algorithms=["ES256"]).claims)

    async def tell_the_roster(self) -> None:
        """Apply what was published to the service's own copy of the directory, as its worker does.

        It is followed where `authority="directory"`; most tests take who somebody is from their token.
        """
        for envelope, event in await self.outbox():
            if (effect := EFFECTS.get(type(event))) is not None:
                async with self.database.transaction() as tx:
                    await effect(tx, envelope, event)
        roster = self.parts.authenticator.roster

        async def is_followed() -> bool:
            async with self.database.reading() as tx:
                return roster.serial == await tx.fetchval("SELECT max(serial) FROM roster")

        await until(is_followed)

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


def patient(dsn: str, folder: Path, **figures: int) -> AbstractAsyncContextManager[RunningIdentity]:
    """The service with the factory's directory and other figures of the clock `access`."""
    return running(dsn, directory_file=directory_file(folder), regimes_path=regimes_with(folder, **figures))


@asynccontextmanager
async def running(dsn: str, **settings: Any) -> AsyncIterator[RunningIdentity]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        chosen = settings_of(dsn, **{"issuer": address, **settings})
        parts = compose(chosen)
        async with served(parts.app(), listener, proxy_headers=False) as http:
            yield RunningIdentity(parts, chosen, http)
