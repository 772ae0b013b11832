"""An import whose worker is killed goes on where it stopped: every row is stored once, whatever point it died at."""

import asyncio
import os
import signal
import subprocess
import sys

import pytest

from tests.factories import customer
from tests.factories.customer import RunningCustomer
from tests.factories.exchange import counts, line, seen, send, sheet

pytestmark = [pytest.mark.req("R15.2"), pytest.mark.slow]
STEPS = ("company/clock/exchange.yaml", "in one step}, count: 500", "in one step}, count: 2")
ROWS = 5
POINTS = {
    "import.staged": (2, 0),
    "import.before_verdict": (4, 0),
    "import.step_applied": (5, 2),
    "job.before_commit:4": (5, 0),
}
"""Where it dies, and how many rows are then known to be read and stored."""


def work(service: RunningCustomer, dsn: str, crash: str = "", job: str = "import_steps") -> int:
    """Let a process do all that is left, or die over it; its exit status."""
    environment = {**os.environ, "KEHU_TEST_BUILD": "1", "KEHU_CRASH": crash}  # noqa: TID251
    command = [sys.executable, "-m", "tests.fakes.exchanger", dsn, service.issuer.url]
    command += [str(service.settings.regimes_path), job]
    return subprocess.run(command, check=False, env=environment, timeout=120).returncode


@pytest.mark.parametrize("point", POINTS)
async def test_nothing_is_lost_or_stored_twice_when_a_worker_dies_at(
    point: str, dsn: str, served: customer.Served
) -> None:
    async with served(STEPS) as service:
        sent = (await send(service, sheet(*(line(f"X-{number}") for number in range(ROWS))))).json()
        assert await asyncio.to_thread(work, service, dsn, point) == -signal.SIGKILL
        found = await seen(service, sent["id"])
        assert (found["rows"], found["applied"]) == POINTS[point]
        assert await asyncio.to_thread(work, service, dsn) == 0
        found = await seen(service, sent["id"])
        assert (found["state"], counts(found)) == ("applied", (ROWS, ROWS, 0, ROWS, 0))
        events = [event.customer_id for _, event in await service.outbox("customer.registered")]
        assert len(events) == len(set(events)) == ROWS
        async with service.database.reading() as tx:
            assert await tx.fetchval("SELECT count(*) FROM customer") == ROWS
            assert await tx.fetchval("SELECT count(*) FROM customer_event") == ROWS
        assert len(await service.outbox("exchange.import_ended")) == 1
