"""Servers that are away, full or fail at COMMIT: clear refusals, nothing acknowledged that is not kept, and recovery
without anybody's help."""

import asyncio
import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import httpx
import pytest

from kehu.settings import SuiteSettings
from tests.reliability import chaos
from tests.reliability.checker import Outcome, judge
from tests.reliability.evidence import Scene, collect, drain, opened
from tests.reliability.load import MARK, Load
from tests.reliability.suite import Servers, Suite

pytestmark = [pytest.mark.req("R0.2"), pytest.mark.slow]

BUS_OUTAGE_S = 60.0
DISK_MIB = 48
_REST_S = 0.02
_PROBLEM = "application/problem+json"
_FAIL_COMMIT = """
CREATE FUNCTION fail_commit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  RAISE EXCEPTION 'no' USING ERRCODE = '{code}'; END $$;
CREATE CONSTRAINT TRIGGER fail_commit AFTER INSERT ON customer_event DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION fail_commit();
"""
_MEND_COMMIT = "DROP TRIGGER fail_commit ON customer_event; DROP FUNCTION fail_commit;"


@pytest.fixture
def own_servers(bus: str) -> Iterator[Servers]:
    """Servers to be stopped."""
    with chaos.servers(bus) as servers:
        yield servers


@pytest.mark.kafka
@pytest.mark.parametrize("bus", ["kafka"])
async def test_writes_go_on_while_kafka_is_away_and_the_backlog_drains_by_itself(own_servers: Servers) -> None:
    kafka = own_servers.kafka
    assert kafka is not None
    with Suite(own_servers) as suite:
        async with _loaded(suite) as (load, scene):
            pids = _pids(suite)
            kafka.kill()
            before = load.journal.count(Outcome.ACKED)
            await load.write(BUS_OUTAGE_S, clients=2)
            written = load.journal.count(Outcome.ACKED) - before
            assert written > 10
            assert load.journal.count(Outcome.UNKNOWN) == 0
            (waiting,) = await scene.fetch("customer", "SELECT count(*) AS rows FROM outbox")
            assert waiting["rows"] >= written
            kafka.launch()
            await asyncio.to_thread(kafka.wait_until_ready)
            await _judge(load, scene)
            assert _pids(suite) == pids


@pytest.mark.parametrize("bus", ["postgres"])
async def test_without_its_database_a_service_says_503_and_recovers_without_a_restart(own_servers: Servers) -> None:
    with Suite(own_servers) as suite:
        async with _loaded(suite) as (load, scene):
            pids = _pids(suite)
            await load.write(0.5, clients=2)
            own_servers.postgres.kill()
            answer = await _change(load, "while away")
            assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")
            assert answer.headers["Retry-After"].isdigit()
            assert answer.headers["Content-Type"] == _PROBLEM
            for member in suite.members.values():
                assert await _status(f"{member.url}/readyz") == 503
                assert await _status(f"{member.url}/healthz") == 200
            own_servers.postgres.start()
            for member in suite.members.values():
                await asyncio.to_thread(member.await_ready)
            await load.write(0.5, clients=2)
            await _judge(load, scene)
            assert _pids(suite) == pids


async def test_a_commit_that_fails_is_never_answered_as_a_success(postgres_bus: Servers) -> None:
    with Suite(postgres_bus, members=["customer.api"]) as suite:
        async with _loaded(suite, customers=1) as (load, _):
            for code in ("P0001", "40001", "53100", "57014"):
                suite.execute(_FAIL_COMMIT.format(code=code), "customer")
                answer = await _change(load, f"with {code}")
                suite.execute(_MEND_COMMIT, "customer")
                assert answer.status_code >= 500, code
                assert answer.headers["Content-Type"] == _PROBLEM
                assert suite.execute("SELECT max(version) FROM customer_event", "customer") == "1"
            assert (await _change(load, "at last")).status_code == 200


async def test_a_full_disk_is_never_answered_as_a_success_and_all_goes_on_once_there_is_room(
    postgres_bus: Servers, tmp_path: Path
) -> None:
    with Suite(postgres_bus) as suite, _small_disk(suite, tmp_path) as disk:
        async with _loaded(suite) as (load, scene):
            await asyncio.to_thread(_fill, disk)
            for _ in range(800):
                if (await load.change(load.customers[0])).outcome is Outcome.UNKNOWN:
                    break
            assert {(each.status_code, each.json()["code"]) for each in load.faults} == {(503, "storage_full")}
            assert {each.headers["Content-Type"] for each in load.faults} == {_PROBLEM}
            _ballast(disk).unlink()
            await load.write(0.5, clients=2)
            await _judge(load, scene)


@asynccontextmanager
async def _loaded(suite: Suite, customers: int = 3) -> AsyncIterator[tuple[Load, Scene]]:
    suite.start()
    async with (
        Load(suite.urls("customer"), suite.servers.issuer, customers=customers, patience_s=20, rest_s=_REST_S) as load,
        opened(suite) as scene,
    ):
        yield load, scene


async def _judge(load: Load, scene: Scene) -> None:
    verdict = judge(await collect(scene, load.journal, await drain(scene)))
    assert not verdict.violations, str(verdict)


async def _change(load: Load, mark: str) -> httpx.Response:
    """One change that is not repeated."""
    answer = await load.patch(load.customers[0], {MARK: mark})
    assert answer is not None
    return answer


async def _status(url: str) -> int:
    async with httpx.AsyncClient(trust_env=False, timeout=10) as http:
        return (await http.get(url)).status_code


def _pids(suite: Suite) -> dict[str, int | None]:
    return {name: member.pid for name, member in suite.members.items()}


@contextmanager
def _small_disk(suite: Suite, tmp_path: Path) -> Iterator[Path]:
    """The customer database on a file system of its own, with little room. Only root may mount one."""
    if os.geteuid() != 0:
        if SuiteSettings().ci:
            pytest.fail("CI may not skip the test of a full disk, and only root can mount a small file system")
        pytest.skip("A FULL DISK IS NOT TESTED: only root can mount a small file system")
    disk = Path("/mnt") / suite.tag
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m,mode=0755", "kehu-test", disk], check=True)
    try:
        space = disk / "space"
        space.mkdir()
        shutil.chown(space, "pgserver", "pgserver")
        postgres = suite.servers.postgres
        postgres.execute(f"CREATE TABLESPACE {suite.tag} LOCATION '{space}'")
        postgres.execute(f"ALTER DATABASE {suite.database('customer')} SET TABLESPACE {suite.tag}")
        yield disk
        for member in suite.members.values():
            member.kill()
        postgres.drop_database(suite.database("customer"))
        postgres.execute(f"DROP TABLESPACE {suite.tag}")
    finally:
        subprocess.run(["umount", "--lazy", disk], check=True)
        disk.rmdir()


def _ballast(disk: Path) -> Path:
    return disk / "ballast"


def _fill(disk: Path) -> None:
    """Leave no room at all."""
    with _ballast(disk).open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(1 << 16))
        except OSError:
            return
