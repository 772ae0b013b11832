"""One-item change of a full customer over HTTP, everything included, beside the same two statements in a bare route.

And beside the same change of a customer of whom few items are filled in: what a file holds must not slow its changes.

Service and floor run as processes with one uvicorn worker each, over one PostgreSQL with fsync; windows of load take
turns, so that a machine whose speed drifts slows both alike. The client speaks HTTP by hand: it must not be the limit.
"""

from __future__ import annotations

import asyncio
import base64
import os
import socket
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import orjson
import psutil

from bench.figures import Figure, median
from kehu.postgres import PostgresServer
from services.customer.app import SERVICE
from shared.migrations import upgrade
from shared.regime import FieldType, Item, Maintenance, Regimes, load
from tests.fakes.issuer import Issuer

CONNECTIONS = 16
CUSTOMERS = 20 * CONNECTIONS
WINDOWS = 7
WINDOW_S = 2.0
ITEM = "main_goods"
FEW = 25
_LEAST = 0.95
_REGIMES = Path(__file__).parents[1] / "regimes"


@dataclass
class Subject:
    """A customer as the client knows it."""

    id: str
    version: int


def _value(item: Item, regimes: Regimes, number: int) -> Any:
    """A value that fits, of an everyday length."""
    if item.code == "customer_code":
        return f"B-{number:08d}"
    if item.type in (FieldType.INTEGER, FieldType.DECIMAL, FieldType.MONEY):
        return int(item.minimum or 0) + 1
    if item.type is FieldType.CODE and item.codelist:
        return next(iter(regimes.codelist(item.codelist, on=date(2026, 11, 24)).codes))
    if item.choices:
        return next(iter(item.choices))
    simple = {
        FieldType.DATE: "2026-05-01",
        FieldType.BOOLEAN: True,
        FieldType.PHONE: "13900000000",
    }
    return simple.get(item.type, "123456789012345678" if item.pattern else "示例内容，长短与日常所填相仿")


def full_values(regimes: Regimes, number: int) -> dict[str, Any]:
    """Values of every item that people set when they register: photographs come later."""
    catalogue = regimes.catalogue("retail", on=date(2026, 11, 24))
    items = catalogue.items.values()
    typed = [item for item in items if item.maintenance is not Maintenance.SYSTEM and item.type is not FieldType.PHOTO]
    checked = {code: value for code, value in catalogue.example.items() if code != "customer_code"}
    return {item.code: _value(item, regimes, number) for item in typed} | checked


def few_values(regimes: Regimes, number: int) -> dict[str, Any]:
    """The first of them, what is required among them."""
    full, required = full_values(regimes, number), regimes.catalogue("retail", on=date(2026, 11, 24)).required
    optional = [code for code in full if code not in required and code != ITEM]
    kept = {ITEM, *required, *optional[: FEW - len(required) - 1]}
    return {code: value for code, value in full.items() if code in kept}


async def _register(client: httpx.AsyncClient, values: dict[str, Any]) -> Subject:
    for _ in range(3):
        answer = await client.post("/v1/customers", json={"kind": "retail", "values": values})
        if answer.status_code == 201:
            return Subject(answer.json()["id"], 1)
        for fault in answer.json()["errors"]:
            values.pop(fault["pointer"].rpartition("/")[2], None)
    raise RuntimeError(answer.text)


async def _changes(port: int, token: str, mine: list[Subject], until: float, taken: list[float]) -> None:
    """Change one customer after another over one connection until the time is up."""
    clock = time.perf_counter
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    number = 0
    while clock() < until:
        subject = mine[number % len(mine)]
        number += 1
        body = orjson.dumps({"values": {ITEM: f"货 {subject.version}"}})
        started = clock()
        head = (
            f"PATCH /v1/customers/{subject.id} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\n"
            f'If-Match: "{subject.version}"\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n'
        )
        writer.write(head.encode() + body)
        found = await reader.readuntil(b"\r\n\r\n")
        length = int(found.lower().partition(b"content-length: ")[2].partition(b"\r")[0])
        answer = await reader.readexactly(length)
        if not found.startswith(b"HTTP/1.1 200"):
            raise RuntimeError((found + answer).decode())
        taken.append(clock() - started)
        subject.version += 1
    writer.close()


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


