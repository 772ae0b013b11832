"""Servers of the rig: one PostgreSQL with fsync on, and both buses. Whoever kills a broker starts one of their own."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from kehu.postgres import PostgresServer
from tests.fakes.issuer import Issuer
from tests.reliability.suite import Servers, make_templates


@pytest.fixture(scope="session")
def durable_postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL that keeps what it acknowledged, for tests that crash it."""
    directory = Path(tempfile.mkdtemp(prefix="kehu-durable-"))
    server = PostgresServer(directory / "postgres")
    server.start()
    make_templates(server)
    yield server
    server.stop()
    shutil.rmtree(directory)


@pytest.fixture(scope="session")
def issuer() -> Iterator[Issuer]:
    with Issuer() as running:
        yield running


@pytest.fixture(scope="session", params=["postgres", pytest.param("kafka", marks=pytest.mark.kafka)])
def servers(request: pytest.FixtureRequest, durable_postgres: PostgresServer, issuer: Issuer) -> Servers:
    """The servers with each of the two buses in turn; the broker is the run's own, not to be killed."""
    bootstrap = request.getfixturevalue("kafka") if request.param == "kafka" else ""
    return Servers(durable_postgres, issuer, request.param, bootstrap)


@pytest.fixture(scope="session")
def postgres_bus(durable_postgres: PostgresServer, issuer: Issuer) -> Servers:
    """The servers with the PostgreSQL log as the bus."""
    return Servers(durable_postgres, issuer)
