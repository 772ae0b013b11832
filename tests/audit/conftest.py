"""Databases of the audit service, migrated by its own migrations."""

from collections.abc import AsyncIterator, Iterator

import pytest

from kehu.postgres import PostgresServer
from shared.db import Database
from tests.conftest import FreshDatabase
from tests.factories import audit
from tests.fakes.issuer import Issuer


@pytest.fixture(scope="session")
def migrated(postgres: PostgresServer, worker_id: str) -> Iterator[str]:
    """A database that the service's migrations made, to be copied and never used."""
    name = f"audit_template_{worker_id}"
    audit.migrated(postgres.create_database(name, template="template0"))
    yield name
    postgres.drop_database(name)


@pytest.fixture
def dsn(fresh_database: FreshDatabase, migrated: str) -> str:
    """An empty audit database, whose role may do what the owner of the copied tables may."""
    return fresh_database("audit", template=migrated)


@pytest.fixture
async def database(dsn: str) -> AsyncIterator[Database]:
    async with audit.opened(dsn) as opened:
        yield opened


@pytest.fixture(scope="session")
def issuer() -> Iterator[Issuer]:
    with Issuer() as running:
        yield running


@pytest.fixture
async def service(dsn: str, issuer: Issuer) -> AsyncIterator[audit.RunningAudit]:
    async with audit.running(dsn, issuer) as running:
        yield running