async def _window(port: int, token: str, subjects: list[Subject], taken: list[float]) -> float:
    """Changes a second in one window of load."""
    clock = time.perf_counter
    before, started = len(taken), clock()
    shares = [subjects[n::CONNECTIONS] for n in range(CONNECTIONS)]
    await asyncio.gather(*(_changes(port, token, mine, started + WINDOW_S, taken) for mine in shares))
    return (len(taken) - before) / (clock() - started)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@asynccontextmanager
async def _process(arguments: list[str], port: int, **environment: str) -> AsyncIterator[psutil.Process]:
    """A server process, ready to answer, and ended afterwards."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        *arguments,
        env={**os.environ, **environment},  # noqa: TID251
    )
    try:
        async with httpx.AsyncClient(trust_env=False) as client, asyncio.timeout(30):
            while True:
                try:
                    await client.get(f"http://127.0.0.1:{port}/openapi.json")
                    break
                except httpx.TransportError:
                    await asyncio.sleep(0.1)
        yield psutil.Process(process.pid)
    finally:
        process.terminate()
        await asyncio.wait_for(process.wait(), 15)


async def _measure(dsn: str, issuer: Issuer) -> list[Figure]:
    regimes = load(_REGIMES)
    token = issuer.token("bench", ["department_manager"])
    port, floor_port = _free_port(), _free_port()
    environment = {
        "CUSTOMER_PORT": str(port), "CUSTOMER_DATABASE_URL": dsn, "CUSTOMER_DATABASE_POOL": "16",
        "CUSTOMER_BUS_URL": dsn, "CUSTOMER_ISSUER": issuer.url, "CUSTOMER_REGIMES_PATH": str(_REGIMES),
        "CUSTOMER_AUTHORITY": "claims",
        "CUSTOMER_KEK": f"bench:{base64.b64encode(b'b' * 32).decode()}",
    }  # fmt: skip
    windows: list[tuple[tuple[float, float], ...]] = []
    bare: list[float] = []
    taken: list[float] = []
    short: list[float] = []
    async with (
        _process(["services.customer", "api"], port, **environment) as server,
        _process(["bench.customer_floor", str(floor_port), dsn, token], floor_port) as floor,
        httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}", headers={"Authorization": f"Bearer {token}"}, trust_env=False
        ) as client,
    ):
        subjects = [await _register(client, full_values(regimes, number)) for number in range(CUSTOMERS)]
        others = [await _register(client, few_values(regimes, CUSTOMERS + number)) for number in range(CUSTOMERS)]
        for window in range(WINDOWS + 1):
            found = []
            turns = (
                (floor_port, floor, subjects, bare), (port, server, subjects, taken), (port, server, others, short),
            )  # fmt: skip
            for where, process, changed, latencies in turns:
                cpu_s, before = _cpu_s(process), len(latencies)
                rate = await _window(where, token, changed, latencies)
                found.append((rate, (_cpu_s(process) - cpu_s) / (len(latencies) - before)))
            if window:  # the first one warms caches
                windows.append(tuple(found))
    ratio = median([service[0] / floor[0] for floor, service, _ in windows])
    beside = median([service[0] / few[0] for _, service, few in windows])
    busy = median([floor[1] / service[1] for floor, service, _ in windows])
    p99_ms = sorted(taken)[len(taken) * 99 // 100] * 1000
    note = f"{CONNECTIONS} connections, p99 {p99_ms:.0f} ms"
    return [
        Figure(
            "customer change", median([service[0] for _, service, _ in windows]), "changes/s", "–", True,
            median([floor[0] for floor, _, _ in windows]), "bare route", note,
        ),
        Figure(
            f"change of a full customer beside one of {FEW} items", beside, "ratio", f"≥ {_LEAST}", beside >= _LEAST,
            note=f"{len(full_values(regimes, 0))} items, one changed",
        ),
        Figure("customer change beside the bare route", ratio, "ratio", "≥ 0.70", ratio >= 0.70),
        Figure("processor time of the bare route beside a change", busy, "ratio", "–", True, note="server process"),
    ]  # fmt: skip


async def run() -> list[Figure]:
    """The figures, over a PostgreSQL of their own."""
    with tempfile.TemporaryDirectory() as folder, Issuer() as issuer:
        server = PostgresServer(Path(folder) / "postgres")
        server.start()
        try:
            dsn = server.create_database("customer")
            await asyncio.to_thread(upgrade, SERVICE.migrations, dsn)
            return await _measure(dsn, issuer)
        finally:
            server.stop()
