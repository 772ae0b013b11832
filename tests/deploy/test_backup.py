"""The restore drill: a running suite is dumped, comes back on a fresh server, and goes on where it was (R15.4)."""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import pytest

from kehu.data import DataDirectory, write_private
from kehu.postgres import SUPERUSER, PostgresServer
from tests.factories.deployment import DEPLOY, POSTGRES_PROGRAMS
from tests.factories.live import Live, until
from tests.factories.suite import Suite

pytestmark = [pytest.mark.slow, pytest.mark.req("R15.4")]
SERVICES: Final = ("identity", "customer", "audit")
DATABASES: Final = (*SERVICES, "bus")


class Drill:
    """A suite, one change of which has not left the outbox; its dumps; the suite that is made of them."""

    def __init__(self, directory: Path) -> None:
        self.dumps = directory / "dumps"
        self.checkpoint = directory / "checkpoint"
        self.before = _suite(directory / "before")
        self.after = _suite(directory / "after")
        self.waiting = ""
        self.quiet = ""
        self.entries = 0

    def make_and_dump(self) -> None:
        """Two customers, a change while the relay stands still, and the dumps while all is running."""
        _succeed(self.before.up())
        live = Live(self.before.data, "postgres")
        self.waiting, self.quiet = (live.register()["id"] for _ in range(2))
        live.change(self.waiting, 1, contact_phone="13900000001")
        live.entry(self.waiting, "customer.changed", 2)
        live.entry(self.quiet, "customer.registered", 1)
        self.checkpoint.write_text(self.before.json("audit", "checkpoint")["checkpoint"], encoding="utf-8")
        os.kill(self.before.status()["services"]["customer"]["roles"]["worker"]["pid"], signal.SIGSTOP)
        live.change(self.waiting, 2, contact_phone="13900000002")
        assert live.count("customer", "outbox") == {"outbox": 1}
        self.entries = live.count("audit", "entry")["entry"]
        done = run("backup.sh", self.dumps, PostgresServer(self.before.data / "postgres"))
        assert done.returncode == 0, done.stderr
        self.before.kehu("down")

    def restore(self) -> None:
        """A fresh server under a fresh superuser, the dumps, the secrets that were kept apart, and up."""
        server = PostgresServer(self.after.data / "postgres", fsync=False)
        server.start()
        try:
            for name in DATABASES:
                server.create_database(name)
            done = run("restore.sh", self.dumps, server)
            assert done.returncode == 0, done.stderr
        finally:
            server.stop()
        shutil.copytree(self.before.data / "secrets", self.after.data / "secrets")
        _succeed(self.after.up())


@pytest.fixture(scope="module")
def drill(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Drill]:
    drill = Drill(tmp_path_factory.mktemp("drill"))
    try:
        drill.make_and_dump()
        drill.restore()
        yield drill
    finally:
        drill.before.kehu("down")
        drill.after.kehu("down")


@pytest.fixture
def live(drill: Drill) -> Live:
    return Live(drill.after.data, "postgres")


def test_customers_open_with_their_values_and_history(drill: Drill, live: Live) -> None:
    answer = live.as_("dept").get(f"/v1/customers/{drill.waiting}")
    assert (answer.headers["ETag"], answer.json()["values"]["contact_phone"]["value"]) == ('"3"', "13900000002")
    history = live.as_("manager1").get(f"/v1/customers/{drill.waiting}/history").json()["items"]
    assert [each["version"] for each in history] == [3, 2, 1]


def test_what_waited_in_the_outbox_is_audited_once_and_its_values_open(drill: Drill, live: Live) -> None:
    entry = live.entry(drill.waiting, "customer.changed", 3)
    assert entry["data"]["values"] == {"contact_phone": {"before": "13900000001", "after": "13900000002"}}
    assert entry["index"] >= drill.entries
    until(lambda: live.count("customer", "outbox") == {"outbox": 0})


def test_the_log_holds_and_extends_the_checkpoint_kept_outside(drill: Drill, live: Live) -> None:
    live.entry(drill.waiting, "customer.changed", 3)
    report = drill.after.json("audit", "verify", "--checkpoint", str(drill.checkpoint))
    assert report["ok"] is True
    assert report["size"] > int(drill.checkpoint.read_text(encoding="utf-8").splitlines()[1])


def test_new_changes_follow_without_a_gap_or_a_dead_letter(drill: Drill, live: Live) -> None:
    customer = live.register()["id"]
    live.change(customer, 1, shop_name="恢复便利店")
    live.entry(customer, "customer.changed", 2)
    live.change(drill.quiet, 1, shop_name="继续便利店")
    live.entry(drill.quiet, "customer.changed", 2)
    assert drill.after.json("dead-letters", "list") == []


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


def run(script: str, folder: Path, server: PostgresServer) -> subprocess.CompletedProcess[str]:
    """One of the scripts, as the superuser of `server`, with the programs of its version."""
    return subprocess.run(
        ["/bin/sh", DEPLOY / script, folder],
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
        env={**_connection(server), "PATH": f"{POSTGRES_PROGRAMS}:/usr/bin:/bin"},
    )


def _connection(server: PostgresServer) -> Mapping[str, str]:
    password = server.dsn(SUPERUSER).split(":")[2].partition("@")[0]
    where = {"PGHOST": str(server.socket_directory), "PGUSER": SUPERUSER, "PGPASSWORD": password}
    return where | {"KEHU_DATABASES": " ".join(DATABASES)}


def _suite(data: Path) -> Suite:
    """A suite without the sample customers."""
    data.mkdir(mode=0o700)
    write_private(DataDirectory(data).sample, "2026-01-01 loaded")
    return Suite(data, SERVICES)


def _succeed(done: subprocess.CompletedProcess[str]) -> None:
    assert done.returncode == 0, done.stdout + done.stderr
