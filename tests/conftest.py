"""Real servers for the tests: one PostgreSQL and one Kafka a run, a fresh database a test.

Nothing here stands in for a real part. With xdist the controlling process runs the servers and its workers share
them; without, each starts when the first test asks.
"""

import itertools
import shutil
import socket
import ssl
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Protocol

import docker
import psutil
import pytest
import structlog
from testcontainers.core.container import DockerContainer
from testcontainers.core.wait_strategies import LogMessageWaitStrategy

from kehu.kafka import VERSION as KAFKA_VERSION
from kehu.kafka import KafkaFailed, LocalKafka
from kehu.postgres import PostgresServer
from kehu.settings import SuiteSettings
from shared import process
from tests.factories.regimes import READ_ONCE
from tests.factories.schemas import build_once

_MEMORY, _PLENTY = Path("/dev/shm"), 4 << 30
_NO_KAFKA = "no Kafka, and CI may not skip its tests: {}"
_shared_servers = pytest.StashKey[ExitStack]()
_shared_addresses = pytest.StashKey[dict[str, str]]()


structlog.configure(
    processors=[
        structlog.processors.add_log_level,
        structlog.processors.format_exc_info,
        structlog.processors.KeyValueRenderer(),
    ]
)  # the default draws every exception with all local variables, for seconds


@pytest.fixture(scope="session", autouse=True)
def what_never_changes_is_made_once() -> Iterator[None]:
    """Measures, by all services of a worker, validators, and what HTTP clients trust, of which reading takes 50 ms.

    Tests with measures of their own read those as ever.
    """
    read, kept = process.load, cache(process.load)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(process, "load", lambda path: kept(path) if path in READ_ONCE else read(path))
        patch.setattr(ssl, "create_default_context", cache(ssl.create_default_context))
        build_once(patch)
        yield


class FreshDatabase(Protocol):
    """`fresh_database("audit")` makes an empty database (or a copy of `template`, which nobody may be using)."""

    def __call__(self, name: str = "test", *, template: str = "template0") -> str:
        """Return the DSN of the new database's owner."""


def pytest_sessionstart(session: pytest.Session) -> None:
    """Under xdist the controller starts the servers: it outlives every worker."""
    config = session.config
    if hasattr(config, "workerinput") or not config.getoption("numprocesses", None):
        return
    servers = config.stash[_shared_servers] = ExitStack()
    addresses = config.stash[_shared_addresses] = {"postgres": str(_start_postgres(servers).directory)}
    if config.getoption("markexpr") != "not kafka":
        addresses["kafka"], addresses["no_kafka"] = _start_kafka(servers)
        if not addresses["kafka"] and SuiteSettings().ci:
            servers.close()
            pytest.exit(_NO_KAFKA.format(addresses["no_kafka"]), returncode=3)


def pytest_sessionfinish(session: pytest.Session) -> None:
    session.config.stash.get(_shared_servers, ExitStack()).close()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say, in a quiet run too, how much of the authority matrix was asked (tests/authority)."""
    reports = [
        each for found in terminalreporter.stats.values() for each in found if getattr(each, "when", "") == "call"
    ]
    counts = [count for report in reports for name, count in report.user_properties if name == "authority"]
    if counts:
        cells, routes = (sum(each[what] for each in counts) for what in ("cells", "routes"))
        terminalreporter.write_line(f"authority matrix: {cells} cells over {routes} routes, {counts[0]['roles']} roles")


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: pytest.Session) -> None:
    """Tell a worker where the shared servers are."""
    node.workerinput.update(node.config.stash[_shared_addresses])


@pytest.fixture(scope="session")
def postgres(request: pytest.FixtureRequest) -> Iterator[PostgresServer]:
    """The run's PostgreSQL 18, without fsync. Start a server of your own to crash one."""
    shared = getattr(request.config, "workerinput", {}).get("postgres")
    with ExitStack() as servers:
        yield PostgresServer(Path(shared)) if shared else _start_postgres(servers)


@pytest.fixture(scope="session")
def kafka(request: pytest.FixtureRequest) -> Iterator[str]:
    """Bootstrap servers of the run's real Kafka. Start a `LocalKafka` of your own to kill one."""
    shared = getattr(request.config, "workerinput", {})
    with ExitStack() as servers:
        address, why_not = (shared["kafka"], shared["no_kafka"]) if "kafka" in shared else _start_kafka(servers)
        if not address:
            if SuiteSettings().ci:
                pytest.exit(_NO_KAFKA.format(why_not), returncode=3)
            pytest.skip(f"NO KAFKA, NOT TESTED AGAINST IT: {why_not}")
        yield address


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


def _start_postgres(servers: ExitStack) -> PostgresServer:
    server = PostgresServer(_directory(servers, _in_memory()) / "postgres", fsync=False)
    server.start()
    servers.callback(server.stop)
    return server


def _start_kafka(servers: ExitStack) -> tuple[str, str]:
    """Bootstrap servers and "", or "" and the reason why there is no Kafka."""
    settings = SuiteSettings()
    if settings.kafka_bootstrap_servers:
        return settings.kafka_bootstrap_servers, ""
    if _docker_answers():
        return _start_kafka_in_docker(servers), ""
    local = LocalKafka(_directory(servers) / "kafka", cache=settings.kehu_cache)
    servers.callback(local.stop)
    try:
        local.start()
    except KafkaFailed as problem:
        return "", str(problem)
    return local.bootstrap, ""


def _docker_answers() -> bool:
    try:
        return docker.from_env(timeout=5).ping()
    except (docker.errors.DockerException, OSError):
        return False


def _start_kafka_in_docker(servers: ExitStack) -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    container = DockerContainer(f"apache/kafka:{KAFKA_VERSION}").with_bind_ports(9092, port)
    for name, value in {
        "PROCESS_ROLES": "broker,controller",
        "NODE_ID": "1",
        "CONTROLLER_QUORUM_VOTERS": "1@localhost:9093",
        "CONTROLLER_LISTENER_NAMES": "CONTROLLER",
        "LISTENERS": "PLAINTEXT://:9092,CONTROLLER://:9093",
        "LISTENER_SECURITY_PROTOCOL_MAP": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "ADVERTISED_LISTENERS": f"PLAINTEXT://127.0.0.1:{port}",
        "OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
        "GROUP_INITIAL_REBALANCE_DELAY_MS": "0",
        "AUTO_CREATE_TOPICS_ENABLE": "false",
    }.items():
        container.with_env(f"KAFKA_{name}", value)
    servers.enter_context(container.waiting_for(LogMessageWaitStrategy("Kafka Server started")))
    return f"127.0.0.1:{port}"


def _directory(servers: ExitStack, parent: Path | None = None) -> Path:
    path = Path(tempfile.mkdtemp(prefix="kehu-tests-", dir=parent))
    servers.callback(shutil.rmtree, path)
    return path


def _in_memory() -> Path | None:
    """Where files are kept in memory, if there is plenty: each test makes a database of 600 files and drops it."""
    is_there = _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free > _PLENTY
    return _MEMORY if is_there and psutil.virtual_memory().available > 2 * _PLENTY else None
