"""Databases of the customer service, migrated by its own migrations, and the service itself."""

import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

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
def dsn(fresh_database: FreshDatabase, migrated: str) -> str:
    """An empty customer database, whose role may do what the owner of the copied tables may."""
    return fresh_database("customer", template=migrated)


@pytest.fixture(scope="session")
def issuer() -> Iterator[Issuer]:
    with Issuer() as running:
        yield running


@pytest.fixture
async def service(dsn: str, issuer: Issuer) -> AsyncIterator[customer.RunningCustomer]:
    async with customer.running(dsn, issuer) as running:
        yield running


@pytest.fixture
def served(dsn: str, issuer: Issuer, tmp_path: Path) -> customer.Served:
    """The service on changed measures."""

    @asynccontextmanager
    async def serve(
        *changes: tuple[str, str, str], begins: str | None = None
    ) -> AsyncIterator[customer.RunningCustomer]:
        root = tmp_path / "regimes"
        shutil.rmtree(root, ignore_errors=True)
        shutil.copytree(customer.REGIMES, root)
        for file, old, new in changes:
            changed = root / file if begins is None else (root / file).with_suffix(f".{begins}.yaml")
            text = (changed if changed.exists() else root / file).read_text("utf-8")
            assert old in text, (file, old)
            text = text.replace(old, new, 1)
            if begins is not None:
                text = text.replace("effective_from: 2025-01-01", f"effective_from: {begins}", 1)
            changed.write_text(text, "utf-8")
        async with customer.running(dsn, issuer, regimes_path=root) as running:
            yield running

    return serve
