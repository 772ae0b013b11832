"""Makes what audit tests need: events as the bus delivers them, a migrated database, the service running for real."""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import orjson

from services.audit.app import SERVICE, compose
from services.audit.clients import Values
from services.audit.log import service
from services.audit.settings import AuditSettings
from services.audit.stream.rules import StoredEntry
from shared.auth import OwnToken, Power, Principal, Scope
from shared.bus import Delivery
from shared.clock import now
from shared.db import Database
from shared.events import CustomerChanged, Envelope, Event, GradeChanged, RegimeRef
from shared.ids import new_id
from shared.migrations import upgrade
from shared.process import Parts
from shared.regime import Secrecy
from tests.factories.serving import served
from tests.fakes.issuer import Issuer

ORIGIN = "kehu.test/audit"
SEED_BYTES = b"test seed of thirty-two bytes 32"
SEED = base64.b64encode(SEED_BYTES).decode()
AT_ID_MONTH = now()
"""Event ids of the tests are fresh UUIDv7: they lie in the month in which the tests run."""
AT = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
TOPIC = "kehu.customer"

_positions = count()


def changed(customer: str = "c1", version: int = 2, items: tuple[str, ...] = ("contact_phone",)) -> CustomerChanged:
    return CustomerChanged(
        customer_id=customer,
        kind="retail",
        unit="unit-1",
        version=version,
        items=items,
        sealed=base64.b64encode(f"sealed {customer} {version}".encode()).decode(),
        dictionary=RegimeRef(id="retail", version="2026-01-01", hash="0" * 64),
    )


def grade_changed(**more: Any) -> GradeChanged:
    known = {"customer_id": "c1", "unit": "unit-1", "manager": "m1", "before": None, "grade": "B"}
    policy = RegimeRef(id="retail", version="2026-01-01", hash="0" * 64)
    return GradeChanged.model_validate({**known, "policy": policy, "customer_version": 2, **more})


def envelope(
    event: Event,
    *,
    subject: str = "customer/c1",
    sequence: int | None = None,
    actor: str = "staff/manager1",
    source: str = "/customer/file",
    event_id: UUID | None = None,
    at: datetime = AT,
) -> Envelope:
    return Envelope(
        id=event_id or new_id(),
        source=source,
        type=event.type,
        subject=subject,
        time=at,
        partitionkey=subject.partition("/")[2],
        actor=actor,
        dataschema=f"kehu:{event.type}:v1",
        sequence=sequence,
        traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    )


def delivered(event: Event, head: Envelope, *, topic: str = TOPIC, position: int | None = None) -> Delivery:
    place = next(_positions) if position is None else position
    return Delivery(topic, 0, place, head.partitionkey.encode(), event.model_dump_json().encode(), head.headers())


def change(customer: str = "c1", version: int = 2, **attributes: Any) -> Delivery:
    """One `customer.changed`, as the bus delivers it."""
    event = changed(customer, version)
    return delivered(event, envelope(event, subject=f"customer/{customer}", sequence=version, **attributes))


