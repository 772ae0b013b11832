"""A process dies at every crash point of the kernel, without any clean-up, and the next one leaves one effect each."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from shared import crash
from shared.bus.postgres import PostgresLog
from shared.db import Database
from tests.conftest import FreshDatabase
from tests.fakes import victim

ROOT = Path(__file__).parents[2]
KERNEL = [point for point in crash.POINTS if not point.startswith(("audit.", "handover.", "import.", "storage."))]
"""The others die in the tests of their own services."""


def run_victim(service_dsn: str, bus_dsn: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.fakes.victim", service_dsn, bus_dsn],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.req("R0.2")
@pytest.mark.parametrize("point", KERNEL)
async def test_dying_at_a_crash_point_neither_loses_nor_doubles_an_effect(
    point: str, service_dsn: str, database: Database, fresh_database: FreshDatabase
) -> None:
    bus_dsn = fresh_database("bus")
    died = run_victim(service_dsn, bus_dsn, KEHU_TEST_BUILD="1", KEHU_CRASH=point)
    assert died.returncode == -signal.SIGKILL, died.stdout + died.stderr
    healed = run_victim(service_dsn, bus_dsn)
    assert healed.returncode == 0, healed.stdout + healed.stderr

    async with database.reading() as tx:
        effects = [tuple(row) for row in await tx.fetch("SELECT door, sequence FROM effect ORDER BY door, sequence")]
        assert await tx.fetchval("SELECT count(*) FROM outbox") == 0
        assert await tx.fetchval("SELECT count(*) FROM dead_letter") == 0
    assert effects == [(door, n) for door in ("consumer", "job") for n in range(victim.CHANGES)]
    log = PostgresLog(bus_dsn)
    await log.start()
    high = sum(mark.high for mark in (await log.watermarks("kehu.customer")).values())
    await log.close()
    assert high >= victim.CHANGES


def test_without_a_test_build_no_crash_point_is_armed() -> None:
    code = "from shared import crash; crash.point('writer.before_commit'); print('lives')"
    for environment in ({"KEHU_CRASH": "writer.before_commit"}, {"KEHU_TEST_BUILD": "1"}):
        done = subprocess.run(
            [sys.executable, "-c", code], env=environment, cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert done.stdout == "lives\n"


def test_an_unknown_crash_point_is_an_error_and_not_silence() -> None:
    with pytest.raises(ValueError, match="known points: writer"):
        crash.arm("writer.before_comit")
    crash.arm(None)


def test_the_nth_passage_is_the_last() -> None:
    code = (
        "from shared import crash\n"
        "crash.arm('job.before_commit:3')\n"
        "for n in range(5): print(n, flush=True); crash.point('job.before_commit'); crash.point('job.after_commit')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (-signal.SIGKILL, "0\n1\n2\n")
