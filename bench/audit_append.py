"""Audit log: appending with tree and search columns, and proofs. Floor: plain COPY of the same rows, same indexes.

Batches of both take turns, so that a machine whose speed drifts slows both alike.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from bench.figures import Figure, median
from kehu.postgres import PostgresServer
from services.audit.app import SERVICE
from services.audit.log import repository, rules, service
from shared.bus import Delivery, pack_headers
from shared.db import Database
from shared.events import CustomerChanged, Envelope, RegimeRef
from shared.ids import new_id
from shared.migrations import upgrade
from shared.process import calm_collector

ENTRIES = 200_000
BATCH = 10_000
CUSTOMERS = 5_000
PROOFS = 2_000
_ORIGIN = "bench.kehu/audit"


def _deliveries(customers: Sequence[UUID], start: int) -> list[Delivery]:
    """A batch of one-item changes, as the bus delivers them: about 900 bytes each."""
    return [_delivery(customers[n % CUSTOMERS], n // CUSTOMERS + 2, n) for n in range(start, start + BATCH)]


def _delivery(customer: UUID, version: int, position: int) -> Delivery:
    event = CustomerChanged(
        customer_id=str(customer),
        kind="retail",
        unit="unit-1",
        manager="manager1",
        version=version,
        items=("contact_phone",),
        sealed="x" * 160,
        dictionary=RegimeRef(id="dictionary", version="2026-01-01", hash="0" * 64),
    )
    envelope = Envelope(
        id=new_id(),
        source="/customer/file",
        type=event.type,
        subject=f"customer/{customer}",
        time=datetime.now(UTC),  # noqa: TID251 - a benchmark is a door
        partitionkey=str(customer),
        actor=f"staff/{position % 40}",
        dataschema="kehu:customer.changed:v1",
        sequence=version,
        traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    )
    packed = pack_headers(envelope.headers())
    return Delivery("kehu.customer", 0, position, b"", event.model_dump_json().encode(), packed=packed)


async def _append(database: Database, batch: Sequence[Delivery], at: datetime) -> float:
    started = time.perf_counter()
    async with database.transaction() as tx:
        await service.append(tx, _ORIGIN, batch, at)
    return time.perf_counter() - started


async def _copy(database: Database, batch: Sequence[Delivery], first: int, at: datetime) -> float:
    records = [rules.record_of(each, at, b"s" * rules.SALT_SIZE) for each in batch]
    rows = [(first + i, *each.columns, each.received_at, each.salt, each.payload) for i, each in enumerate(records)]
    started = time.perf_counter()
    async with database.transaction() as tx:
        await tx.copy("floor", repository.ENTRY_COLUMNS, rows)
    return time.perf_counter() - started


async def _proofs(database: Database) -> list[float]:
    """Seconds for each of some inclusion proofs, spread over the log."""
    taken = []
    async with database.reading() as tx:
        for number in range(PROOFS):
            started = time.perf_counter()
            await service.inclusion(tx, _ORIGIN, number * 97 % ENTRIES, None)
            taken.append(time.perf_counter() - started)
    return sorted(taken)


async def _measure(database: Database) -> list[Figure]:
    at = datetime.now(UTC)  # noqa: TID251
    customers = [new_id() for _ in range(CUSTOMERS)]
    async with database.transaction() as tx:
        month = next(rules.months_from(at)).name
        await tx.execute(f"CREATE TABLE floor (LIKE {month} INCLUDING ALL)")
    appended, copied = [], []
    for start in range(0, ENTRIES, BATCH):
        batch = _deliveries(customers, start)
        appended.append(await _append(database, batch, at))
        copied.append(await _copy(database, batch, start, at))
    rate, floor = ENTRIES / sum(appended), ENTRIES / sum(copied)
    tenth = len(appended) // 10
    slower = median(appended[-tenth:]) / median(appended[:tenth])
    proofs = await _proofs(database)
    p99_ms = proofs[len(proofs) * 99 // 100] * 1000
    return [
        Figure("audit append", rate, "entries/s", "≥ 40,000", rate >= 40_000, floor, "plain COPY", f"batch {BATCH}"),
        Figure("audit append beside COPY", rate / floor, "ratio", "≥ 0.5", rate >= floor / 2),
        Figure("audit append, last tenth beside first", slower, "x time", "≤ 1.5", slower <= 1.5),
        Figure(f"inclusion proof at {ENTRIES:,}, p99", p99_ms, "ms", "≤ 5", p99_ms <= 5),
    ]


async def run() -> list[Figure]:
    """The figures, over a PostgreSQL of their own with fsync on."""
    calm_collector()
    with tempfile.TemporaryDirectory() as folder:
        server = PostgresServer(Path(folder) / "postgres")
        server.start()
        try:
            dsn = server.create_database("audit")
            await _migrated(dsn)
            database = Database(dsn)
            await database.start()
            try:
                return await _measure(database)
            finally:
                await database.close()
        finally:
            server.stop()


async def _migrated(dsn: str) -> None:
    """Alembic runs an event loop of its own, hence the thread."""
    await asyncio.to_thread(upgrade, SERVICE.migrations, dsn)
