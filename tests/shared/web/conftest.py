"""A small service with every kind of route, over real databases and a real issuer of tokens."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated

import httpx
import pytest
from fastapi import FastAPI, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from shared.auth import Authenticator, Principal, SignedIn, Subject, may, within
from shared.bus import connect
from shared.db import Database, Transaction
from shared.errors import NotFound
from shared.inbox import Handle
from shared.outbox import Outbox
from shared.regime import Secrecy, load
from shared.settings import ServiceSettings
from shared.web import (
    Cursor,
    Limit,
    Page,
    Router,
    Surface,
    Tx,
    create_app,
    decisions,
    holds_secret,
    operations,
    problem_responses,
)
from shared.web.pages import read_cursor, write_cursor
from tests.fakes.issuer import Issuer

ROLE = """
id: tester
title: {zh: 测试员, en: Tester}
requirement: R15.4
effective_from: 2025-01-01
owner: tester
units: own
clearance: internal
grants:
  - {resource: thing, actions: [read, change]}
  - {resource: dead_letter, actions: [read, handle], units: all}
  - {resource: authority, actions: [explain]}
examples:
  - {action: thing.read, allowed: true}
  - {action: thing.destroy, allowed: false}
"""
TABLE = """
CREATE TABLE thing (id bigserial PRIMARY KEY, name text NOT NULL, amount int NOT NULL,
                    UNIQUE (name) DEFERRABLE INITIALLY DEFERRED)
"""


class Thing(BaseModel):
    """What the routes take."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=40)
    amount: int = Field(ge=0, le=1000)
    tags: list[str] = []


@dataclass
class Site:
    """The running application and what tests need to look behind it."""

    app: FastAPI
    client: httpx.AsyncClient
    database: Database
    issuer: Issuer
    gate: asyncio.Event

    @property
    def authenticator(self) -> Authenticator:
        authenticator: Authenticator = self.app.state.authenticator
        return authenticator

    def bearer(self, name: str = "tester", roles: tuple[str, ...] = ("tester",)) -> dict[str, str]:
        return self.issuer.bearer(name, roles)

    async def rows(self, table: str = "thing") -> int:
        async with self.database.reading() as tx:
            return int(await tx.fetchval(f"SELECT count(*) FROM {table}"))


def routes(gate: asyncio.Event) -> Router:
    """Things: made, listed, refused, slow and broken."""
    router = Router(prefix="/v1")
    reader, changer = may("thing.read"), may("thing.change")

    @router.post("/things", status_code=201, responses=problem_responses(422))
    async def make_thing(thing: Thing, tx: Tx, who: Annotated[Principal, changer], response: Response) -> Thing:
        number = await tx.fetchval(
            "INSERT INTO thing (name, amount) VALUES ($1, $2) RETURNING id", thing.name, thing.amount
        )
        response.headers["Location"] = f"/v1/things/{number}"
        return thing

    @router.post("/slow-things", status_code=201)
    async def make_slowly(thing: Thing, tx: Tx, who: Annotated[Principal, changer]) -> Thing:
        await tx.execute("INSERT INTO thing (name, amount) VALUES ($1, $2)", thing.name, thing.amount)
        await gate.wait()
        return thing

    @router.post("/secret-things", status_code=201)
    async def make_secretly(thing: Thing, request: Request, tx: Tx, who: Annotated[Principal, changer]) -> str:
        holds_secret(request)
        await tx.execute("INSERT INTO thing (name, amount) VALUES ($1, $2)", thing.name, thing.amount)
        return "made"

    @router.get("/things")
    async def list_things(
        tx: Tx, who: Annotated[Principal, reader], cursor: Cursor = None, limit: Limit = 50
    ) -> Page[str]:
        name, number = read_cursor(cursor, str, int) if cursor else ("", 0)
        sql = "SELECT name, id FROM thing WHERE (name, id) > ($1, $2) ORDER BY name, id LIMIT $3"
        rows = await tx.fetch(sql, name, number, limit)
        last = write_cursor(*rows[-1]) if len(rows) == limit else None
        return Page(items=[row["name"] for row in rows], next_cursor=last)

    @router.get("/things/{number}", responses=problem_responses(404))
    async def get_thing(number: int, tx: Tx, who: Annotated[Principal, reader]) -> str:
        within(who, "thing.read", "unit-9")
        return "never"

    @router.get("/parcels/{parcel}", responses=problem_responses(404))
    async def get_parcel(parcel: str, tx: Tx, who: Annotated[Principal, reader]) -> str:
        if parcel == "elsewhere":
            within(who, "thing.read", "unit-9")
        raise NotFound("not_found", "There is no such record, or it is not yours to see.")

    @router.delete("/things")
    async def destroy_things(who: Annotated[Principal, may("thing.destroy")]) -> None:
        """Nobody may."""

    @router.get("/broken")
    async def broken(who: SignedIn) -> None:
        raise RuntimeError("secret 4711 of 张三")

    return router


