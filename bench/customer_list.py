"""Pages of 50 of a million customers over HTTP, for callers whose subtrees hold one unit to all 2,000.

Floor: the same pages for a caller whose reach is everything, so that units do not matter; the two take turns. Half of
the pages are the first, half begin at a random place. In the late subtree all names come at the end of the list, where
a walk from its front finds nothing. The tree reaches the service as it does in production: as rows of its roster.
"""

from __future__ import annotations

import asyncio
import random
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

from bench.figures import Figure, median
from kehu.postgres import PostgresServer
from services.customer.app import SERVICE
from shared.db import Database
from shared.migrations import upgrade
from shared.process import calm_collector
from shared.web.pages import write_cursor
from tests.factories.customer import running
from tests.fakes.issuer import Issuer

CUSTOMERS = 1_000_000
UNITS = 2_000
ROUNDS = 3
PAGES = 400
_TARGET_MS = 20.0
_WARM_UP = 40

_TREE = """
INSERT INTO roster (kind, id, version, data)
SELECT 'unit', 'unit-' || n, 1, jsonb_build_object('closed', false, 'parent', 'unit-' || CASE
  WHEN n BETWEEN 3 AND 51 THEN 2 WHEN n BETWEEN 53 AND 551 THEN 52 WHEN n BETWEEN 1501 AND 1999 THEN 1500
  WHEN n > 0 THEN 0 END)
FROM generate_series(0, $1::int - 1) n
"""
_FAMILIES = (
    "安白包蔡曹常陈程崔戴邓丁董杜段范方冯傅高葛龚顾郭韩郝何贺洪侯胡黄江姜蒋金康孔赖雷黎李梁廖林刘龙卢陆罗吕马毛孟莫潘彭钱秦"
    "邱任邵沈石史宋苏孙谭汤唐陶田万汪王韦魏文吴武夏肖谢熊徐许薛严阎杨姚叶易尹于余袁曾张赵郑钟"
)
_LATE_FAMILIES = "周朱邹"
_GIVEN = (
    "安邦宝成春德东发福刚光贵国海浩恒红华辉嘉建江杰金军俊康乐力丽利林龙美明宁平强庆荣山胜盛顺泰涛天万伟文祥新鑫兴旭阳怡义永"
    "玉远云振志忠"
)
_ANY_OF = """
CREATE FUNCTION any_of(text) RETURNS text LANGUAGE sql VOLATILE
RETURN substr($1, 1 + floor(random() * length($1))::int, 1)
"""
_STOCK = """
INSERT INTO customer (id, kind, unit, manager, number, name, name_key, status, grade, version, values, meta,
  created_by, created_at, updated_at)
SELECT gen_random_uuid(), 'retail', 'unit-' || unit,
  'manager-' || unit || '-' || n % 3, 'C-' || n, name, convert_to(name, 'GB18030'),
  CASE WHEN share < 0.001 THEN 'suspended' WHEN share < 0.05 THEN 'closed' ELSE 'active' END,
  any_of('ABCDE'), 1, '{}', '{}', 'staff/bench', now(), now()
FROM (
  SELECT n, unit, random() AS share,
    any_of(CASE WHEN unit < 1500 THEN $3 ELSE $4 END) || any_of($5) || any_of($5) || '店' AS name
  FROM (SELECT n, n % $2::int AS unit FROM generate_series(0, $1::int - 1) n) numbered
) named
"""
_INDEXES = """
SELECT indexrelid::regclass::text AS name, pg_get_indexdef(indexrelid) AS definition FROM pg_index
WHERE indrelid = 'customer'::regclass AND NOT indisprimary
"""
_PLACES = "SELECT name_key, id FROM customer WHERE unit = ANY($1::text[]) ORDER BY random() LIMIT $2"


@dataclass(frozen=True)
class Case:
    """What the head of unit `top` asks for; the units under it are `units`, itself included."""

    name: str
    top: int
    units: range
    queries: tuple[Mapping[str, str], ...] = ({},)


BY_COLUMN = ({"status": "closed"}, {"status": "suspended"}, {"status": "active", "grade": "C"}, {"grade": "Z"})
BY_NAME = ({"name": "王"}, {"name": "王海"}, {"name": "郑永福店"}, {"name": "无"})
CASES = (
    Case("1 unit", 1, range(1, 2)),
    Case("50 units", 2, range(2, 52)),
    Case("500 units", 52, range(52, 552)),
    Case("500 late units", 1500, range(1500, 2000)),
    Case("2,000 units", 0, range(UNITS)),
    Case("500 units by status or grade", 52, range(52, 552), BY_COLUMN),
    Case("2,000 units by status or grade", 0, range(UNITS), BY_COLUMN),
    Case("2,000 units by name", 0, range(UNITS), BY_NAME),
)


