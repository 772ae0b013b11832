"""From a customer change sent over HTTP to its entry in the audit stream: the whole suite as `kehu up` starts it.

Changes leave on a fixed schedule and are timed from when they were due, so that a suite that falls behind cannot hide
it. One reader follows the stream as operations staff do. Load, reader and all services share the machine.
"""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import orjson

from bench.figures import Figure, median
from kehu.client import SuiteClient
from kehu.data import DataDirectory
from kehu.plan import SERVICES
from tests.factories.suite import Suite

RATE = 500
WARM_UP_S = 3
SECONDS = 10
RUNS = 3
CONNECTIONS = 32
CUSTOMERS = 10 * CONNECTIONS
_TARGET_MS = 150.0
_PATIENCE_S = 30.0
_FILE = {"address": "示例路 1 号", "contact_person": "张示例", "contact_phone": "13900000000", "business_area": 45}
Change = tuple[str, int]  # customer and version
Moments = dict[Change, float]  # seconds of the loop's clock


@dataclass
class Customer:
    """A customer as the client knows it."""

    id: str
    version: int = 1


@dataclass
class Journal:
    """When each change of a run was due, was answered, and stood in the stream, which the runs share."""

    seen: Moments
    due: Moments = field(default_factory=dict)
    answered: Moments = field(default_factory=dict)

    def latencies_ms(self, end: Moments) -> list[float]:
        """Of the changes after the warm-up, sorted."""
        first = min(self.due.values()) + WARM_UP_S
        return sorted(1000 * (end[change] - due) for change, due in self.due.items() if due >= first)


async def run() -> list[Figure]:
    """Both transports, one after the other."""
    return [figure for bus in ("postgres", "kafka") for figure in await _measure(bus)]


async def _measure(bus: str) -> list[Figure]:
    with _suite(bus) as data:
        services = data.state()["services"]
        customer, audit = (services[name]["url"] for name in ("customer", "audit"))
        writer, reader = (SuiteClient(data, name).token() for name in ("dept", "auditor"))
        customers = await _register(customer, writer)
        seen: Moments = {}
        journals = [Journal(seen) for _ in range(RUNS)]
        watching = asyncio.create_task(_watch(_port(audit), reader, seen))
        await asyncio.sleep(1)
        for run, journal in enumerate(journals):
            await _write(_port(customer), writer, customers, run, journal)
            await _await_all(journal, watching)
        watching.cancel()
    return list(_figures(bus, journals))


@contextlib.contextmanager
def _suite(bus: str) -> Iterator[DataDirectory]:
    with tempfile.TemporaryDirectory(prefix="kehu-bench-") as directory:
        suite = Suite(Path(directory) / "data", SERVICES, bus=bus)
        started = suite.up("--empty")
        if started.returncode:
            raise RuntimeError(started.stdout + started.stderr)
        try:
            yield DataDirectory(suite.data)
        finally:
            suite.kehu("down")


async def _register(url: str, token: str) -> list[Customer]:
    bearer = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=url, headers=bearer, timeout=30, trust_env=False) as client:
        found = []
        for number in range(CUSTOMERS):
            values = {**_FILE, "customer_code": f"B-{number:08d}", "shop_name": f"测速店 {number}"}
            answer = await client.post("/v1/customers", json={"kind": "retail", "values": values})
            found.append(Customer(answer.raise_for_status().json()["id"]))
        return found


async def _write(port: int, token: str, customers: list[Customer], run: int, journal: Journal) -> None:
    """Send changes on schedule over all connections; each has customers of its own."""
    start = time.perf_counter() + 0.1
    shares = [customers[number::CONNECTIONS] for number in range(CONNECTIONS)]
    await asyncio.gather(
        *(_send(port, token, share, start + number / RATE, run, journal) for number, share in enumerate(shares))
    )


async def _send(port: int, token: str, mine: list[Customer], first_due: float, run: int, journal: Journal) -> None:
    clock = time.perf_counter
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    times = (WARM_UP_S + SECONDS) * RATE // CONNECTIONS
    for turn in range(times):
        due, number = first_due + turn * CONNECTIONS / RATE, run * times + turn
        await asyncio.sleep(due - clock())
        customer = mine[number % len(mine)]
        writer.write(_request(token, customer, number))
        head = await reader.readuntil(b"\r\n\r\n")
        body = await reader.readexactly(int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0]))
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError((head + body).decode())
        customer.version += 1
        change = (f"customer/{customer.id}", customer.version)
        journal.due[change], journal.answered[change] = due, clock()
    writer.close()


def _request(token: str, customer: Customer, number: int) -> bytes:
    """One in ten changes an item that counts for the grade."""
    values = {"business_area": number % 200 + 1} if number % 10 == 0 else {"shop_name": f"测速店 {number}"}
    body = orjson.dumps({"values": values})
    head = (
        f"PATCH /v1/customers/{customer.id} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\n"
        f'If-Match: "{customer.version}"\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n'
    )
    return head.encode() + body


async def _watch(port: int, token: str, seen: Moments) -> None:
    """Follow the stream for ever, noting when each change comes up."""
    clock = time.perf_counter
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**24)
    query = "type=customer.changed&values=false"
    writer.write(f"GET /v1/stream?{query} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\n\r\n".encode())
    while line := await reader.readline():
        if line.startswith(b"data: "):
            entry = orjson.loads(line[6:])
            change = (entry["subject"], entry["sequence"])
            if change in seen:
                raise RuntimeError(f"{change} came twice")
            seen[change] = clock()
    raise RuntimeError("the stream ended")


async def _await_all(journal: Journal, watching: asyncio.Task[None]) -> None:
    """Return when every change has come up."""
    deadline = time.perf_counter() + _PATIENCE_S
    while journal.due.keys() - journal.seen.keys():
        if watching.done():
            watching.result()
        if time.perf_counter() > deadline:
            raise RuntimeError(f"{len(journal.due.keys() - journal.seen.keys())} changes did not come up")
        await asyncio.sleep(0.05)


def _figures(bus: str, journals: list[Journal]) -> Iterator[Figure]:
    """Medians of the runs; the note has each run's tail, beside that of the answers themselves."""
    visible = [journal.latencies_ms(journal.seen) for journal in journals]
    answered = [journal.latencies_ms(journal.answered) for journal in journals]
    tails = " · ".join(
        f"{_at(up, 99):.0f} (answered {_at(back, 99):.0f})" for up, back in zip(visible, answered, strict=True)
    )
    rate = median([len(each.due) / (max(each.answered.values()) - min(each.due.values())) for each in journals])
    name = f"change to visible in audit, {bus} bus"
    p50, p99 = (median([_at(run, share) for run in visible]) for share in (50, 99))
    yield Figure(f"{name}, p50", p50, "ms", "–", met=True, note=f"{rate:.0f} changes/s")
    yield Figure(f"{name}, p99", p99, "ms", f"≤ {_TARGET_MS:.0f} ms", met=p99 <= _TARGET_MS, note=f"runs: {tails}")


def _at(ordered: list[float], per_cent: int) -> float:
    return ordered[min(len(ordered) - 1, len(ordered) * per_cent // 100)]


def _port(url: str) -> int:
    return int(url.rpartition(":")[2])
