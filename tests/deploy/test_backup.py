"""The restore drill: a running suite is dumped, comes back on a fresh server, and goes on where it was (R15.4)."""

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import pytest

from kehu.data import DataDirectory, write_private
from kehu.plan import PROJECT
from kehu.postgres import SUPERUSER, PostgresServer
from tests.factories.deployment import DEPLOY, POSTGRES_PROGRAMS
from tests.factories.live import Live, becomes
from tests.factories.suite import Suite

pytestmark = [pytest.mark.slow, pytest.mark.req("R15.4")]
SERVICES: Final = ("identity", "customer", "audit")


@dataclass(frozen=True)
class Drill:
    """What is left of a suite, one event of which never left its outbox: dumps, secrets, a checkpoint kept outside."""

    directory: Path
    waiting: str
    quiet: str
    entries: int

    @property
    def checkpoint(self) -> Path:
        return self.directory / "checkpoint"

    @property
    def dumps(self) -> Path:
        """Of all databases but the bus, as where the bus is Kafka."""
        return self.directory / "dumps"

    def restore(self, data: Path, *, bus: bool) -> Suite:
        """A fresh server, the dumps (that of the bus, or a new bus), the secrets; not yet up."""
        suite = _suite(data)
        server = PostgresServer(data / "postgres", fsync=False)
        server.start()
        try:
            for name in (*SERVICES, "bus"):
                server.create_database(name)
            for dumps in (self.dumps, self.directory / "bus") if bus else (self.dumps,):
                done = run("restore.sh", dumps, server)
                assert done.returncode == 0, done.stderr
            if not bus:
                for name in ("customer", "audit"):
                    server.execute(_statement_of_the_handbook(), name)
        finally:
            server.stop()
        shutil.copytree(self.directory / "before" / "secrets", data / "secrets")
        return suite


@pytest.fixture(scope="module")
def drill(tmp_path_factory: pytest.TempPathFactory) -> Drill:
    """Two customers, a change while the relay stands still, and the dumps while all is running."""
    directory = tmp_path_factory.mktemp("drill")
    suite = _suite(directory / "before")
    try:
        _succeed(suite.up())
        live = Live(suite.data, "postgres")
        waiting, quiet = (live.register()["id"] for _ in range(2))
        live.change(waiting, 1, contact_phone="13900000001")
        live.entry(waiting, "customer.changed", 2)
        live.entry(quiet, "customer.registered", 1)
        (directory / "checkpoint").write_text(suite.json("audit", "checkpoint")["checkpoint"], encoding="utf-8")
        os.kill(suite.status()["services"]["customer"]["roles"]["worker"]["pid"], signal.SIGSTOP)
        live.change(waiting, 2, contact_phone="13900000002")
        assert live.count("customer", "outbox") == {"outbox": 1}
        server = PostgresServer(suite.data / "postgres")
        for folder, databases in (("dumps", SERVICES), ("bus", ("bus",))):
            done = run("backup.sh", directory / folder, server, databases)
            assert done.returncode == 0, done.stderr
        entries = live.count("audit", "entry")["entry"]
    finally:
        suite.kehu("down")
    return Drill(directory, waiting, quiet, entries)


@pytest.fixture(scope="module", params=[True, False], ids=["with its bus", "with a new bus"])
def after(request: pytest.FixtureRequest, drill: Drill, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Suite]:
    """The suite that comes back."""
    suite = drill.restore(tmp_path_factory.mktemp("after") / "data", bus=request.param)
    try:
        _succeed(suite.up())
        yield suite
    finally:
        suite.kehu("down")


@pytest.fixture
def live(after: Suite) -> Live:
    return Live(after.data, "postgres")


def test_customers_open_with_their_values_and_history(drill: Drill, live: Live) -> None:
    answer = live.as_("dept").get(f"/v1/customers/{drill.waiting}")
    assert (answer.headers["ETag"], answer.json()["values"]["contact_phone"]["value"]) == ('"3"', "13900000002")
    history = live.as_("manager1").get(f"/v1/customers/{drill.waiting}/history").json()["items"]
    assert [each["version"] for each in history] == [3, 2, 1]


def test_what_waited_in_the_outbox_is_audited_once_and_its_values_open(drill: Drill, live: Live) -> None:
    entry = live.entry(drill.waiting, "customer.changed", 3)
    assert entry["data"]["values"] == {"contact_phone": {"before": "13900000001", "after": "13900000002"}}
    assert entry["index"] >= drill.entries
    becomes(lambda: live.count("customer", "outbox"), {"outbox": 0})


def test_the_log_holds_and_extends_the_checkpoint_kept_outside(drill: Drill, after: Suite, live: Live) -> None:
    live.entry(drill.waiting, "customer.changed", 3)
    report = after.json("audit", "verify", "--checkpoint", str(drill.checkpoint))
    assert report["ok"] is True
    assert report["size"] > int(drill.checkpoint.read_text(encoding="utf-8").splitlines()[1])


def test_new_changes_follow_without_a_gap_or_a_dead_letter(drill: Drill, after: Suite, live: Live) -> None:
    customer = live.register()["id"]
    live.change(customer, 1, shop_name="恢复便利店")
    live.entry(customer, "customer.changed", 2)
    live.change(drill.quiet, 1, shop_name="继续便利店")
    live.entry(drill.quiet, "customer.changed", 2)
    assert after.json("dead-letters", "list") == []


def test_a_dump_that_was_changed_is_not_restored(drill: Drill, tmp_path: Path, postgres: PostgresServer) -> None:
    changed = tmp_path / "dumps"
    shutil.copytree(drill.dumps, changed)
    with (changed / "audit.dump").open("ab") as dump:
        dump.write(b"x")
    done = run("restore.sh", changed, postgres)
    assert done.returncode != 0
    assert "audit.dump" in done.stdout + done.stderr


def test_a_backup_replaces_none(drill: Drill, postgres: PostgresServer) -> None:
    before = (drill.dumps / "SHA256SUMS").read_bytes()
    assert run("backup.sh", drill.dumps, postgres).returncode != 0
    assert (drill.dumps / "SHA256SUMS").read_bytes() == before


def test_dumps_are_private(drill: Drill) -> None:
    assert not [path for path in (drill.dumps, *drill.dumps.iterdir()) if path.stat().st_mode & 0o077]


def run(
    script: str, folder: Path, server: PostgresServer, databases: Sequence[str] = SERVICES
) -> subprocess.CompletedProcess[str]:
    """One of the scripts, as the superuser of `server`, with the programs of its version."""
    environment = {
        "PATH": f"{POSTGRES_PROGRAMS}:/usr/bin:/bin",
        "PGHOST": str(server.socket_directory),
        "PGUSER": SUPERUSER,
        "PGPASSWORD": urlsplit(server.dsn(SUPERUSER).partition("?")[0].replace("@/", "@here/")).password or "",
        "KEHU_DATABASES": " ".join(databases),
    }
    command = ["/bin/sh", DEPLOY / script, folder]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=120, env=environment)


def _statement_of_the_handbook() -> str:
    """What has to be done when the bus is new."""
    (statement,) = re.findall(
        r"`(UPDATE consumer_offset .+;)`", (PROJECT / "docs" / "operations.md").read_text("utf-8")
    )
    return statement


def _suite(data: Path) -> Suite:
    """A suite without the sample customers."""
    data.mkdir(mode=0o700)
    write_private(DataDirectory(data).sample, "2026-01-01 loaded")
    return Suite(data, SERVICES)


def _succeed(done: subprocess.CompletedProcess[str]) -> None:
    assert done.returncode == 0, done.stdout + done.stderr
