"""Pages of the list beside a plain search through the same customers, for any subtree, filter and place; their cost.

The customers of late units come late in the list and there are more before them than any walk passes, so that every way
to a page is taken.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import chain, islice
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kehu.postgres import PostgresServer
from services.customer.file import listing
from services.customer.file.listing import Wanted
from services.customer.file.rules import name_key
from shared.auth import Roster, Scope
from shared.db import Database, Transaction

UNITS = 400
LATE = 240  # units from here on
EARLY_CUSTOMERS, LATE_CUSTOMERS = 24_000, 4_000
STATUSES, GRADES, KINDS = ("active", "closed", "suspended"), ("A", "B", "C"), ("retail", "wholesale")
MANAGERS = tuple(f"manager{number}" for number in range(300))
EARLY_NAMES, LATE_NAMES = "安白陈丁高", "杨张赵周"
COLUMNS = (
    *("id", "kind", "unit", "manager", "number", "name", "name_key", "status", "grade", "version", "values", "meta"),
    *("created_by", "created_at", "updated_at", "merged_into"),
)
READ = (*listing.SHOWN, "name_key")
_AT = datetime(2026, 11, 24, tzinfo=UTC)
_COUNT = """
SELECT sum(pg_stat_get_xact_tuples_returned(indexrelid)) + max(pg_stat_get_xact_tuples_returned(indrelid))
FROM pg_index WHERE indrelid = 'customer'::regclass
"""


def unit_name(number: int) -> str:
    return f"unit-{number}"


def tree(chance: random.Random) -> Roster:
    """Two subtrees of random shape under one root: the early units and the late ones."""
    roster = Roster()
    parents = {unit_name(number): unit_name(chance.randrange(number)) for number in range(1, LATE)}
    parents |= {unit_name(number): unit_name(chance.randrange(LATE, number)) for number in range(LATE + 1, UNITS)}
    parents[unit_name(LATE)] = "root"
    rows = [("root", None), (unit_name(0), "root"), *parents.items()]
    roster.take(
        {"kind": "unit", "id": unit, "data": {"parent": parent, "closed": False}, "serial": serial}
        for serial, (unit, parent) in enumerate(rows, 1)
    )
    return roster


def customer(chance: random.Random, number: int, units: range, families: str) -> dict[str, Any]:
    name = chance.choice(families) + chance.choice(families) + "店" * chance.randrange(2)
    unit = chance.choice(units)
    return {
        "id": UUID(int=chance.getrandbits(128)), "kind": "wholesale" if number % 500 == 0 else "retail",
        "unit": unit_name(unit), "manager": chance.choice((*MANAGERS, None)), "number": f"N-{number}", "name": name,
        "name_key": name_key(name), "status": chance.choices((*STATUSES, None), (1000, 100, 2, 1))[0],
        "grade": chance.choice(GRADES[:2] if unit % 3 else GRADES), "version": 1, "values": {}, "meta": {},
        "created_by": "staff/x", "created_at": _AT, "updated_at": _AT, "merged_into": None,
    }  # fmt: skip


@dataclass(repr=False)
class Stock:
    """The customers in a database, and the same in memory, in order of the list."""

    dsn: str
    roster: Roster
    customers: list[dict[str, Any]]

    def expected(self, wanted: Wanted, limit: int) -> list[dict[str, Any]]:
        """What a plain search finds."""
        found = (row for row in self.customers if wanted.scope.reaches(row["unit"], row["manager"]))
        found = (row for row in found if "kind" in wanted.filters or row["kind"] in wanted.kinds)
        found = (row for row in found if all(row[column] == value for column, value in wanted.filters.items()))
        if wanted.name is not None:
            found = (row for row in found if row["name_key"].startswith(name_key(wanted.name)))
        if wanted.after is not None:
            found = (row for row in found if place(row) > wanted.after)
        return [{column: row[column] for column in READ} for row in islice(found, limit)]


def place(row: Any) -> tuple[bytes, UUID]:
    return row["name_key"], row["id"]


@pytest.fixture(scope="module")
def stock(postgres: PostgresServer, migrated: str, worker_id: str) -> Iterator[Stock]:
    """Only to be read: it serves all tests here."""
    chance = random.Random(26)
    early = (customer(chance, number, range(LATE), EARLY_NAMES) for number in range(EARLY_CUSTOMERS))
    late = (customer(chance, -number, range(LATE, UNITS), LATE_NAMES) for number in range(1, LATE_CUSTOMERS + 1))
    name = f"customer_stock_{worker_id}"
    found = Stock(
        postgres.create_database(name, template=migrated), tree(chance), sorted(chain(early, late), key=place)
    )
    postgres.execute(f"GRANT {migrated} TO {name}")
    asyncio.run(fill(found))
    yield found
    postgres.drop_database(name)


async def fill(stock: Stock) -> None:
    async with reading(stock) as tx:
        await tx.copy("customer", COLUMNS, [tuple(row[column] for column in COLUMNS) for row in stock.customers])
        await tx.execute("VACUUM ANALYZE customer")


@asynccontextmanager
async def reading(stock: Stock) -> AsyncIterator[Transaction]:
    database = Database(stock.dsn)
    await database.start()
    try:
        async with database.reading() as tx:
            yield tx
    finally:
        await database.close()


@pytest.fixture
async def tx(stock: Stock) -> AsyncIterator[Transaction]:
    async with reading(stock) as tx, tx.savepoint():
        yield tx


def filters() -> st.SearchStrategy[dict[str, str]]:
    return st.fixed_dictionaries(
        {},
        optional={
            "status": st.sampled_from((*STATUSES, "unheard-of")),
            "grade": st.sampled_from((*GRADES, "Z")),
            "kind": st.sampled_from(KINDS),
            "manager": st.sampled_from((*MANAGERS[:3], "nobody")),
            "number": st.integers(1 - LATE_CUSTOMERS, EARLY_CUSTOMERS).map(lambda number: f"N-{number}"),
            "unit": st.sampled_from((0, 7, LATE, UNITS - 1)).map(unit_name),
        },
    ).filter(lambda chosen: len(chosen) <= 3)


TOPS = st.lists(st.sampled_from(("root", *map(unit_name, (0, 1, 5, 50, LATE, LATE + 1, LATE + 3, 390)))), max_size=2)
ASSIGNED = st.just(frozenset[str]()) | st.frozensets(st.sampled_from(MANAGERS[:3]), max_size=3)
PREFIXES = st.sampled_from((None, None, "", "张", "张赵", "安", "周周店", "无"))
PLACES = st.none() | st.integers(0, EARLY_CUSTOMERS + LATE_CUSTOMERS - 1)


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    tops=TOPS, everything=st.booleans(), assigned_to=ASSIGNED, equal=filters(), name=PREFIXES, start=PLACES,
    limit=st.sampled_from((1, 2, 51, 201)), kinds=st.sampled_from((KINDS, KINDS[:1], ())),
)  # fmt: skip
async def test_a_page_holds_what_a_plain_search_finds(
    stock: Stock, tx: Transaction, tops: list[str], everything: bool, assigned_to: frozenset[str],
    equal: dict[str, str], name: str | None, start: int | None, limit: int, kinds: tuple[str, ...],
) -> None:  # fmt: skip
    units = frozenset[str]().union(*map(stock.roster.below, tops))
    scope = Scope(everything=everything and not tops, units=units, assigned_to=assigned_to)
    after = None if start is None else place(stock.customers[start])
    wanted = Wanted(scope, kinds, equal, name, after)
    assert [dict(row) for row in await listing.page(tx, wanted, limit)] == stock.expected(wanted, limit)


@pytest.mark.parametrize("equal", [{}, {"status": "active"}, {"grade": "C", "status": "closed"}])
@pytest.mark.parametrize("top", [unit_name(0), unit_name(LATE)])
async def test_pages_one_after_another_neither_skip_nor_double(
    stock: Stock, tx: Transaction, top: str, equal: dict[str, str]
) -> None:
    wanted = Wanted(Scope(units=stock.roster.below(top)), KINDS, equal)
    found: list[Any] = []
    while rows := await listing.page(tx, replace(wanted, after=place(found[-1]) if found else None), 201):
        found += rows
    assert [dict(row) for row in found] == stock.expected(wanted, len(stock.customers))


async def entries_read(tx: Transaction, wanted: Wanted) -> int:
    """How many index entries and rows a page of 50 reads, as PostgreSQL counts them."""
    before = await tx.fetchval(_COUNT)
    assert await listing.page(tx, wanted, 51)
    return int(await tx.fetchval(_COUNT) - before)


@pytest.mark.parametrize("depth", [0, 0.5, 0.9])
@pytest.mark.parametrize(
    ("top", "bound"), [("root", 1_000), (unit_name(0), 1_000), (unit_name(LATE), 2 * 4_000 + 160 + 51 * 51 + 51)]
)
async def test_a_page_reads_few_entries_whatever_the_reach_and_the_depth(
    stock: Stock, tx: Transaction, top: str, bound: int, depth: float
) -> None:
    scope = Scope(units=stock.roster.below(top))
    reached = [row for row in stock.customers if row["unit"] in scope.units]
    after = place(reached[int(len(reached) * depth)]) if depth else None
    assert await entries_read(tx, Wanted(scope, KINDS, after=after)) <= bound


async def test_a_filter_that_hardly_any_customer_fits_reads_only_those(stock: Stock, tx: Transaction) -> None:
    wanted = Wanted(Scope(units=stock.roster.below(unit_name(0))), KINDS, {"status": "suspended"})
    rare = sum(row["status"] == "suspended" for row in stock.customers)
    assert await entries_read(tx, wanted) <= 2 * rare + 51
