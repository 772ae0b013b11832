"""`kehu up`, `status`, `down` with real processes: one service stands for all of them."""

import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator

import httpx
import psutil
import pytest

from tests.factories.suite import Suite, eventually, lives

pytestmark = [pytest.mark.slow, pytest.mark.req("R0.1")]


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Suite]:
    suite = Suite(tmp_path_factory.mktemp("suite") / "data", ("audit",))
    yield suite
    suite.kehu("down")


@pytest.fixture
def running(suite: Suite) -> Suite:
    """The module's suite; a test that ends it leaves the next one to start it again."""
    if suite.kehu("status").returncode:
        done = suite.up()
        assert done.returncode == 0, done.stdout + done.stderr
    return suite


def test_a_detached_suite_is_ready_and_shown(running: Suite) -> None:
    state = running.status()
    assert (state["bus"], state["data"]) == ("postgres", str(running.data))
    audit = state["services"]["audit"]
    assert audit["url"] == f"http://127.0.0.1:{running.port_base + 3}"
    assert audit["ready"] is True
    assert {role: entry["restarts"] for role, entry in audit["roles"].items()} == {"api": 0, "worker": 0}
    assert httpx.get(f"http://127.0.0.1:{running.port_base + 13}/metrics").status_code == 200


def test_everything_below_the_data_directory_is_private(running: Suite) -> None:
    open_to_others = [
        path
        for path in (running.data, *running.data.rglob("*"))
        if not path.is_symlink() and not path.is_socket() and stat.S_IMODE(path.stat().st_mode) & 0o077
    ]
    assert open_to_others == []


def test_two_suites_cannot_share_a_data_directory(running: Suite) -> None:
    done = running.up()
    assert done.returncode == 1
    assert "already runs" in done.stderr


def test_a_token_needs_a_running_identity(running: Suite) -> None:
    assert "without its identity" in running.kehu("token", "dept").stderr


def test_a_killed_process_is_started_again(running: Suite) -> None:
    before = running.status()["services"]["audit"]["roles"]["worker"]
    os.kill(before["pid"], signal.SIGKILL)

    def restarted() -> bool:
        worker = running.status()["services"]["audit"]["roles"]["worker"]
        return worker["restarts"] > before["restarts"] and worker["pid"] not in {None, before["pid"]}

    eventually(restarted)


def test_a_killed_postgres_is_started_again_and_the_service_recovers(running: Suite) -> None:
    os.kill(running.status()["servers"]["postgres"]["pid"], signal.SIGKILL)
    eventually(lambda: running.status()["servers"]["postgres"]["restarts"] == 1)
    eventually(lambda: running.status()["services"]["audit"]["ready"])


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel tells children of their parent's death on Linux only")
def test_a_killed_supervisor_leaves_no_process_and_blocks_no_start(running: Suite) -> None:
    processes = [psutil.Process(pid) for pid in running.pids()]
    os.kill(running.status()["supervisor"]["pid"], signal.SIGKILL)
    assert running.up().returncode == 0
    assert not [process for process in processes if lives(process)]


def test_down_stops_everything_and_a_second_start_keeps_data_and_secrets(running: Suite) -> None:
    processes = [psutil.Process(pid) for pid in running.pids()]
    seed = (running.data / "secrets" / "audit-checkpoint-seed").read_text()
    assert running.kehu("down").returncode == 0
    assert not [process for process in processes if lives(process)]
    assert running.kehu("status").returncode == 1
    assert running.kehu("down").returncode == 1
    assert "migrating" not in running.up().stdout
    assert (running.data / "secrets" / "audit-checkpoint-seed").read_text() == seed


def test_a_taken_port_is_named(suite: Suite) -> None:
    suite.kehu("down")
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", suite.port_base + 3))
        other.listen()
        done = suite.up()
    assert done.returncode == 1
    assert f"port {suite.port_base + 3} (audit api)" in done.stdout + done.stderr


@pytest.mark.parametrize(
    "starter", [[], ["sh", "-c", "trap '' INT; exec \"$@\"", "sh"]], ids=["by hand", "from a script"]
)
def test_ctrl_c_in_the_foreground_stops_everything_in_order(suite: Suite, starter: list[str]) -> None:
    command = [*starter, sys.executable, "-m", "kehu", "up", "--only", "audit", "--data", str(suite.data)]
    foreground = subprocess.Popen(
        [*command, "--port-base", str(suite.port_base)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert foreground.stdout is not None
    for line in foreground.stdout:
        if "Kehu is ready" in line:
            break
    processes = [psutil.Process(pid) for pid in suite.pids()]
    foreground.send_signal(signal.SIGINT)
    rest = foreground.stdout.read()
    assert foreground.wait(30) == 0
    assert [line.split()[1] for line in rest.splitlines() if "stopped" in line] == ["audit", "audit", "postgres"]
    assert not [process for process in processes if lives(process)]
