"""The api dies around the one commit of a merge; sent again with the same key, it is one merge (R5.2)."""

import asyncio
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.factories import customer as made
from tests.factories.customer import RunningCustomer
from tests.factories.merges import merge, two_files, undo, wish
from tests.factories.ports import free_ports
from tests.factories.waiting import settled

ROOT = Path(__file__).parents[3]
POINTS = {"writer.before_commit": 0, "writer.after_commit": 1}
"""Where it dies, and how many merges stand by then."""


@contextmanager
def dying_api(service: RunningCustomer, dsn: str, point: str) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    [port] = free_ports(1)
    environment = {
        "CUSTOMER_DATABASE_URL": dsn,
        "CUSTOMER_BUS_URL": dsn,
        "CUSTOMER_ISSUER": service.issuer.url,
        "CUSTOMER_KEK": made.KEK,
        "CUSTOMER_AUTHORITY": "claims",
        "CUSTOMER_PORT": str(port),
        "CUSTOMER_LOG_LEVEL": "ERROR",
        "KEHU_TEST_BUILD": "1",
        "KEHU_CRASH": point,
    }
    process = subprocess.Popen([sys.executable, "-m", "services.customer", "api"], cwd=ROOT, env=environment)
    try:
        yield process, f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait(10)


async def send(url: str, body: dict[str, Any], headers: dict[str, str]) -> None:
    """Until the api takes it, and dies of it."""
    async with httpx.AsyncClient(base_url=url, timeout=30, trust_env=False) as http, asyncio.timeout(60):
        while True:
            try:
                await http.post("/v1/merges", json=body, headers=headers)
            except httpx.ConnectError:
                await asyncio.sleep(0.1)
            except httpx.TransportError:
                return


@pytest.mark.slow
@pytest.mark.req("R5.2", "R0.2")
@pytest.mark.parametrize(("point", "standing"), POINTS.items())
async def test_a_merge_that_was_cut_off_is_done_once(
    point: str, standing: int, service: RunningCustomer, dsn: str
) -> None:
    survivor, loser = await two_files(service)
    body, key = wish(survivor, loser), {"Idempotency-Key": "cut-off"}
    with dying_api(service, dsn, point) as (process, url):
        await send(url, body, {**service.as_("department_manager"), **key})
        assert await asyncio.to_thread(process.wait, 30) == -signal.SIGKILL
    async with service.database.reading() as tx:
        assert await tx.fetchval("SELECT count(*) FROM customer_merge") == standing
        assert await tx.fetchval("SELECT count(*) FROM customer WHERE merged_into IS NOT NULL") == standing
    again = await settled(lambda: merge(service, body, **key))
    assert again.status_code == 201, again.text
    assert ("idempotency-replayed" in again.headers) is bool(standing)
    assert len(await service.outbox("customer.merged")) == 2
    assert (await undo(service, again.json()["id"])).status_code == 200