@dataclass
class Times:
    """Milliseconds of each page of a round: for the head of the units, and for whoever reaches everything."""

    head: list[float] = field(default_factory=list)
    everything: list[float] = field(default_factory=list)


async def _fill(dsn: str) -> dict[str, list[str]]:
    """The tree and the customers; some cursors for each case."""
    database = Database(dsn)
    await database.start()
    async with database.transaction() as tx:
        await tx.execute(_TREE, UNITS)
        await tx.execute(_ANY_OF)
        indexes = await tx.fetch(_INDEXES)
        await tx.execute("DROP INDEX " + ", ".join(index["name"] for index in indexes))
        await tx.connection.execute(_STOCK, CUSTOMERS, UNITS, _FAMILIES, _LATE_FAMILIES, _GIVEN, timeout=300)
        for index in indexes:  # made at once: a third of the time that they take row by row
            await tx.execute(index["definition"])
    async with database.reading() as tx:
        await tx.execute("VACUUM ANALYZE customer")
        cursors = {}
        for case in CASES:
            places = await tx.fetch(_PLACES, [f"unit-{number}" for number in case.units], PAGES)
            cursors[case.name] = [write_cursor(place["name_key"].hex(), place["id"]) for place in places]
    await database.close()
    return cursors


class _Client:
    """One kept connection that speaks HTTP by hand: it must not be what is measured."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def page_ms(self, token: str, query: Mapping[str, str]) -> float:
        """Ask for a page and read it; how long that took."""
        path = f"/v1/customers?{urlencode({'limit': 50, **query})}"
        request = f"GET {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
        started = time.perf_counter()  # uvloop's own clock has whole milliseconds
        self._writer.write(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        body = await self._reader.readexactly(int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0]))
        taken = time.perf_counter() - started
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError((head + body).decode())
        return taken * 1000


@asynccontextmanager
async def _connected(port: int) -> AsyncIterator[_Client]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**20)
    yield _Client(reader, writer)
    writer.close()


async def _round(client: _Client, case: Case, cursors: list[str], issuer: Issuer, pages: int) -> Times:
    head = issuer.token("head", ["department_manager"], f"unit-{case.top}")
    everything = issuer.token("chief", ["general_manager"], "unit-0")
    chance, times = random.Random(26), Times()
    for number in range(pages):
        query = dict(case.queries[number // 2 % len(case.queries)])
        if number % 2 and "name" not in query:
            query["cursor"] = chance.choice(cursors)
        times.head.append(await client.page_ms(head, query))
        times.everything.append(await client.page_ms(everything, query))
    return times


def _figure(case: Case, rounds: list[Times]) -> Figure:
    p99, floor = median([_at(each.head, 99) for each in rounds]), median([_at(each.everything, 99) for each in rounds])
    p50, usual = median([_at(each.head, 50) for each in rounds]), median([_at(each.everything, 50) for each in rounds])
    return Figure(
        f"list of 50 within {case.name}, p99", p99, "ms", f"≤ {_TARGET_MS:.0f} ms", p99 <= _TARGET_MS, floor,
        "everything", f"p50 {p50:.1f} beside {usual:.1f}",
    )  # fmt: skip


def _at(times_ms: list[float], per_cent: int) -> float:
    return sorted(times_ms)[len(times_ms) * per_cent // 100]


async def run() -> list[Figure]:
    """The figures, over a PostgreSQL of their own."""
    calm_collector()
    with tempfile.TemporaryDirectory() as folder, Issuer() as issuer:
        server = PostgresServer(Path(folder) / "postgres")
        server.start()
        try:
            dsn = server.create_database("customer")
            await asyncio.to_thread(upgrade, SERVICE.migrations, dsn)
            cursors = await _fill(dsn)
            rounds: dict[str, list[Times]] = {case.name: [] for case in CASES}
            async with running(dsn, issuer) as service, _connected(service.http.base_url.port or 0) as client:
                for case in CASES:
                    await _round(client, case, cursors[case.name], issuer, _WARM_UP)
                for _ in range(ROUNDS):
                    for case in CASES:
                        rounds[case.name].append(await _round(client, case, cursors[case.name], issuer, PAGES))
            return [_figure(case, rounds[case.name]) for case in CASES]
        finally:
            server.stop()
