"""Health, metrics, traces and safe headers of every service; and what callers see while a server is away."""

import asyncio
import re
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import MetaData

from kehu.postgres import PostgresServer
from shared.outbox import outbox_table
from shared.web import idempotency_table
from tests.factories.tables import create_tables
from tests.fakes.issuer import Issuer
from tests.shared.web.conftest import TABLE, Site, serving, settings_of

pytestmark = pytest.mark.req("R15.4")


async def test_health_and_readiness_are_open_to_all(site: Site) -> None:
    assert (await site.client.get("/healthz")).json() == {"status": "alive"}
    ready = await site.client.get("/readyz")
    assert (ready.status_code, ready.json()["ready"]) == (200, True)


async def test_each_answer_is_counted_by_its_route_template_and_status(site: Site) -> None:
    await site.client.get("/v1/things/12345", headers=site.bearer())
    await site.client.get("/v1/broken", headers=site.bearer())
    series = (await site.client.get("/metrics")).text
    assert re.search(r'kehu_http_seconds_count\{.*route="/v1/things/\{number\}".*status="404"', series)
    assert re.search(r'kehu_http_seconds_count\{.*route="/v1/broken".*status="500"', series)
    assert "12345" not in series


async def test_a_trace_is_continued_and_a_malformed_one_is_replaced(site: Site) -> None:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    given = await site.client.get("/healthz", headers={"traceparent": f"00-{trace}-00f067aa0ba902b7-01"})
    assert given.headers["traceparent"].split("-")[1] == trace
    assert "00f067aa0ba902b7" not in given.headers["traceparent"]
    broken = await site.client.get("/healthz", headers={"traceparent": "00-x-y-01"})
    assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-01", broken.headers["traceparent"])


async def test_the_trace_of_a_request_goes_into_its_events(site: Site) -> None:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    headers = {**site.bearer(), "traceparent": f"00-{trace}-00f067aa0ba902b7-01"}
    await site.client.delete("/v1/things", headers=headers)
    async with site.database.reading() as tx:
        assert trace.encode() in await tx.fetchval("SELECT headers FROM outbox")


async def test_answers_are_not_kept_by_caches_nor_sniffed(site: Site) -> None:
    answer = await site.client.get("/v1/things", headers=site.bearer())
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_only_declared_origins_may_call_from_a_browser(site: Site) -> None:
    for origin, allowed in (("https://app.example", True), ("https://evil.example", False)):
        preflight = {"Origin": origin, "Access-Control-Request-Method": "PATCH"}
        answer = await site.client.options("/v1/things", headers=preflight)
        assert ("Access-Control-Allow-Origin" in answer.headers) is allowed


@pytest.fixture
async def mortal(tmp_path: Path, issuer: Issuer, regimes: Path) -> AsyncIterator[tuple[Site, PostgresServer]]:
    """A site whose PostgreSQL may be killed."""
    server = PostgresServer(tmp_path / "postgres")
    server.start()
    metadata = MetaData()
    outbox_table(metadata)
    idempotency_table(metadata)
    dsn = server.create_database("service")
    await create_tables(dsn, metadata)
    async with serving(settings_of(dsn, server.create_database("bus"), issuer, regimes), issuer, {}) as site:
        async with site.database.transaction() as tx:
            await tx.execute(TABLE)
        yield site, server
    server.stop()


@pytest.mark.slow
@pytest.mark.req("R0.2")
async def test_a_dead_database_gives_a_clear_refusal_and_recovers_without_restart(
    mortal: tuple[Site, PostgresServer],
) -> None:
    site, server = mortal
    thing = {"name": "cup", "amount": 1}
    assert (await site.client.post("/v1/things", json=thing, headers=site.bearer())).status_code == 201
    server.kill()
    try:
        for method in ("GET", "POST"):
            answer = await site.client.request(method, "/v1/things", json=thing, headers=site.bearer())
            assert answer.status_code == 503
            assert answer.json()["code"] == "database_unavailable"
            assert answer.headers["Retry-After"]
        ready = await site.client.get("/readyz")
        assert (ready.status_code, ready.json()["parts"]["database"]) == (503, False)
        assert ready.headers["Retry-After"]
        assert (await site.client.get("/healthz")).status_code == 200
    finally:
        server.start()
    deadline = time.monotonic() + 20
    while (await site.client.get("/readyz")).status_code != 200:
        assert time.monotonic() < deadline, "the database is back, but readiness stays red"
        await asyncio.sleep(0.1)
    answer = await site.client.post("/v1/things", json={**thing, "name": "bowl"}, headers=site.bearer())
    assert answer.status_code == 201
    assert await site.rows() == 2


@pytest.mark.slow
async def test_an_issuer_that_is_away_gives_a_503_and_not_a_401(site: Site) -> None:
    headers = site.bearer()
    site.issuer.down = True
    answer = await site.client.get("/v1/things", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (503, "issuer_unavailable")
