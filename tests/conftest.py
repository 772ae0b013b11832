"""Real servers for the tests: one PostgreSQL a run, a fresh database a test.

Nothing here stands in for a real part. With xdist the controlling process runs the server and its workers share
it; without, it starts when the first test asks.
"""

import itertools
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest

from kehu.postgres import PostgresServer

_server_of_this_run = pytest.StashKey[PostgresServer]()


class FreshDatabase(Protocol):
    """`fresh_database("audit")` makes an empty database (or a copy of `template`, which nobody may be using)."""

    def __call__(self, name: str = "test", *, template: str = "template0") -> str:
        """Return the DSN of the new database's owner."""


def pytest_sessionstart(session: pytest.Session) -> None:
    """Under xdist the controller starts the server: it outlives every worker."""
    config = session.config
    if not hasattr(config, "workerinput") and config.getoption("numprocesses", None):
        config.stash[_server_of_this_run] = _start_postgres()


def pytest_sessionfinish(session: pytest.Session) -> None:
    server = session.config.stash.get(_server_of_this_run, None)
    if server is not None:
        _remove(server)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: pytest.Session) -> None:
    """Tell a worker where the shared server lives."""
    node.workerinput["postgres"] = str(node.config.stash[_server_of_this_run].directory)


@pytest.fixture(scope="session")
def postgres(request: pytest.FixtureRequest) -> Iterator[PostgresServer]:
    """The run's PostgreSQL 18, without fsync. Start a server of your own to crash one."""
    shared = getattr(request.config, "workerinput", {}).get("postgres")
    if shared is not None:
        yield PostgresServer(Path(shared))
        return
    server = _start_postgres()
    yield server
    _remove(server)


_serial = itertools.count(1)


@pytest.fixture
def fresh_database(postgres: PostgresServer, worker_id: str) -> Iterator[FreshDatabase]:
    """Databases for one test, dropped after it."""
    made: list[str] = []

    def make(name: str = "test", *, template: str = "template0") -> str:
        unique = f"{name}_{worker_id}_{next(_serial)}"
        made.append(unique)
        return postgres.create_database(unique, template=template)

    yield make
    for name in made:
        postgres.drop_database(name)


def _start_postgres() -> PostgresServer:
    server = PostgresServer(Path(tempfile.mkdtemp(prefix="kehu-tests-")) / "postgres", fsync=False)
    server.start()
    return server


def _remove(server: PostgresServer) -> None:
    server.stop()
    shutil.rmtree(server.directory.parent)
