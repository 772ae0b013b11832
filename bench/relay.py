"""Relay: outbox -> bus, both transports. Floor: the same bytes published without an outbox, in the same run."""

from __future__ import annotations

import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from sqlalchemy import MetaData
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateTable

from bench.figures import Figure, median
from kehu.kafka import LocalKafka
from kehu.postgres import PostgresServer
from kehu.settings import SuiteSettings
from shared.bus import Message, Transport, connect
from shared.db import Database
from shared.events import CustomerChanged, RegimeRef
from shared.outbox import SHARDS, Outbox, Relay, Row, outbox_table

EVENTS = 100_000
RUNS = 3
_TARGETS = {"postgres": 50_000, "kafka": 30_000}


def _rows(outbox: Outbox) -> list[Row]:
    event = CustomerChanged(
        customer_id="0198c0de-0000-7000-8000-000000000000",
        kind="retail",
        unit="unit",
        version=2,
        items=("contact_phone",),
        sealed="x" * 160,
        dictionary=RegimeRef(id="dictionary", version="2026-01-01", hash="0" * 64),
    )
    facts = (
        outbox.envelope(event, feature="file", subject=f"customer/{number % 5000}", actor="staff/a", sequence=number)
        for number in range(EVENTS)
    )
    return [outbox.row(envelope, event) for envelope in facts]


async def _measure(database: Database, transport: Transport, topic: str, rows: list[Row]) -> tuple[float, float]:
    """Events per second (relay, floor), medians."""
    relay = Relay("customer", database, transport)
    session = await database.session()
    relayed, published = [], []
    try:
        for _ in range(RUNS):
            async with database.transaction() as tx:
                await tx.copy("outbox", Row._fields, rows)
            started = time.perf_counter()
            while await relay.drain(session, range(SHARDS)):
                pass
            relayed.append(EVENTS / (time.perf_counter() - started))
            messages = [Message(topic, row.key, row.value, packed=row.headers) for row in rows]
            started = time.perf_counter()
            for at in range(0, EVENTS, 4000):
                await transport.publish(messages[at : at + 4000])
            published.append(EVENTS / (time.perf_counter() - started))
    finally:
        await session.close()
    return median(relayed), median(published)


@asynccontextmanager
async def _database(server: PostgresServer) -> AsyncIterator[Database]:
    metadata = MetaData()
    table = outbox_table(metadata)
    database = Database(server.create_database("relay"))
    await database.start()
    async with database.transaction() as tx:
        await tx.execute(str(CreateTable(table).compile(dialect=postgresql.dialect())))  # type: ignore[no-untyped-call]
    yield database
    await database.close()


async def run() -> list[Figure]:
    """The figures of both transports."""
    figures = []
    outbox = Outbox("customer")
    rows = _rows(outbox)
    with tempfile.TemporaryDirectory() as folder:
        server = PostgresServer(Path(folder) / "postgres")
        kafka = LocalKafka(Path(folder) / "kafka", cache=SuiteSettings().kehu_cache)
        server.start()
        kafka.start()
        try:
            async with _database(server) as database:
                for bus, url in (("postgres", server.create_database("bus")), ("kafka", kafka.bootstrap)):
                    transport = connect(bus, url)
                    await transport.start()
                    await transport.ensure_topics([outbox.topic])
                    rate, floor = await _measure(database, transport, outbox.topic, rows)
                    await transport.close()
                    target = _TARGETS[bus]
                    figures.append(
                        Figure(
                            f"relay to {bus}",
                            rate,
                            "events/s",
                            f"≥ {target:,}",
                            rate >= target,
                            floor,
                            "publish without an outbox",
                        )
                    )
        finally:
            kafka.stop()
            server.stop()
    return figures
