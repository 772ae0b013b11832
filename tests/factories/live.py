"""The whole suite, live, and its sample people. Journeys and contract tests drive it over HTTP as anybody would.

The workers of a test run share one suite a transport: the first to come starts it, the last to leave stops it.
"""

import fcntl
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from hashlib import sha256
from itertools import count
from pathlib import Path
from secrets import token_urlsafe
from typing import Any, TypeVar
from uuid import uuid4

import httpx
import pytest

from kehu.client import SuiteClient
from kehu.code_flow import Form
from kehu.data import DataDirectory
from kehu.plan import SERVICES
from kehu.postgres import PostgresServer
from kehu.vault import Vault
from tests.factories.suite import Suite

T = TypeVar("T")
FILE = {
    "shop_name": "旅程便利店",
    "address": "示例路 1 号",
    "contact_person": "张示例",
    "contact_phone": "13900000000",
    "business_area": 45,
    "settlement_method": "electronic",
}
"""A file whose grade the credit level alone moves; the number is fresh each time."""
_numbers = count(1)


class Live:
    """A running suite; `as_("dept", "customer")` is a client of the customer service signed in as that person."""

    def __init__(self, data: Path, bus: str) -> None:
        self.data = data
        self.bus = bus
        self.urls: dict[str, str] = {
            name: each["url"] for name, each in DataDirectory(data).state()["services"].items()
        }
        self._postgres = PostgresServer(data / "postgres")
        self.token = cache(self._token)
        self.as_ = cache(self._as)

    def _token(self, name: str) -> str:
        return SuiteClient(DataDirectory(self.data), name).token()

    def through(self, peer: str) -> dict[str, str]:
        """What a service of the suite sends along when it asks another one for somebody."""
        secret = Vault(DataDirectory(self.data).secrets).password(peer).get_secret_value()
        address, grant = f"{self.urls['identity']}/oauth/token", {"grant_type": "client_credentials"}
        answer = httpx.post(address, data=grant, auth=(peer, secret), trust_env=False).raise_for_status()
        return {"Service-Authorization": f"Bearer {answer.json()['access_token']}"}

    def _as(self, name: str, service: str = "customer") -> httpx.Client:
        bearer = {"Authorization": f"Bearer {self.token(name)}"} if name else {}
        return httpx.Client(base_url=self.urls[service], headers=bearer, timeout=30, trust_env=False)

    def nobody(self, service: str) -> httpx.Client:
        """A client that is not signed in."""
        return self.as_("", service)

    def query(self, service: str, sql: str) -> str:
        """What psql prints, in the service's database."""
        return self._postgres.execute(sql, service)

    def count(self, service: str, *tables: str) -> dict[str, int]:
        """Rows by table, counted at one moment."""
        counts = ", ".join(f"'{table}', (SELECT count(*) FROM {table})" for table in tables)
        found: dict[str, int] = json.loads(self.query(service, f"SELECT json_build_object({counts})"))
        return found

    def register(self, unit: str = "east", manager: str = "manager1", **items: Any) -> dict[str, Any]:
        """A fresh customer, registered by the department manager: the answer's body."""
        number = f"J-{uuid4().hex[:8]}-{next(_numbers)}"
        values = {"customer_code": number, "customer_manager": manager, **FILE, **items}
        body = {"kind": "retail", "unit": unit, "values": values}
        answer = self.as_("dept").post("/v1/customers", json=body)
        assert answer.status_code == 201, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def change(self, customer: str, version: int, /, who: str = "manager1", **items: Any) -> httpx.Response:
        """PATCH items; the answer must be 200."""
        answer = self.as_(who).patch(
            f"/v1/customers/{customer}", json={"values": items}, headers={"If-Match": f'"{version}"'}
        )
        assert answer.status_code == 200, answer.text
        return answer

    def newcomer(self, unit: str = "east") -> tuple[str, str]:
        """Somebody who has come to a unit: the name, and the password that an invitation let them choose."""
        directory = self.as_("admin", "identity")
        name, password = f"newcomer-{uuid4().hex[:8]}", token_urlsafe(16) + "aA1!"
        person = {"name": name, "full_name": "林一（虚构）", "unit": unit, "first_day": "2026-01-05", "title": "业务员"}
        joined = directory.post("/v1/staff", json=person)
        assert joined.status_code == 201, joined.text
        invited = directory.post(f"/v1/accounts/{name}/invitation")
        assert invited.status_code == 201, invited.text
        with httpx.Client(base_url=self.urls["identity"], timeout=30, trust_env=False) as browser:
            form = Form(browser.get(f"/invitation/{invited.json()['code']}").text)
            done = browser.post(form.action, data={**form.fields, "new_password": password, "again": password})
        assert done.status_code == 200, done.text
        return name, password

    def give(self, name: str, role: str, unit: str = "east") -> None:
        """Let the security officer give somebody a role."""
        given = self.as_("security", "identity").post(f"/v1/staff/{name}/roles", json={"role": role, "unit": unit})
        assert given.status_code == 201, given.text

    def entries(self, **query: Any) -> list[dict[str, Any]]:
        """The first page of audit entries, as the auditor sees it."""
        answer = self.as_("auditor", "audit").get("/v1/entries", params=query)
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()["items"]
        return found

    def entry(self, customer: str, kind: str, sequence: int) -> dict[str, Any]:
        """The audit entry of one version of a customer, as soon as it is there; the only one of its kind."""

        def look() -> list[dict[str, Any]]:
            found = self.entries(subject=f"customer/{customer}", type=kind, limit=200)
            return [each for each in found if each["sequence"] == sequence]

        (found,) = until(look)
        return found

    def grade(self, customer: str, version: int) -> dict[str, Any]:
        """The grade, as soon as it is computed on this version of the file."""

        def look() -> dict[str, Any] | None:
            answer = self.as_("dept").get(f"/v1/customers/{customer}/grade")
            found: dict[str, Any] = answer.json()
            return found if answer.is_success and found["customer_version"] >= version else None

        return until(look)

    def inbox(self, name: str, about: str) -> list[dict[str, Any]]:
        """What a person was told about something."""
        items = self.as_(name, "notify").get("/v1/inbox", params={"limit": 200}).json()["items"]
        return [each for each in items if each["about"] == about]


