"""The api dies in the middle of an acceptance: all customers moved, or none did; sent again, it is done once."""

import asyncio
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.factories import customer as made
from tests.factories.customer import RunningCustomer
from tests.factories.handovers import LEAVER, SUCCESSOR, changes, customers_of, managers, offered
from tests.factories.ports import free_ports
from tests.factories.waiting import settled

ROOT = Path(__file__).parents[3]
POINTS = {"handover.batch_moved": False, "writer.after_commit": True}
"""Where it dies, and whether the customers have moved by then."""


@contextmanager
def dying_api(service: RunningCustomer, dsn: str, point: str) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    [port] = free_ports(1)
    environment = {
        "CUSTOMER_DATABASE_URL": dsn, "CUSTOMER_BUS_URL": dsn, "CUSTOMER_ISSUER": service.issuer.url,
        "CUSTOMER_KEK": made.KEK, "CUSTOMER_AUTHORITY": "claims", "CUSTOMER_PORT": str(port),
        "CUSTOMER_LOG_LEVEL": "ERROR", "KEHU_TEST_BUILD": "1", "KEHU_CRASH": point,
    }  # fmt: skip
    process = subprocess.Popen([sys.executable, "-m", "services.customer", "api"], cwd=ROOT, env=environment)
    try:
        yield process, f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait(10)


async def send(url: str, path: str, headers: dict[str, str]) -> None:
    """Until the api takes it, and dies of it."""
    async with httpx.AsyncClient(base_url=url, timeout=30, trust_env=False) as http, asyncio.timeout(60):
        while True:
            try:
                await http.post(path, headers=headers)
            except httpx.ConnectError:
                await asyncio.sleep(0.1)
            except httpx.TransportError:
                return


@pytest.mark.slow
@pytest.mark.req("R5.7", "R0.2")
@pytest.mark.parametrize(("point", "moved"), POINTS.items())
async def test_a_hand_over_that_was_cut_off_is_done_once(
    point: str, moved: bool, service: RunningCustomer, dsn: str
) -> None:
    customers = await customers_of(service, 3)
    handover = await offered(service)
    path, key = f"/v1/handovers/{handover}/acceptance", {"Idempotency-Key": "cut-off"}
    headers = {**service.as_("customer_manager", name=SUCCESSOR), **key}
    with dying_api(service, dsn, point) as (process, url):
        await send(url, path, headers)
        assert await asyncio.to_thread(process.wait, 30) == -signal.SIGKILL
    assert await managers(service, *customers) == [SUCCESSOR if moved else LEAVER] * 3
    again = await settled(lambda: service.http.post(path, headers=headers))
    assert (again.status_code, again.json()["state"]) == (200, "accepted"), again.text
    assert ("idempotency-replayed" in again.headers) is moved
    assert await managers(service, *customers) == [SUCCESSOR] * 3
    assert sorted(each.customer_id for each in await changes(service)) == customers