RESOURCES = {"thing": ("read", "change"), "dead_letter": ("read", "handle"), "authority": ("explain",)}


def settings_of(service_dsn: str, bus_dsn: str, issuer: Issuer, regimes: Path) -> ServiceSettings:
    return ServiceSettings(
        database_url=service_dsn,
        bus_url=bus_dsn,
        issuer=issuer.url,
        regimes_path=regimes,
        cors_origins=("https://app.example",),
        authority="claims",
    )


def resource(name: str, *actions: str) -> str:
    """A declared resource."""
    titles = "".join(f"  {action}: {{title: {{zh: 测试, en: Test}}}}\n" for action in actions)
    examples = f"  - {{action: {actions[0]}, possible: true}}\n  - {{action: sing, possible: false}}\n"
    head = f"id: {name}\ntitle: {{zh: 测试, en: Test}}\nrequirement: R0.4\neffective_from: 2025-01-01\n"
    return f"{head}owner: tester\nservice: testing\nactions:\n{titles}examples:\n{examples}"


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with Issuer() as issuer:
        yield issuer


@pytest.fixture
def regimes(tmp_path: Path) -> Path:
    folder = tmp_path / "regimes" / "company" / "role"
    folder.mkdir(parents=True)
    (folder / "tester.yaml").write_text(ROLE)
    (folder.parent / "resource").mkdir()
    for name, actions in RESOURCES.items():
        (folder.parent / "resource" / f"{name}.yaml").write_text(resource(name, *actions))
    return tmp_path / "regimes"


async def look(_tx: Transaction, key: str, _moment: datetime) -> Subject | None:
    """Things by the unit that they belong to, which is their id."""
    fields = {"weight": (Secrecy.PUBLIC, "general"), "price": (Secrecy.SECRET, "general")}
    return Subject(key, fields=fields) if key.startswith("unit-") else None


@asynccontextmanager
async def serving(settings: ServiceSettings, issuer: Issuer, handlers: dict[str, Handle]) -> AsyncIterator[Site]:
    """The service, from start to stop."""
    database = Database(settings.database_url.get_secret_value(), pool=6)
    transport = connect("postgres", settings.bus_url.get_secret_value(), partitions=1)
    outbox, gate = Outbox("testing"), asyncio.Event()
    authenticator = Authenticator(settings, load(settings.regimes_path))
    surface = Surface("testing", settings, database, transport, outbox, authenticator)
    explained = decisions.build(authenticator, {"thing": look})
    app = create_app(surface, [routes(gate), operations.build(database, outbox, handlers), explained])
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://site") as client,
    ):
        yield Site(app, client, database, issuer, gate)


@pytest.fixture
async def site(
    service_dsn: str, bus_dsn: str, issuer: Issuer, regimes: Path, handlers: dict[str, Handle]
) -> AsyncIterator[Site]:
    settings = settings_of(service_dsn, bus_dsn, issuer, regimes)
    async with serving(settings, issuer, handlers) as site:
        async with site.database.transaction() as tx:
            await tx.execute(TABLE)
        yield site


@pytest.fixture
def handlers() -> dict[str, Handle]:
    """Consumer groups whose dead letters the routes know; test modules that need some say which."""
    return {}
