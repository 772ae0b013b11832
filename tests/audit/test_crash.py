"""The log's worker dies at each of its own crash points, by SIGKILL, and its successor makes the log whole."""

import asyncio
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from services.audit.log.note import Checkpoint, open_note
from services.audit.log.verify import verify
from shared import crash
from shared.bus import Message
from shared.bus.postgres import PostgresLog
from shared.db import Database
from tests.conftest import FreshDatabase
from tests.factories import audit
from tests.factories.audit import ORIGIN, TOPIC, changes
from tests.factories.waiting import until_query

ROOT = Path(__file__).parents[2]
PASSAGES = {
    "audit.append.before_commit": 3,
    "audit.append.after_commit": 3,
    "audit.checkpoint.before_commit": 1,
    "audit.checkpoint.after_commit": 1,
}
EVENTS = 60


@contextmanager
def worker(dsn: str, bus: str, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    settings = {
        "AUDIT_DATABASE_URL": dsn,
        "AUDIT_BUS_URL": bus,
        "AUDIT_ISSUER": "http://issuer.invalid",
        "AUDIT_ORIGIN": ORIGIN,
        "AUDIT_CHECKPOINT_SEED": audit.SEED,
        "AUDIT_CUSTOMER_URL": "http://127.0.0.1:9",
        "AUDIT_IDENTITY_URL": "http://127.0.0.1:9",
        "AUDIT_APPEND_BATCH": "7",
        "AUDIT_LOG_LEVEL": "ERROR",
        **environment,
    }
    process = subprocess.Popen([sys.executable, "-m", "services.audit", "worker"], cwd=ROOT, env=settings)
    try:
        yield process
    finally:
        process.kill()
        process.wait(10)


async def publish(bus: str) -> None:
    transport = PostgresLog(bus)
    await transport.start()
    await transport.ensure_topics([TOPIC])
    await transport.publish([Message(TOPIC, each.key, each.value, each.headers) for each in changes(EVENTS)])
    await transport.close()


def test_no_crash_point_of_the_log_is_forgotten() -> None:
    assert set(PASSAGES) == {point for point in crash.POINTS if point.startswith("audit.")}


@pytest.mark.slow
@pytest.mark.req("R0.2")
@pytest.mark.parametrize(("point", "nth"), PASSAGES.items())
async def test_a_crash_neither_loses_nor_doubles_an_entry(
    point: str, nth: int, dsn: str, database: Database, fresh_database: FreshDatabase
) -> None:
    bus = fresh_database("bus")
    await publish(bus)
    with worker(dsn, bus, KEHU_TEST_BUILD="1", KEHU_CRASH=f"{point}:{nth}") as process:
        assert await asyncio.to_thread(process.wait, 30) == -signal.SIGKILL
    with worker(dsn, bus):
        await until_query(database, "SELECT count(*) FROM entry", EVENTS)
        await until_query(database, f"SELECT count(*) FROM checkpoint WHERE size = {EVENTS}", 1)
    async with database.reading() as tx:
        assert await tx.fetchval("SELECT count(*) FROM dead_letter") == 0
        notes = [row["note"] for row in await tx.fetch("SELECT note FROM checkpoint ORDER BY size")]
    verifiers = audit.settings_of(dsn).verifiers
    report = await verify(database, ORIGIN, verifiers, notes)
    assert (report.findings, report.size) == ([], EVENTS)
    assert Checkpoint.parse(open_note(notes[-1], verifiers).text).root.hex() == report.root
