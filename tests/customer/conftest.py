"""Databases of the customer service, migrated by its own migrations, and the service itself."""

from collections.abc import AsyncIterator, Iterator
from urllib.parse import urlsplit

import pytest

from kehu.postgres import PostgresServer
from tests.conftest import FreshDatabase
from tests.factories import customer
from tests.fakes.issuer import Issuer


@pytest.fixture(scope="session")
def migrated(postgres: PostgresServer, worker_id: str) -> Iterator[str]:
    """A database that the service's migrations made, to be copied and never used."""
    name = f"customer_template_{worker_id}"
    customer.migrated(postgres.create_database(name, template="template0"))
    yield name
    postgres.drop_database(name)


@pytest.fixture
def dsn(postgres: PostgresServer, fresh_database: FreshDatabase, migrated: str) -> str:
    """An empty customer database, whose role may do what the owner of the copied tables may."""
    copy = fresh_database("customer", template=migrated)
    postgres.execute(f"GRANT {migrated} TO {urlsplit(copy).username}")
    return copy


@pytest.fixture(scope="session")
def issuer() -> Iterator[Issuer]:
    with Issuer() as running:
        yield running


@pytest.fixture
async def service(dsn: str, issuer: Issuer) -> AsyncIterator[customer.RunningCustomer]:
    async with customer.running(dsn, issuer) as running:
        yield running
