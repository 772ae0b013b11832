"""Due lists of a million files over HTTP: 50 reviews of a manager, of a unit, of a department's subtree, and counts.

Floor: the same pages for a caller whose reach is everything; the two take turns. Half of the pages are the first, half
begin behind a random review. Before that, how fast reviews are reckoned: the round over all files that follows a change
of cadences. Ten thousand and a hundred thousand files show how it grows.
"""

from __future__ import annotations

import random
import time
from collections.abc import Mapping
from dataclasses import dataclass

from bench.client import Client, connected
from bench.company import UNITS
from bench.figures import Figure, median
from bench.population import sizes, standing
from services.customer.dictionary.service import Dictionaries
from services.customer.review.standing import Standings
from shared.clock import now
from shared.db import Database
from shared.outbox import Outbox
from shared.process import calm_collector
from shared.regime import load
from shared.web.pages import write_cursor
from tests.factories.customer import running
from tests.factories.regimes import REGIMES
from tests.fakes.issuer import Issuer

SIZES = (10_000, 100_000, 1_000_000)
ROUNDS = 3
PAGES = 200
_TARGET_MS = 20.0
_WARM_UP = 20
_BATCH = 5_000
_PATH = "/v1/reviews"
_STATES = ("overdue", "due", "upcoming")
_PLACES = "SELECT due_on, customer_id, cadence FROM review_due ORDER BY random() LIMIT 400"


@dataclass(frozen=True)
class Case:
    """What somebody in this role over a unit asks for."""

    name: str
    role: str
    unit: int
    path: str = _PATH
    by_manager: bool = False


CASES = (
    Case("a manager", "customer_manager", 7, by_manager=True),
    Case("1 unit", "customer_manager", 7),
    Case("50 units", "department_manager", 2),
    Case("500 units", "department_manager", 52),
    Case("2,000 units", "department_manager", 0),
)
COUNTS = Case("1 unit", "customer_manager", 7, f"{_PATH}/summary")
ALL_COUNTS = Case("2,000 units", "department_manager", 0, f"{_PATH}/summary")


async def _reckon(dsn: str) -> tuple[float, list[str]]:
    """Files a second of the round, 0 if it was made before; and where pages may begin."""
    standings = Standings(Dictionaries(load(REGIMES)), Outbox("customer"))
    database = Database(dsn)
    await database.start()
    files, began = 0, time.perf_counter()
    try:
        while True:
            async with database.transaction() as tx:
                done = await standings.place_due(tx, now(), limit=_BATCH)
            files += done
            if not done:
                break
        taken = time.perf_counter() - began
        async with database.reading() as tx:
            if files:
                for table in ("review_due", "review_count", "review_file"):
                    await tx.connection.execute(f"VACUUM ANALYZE {table}", timeout=600)
            places = await tx.fetch(_PLACES)
        return files / taken, [write_cursor(*map(str, place)) for place in places]
    finally:
        await database.close()


async def _round(client: Client, case: Case, cursors: list[str], issuer: Issuer, pages: int) -> list[list[float]]:
    """Milliseconds of each page, of the case and of everything."""
    asker = issuer.token("asker", [case.role], f"unit-{case.unit}")
    everything = issuer.token("chief", ["general_manager"], "unit-0")
    chance, times = random.Random(26), ([], [])  # type: tuple[random.Random, tuple[list[float], list[float]]]
    for number in range(pages):
        query: Mapping[str, str] = {}
        if case.path == _PATH:
            query = {"limit": "50", "state": _STATES[number // 2 % 3]}
            if number % 2:
                query = {**query, "cursor": chance.choice(cursors)}
        own = {**query, "manager": f"manager-{case.unit}-{number % 3}"} if case.by_manager else query
        times[0].append((await client.get_ms(asker, case.path, own))[0])
        if case.path == _PATH:
            times[1].append((await client.get_ms(everything, case.path, query))[0])
    return list(times)


def _figure(case: Case, rounds: list[list[list[float]]], customers: int) -> Figure:
    of_case = median([_at(each[0], 99) for each in rounds])
    usual = median([_at(each[0], 50) for each in rounds])
    if case.path != _PATH:
        name = f"counts of reviews within {case.name} of {customers:,} files, p99"
        return Figure(name, of_case, "ms", "–", True, note=f"p50 {usual:.1f}")
    floor = median([_at(each[1], 99) for each in rounds])
    return Figure(
        f"due list of 50 of {case.name}, {customers:,} files, p99", of_case, "ms", f"≤ {_TARGET_MS:.0f} ms",
        of_case <= _TARGET_MS, floor, "everything", f"p50 {usual:.1f}",
    )  # fmt: skip


def _at(times_ms: list[float], per_cent: int) -> float:
    return sorted(times_ms)[len(times_ms) * per_cent // 100]


async def _measure(customers: int, issuer: Issuer) -> list[Figure]:
    dsn = await standing(customers)
    rate, cursors = await _reckon(dsn)
    figures = []
    if rate:
        figures.append(Figure(f"reviews reckoned, {customers:,} files", rate, "files/s", "–", met=True))
    kept = sum(found for name, found in (await sizes(dsn)).items() if name.startswith("review_")) / customers
    figures.append(
        Figure(f"kept of reviews a file, {customers:,} files, indexes included", kept, "bytes", "–", met=True)
    )
    cases = (*CASES, COUNTS, ALL_COUNTS)
    async with running(dsn, issuer) as service, connected(service.http.base_url.port or 0) as client:
        for case in cases:
            await _round(client, case, cursors, issuer, _WARM_UP)
        for case in cases:
            rounds = [await _round(client, case, cursors, issuer, PAGES) for _ in range(ROUNDS)]
            figures.append(_figure(case, rounds, customers))
    return figures


async def run() -> list[Figure]:
    """The figures, by size."""
    calm_collector()
    assert all(case.unit < UNITS for case in CASES)
    figures = []
    with Issuer() as issuer:
        for customers in SIZES:
            figures += await _measure(customers, issuer)
    return figures