def until(look: Callable[[], T | None], within_s: float = 30) -> T:
    """The first answer that is something."""
    deadline = time.monotonic() + within_s
    while not (found := look()):
        assert time.monotonic() < deadline, f"not within {within_s:g} s"
        time.sleep(0.05)
    return found


def becomes(look: Callable[[], T], expected: T, within_s: float = 30) -> None:
    """Wait until it is so; what it was instead is told."""
    deadline = time.monotonic() + within_s
    while (found := look()) != expected:
        assert time.monotonic() < deadline, f"{found!r}, not {expected!r}, after {within_s:g} s"
        time.sleep(0.05)


@contextmanager
def shared(directory: Path, kafka: str = "") -> Iterator[Live]:
    """The run's suite, whose data lie in `directory`, up for as long as anybody uses it. `kafka`: bootstrap servers."""
    directory.mkdir(exist_ok=True)
    bus = "kafka" if kafka else "postgres"
    prefix = "live-" + sha256(str(directory).encode()).hexdigest()[:16]  # other tests use the broker, too
    prefixes = {f"{name.upper()}_TOPIC_PREFIX": prefix for name in SERVICES}
    patience = {"IDENTITY_ADDRESS_FREE_FAILURES": "100000"}  # everybody here comes from one address
    settings = {**prefixes, **patience, "KAFKA_BOOTSTRAP_SERVERS": kafka}
    suite = Suite(directory / "data", SERVICES, bus=bus, **settings)
    users = directory / "users"
    with _alone(directory):
        others = int(users.read_text()) if users.exists() else 0
        if not others:
            started = suite.up()
            assert started.returncode == 0, started.stdout + started.stderr
        users.write_text(str(others + 1))
    try:
        yield Live(suite.data, bus)
    finally:
        with _alone(directory):
            others = int(users.read_text()) - 1
            users.write_text(str(others))
            if not others:
                suite.kehu("down")


def directory_of_run(factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A directory that the workers of this test run share."""
    own = factory.getbasetemp()
    return own if worker_id == "master" else own.parent


@contextmanager
def _alone(directory: Path) -> Iterator[None]:
    with (directory / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
