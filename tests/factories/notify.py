"""Makes what notify tests need: the api and any number of workers, running for real over a real bus."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import httpx
import orjson

from services.notify.app import SERVICE, compose
from services.notify.settings import NotifySettings
from shared.bus import Delivery, Message, Transport, unpack_headers
from shared.db import Database
from shared.events import (
    EVENTS,
    Envelope,
    Event,
    GradeChanged,
    RegimeRef,
    RegistrationReturned,
    RegistrationSubmitted,
)
from shared.ids import new_id
from shared.process import Parts
from tests.factories.events import MOMENT
from tests.factories.regimes import REGIMES

MIGRATIONS = SERVICE.migrations
POLICY = RegimeRef(id="retail-customer/grade/quarterly", version="2025-01-01", hash="0" * 64)


def grade_changed(
    *, manager: str | None = "manager1", unit: str = "north", before: str | None = "B", grade: str = "A", **more: Any
) -> GradeChanged:
    known = {"customer_id": str(new_id()), "policy": POLICY, "customer_version": 2}
    return GradeChanged.model_validate(
        {**known, "manager": manager, "unit": unit, "before": before, "grade": grade, **more}
    )


_FORM = {"registration": "r-1", "kind": "retail", "unit": "north", "proposer": "manager1", "round": 1, "items": ()}


def form_returned() -> RegistrationReturned:
    return RegistrationReturned.model_validate(_FORM)


def form_handed_in(*, desk: str | None) -> RegistrationSubmitted:
    more = {"important": False, "staff": 0, "desk": desk, "approval": POLICY}
    return RegistrationSubmitted.model_validate(_FORM | more)


def envelope_of(event: Event, *, at: datetime = MOMENT, event_id: UUID | None = None) -> Envelope:
    customer = str(event.model_dump().get("customer_id", "c-1"))
    return Envelope(
        id=event_id or new_id(),
        source="/customer/grading",
        type=event.type,
        subject=f"customer/{customer}",
        time=at,
        partitionkey=customer,
        actor="system/grading",
        dataschema=f"kehu:{event.type}:v{event.schema_version}",
    )


def settings_of(dsn: str, bus_url: str, issuer: str = "http://issuer.invalid", **more: Any) -> NotifySettings:
    known = {"database_url": dsn, "bus_url": bus_url, "issuer": issuer, "regimes_path": REGIMES, "authority": "claims"}
    return NotifySettings.model_validate({**known, **more})


@asynccontextmanager
async def working(settings: NotifySettings) -> AsyncIterator[Parts]:
    """One worker process's consumers and jobs (the relay stays out: the tests look into the outbox)."""
    parts = compose(settings)
    stop = asyncio.Event()
    await parts.database.start()
    await parts.transport.start()
    loops = [consumer.run(stop) for consumer in parts.consumers]
    loops += [job.run(parts.database, stop) for job in parts.jobs]
    tasks = [asyncio.create_task(loop) for loop in loops]
    try:
        yield parts
    finally:
        stop.set()
        await asyncio.wait(tasks, timeout=10)
        await parts.transport.close()
        await parts.database.close()


@asynccontextmanager
async def serving(settings: NotifySettings) -> AsyncIterator[httpx.AsyncClient]:
    """The api."""
    app = compose(settings).app()
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://notify") as http:
            yield http


@dataclass
class Bus:
    """The producer's side of the bus."""

    transport: Transport
    topic: str = "kehu.customer"

    async def publish(self, *events: Event, at: datetime = MOMENT, event_id: UUID | None = None) -> None:
        await self.transport.ensure_topics([self.topic])
        envelopes = [envelope_of(event, at=at, event_id=event_id) for event in events]
        await self.transport.publish(
            [
                Message(self.topic, each.partitionkey.encode(), event.model_dump_json().encode(), each.headers())
                for each, event in zip(envelopes, events, strict=True)
            ]
        )


async def outbox(database: Database) -> list[tuple[Envelope, Event]]:
    """The events not yet on the bus, in order."""
    async with database.reading() as tx:
        rows = await tx.fetch("SELECT * FROM outbox ORDER BY id")
    found = [Delivery(r["topic"], 0, r["id"], r["key"], r["value"], unpack_headers(r["headers"])) for r in rows]
    return [(e := Envelope.of(each), EVENTS[e.type].model_validate(orjson.loads(each.value))) for each in found]


async def count(database: Database, table: str) -> int:
    async with database.reading() as tx:
        return int(await tx.fetchval(f"SELECT count(*) FROM {table}"))


async def eventually(holds: Callable[[], Awaitable[bool]], within_s: float = 20) -> None:
    """Wait until it holds; fail if it does not in time."""
    for _ in range(int(within_s / 0.05)):
        if await holds():
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"not within {within_s} s")
