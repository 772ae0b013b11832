"""A fresh notify database and bus for each test."""

from collections.abc import AsyncIterator, Iterator

import pytest

from kehu.postgres import PostgresServer
from services.notify.settings import NotifySettings
from shared.bus import connect
from shared.migrations import upgrade
from tests.conftest import FreshDatabase
from tests.factories.notify import MIGRATIONS, Bus, settings_of
from tests.fakes.issuer import Issuer


@pytest.fixture(scope="session")
def notify_template(postgres: PostgresServer, worker_id: str) -> Iterator[str]:
    """A migrated database to copy, since migrating takes longer than most tests."""
    name = f"notify_template_{worker_id}"
    upgrade(MIGRATIONS, postgres.create_database(name))
    yield name
    postgres.drop_database(name)


@pytest.fixture
def notify_dsn(postgres: PostgresServer, fresh_database: FreshDatabase, notify_template: str) -> str:
    """A copy of it, whose role may do what the owner of the copied tables may."""
    return fresh_database("notify", template=notify_template)


@pytest.fixture(scope="session")
def issuer() -> Iterator[Issuer]:
    with Issuer() as running:
        yield running


@pytest.fixture
def settings(notify_dsn: str, fresh_database: FreshDatabase, issuer: Issuer) -> NotifySettings:
    return settings_of(notify_dsn, fresh_database("bus"), issuer.url)


@pytest.fixture
async def bus(settings: NotifySettings) -> AsyncIterator[Bus]:
    transport = connect(settings.bus, settings.bus_url.get_secret_value())
    await transport.start()
    yield Bus(transport)
    await transport.close()
