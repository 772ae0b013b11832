"""Databases of the audit service, migrated by its own migrations."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from shared.db import Database
from tests.conftest import FreshDatabase
from tests.factories import audit
from tests.fakes.issuer import Issuer


@pytest.fixture
async def dsn(fresh_database: FreshDatabase) -> str:
    """An empty audit database; alembic has an event loop of its own, hence the thread."""
    return await asyncio.to_thread(audit.migrated, fresh_database("audit"))


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
