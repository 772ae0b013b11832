"""Makes what customer tests need: a migrated database, the service running for real, files with values."""

import asyncio
import base64
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any

import httpx
import orjson

from services.customer.app import SERVICE, compose
from services.customer.settings import CustomerSettings
from shared.bus import Delivery, unpack_headers
from shared.db import Database, Record
from shared.events import EVENTS, Envelope, Event
from shared.migrations import upgrade
from shared.process import Parts
from tests.factories.regimes import REGIMES
from tests.factories.serving import served
from tests.fakes.issuer import Issuer

KEK = f"k1:{base64.b64encode(b'customer test key number one 32!').decode()}"
NEWER_KEK = f"k2:{base64.b64encode(b'customer test key number two 32!').decode()},{KEK}"
UNIT, OTHER_UNIT = "unit-1", "unit-2"

Served = Callable[..., AbstractAsyncContextManager["RunningCustomer"]]
"""The service on changed measures: `served((file, old, new), ...)`, all of them in force from `begins` on."""

_numbers = count(1)

MINIMAL = {
    "shop_name": "示例便利店",
    "address": "示例路 1 号",
    "contact_person": "张示例",
    "contact_phone": "13900000000",
}
"""What the dictionary requires, except the number, which is fresh each time."""


def values(**items: Any) -> dict[str, Any]:
    """The values of a new customer; None leaves one out."""
    given = {"customer_code": f"T-{next(_numbers):06d}", **MINIMAL, **items}
    return {code: value for code, value in given.items() if value is not None}


def migrated(dsn: str) -> str:
    upgrade(SERVICE.migrations, dsn)
    return dsn


def settings_of(dsn: str, *, issuer: str = "http://issuer.invalid", kek: str = KEK, **more: Any) -> CustomerSettings:
    return CustomerSettings.model_validate(
        {
            "database_url": dsn,
            "bus_url": dsn,
            "issuer": issuer,
            "kek": kek,
            "regimes_path": REGIMES,
            "authority": "claims",
            **more,
        }
    )


@dataclass
class RunningCustomer:
    """The api on a free port, with its parts at hand."""

    parts: Parts
    settings: CustomerSettings
    issuer: Issuer
    http: httpx.AsyncClient

    @property
    def database(self) -> Database:
        return self.parts.database

    def as_(self, role: str, unit: str = UNIT, **claims: Any) -> dict[str, str]:
        """Headers of somebody in this role; the name is the role's unless `name` says otherwise."""
        return self.issuer.bearer(claims.pop("name", role), [role], unit, **claims)

    def through(self, peer: str, role: str, unit: str = UNIT, **claims: Any) -> dict[str, str]:
        """The same, asked by another service of the suite in the person's name."""
        own = self.issuer.token(peer, ["peer_service"], client_id=peer)
        return {**self.as_(role, unit, **claims), "Service-Authorization": f"Bearer {own}"}

    async def register(self, role: str = "department_manager", **items: Any) -> dict[str, Any]:
        """A fresh customer of UNIT: the answer's body."""
        body = {"kind": "retail", "values": values(**items)}
        answer = await self.http.post("/v1/customers", json=body, headers=self.as_(role))
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def patch(
        self, customer: str, version: int | str | None, role: str = "department_manager", **items: Any
    ) -> httpx.Response:
        headers = self.as_(role)
        if version is not None:
            headers["If-Match"] = f'"{version}"' if isinstance(version, int) else version
        return await self.http.patch(f"/v1/customers/{customer}", json={"values": items}, headers=headers)

    async def get(self, path: str, role: str = "department_manager", **query: Any) -> httpx.Response:
        return await self.http.get(path, params=query, headers=self.as_(role))

    async def file(self, customer: str, role: str = "department_manager") -> dict[str, Any]:
        answer = await self.get(f"/v1/customers/{customer}", role)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def outbox(self, *types: str) -> list[tuple[Envelope, Event]]:
        """The events not yet on the bus, in order; only of these types, if any is named."""
        async with self.database.reading() as tx:
            rows = await tx.fetch("SELECT * FROM outbox ORDER BY id")
        found = [_decoded(row) for row in rows]
        return [each for each in found if not types or each[0].type in types]

    async def deliveries(self) -> list[Delivery]:
        """The events not yet on the bus, as consumers get them."""
        async with self.database.reading() as tx:
            rows = await tx.fetch("SELECT * FROM outbox ORDER BY id")
        return [_delivery(row) for row in rows]

    async def run_consumers(self) -> None:
        """Let every consumer group apply what stands in the outbox, as the bus would deliver it, once each."""
        batch = await self.deliveries()
        for consumer in self.parts.consumers:
            async with self.database.transaction() as tx:
                await consumer.handle(tx, batch)


def _delivery(row: Record) -> Delivery:
    return Delivery(row["topic"], 0, row["id"], row["key"], row["value"], unpack_headers(row["headers"]))


def _decoded(row: Record) -> tuple[Envelope, Event]:
    envelope = Envelope.of(_delivery(row))
    return envelope, EVENTS[envelope.type].model_validate(orjson.loads(row["value"]))


@asynccontextmanager
async def running(dsn: str, issuer: Issuer, **settings: Any) -> AsyncIterator[RunningCustomer]:
    chosen = settings_of(dsn, issuer=issuer.url, **settings)
    parts = compose(chosen)
    async with served(parts.app()) as http:
        yield RunningCustomer(parts, chosen, issuer, http)


async def at_once(*calls: Callable[[], Awaitable[httpx.Response]]) -> list[httpx.Response]:
    """Start all calls together."""
    return list(await asyncio.gather(*(call() for call in calls)))


def stand(service: RunningCustomer, name: str, *held: tuple[str, str], version: int = 1) -> None:
    """As if the directory had said which roles somebody holds over which units."""
    roster = service.parts.authenticator.roster
    grants = [{"role": role, "unit": unit, "from_on": "2026-01-01"} for role, unit in held]
    person = {"name": name, "unit": UNIT, "state": "active", "held": grants, "first_day": "2026-01-01"}
    roster.take([{"kind": "person", "id": name, "data": {**person, "version": version}, "serial": roster.serial + 1}])
