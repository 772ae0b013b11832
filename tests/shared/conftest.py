"""What the kernel's tests share: both transports over real servers, and a database with a service's plumbing tables."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from typing import NamedTuple

import pytest
from sqlalchemy import MetaData

from kehu.postgres import PostgresServer
from shared.bus import Transport, connect
from shared.db import Database
from shared.inbox import inbox_tables
from shared.outbox import outbox_table
from shared.web import idempotency_table
from tests.conftest import FreshDatabase
from tests.factories.tables import create_tables

PARTITIONS = 6


class BusAddress(NamedTuple):
    """Where a bus is: the two arguments of `shared.bus.connect`."""

    kind: str
    url: str


@pytest.fixture(scope="session")
def bus_dsn(postgres: PostgresServer, worker_id: str) -> str:
    """One bus database for all tests: topics keep them apart."""
    return postgres.create_database(f"bus_{worker_id}")


@pytest.fixture(params=["postgres", pytest.param("kafka", marks=pytest.mark.kafka)])
def bus(request: pytest.FixtureRequest, bus_dsn: str) -> BusAddress:
    """Each of the two buses in turn."""
    if request.param == "kafka":
        return BusAddress("kafka", request.getfixturevalue("kafka"))
    return BusAddress("postgres", bus_dsn)


@pytest.fixture
def topic() -> str:
    """A topic name that no other test uses."""
    return f"test-{uuid.uuid4().hex}"


@pytest.fixture
async def connected(bus: BusAddress) -> AsyncIterator[Callable[[], Transport]]:
    """Makes transports of the bus under test, as separate processes would have them; closes them at the end."""
    made: list[Transport] = []

    def make() -> Transport:
        made.append(connect(*bus, partitions=PARTITIONS))
        return made[-1]

    yield make
    await asyncio.gather(*(each.close() for each in made))


@pytest.fixture
async def transport(connected: Callable[[], Transport], topic: str) -> Transport:
    """A started transport on which `topic` exists."""
    transport = connected()
    await transport.start()
    await transport.ensure_topics([topic])
    return transport


@pytest.fixture
async def service_dsn(fresh_database: FreshDatabase) -> str:
    """A database with the plumbing tables of a service."""
    metadata = MetaData()
    outbox_table(metadata)
    inbox_tables(metadata)
    idempotency_table(metadata)
    dsn = fresh_database("service")
    await create_tables(dsn, metadata)
    return dsn


@pytest.fixture
async def database(service_dsn: str) -> AsyncIterator[Database]:
    """The pool of a service's database."""
    database = Database(service_dsn, pool=10)
    await database.start()
    yield database
    await database.close()
