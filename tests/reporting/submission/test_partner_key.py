"""A partner's key files and reads its own reports for its own institutions only, from its own networks (R0.4, R4.3)."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from itertools import count
from typing import Any
from uuid import uuid4

import httpx
import pytest

from kehu.postgres import PostgresServer
from shared.auth import EFFECTS
from shared.db import Database
from shared.events import Event, KeyRevoked
from shared.outbox import Outbox
from tests.factories.keys import bearer, client, issued, new_key, unit
from tests.factories.reporting import REPORT, RunningReporting, file_json, loans, new_unit, running
from tests.fakes.issuer import Issuer

pytestmark = [pytest.mark.req("R0.4"), pytest.mark.req("R4.3")]
_clients = count(1)


class Partner:
    """A partner whose role reaches all institutions; what its keys may do is up to each key."""

    def __init__(self, database: Database, http: httpx.AsyncClient) -> None:
        self.name = f"partner-{uuid4().hex[:8]}"
        self._database = database
        self._http = http

    async def learn(self, *events: Event) -> None:
        """As this service's roster consumer does."""
        for event in events:
            envelope = Outbox("identity").envelope(event, feature="partner_key", subject="key/x", actor="staff/admin")
            async with self._database.transaction() as tx:
                await EFFECTS[type(event)](tx, envelope, event)

    async def key(self, **scope: Any) -> tuple[str, Any]:
        """A key of the partner that the service knows by now, and the event that told it."""
        event = issued(key := new_key(), client=self.name, **scope)
        await self.learn(event)
        if not scope.get("addresses"):
            await self.let_in(key)
        return key, event

    async def let_in(self, key: str) -> None:
        async with asyncio.timeout(25):
            while (await self._http.get("/v1/reports", headers=bearer(key))).status_code != 200:  # noqa: ASYNC110
                await asyncio.sleep(0.05)


@pytest.fixture(scope="module")
def service(
    postgres: PostgresServer, worker_id: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningReporting]:
    """A process that follows its roster: where tokens alone count, there are no keys."""
    name = f"reporting_keys_{worker_id}"
    dsn = postgres.create_database(name, template="template0")
    with Issuer() as issuer, running(dsn, issuer, tmp_path_factory.mktemp("keys"), AUTHORITY="directory") as service:
        yield service
    postgres.drop_database(name)


@pytest.fixture
async def partner(database: Database, http: httpx.AsyncClient) -> AsyncIterator[Partner]:
    made = Partner(database, http)
    await made.learn(unit("hq"), client(made.name, "hq", ("report_reviewer",)))
    yield made


def problem(answer: httpx.Response, status: int, code: str) -> list[tuple[str, str]]:
    body = answer.json()
    assert (answer.status_code, body["code"]) == (status, code), body
    return [(fault["pointer"], fault["code"]) for fault in body["errors"]]


async def told(database: Database, kind: str, key_id: str) -> int:
    """How many events of a type about a key are in the outbox."""
    async with database.reading() as tx:
        rows = await tx.fetch("SELECT headers, value FROM outbox")
    return sum(kind.encode() in row["headers"] and key_id.encode() in row["value"] for row in rows)


async def test_a_key_files_for_its_institutions_and_no_other(
    http: httpx.AsyncClient, database: Database, partner: Partner
) -> None:
    mine, foreign = new_unit(), new_unit()
    key, event = await partner.key(units=(mine,))
    filed = await file_json(http, bearer(key), mine, loans(1))
    assert (filed.status_code, filed.json()["submitted_by"]) == (201, f"client/{partner.name}")
    for query in ({}, {"dry_run": "true"}):
        refused = await file_json(http, bearer(key), foreign, loans(1), **query)
        assert problem(refused, 403, "org_out_of_reach") == [("/org", "out_of_reach")]
    assert await told(database, "partner.key_used", event.key_id) == 1


async def test_a_key_files_its_reports_and_no_other(http: httpx.AsyncClient, partner: Partner) -> None:
    org = new_unit()
    mine, _ = await partner.key(reports=(REPORT,))
    other, _ = await partner.key(reports=("another-report",))
    for query in ({}, {"dry_run": "true"}):
        refused = await file_json(http, bearer(other), org, loans(1), **query)
        assert problem(refused, 403, "report_not_allowed") == [("/report", "report_not_allowed")]
    assert (await file_json(http, bearer(mine), org, loans(1))).status_code == 201


async def test_a_key_reads_and_lists_what_it_is_for(http: httpx.AsyncClient, partner: Partner) -> None:
    org, elsewhere = new_unit(), new_unit()
    whole, _ = await partner.key()
    here = (await file_json(http, bearer(whole), org, loans(1))).headers["location"]
    there = (await file_json(http, bearer(whole), elsewhere, loans(1))).headers["location"]
    here_only, _ = await partner.key(units=(org,), reports=(REPORT,))
    other_report, _ = await partner.key(units=(org, elsewhere), reports=("another-report",))
    for key, seen in ((whole, {here, there}), (here_only, {here}), (other_report, set())):
        for path in (here, there):
            for address in (path, f"{path}/findings"):
                answer = await http.get(address, headers=bearer(key))
                assert answer.status_code == (200 if path in seen else 404), (address, seen)
        listed = {
            f"/v1/submissions/{each['id']}"
            for each_org in (org, elsewhere)
            for each in (await http.get("/v1/submissions", params={"org": each_org}, headers=bearer(key))).json()[
                "items"
            ]
        }
        assert listed == seen
    everything = (await http.get("/v1/submissions", params={"limit": 200}, headers=bearer(here_only))).json()
    assert {each["org"] for each in everything["items"]} == {org}


async def test_a_key_is_bound_to_its_networks_whatever_a_caller_claims(
    http: httpx.AsyncClient, database: Database, partner: Partner
) -> None:
    away, event = await partner.key(addresses=("198.51.100.0/24",))
    home, _ = await partner.key(addresses=("127.0.0.0/8", "::1"))
    await partner.let_in(home)
    for claim in ({}, {"X-Forwarded-For": "198.51.100.9"}, {"Forwarded": "for=198.51.100.9"}):
        refused = await http.get("/v1/submissions", headers=bearer(away) | claim)
        assert problem(refused, 401, "bad_key") == []
        assert (await http.get("/v1/submissions", headers=bearer(home) | claim)).status_code == 200
    assert await told(database, "partner.key_refused", event.key_id) == 1


async def test_a_revoked_key_is_refused_within_a_second(
    http: httpx.AsyncClient, service: RunningReporting, partner: Partner
) -> None:
    key, event = await partner.key()
    await partner.learn(KeyRevoked(**event.model_dump(exclude={"replaces"}) | {"version": 2, "revoked": True}))
    await asyncio.sleep(1)
    assert problem(await http.get("/v1/submissions", headers=bearer(key)), 401, "bad_key") == []
    log = service.log.read_text()
    assert key[14:] not in log


async def test_a_key_is_counted_and_told_so(http: httpx.AsyncClient, partner: Partner) -> None:
    key, _ = await partner.key()
    answer = await http.get("/v1/submissions", headers=bearer(key))
    assert answer.headers["RateLimit-Policy"].startswith('"default";q=')
    slow = issued(few := new_key(), client=partner.name, rate=2)
    await partner.learn(slow)
    await asyncio.sleep(1)
    statuses = [(await http.get("/v1/submissions", headers=bearer(few))).status_code for _ in range(3)]
    assert statuses == [200, 200, 429]
