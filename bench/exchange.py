"""10,000 customers of the whole dictionary in from a workbook to the verdict, and out into one: over HTTP, with a job.

Floors: calamine reading the same workbook alone, rustpy-xlsxwriter writing the same cells alone. The processes beside
are there already, as they are from the first file of the day on. Memory is that of the process that writes.
"""

from __future__ import annotations

import asyncio
import io
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psutil
from python_calamine import CalamineWorkbook
from rustpy_xlsxwriter import FastExcel

from bench.figures import Figure, median
from kehu.postgres import PostgresServer
from shared.clock import day_of, now
from shared.regime import FieldType, Item, Maintenance
from tests.factories.customer import RunningCustomer, migrated, running
from tests.fakes.issuer import Issuer

ROWS, WARM = 10_000, 10
RUNS = 3
IN_S, OUT_S = 2.5, 2.0
ROLE = "department_manager"
_TEXT = "示例路 {} 号"


async def run() -> list[Figure]:
    """The figures, over a PostgreSQL of its own."""
    with tempfile.TemporaryDirectory() as folder:
        server = PostgresServer(Path(folder) / "postgres")
        server.start()
        try:
            dsn = await asyncio.to_thread(migrated, server.create_database("customer"))
            with Issuer() as issuer:
                async with running(dsn, issuer) as service, _worker(service):
                    service.http.timeout = 120
                    return await _measure(service)
        finally:
            server.stop()


@asynccontextmanager
async def _worker(service: RunningCustomer) -> AsyncIterator[None]:
    """The jobs of exchange as a worker runs them."""
    stop = asyncio.Event()
    names = ("import_steps", "exports_due")
    jobs = [job.run(service.database, stop) for job in service.parts.jobs if job.name in names]
    tasks = [asyncio.create_task(job) for job in jobs]
    try:
        yield
    finally:
        stop.set()
        await asyncio.gather(*tasks)


async def _measure(service: RunningCustomer) -> list[Figure]:
    items = list(service.parts.regimes.catalogue("retail", on=day_of(now())).items.values())
    await _into(service, _book(items, WARM, "W"))
    await _out(service)
    into, reading = [], []
    content = b""
    for number in range(RUNS):
        content = _book(items, ROWS, f"R{number}")
        reading.append(_seconds_to_read(content))
        into.append(await _into(service, content))
    applied = await _into(service, content, dry_run="false")
    out, writing, memory = [], [], [0, 0]
    for number in range(RUNS):
        out.append(await _out(service))
        writing.append(_seconds_to_write(len(items), ROWS))
        memory[bool(number)] = _memory_of_writers()
    grown = (memory[1] - memory[0]) / 2**20
    name = f"{ROWS:,} × {len(items)} Excel"
    return [
        Figure(f"{name} in, to the verdict", median(into), "s", f"≤ {IN_S}", median(into) <= IN_S, median(reading),
               "calamine alone"),
        Figure(f"{name} in, stored too", applied, "s", "–", met=True),
        Figure(f"{name} out", median(out), "s", f"≤ {OUT_S}", median(out) <= OUT_S, median(writing),
               "rustpy-xlsxwriter alone"),
        Figure("memory that further exports add", grown, "MiB", "≤ 64", grown <= 64),
    ]  # fmt: skip


async def _into(service: RunningCustomer, content: bytes, dry_run: str = "true") -> float:
    headers, started = service.as_(ROLE), time.perf_counter()
    form = {"kind": "retail", "mode": "create", "dry_run": dry_run}
    answer = await service.http.post("/v1/imports", data=form, files={"file": ("x", content)}, headers=headers)
    found = await _ended(service, "/v1/imports/" + answer.json()["id"], "checking", "applying")
    assert found["verdict"] == "accepted", found
    return time.perf_counter() - started


async def _out(service: RunningCustomer) -> float:
    headers, started = service.as_(ROLE), time.perf_counter()
    answer = await service.http.post("/v1/exports", json={"kind": "retail"}, headers=headers)
    found = await _ended(service, "/v1/exports/" + answer.json()["id"], "waiting")
    assert found["state"] == "ready", found
    (await service.http.get(f"/v1/exports/{found['id']}/file", headers=headers)).raise_for_status()
    return time.perf_counter() - started


async def _ended(service: RunningCustomer, path: str, *states: str) -> dict[str, Any]:
    while True:
        found: dict[str, Any] = (await service.get(path)).json()
        if found["state"] not in states:
            return found
        await asyncio.sleep(0.05)


def _book(items: list[Item], rows: int, prefix: str) -> bytes:
    packed = io.BytesIO()
    FastExcel(packed).sheet("1", (_row(items, f"{prefix}-{number}", number) for number in range(rows))).save()
    return packed.getvalue()


def _row(items: list[Item], code: str, number: int) -> dict[str, Any]:
    """A value for each item that may be set; the columns of the others are there, and blank."""
    return {item.code: _value(item, code, number) for item in items}


def _value(item: Item, code: str, number: int) -> Any:
    if item.maintenance is Maintenance.SYSTEM or item.type is FieldType.PHOTO or item.check or item.minimum:
        return None
    match item.type:
        case FieldType.INTEGER | FieldType.DECIMAL | FieldType.MONEY:
            return 1 + number % 50
        case FieldType.BOOLEAN:
            return bool(number % 2)
        case FieldType.DATE:
            return None if item.code not in ("opened_on", "joined_on") else "2020-01-05"
        case FieldType.PHONE:
            return f"139{number:08d}"
        case FieldType.TEXT if item.pattern is None:
            return _TEXT.format(number)
    if item.use == "number":
        return code
    return next(iter(item.choices)) if item.choices else None


def _seconds_to_read(content: bytes) -> float:
    started = time.perf_counter()
    for _ in CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).iter_rows():
        pass
    return time.perf_counter() - started


def _seconds_to_write(columns: int, rows: int) -> float:
    started, packed = time.perf_counter(), io.BytesIO()
    names = [str(place) for place in range(columns)]
    cells = (dict.fromkeys(names, f"示例 {row}") for row in range(rows))
    FastExcel(packed).sheet("1", cells).save()
    return time.perf_counter() - started


def _memory_of_writers() -> int:
    return max((child.memory_info().rss for child in psutil.Process().children(recursive=True)), default=0)
