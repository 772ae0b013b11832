"""A submission comes to the audit log once, with its counts and without its data, however often it is delivered."""

import asyncio

import httpx
import orjson
import pytest

from services.audit import consumers as audit_consumers
from services.audit.app import compose as compose_audit
from shared.bus import connect
from shared.db import Database
from shared.outbox import Relay
from tests.conftest import FreshDatabase
from tests.factories import audit
from tests.factories.reporting import REPORT, csv_of, file_upload, loan, loans


@pytest.mark.req("R0.4")
@pytest.mark.req("R0.2")
async def test_a_submission_is_audited_once_with_counts_and_content_hash(
    http: httpx.AsyncClient, partner: dict[str, str], unit: str, database: Database, fresh_database: FreshDatabase
) -> None:
    content = csv_of([*loans(2), loan(3, amount="1")])
    body = (await file_upload(http, partner, unit, content)).json()
    log, bus = await asyncio.to_thread(audit.migrated, fresh_database("audit")), fresh_database("bus")
    settings = audit.settings_of(log).model_copy(update={"bus_url": audit.settings_of(bus).bus_url})
    parts = compose_audit(settings)
    await parts.database.start()
    await parts.transport.start()
    await parts.transport.ensure_topics(parts.topics())
    published = await publish_twice(database, bus)
    stop = asyncio.Event()
    [consumer] = audit_consumers.table(parts, settings)
    running = asyncio.create_task(consumer.run(stop))
    await count_reaches(parts.database, "entry", published)
    await asyncio.sleep(0.5)
    await count_reaches(parts.database, "entry", published)
    entries = await payloads(parts.database, f"submission/{body['id']}")
    stop.set()
    await running
    await parts.transport.close()
    await parts.database.close()
    [entry] = entries
    data = orjson.loads(entry)["data"]
    assert {
        name: data[name] for name in ("submission_id", "period", "org", "version", "verdict", "rows", "findings")
    } == {
        "submission_id": body["id"],
        "period": body["period"],
        "org": unit,
        "version": 1,
        "verdict": "rejected",
        "rows": 3,
        "findings": {"reject": 0, "error": 1, "query": 0, "notice": 0},
    }
    assert (data["content_sha256"], data["report"]["id"].endswith(REPORT)) == (body["content_sha256"], True)


async def publish_twice(database: Database, bus: str) -> int:
    """Have the outbox moved to the bus, and once more as if the relay had died before deleting; how many events."""
    async with database.reading() as tx:
        rows = await tx.fetch("SELECT shard, topic, key, value, headers FROM outbox ORDER BY id")
    transport, stop = connect("postgres", bus), asyncio.Event()
    await transport.start()
    relay = asyncio.create_task(Relay("reporting", database, transport).run(stop))
    await count_reaches(database, "outbox", 0)
    async with database.transaction() as tx:
        await tx.copy("outbox", ("shard", "topic", "key", "value", "headers"), [tuple(row) for row in rows])
    await count_reaches(database, "outbox", 0)
    stop.set()
    await relay
    await transport.close()
    return len(rows)


async def count_reaches(database: Database, table: str, wanted: int) -> None:
    """Wait until a table has so many rows."""
    async with asyncio.timeout(20), database.reading() as tx:
        while True:
            if await tx.fetchval(f"SELECT count(*) FROM {table}") == wanted:
                return
            await asyncio.sleep(0.05)


async def payloads(log: Database, subject: str) -> list[bytes]:
    """What the log holds about a subject's submission."""
    async with log.reading() as tx:
        found = await tx.fetch("SELECT payload FROM entry WHERE subject = $1 AND type = 'report.submitted'", subject)
    return [row["payload"] for row in found]
