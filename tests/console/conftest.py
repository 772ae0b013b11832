"""The console on a fresh database, alone or beside real services of its kind."""

from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from kehu.postgres import PostgresServer
from services.identity.app import SERVICE as IDENTITY
from services.notify.app import SERVICE as NOTIFY
from services.reporting.app import SERVICE as REPORTING
from shared.migrations import upgrade
from tests.conftest import FreshDatabase
from tests.factories import audit, console, customer, directory
from tests.fakes.issuer import Issuer
from tests.fakes.way_in import WayIn

MIGRATIONS = {
    "audit": audit.SERVICE.migrations,
    "console": console.SERVICE.migrations,
    "customer": customer.SERVICE.migrations,
    "identity": IDENTITY.migrations,
    "notify": NOTIFY.migrations,
    "reporting": REPORTING.migrations,
}


class Databases:
    """Fresh databases by service, each a copy of one that the service's migrations made."""

    def __init__(self, server: PostgresServer, worker: str) -> None:
        self.server = server
        self._worker = worker
        self._templates: dict[str, str] = {}

    def template(self, service: str) -> str:
        if service not in self._templates:
            name = f"console_{service}_template_{self._worker}"
            empty = self.server.create_database(name, template="template0")
            with ThreadPoolExecutor(1) as thread:  # alembic wants a loop of its own, and the test's is running
                thread.submit(upgrade, MIGRATIONS[service], empty).result()
            self._templates[service] = name
        return self._templates[service]

    def drop(self) -> None:
        for name in self._templates.values():
            self.server.drop_database(name)


@pytest.fixture(scope="session")
def databases(postgres: PostgresServer, worker_id: str) -> Iterator[Databases]:
    made = Databases(postgres, worker_id)
    yield made
    made.drop()


class Dsn:
    """`dsn("audit")` is a fresh migrated database of that service."""

    def __init__(self, databases: Databases, fresh: FreshDatabase) -> None:
        self._databases = databases
        self._fresh = fresh

    def __call__(self, service: str) -> str:
        return self._fresh(service, template=self._databases.template(service))


@pytest.fixture
def dsn(databases: Databases, fresh_database: FreshDatabase) -> Dsn:
    return Dsn(databases, fresh_database)


@pytest.fixture(scope="session")
def issuer() -> Iterator[Issuer]:
    with Issuer() as running:
        yield running


@pytest.fixture
def way_in(issuer: Issuer) -> WayIn:
    """The issuer's own way of signing people in, as if nobody had used it before."""
    return issuer.fresh_way_in()


@pytest.fixture
async def alone(dsn: Dsn, issuer: Issuer) -> AsyncIterator[console.RunningConsole]:
    """A console whose every peer is away."""
    async with console.running(dsn("console"), issuer) as running:
        yield running


@pytest.fixture
async def files(dsn: Dsn, issuer: Issuer) -> AsyncIterator[customer.RunningCustomer]:
    async with customer.running(dsn("customer"), issuer) as running:
        yield running


@pytest.fixture
async def log(dsn: Dsn, issuer: Issuer) -> AsyncIterator[audit.RunningAudit]:
    async with audit.running(dsn("audit"), issuer) as running:
        yield running


@pytest.fixture
async def beside(
    dsn: Dsn, issuer: Issuer, files: customer.RunningCustomer, log: audit.RunningAudit
) -> AsyncIterator[console.RunningConsole]:
    """A console beside a real customer and a real audit service; the others are away."""
    peers = {"customer_url": str(files.http.base_url).rstrip("/"), "audit_url": str(log.http.base_url).rstrip("/")}
    async with console.running(dsn("console"), issuer, **peers) as running:
        yield running


@pytest.fixture
async def staffed(
    dsn: Dsn, issuer: Issuer, tmp_path: Path
) -> AsyncIterator[tuple[console.RunningConsole, directory.Directory]]:
    """A console beside a real identity service, which is also the issuer, with a company in it that it knows itself."""
    async with directory.running_directory(dsn("identity"), tmp_path, authority="directory") as company:
        at = str(company.http.base_url).rstrip("/")
        await company.identity.tell_the_roster()
        async with console.running(dsn("console"), issuer, issuer=at, identity_url=at) as running:
            yield running, company


@pytest.fixture(scope="session")
def templates() -> list[Path]:
    return sorted((Path(console.SERVICE.migrations).parent / "templates").rglob("*.html"))
