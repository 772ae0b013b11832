"""Pages of 50 of a million customers over HTTP, for callers whose subtrees hold one unit to all 2,000.

Floor: the same pages for a caller whose reach is everything, so that units do not matter; the two take turns. Half of
the pages are the first, half begin at a random place. In the late subtree all names come at the end of the list, where
a walk from its front finds nothing. The tree reaches the service as it does in production: as rows of its roster.
Ten thousand and a hundred thousand customers show how it grows.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field

from bench.client import Client, connected
from bench.company import UNITS
from bench.figures import Figure, median
from bench.population import standing
from shared.db import Database
from shared.process import calm_collector
from shared.web.pages import write_cursor
from tests.factories.customer import running
from tests.fakes.issuer import Issuer

SIZES = (10_000, 100_000, 1_000_000)
ROUNDS = 3
PAGES = 400
_TARGET_MS = 20.0
_WARM_UP = 40
_PATH = "/v1/customers"

_PLACES = "SELECT name_key, id FROM customer WHERE unit = ANY($1::text[]) ORDER BY random() LIMIT $2"


@dataclass(frozen=True)
class Case:
    """What the head of unit `top` asks for; the units under it are `units`, itself included."""

    name: str
    top: int
    units: range
    queries: tuple[Mapping[str, str], ...] = ({},)


BY_COLUMN = ({"status": "closed"}, {"status": "suspended"}, {"status": "active", "grade": "C"}, {"grade": "Z"})
BY_NAME = ({"name": "王"}, {"name": "王海"}, {"name": "郑永福"}, {"name": "无"})
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


async def _cursors(dsn: str) -> dict[str, list[str]]:
    """Where pages may begin, for each case."""
    database = Database(dsn)
    await database.start()
    try:
        async with database.reading() as tx:
            cursors = {}
            for case in CASES:
                places = await tx.fetch(_PLACES, [f"unit-{number}" for number in case.units], PAGES)
                cursors[case.name] = [write_cursor(place["name_key"].hex(), place["id"]) for place in places]
            return cursors
    finally:
        await database.close()


async def _round(client: Client, case: Case, cursors: list[str], issuer: Issuer, pages: int) -> Times:
    head = issuer.token("head", ["department_manager"], f"unit-{case.top}")
    everything = issuer.token("chief", ["general_manager"], "unit-0")
    chance, times = random.Random(26), Times()
    for number in range(pages):
        query = {"limit": "50", **case.queries[number // 2 % len(case.queries)]}
        if number % 2 and "name" not in query:
            query["cursor"] = chance.choice(cursors)
        times.head.append((await client.get_ms(head, _PATH, query))[0])
        times.everything.append((await client.get_ms(everything, _PATH, query))[0])
    return times


def _figure(case: Case, rounds: list[Times]) -> Figure:
    p99, floor = _p99([each.head for each in rounds]), _p99([each.everything for each in rounds])
    p50, usual = median([_at(each.head, 50) for each in rounds]), median([_at(each.everything, 50) for each in rounds])
    return Figure(
        f"list of 50 within {case.name}, p99", p99, "ms", f"≤ {_TARGET_MS:.0f} ms", p99 <= _TARGET_MS, floor,
        "everything", f"p50 {p50:.1f} beside {usual:.1f}",
    )  # fmt: skip


def _worst(customers: int, rounds: dict[str, list[Times]]) -> Figure:
    p99 = max(_p99([each.head for each in some]) for some in rounds.values())
    name = f"lists of 50 of {customers:,} customers, p99 of the slowest of these"
    return Figure(name, p99, "ms", f"≤ {_TARGET_MS:.0f} ms", p99 <= _TARGET_MS)


def _p99(rounds: list[list[float]]) -> float:
    return median([_at(each, 99) for each in rounds])


def _at(times_ms: list[float], per_cent: int) -> float:
    return sorted(times_ms)[len(times_ms) * per_cent // 100]


async def _measure(dsn: str, issuer: Issuer) -> dict[str, list[Times]]:
    cursors = await _cursors(dsn)
    rounds: dict[str, list[Times]] = {case.name: [] for case in CASES}
    async with running(dsn, issuer) as service, connected(service.http.base_url.port or 0) as client:
        for case in CASES:
            await _round(client, case, cursors[case.name], issuer, _WARM_UP)
        for _ in range(ROUNDS):
            for case in CASES:
                rounds[case.name].append(await _round(client, case, cursors[case.name], issuer, PAGES))
    return rounds


async def run() -> list[Figure]:
    """The figures: of each case where there are most customers, of the slowest case where there are fewer."""
    calm_collector()
    figures = []
    with Issuer() as issuer:
        for customers in SIZES:
            rounds = await _measure(await standing(customers), issuer)
            if customers == SIZES[-1]:
                figures += [_figure(case, rounds[case.name]) for case in CASES]
            else:
                figures.append(_worst(customers, rounds))
    return figures
