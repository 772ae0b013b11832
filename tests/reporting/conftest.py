"""The reporting service as one process for the whole run, on a database that its own migrations made."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from kehu.postgres import PostgresServer
from services.reporting.submission.rules import Judge
from shared.db import Database
from tests.factories import reporting
from tests.fakes.issuer import Issuer


@pytest.fixture(scope="session")
def service(
    postgres: PostgresServer, worker_id: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[reporting.RunningReporting]:
    name = f"reporting_{worker_id}"
    dsn = postgres.create_database(name, template="template0")
    directory: Path = tmp_path_factory.mktemp("reporting")
    with Issuer() as issuer, reporting.running(dsn, issuer, directory) as running:
        yield running
    postgres.drop_database(name)


@pytest.fixture
async def http(service: reporting.RunningReporting) -> AsyncIterator[httpx.AsyncClient]:
    async with service.http() as client:
        yield client


@pytest.fixture
async def database(service: reporting.RunningReporting) -> AsyncIterator[Database]:
    opened = Database(service.dsn)
    await opened.start()
    yield opened
    await opened.close()


@pytest.fixture
def unit() -> str:
    """A unit of this test's own."""
    return reporting.new_unit()


@pytest.fixture
def partner(service: reporting.RunningReporting, unit: str) -> dict[str, str]:
    """Headers of the unit's partner system."""
    return service.partner(unit)


@pytest.fixture(scope="session")
def judge() -> Judge:
    return reporting.judge()
