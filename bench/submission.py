"""A partner's 100k-row JSON table over HTTP to its verdict, and what small requests feel meanwhile.

Floor: orjson reading the same body. Rules run row by row on the record back end of the expressions.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path

import httpx
import orjson

from bench.figures import Figure, median
from kehu.postgres import PostgresServer
from tests.factories.reporting import PERIOD, REPORT, RunningReporting, loans, running
from tests.fakes.issuer import Issuer

ROWS = 100_000
RUNS = 3
TARGET_MS, TABLE_TARGET_MS = 10_000, 800
UNIT = "unit-1"


async def run() -> list[Figure]:
    """The figures, of a service process of its own over a PostgreSQL of its own."""
    with tempfile.TemporaryDirectory() as folder:
        server = PostgresServer(Path(folder) / "postgres")
        server.start()
        try:
            dsn = server.create_database("reporting")
            return await asyncio.to_thread(_measured, dsn, Path(folder))
        finally:
            server.stop()


def _measured(dsn: str, folder: Path) -> list[Figure]:
    """In a thread: alembic runs an event loop of its own."""
    with Issuer() as issuer, running(dsn, issuer, folder) as service:
        return asyncio.run(_measure(service))


async def _measure(service: RunningReporting) -> list[Figure]:
    rows, verdicts, floors = loans(ROWS), [], []
    async with service.http() as http:
        http.timeout = httpx.Timeout(120)
        await _file(http, service, loans(1))  # the judging process starts at the first filing
        quiet = await _small_requests(http, service, asyncio.create_task(asyncio.sleep(2)))
        busy: list[float] = []
        for number in range(RUNS):
            body = _body([*rows, {**rows[0], "loan_no": f"L-RUN-{number}"}])
            floors.append(_seconds_to_parse(body))
            started = time.perf_counter()
            filing = asyncio.create_task(_post(http, service, body))
            busy += await _small_requests(http, service, filing)
            filed = await filing
            verdicts.append(filed - started)
    slower = _p99(busy) / _p99(quiet)
    took, floor = median(verdicts) * 1000, median(floors) * 1000
    name, target = f"{ROWS:,}-row JSON to verdict", f"≤ {TARGET_MS:,}; ≤ {TABLE_TARGET_MS} with a table back end"
    return [
        Figure(name, took, "ms", target, took <= TARGET_MS, floor, "orjson alone"),
        Figure("small requests meanwhile, p99 beside quiet", slower, "x time", "≤ 2", slower <= 2),
    ]


def _body(rows: list[dict[str, str]]) -> bytes:
    return orjson.dumps({"report": REPORT, "period": PERIOD, "org": UNIT, "rows": rows})


def _seconds_to_parse(body: bytes) -> float:
    started = time.perf_counter()
    orjson.loads(body)
    return time.perf_counter() - started


async def _file(http: httpx.AsyncClient, service: RunningReporting, rows: list[dict[str, str]]) -> float:
    return await _post(http, service, _body(rows))


async def _post(http: httpx.AsyncClient, service: RunningReporting, body: bytes) -> float:
    """File it; the moment when the verdict was there."""
    headers = service.partner(UNIT) | {"Content-Type": "application/json"}
    answer = await http.post("/v1/submissions", content=body, headers=headers)
    assert answer.status_code == 201 and answer.json()["verdict"] == "accepted", answer.text
    return time.perf_counter()


async def _small_requests(
    http: httpx.AsyncClient, service: RunningReporting, until: asyncio.Task[object]
) -> list[float]:
    """Seconds that each of a trickle of small requests took, until a task is done."""
    headers, taken = service.partner(UNIT), []
    while not until.done():
        started = time.perf_counter()
        (await http.get("/v1/submissions", params={"limit": 1}, headers=headers)).raise_for_status()
        taken.append(time.perf_counter() - started)
        await asyncio.sleep(0.02)
    return taken


def _p99(taken: list[float]) -> float:
    return sorted(taken)[len(taken) * 99 // 100]
