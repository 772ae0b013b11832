"""The embedded server keeps data through every kind of end, keeps databases apart, and leaves nothing behind."""

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import psutil
import pytest

from kehu.postgres import PostgresFailed, PostgresServer
from tests.factories.ports import free_ports


@pytest.fixture
def server(tmp_path: Path) -> Iterator[PostgresServer]:
    server = PostgresServer(tmp_path / "postgres", fsync=False)
    server.start()
    yield server
    server.stop()


async def test_each_role_enters_only_its_own_database(server: PostgresServer) -> None:
    dsn = server.create_database("customer")
    server.create_database("audit")
    own = await asyncpg.connect(dsn)
    assert await own.fetchval("SELECT current_user || '@' || current_database()") == "customer@customer"
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await own.execute("CREATE DATABASE another")
    await own.close()
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await asyncpg.connect(server.dsn("audit", role="customer"))


async def test_a_wrong_password_is_refused(server: PostgresServer) -> None:
    dsn = server.create_database("customer")
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(dsn, password="guess")


def test_making_a_database_twice_keeps_what_is_in_it(server: PostgresServer) -> None:
    server.create_database("customer")
    server.execute("CREATE TABLE kept AS SELECT 7 AS seven", "customer")
    server.create_database("customer")
    assert server.execute("SELECT seven FROM kept", "customer") == "7"


@pytest.mark.parametrize("end", [PostgresServer.stop, PostgresServer.kill])
def test_data_survives_an_end_and_a_second_start(server: PostgresServer, end) -> None:
    server.execute("CREATE TABLE kept AS SELECT 7 AS seven")
    end(server)
    server.start()
    assert server.execute("SELECT seven FROM kept") == "7"


def test_a_database_may_copy_a_template(server: PostgresServer) -> None:
    server.create_database("pattern")
    server.execute("CREATE TABLE kept AS SELECT 7 AS seven", "pattern")
    server.create_database("copied", template="pattern")
    assert server.execute("SELECT seven FROM kept", "copied") == "7"


def test_names_that_are_not_plain_are_refused(server: PostgresServer) -> None:
    with pytest.raises(PostgresFailed, match="cannot name a database"):
        server.create_database("x; DROP DATABASE postgres")


def test_the_directory_is_private_to_its_owner(server: PostgresServer) -> None:
    for path in (server.directory, server.data):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700
    for path in (server.log, server.directory / "password"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_it_listens_on_loopback_only_when_told_a_port(tmp_path: Path, server: PostgresServer) -> None:
    assert psutil.Process(server.pid).net_connections("tcp") == []
    with pytest.raises(PostgresFailed, match="without a TCP port"):
        server.dsn("postgres", tcp=True)
    other = PostgresServer(tmp_path / "other", port=free_ports(1)[0], fsync=False)
    other.start()
    try:
        other.create_database("customer")
        connection = await asyncpg.connect(other.dsn("customer", tcp=True))
        assert await connection.fetchval("SELECT host(inet_server_addr())") == "127.0.0.1"
        await connection.close()
    finally:
        other.stop()


def test_a_path_too_long_for_a_socket_still_works(tmp_path: Path) -> None:
    server = PostgresServer(tmp_path / ("deep" * 30), fsync=False)
    server.start()
    try:
        assert server.socket_directory != server.data
        assert server.execute("SELECT 1") == "1"
    finally:
        server.stop()


def test_a_failing_start_says_why(tmp_path: Path, server: PostgresServer) -> None:
    server.stop()
    (server.data / "postgresql.conf").write_text("no_such_setting = 1\n")
    with pytest.raises(PostgresFailed, match="no_such_setting"):
        server.start()


_ORPHAN = """
import os, sys
from pathlib import Path
from kehu.postgres import PostgresServer
server = PostgresServer(Path(sys.argv[1]), fsync=False)
server.start()
server.execute("CREATE TABLE kept AS SELECT 7 AS seven")
print(server.pid, flush=True)
os.kill(os.getpid(), 9)
"""


def test_a_killed_parent_leaves_no_server_and_the_next_start_is_clean(tmp_path: Path) -> None:
    directory = tmp_path / "postgres"
    command = [sys.executable, "-c", _ORPHAN, str(directory)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == -signal.SIGKILL, done.stderr
    _, alive = psutil.wait_procs(_processes([int(done.stdout)]), timeout=10)
    assert not [process for process in alive if process.status() != psutil.STATUS_ZOMBIE]
    server = PostgresServer(directory, fsync=False)
    server.start()
    assert server.execute("SELECT seven FROM kept") == "7"
    server.stop()


def test_a_stale_lock_with_a_living_strangers_pid_does_not_block_the_start(server: PostgresServer) -> None:
    server.stop()
    (server.data / "postmaster.pid").write_text(f"{os.getpid()}\n{server.data}\n0\n5432\n\n\n\nready\n")
    server.start()
    assert server.execute("SELECT 1") == "1"


def test_after_a_crashed_backend_the_server_recovers_by_itself(server: PostgresServer) -> None:
    server.execute("CREATE TABLE kept AS SELECT 7 AS seven")
    pid = server.pid
    server.crash()
    for _ in range(200):
        try:
            assert server.execute("SELECT seven FROM kept") == "7"
            break
        except PostgresFailed:
            continue
    assert server.pid == pid


async def test_fresh_databases_are_empty_and_apart(fresh_database) -> None:
    first, second = fresh_database("one"), fresh_database("one")
    assert first != second
    connection = await asyncpg.connect(first)
    assert await connection.fetch("SELECT FROM pg_tables WHERE schemaname = 'public'") == []
    await connection.close()


def _processes(pids: list[int]) -> list[psutil.Process]:
    return [psutil.Process(pid) for pid in pids if psutil.pid_exists(pid)]
