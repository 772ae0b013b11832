"""A fresh identity database for each test, and the service running on it."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from kehu.postgres import PostgresServer
from shared.migrations import upgrade
from tests.conftest import FreshDatabase
from tests.factories.directory import Directory, running_directory
from tests.factories.identity import MIGRATIONS, RunningIdentity, directory_file, running


@pytest.fixture(scope="session")
def identity_template(postgres: PostgresServer, worker_id: str) -> Iterator[str]:
    """A migrated database to copy, since migrating takes longer than most tests."""
    name = f"identity_template_{worker_id}"
    upgrade(MIGRATIONS, postgres.create_database(name))
    yield name
    postgres.drop_database(name)


@pytest.fixture
def identity_dsn(postgres: PostgresServer, fresh_database: FreshDatabase, identity_template: str) -> str:
    """A copy of it, whose role may do what the owner of the copied tables may."""
    return fresh_database("identity", template=identity_template)


@pytest.fixture
async def identity(identity_dsn: str, tmp_path: Path) -> AsyncIterator[RunningIdentity]:
    """The service with the factory's directory."""
    async with running(identity_dsn, directory_file=directory_file(tmp_path)) as service:
        yield service


@pytest.fixture
async def directory(identity_dsn: str, tmp_path: Path) -> AsyncIterator[Directory]:
    """The service with a company of five units and six people."""
    async with running_directory(identity_dsn, tmp_path) as service:
        yield service