def changes(number: int, customers: int = 7, prefix: str = "c") -> list[Delivery]:
    """Changes of some customers, their versions in order."""
    return [change(f"{prefix}{i % customers}", i // customers + 2) for i in range(number)]


def raw_event(kind: str, data: Any, **attributes: str) -> Delivery:
    """An event of any type, declared or not."""
    head = {"id": str(new_id()), "source": "/audit/retention", "type": kind, "subject": "log/1", "actor": "staff/x"}
    head |= {"time": AT.isoformat(), **attributes}
    headers = tuple((f"ce_{name}", value.encode()) for name, value in head.items())
    return Delivery("kehu.audit", 0, next(_positions), b"log", orjson.dumps(data), headers)


def stored(event: Event, index: int = 0, data: Any = None) -> StoredEntry:
    """The entry of an event about a customer; `data` in its place, if given."""
    payload = orjson.dumps({"data": event.model_dump(mode="json") if data is None else data})
    subject, nobody = "customer/c1", b"\0" * 32
    return StoredEntry(index, str(new_id()), event.type, "/customer/x", subject, 2, "staff/x", AT, AT, payload, nobody)


def garbage(value: bytes = b"\xff not json", position: int | None = None) -> Delivery:
    place = next(_positions) if position is None else position
    return Delivery(TOPIC, 0, place, b"k", value, (("ce_id", b"nonsense"),))


def reader() -> Principal:
    """Somebody who may open the values of every customer."""
    power = Power("auditor", Scope(everything=True), Secrecy.SECRET)
    return Principal("yan", "staff/yan", "company", ("auditor",), {"customer.values.open": (power,)}, 0.0, "token")


def values_of(owner: str) -> Values:
    """The client of an owner of customers' values; without a token of its own."""
    return Values({"customer": owner}, OwnToken(settings_of("postgresql://nowhere", client=None)))


def migrated(dsn: str) -> str:
    upgrade(SERVICE.migrations, dsn)
    return dsn


@asynccontextmanager
async def opened(dsn: str) -> AsyncIterator[Database]:
    database = Database(dsn)
    await database.start()
    try:
        yield database
    finally:
        await database.close()


async def append(database: Database, *batch: Delivery, at: datetime = AT) -> service.Appended:
    async with database.transaction() as tx:
        return await service.append(tx, ORIGIN, batch, at)


async def publish(database: Database, settings: AuditSettings, at: datetime = AT) -> str:
    async with database.transaction() as tx:
        await service.publish_checkpoint(tx, settings.signer, at)
    async with database.reading() as tx:
        return await service.checkpoint(tx)


def settings_of(
    dsn: str,
    *,
    issuer: str = "http://issuer.invalid",
    customer: str = "http://127.0.0.1:9",
    client: str | None = "audit",
) -> AuditSettings:
    return AuditSettings.model_validate(
        {
            "database_url": dsn,
            "bus_url": dsn,
            "issuer": issuer,
            "authority": "claims",
            "origin": ORIGIN,
            "checkpoint_seed": SEED,
            "customer_url": customer,
            "identity_url": "http://127.0.0.1:9",
            "service_client": client,
            "service_secret": "any will do here",
            "regimes_path": Path(__file__).parents[2] / "regimes",
        }
    )


@dataclass
class RunningAudit:
    """The api of a real process's make, on a free port, with its database at hand."""

    parts: Parts
    settings: AuditSettings
    issuer: Issuer
    http: httpx.AsyncClient
    tokens: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def database(self) -> Database:
        return self.parts.database

    def as_(self, role: str, **claims: Any) -> dict[str, str]:
        return self.issuer.bearer(role, [role], **claims)

    def stand(self, name: str, *roles: str, version: int = 1) -> None:
        """As if the directory had said which roles somebody holds."""
        roster = self.parts.authenticator.roster
        held = [{"role": role, "unit": "company", "from_on": "2026-01-01"} for role in roles]
        data = {"name": name, "unit": "company", "state": "active", "held": held, "first_day": "2026-01-01"}
        serial = roster.serial + 1
        roster.take([{"kind": "person", "id": name, "data": {**data, "version": version}, "serial": serial}])

    async def get(self, path: str, role: str = "auditor", **query: Any) -> httpx.Response:
        return await self.http.get(path, params=query, headers=self.as_(role))


@asynccontextmanager
async def running(dsn: str, issuer: Issuer, customer: str = "http://127.0.0.1:9") -> AsyncIterator[RunningAudit]:
    settings = settings_of(dsn, issuer=issuer.url, customer=customer)
    parts = compose(settings)
    async with served(parts.app()) as http:
        yield RunningAudit(parts, settings, issuer, http)


def frame_fields(frame: str) -> dict[str, str]:
    """The fields of one server-sent event; comments have none."""
    pairs = (line.partition(": ") for line in frame.splitlines() if line and not line.startswith(":"))
    return {name: value for name, _, value in pairs}


async def events_of(response: httpx.Response, number: int, timeout_s: float = 10) -> list[dict[str, Any]]:
    """The first data frames of a stream, their data decoded."""
    seen: list[dict[str, Any]] = []
    buffer = ""
    async with asyncio.timeout(timeout_s):
        async for text in response.aiter_text():
            buffer += text
            *frames, buffer = buffer.split("\n\n")
            fields = [frame_fields(frame) for frame in frames]
            seen += [{**each, "data": orjson.loads(each["data"])} for each in fields if "data" in each]
            if len(seen) >= number:
                break
    return seen
