"""Searching a million customers over HTTP: characters, pinyin and numbers, common and rare, in wide and narrow reach.

One query after another over one connection. What all customers have (the city in their addresses) is the hard case of
an index, what one has the usual one. Ten thousand and a hundred thousand customers show how it grows. Beside them:
the bytes that a customer takes.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from bench.client import Client, connected
from bench.company import FAMILIES, GIVEN, ROADS
from bench.figures import Figure, median
from bench.population import sizes, standing
from shared.process import calm_collector
from tests.factories.customer import running
from tests.fakes.issuer import Issuer

SIZES = (10_000, 100_000, 1_000_000)
ROUNDS, QUERIES = 3, 200
_TARGET_MS = 20.0
_WARM_UP = 30
_PATH = "/v1/customers/search"
_SEARCH = ("customer_search", "search_index")


@dataclass(frozen=True)
class Case:
    """What is asked: for each query a draw of symbols from each of these; by the head of unit `top`."""

    name: str
    parts: tuple[Sequence[str], ...]
    top: int | None = None

    def query(self, chance: random.Random) -> str:
        """One query."""
        return "".join(chance.choice(part) for part in self.parts)


_DIGITS = "0123456789"
_LETTERS = "abcdfghjlmpqrstwxyz"
CASES = (
    Case("a whole name", (FAMILIES, GIVEN, GIVEN)),
    Case("two characters of a name", (GIVEN, GIVEN)),
    Case("what every eighth name has", (("便利", "超市", "商店"),)),
    Case("what all addresses have", (("虚构市", "虚构"),)),
    Case("a road and a number", (GIVEN, GIVEN, ROADS, "123456789", _DIGITS)),
    Case("four first letters", (_LETTERS, _LETTERS, _LETTERS, "bcsdx")),
    Case("two syllables", (("wang", "chen", "zhang", "li"), ("jian", "ming", "yun", "zhi", "hai"))),
    Case("the last digits of a telephone", (_DIGITS,) * 4),
    Case("a whole number", (("C00",), *(_DIGITS,) * 6)),
    Case("a name, within 1 unit", (FAMILIES, GIVEN), 1),
    Case("what every eighth name has, within 1 unit", (("便利", "超市", "商店"),), 1),
    Case("what every eighth name has, within 50 units", (("便利", "超市", "商店"),), 2),
    Case("two characters of a name, within 500 units", (GIVEN, GIVEN), 52),
    Case("what all addresses have, within 500 late units", (("虚构市", "虚构"),), 1500),
)


async def _round(client: Client, case: Case, issuer: Issuer, queries: int) -> list[float]:
    """Milliseconds of each query; a third of them ask for the page behind the first."""
    role = ("general_manager", "unit-0") if case.top is None else ("department_manager", f"unit-{case.top}")
    token, chance, times, cursor = issuer.token("head", [role[0]], role[1]), random.Random(26), list[float](), None
    query = ""
    for number in range(queries):
        if number % 3 < 2 or cursor is None:
            query, cursor = case.query(chance), None
        asked = {"q": query, "limit": "20", **({"cursor": cursor} if cursor else {})}
        taken_ms, body = await client.get_ms(token, _PATH, asked)
        times.append(taken_ms)
        cursor = orjson.loads(body)["next_cursor"]
    return times


def _at(times_ms: list[float], per_cent: int) -> float:
    return sorted(times_ms)[len(times_ms) * per_cent // 100]


async def _measure(dsn: str, issuer: Issuer) -> dict[str, list[list[float]]]:
    rounds: dict[str, list[list[float]]] = {case.name: [] for case in CASES}
    async with running(dsn, issuer) as service, connected(service.http.base_url.port or 0) as client:
        for case in CASES:
            await _round(client, case, issuer, _WARM_UP)
        for _ in range(ROUNDS):
            for case in CASES:
                rounds[case.name].append(await _round(client, case, issuer, QUERIES))
    return rounds


def _figure(name: str, rounds: list[list[float]]) -> Figure:
    p99, p50 = median([_at(each, 99) for each in rounds]), median([_at(each, 50) for each in rounds])
    return Figure(name, p99, "ms", f"≤ {_TARGET_MS:.0f} ms", p99 <= _TARGET_MS, note=f"p50 {p50:.1f}")


def _storage(found: dict[str, int], customers: int) -> list[Figure]:
    """Bytes of a customer: all that is kept, and the part of it that the search keeps."""
    search = sum(size for name, size in found.items() if name.startswith(_SEARCH))
    largest = ", ".join(f"{name} {size / customers:,.0f}" for name, size in list(found.items())[:3])
    return [
        Figure(
            "storage of a customer, without history", sum(found.values()) / customers, "bytes", "–", True, note=largest
        ),
        Figure("storage of a customer, search index", search / customers, "bytes", "–", True),
    ]


async def run() -> list[Figure]:
    """The figures: of each case where there are most customers, of the slowest case where there are fewer."""
    calm_collector()
    figures = []
    with Issuer() as issuer:
        for customers in SIZES:
            dsn = await standing(customers)
            rounds = await _measure(dsn, issuer)
            if customers == SIZES[-1]:
                figures += [_figure(f"search for {name}, p99", found) for name, found in rounds.items()]
                figures += _storage(await sizes(dsn), customers)
            else:
                name, worst = max(rounds.items(), key=lambda each: median([_at(some, 99) for some in each[1]]))
                figures.append(_figure(f"searches in {customers:,} customers, p99 of the slowest ({name})", worst))
    return figures
