"""A company's customers in a database, as many as asked for, through COPY, stored as the service stores them.

As in reality: the row with its list columns, values of all items that people set as JSON, metadata of the few items
that were changed since registration, a data key each under the key-encryption key, what the search finds them by, ids
that rise with time, every index, statistics. Not as in reality: values beside name, number, address, contact, phone,
manager and status come in some hundred combinations; photographs are named and not there; histories are left out unless
asked for (they double the size, and what is measured here reads none); nobody has bought anything before `deal`, and
grades were drawn.

A run has one server, and on it one population of each size, made when a benchmark first asks for it:
`dsn = await standing(1_000_000)`. Benchmarks that only read come before those that change customers (bench.NAMES).
`python -m bench --data DIR ...` keeps server and populations for the next run.
"""

from __future__ import annotations

import asyncio
import atexit
import shutil
import tempfile
import time
from datetime import date
from functools import cache
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any

import orjson

from bench.company import KIND, REGIMES, UNITS, Company, Customer
from kehu.postgres import PostgresServer
from services.customer.app import SERVICE
from services.customer.dictionary.service import Dictionaries
from services.customer.file.rules import name_key
from services.customer.search.index import SearchIndex
from services.customer.search.rules import Terms
from shared.clock import now
from shared.db import Database, Transaction
from shared.edits import before_and_after
from shared.ids import new_id
from shared.migrations import upgrade
from shared.regime import load
from shared.sealing import KeyRing, WrappedKey
from tests.factories.customer import KEK

ACTOR = "staff/bench"
_CHUNK = 10_000
_CUSTOMER = (
    "id", "kind", "unit", "manager", "number", "name", "name_key", "status", "grade", "version", "values", "meta",
    "created_by", "created_at", "updated_at",
)  # fmt: skip
_TREE = """
INSERT INTO roster (kind, id, version, data)
SELECT 'unit', 'unit-' || n, 1, jsonb_build_object('closed', false, 'parent', 'unit-' || CASE
  WHEN n BETWEEN 3 AND 51 THEN 2 WHEN n BETWEEN 53 AND 551 THEN 52 WHEN n BETWEEN 1501 AND 1999 THEN 1500
  WHEN n > 0 THEN 0 END)
FROM generate_series(0, $1::int - 1) n
"""
_INDEXES = """
SELECT indexrelid::regclass::text AS name, pg_get_indexdef(indexrelid) AS definition FROM pg_index
WHERE indrelid = 'customer'::regclass AND NOT indisprimary
"""
_BY_TERM = """
CREATE INDEX customer_search_by_term ON customer_search USING gin (terms) WITH (fastupdate = off)
"""
_SIZES = """
SELECT relname AS name, CASE relkind WHEN 'i' THEN pg_relation_size(oid) ELSE pg_table_size(oid) END AS bytes
FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'i') ORDER BY 2 DESC, 1
"""
_DEALT = """
INSERT INTO purchase (customer_id, month, source_id, quantity, amount_fen, varieties, orders, orders_planned,
  payments_late, recorded_at, recorded_by, recorded_for)
SELECT id, month::date, id || month::text, 90, 900000 + (random() * 10000000)::int, 20, 4, 4, 0, now(), $3, id
FROM customer, generate_series($1::date, $2::date, '1 month') month
"""


class _Keeper:
    """The server of a run, and where it lives: in a folder that goes with the run, unless one is named."""

    def __init__(self) -> None:
        self.folder: Path | None = None

    @cache  # noqa: B019 - there is one keeper
    def server(self) -> PostgresServer:
        """The server, started when first asked for, stopped when the run ends."""
        folder = self.folder or Path(tempfile.mkdtemp(prefix="kehu-bench-"))
        server = PostgresServer(folder / "postgres")
        server.start()
        if self.folder is None:
            atexit.register(shutil.rmtree, folder, ignore_errors=True)
        atexit.register(server.stop)
        return server


KEEPER = _Keeper()


async def standing(customers: int) -> str:
    """The address of a database with so many customers; it is made if neither this run nor the kept folder has it."""
    server, name, made_by = KEEPER.server(), f"customers_{customers}", _made_by()
    known = server.execute(f"SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = '{name}'")
    dsn = server.dsn(name)
    if known != made_by:
        server.drop_database(name)
        dsn = server.create_database(name)
        began = time.perf_counter()
        await fill(dsn, customers)
        server.execute(f"COMMENT ON DATABASE {name} IS '{made_by}'; CHECKPOINT")
        print(f"… {customers:,} customers stand after {time.perf_counter() - began:.0f} s", flush=True)
    return dsn


def _made_by() -> str:
    """What a population follows from: this code, the migrations, the dictionary."""
    here = Path(__file__).parent
    files = [here / "company.py", here / "population.py", SERVICE.migrations / ".head"]
    files += sorted((SERVICE.migrations.parent / "search").glob("*.py"))
    files += sorted((REGIMES / f"{KIND}-customer").rglob("*.yaml"))
    return sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


async def fill(dsn: str, customers: int, *, histories: bool = False) -> None:
    """Migrate an empty database and put customers, their keys and the tree of units into it."""
    await asyncio.to_thread(upgrade, SERVICE.migrations, dsn)
    company, ring = Company(), KeyRing.parse(KEK)
    index = SearchIndex(Dictionaries(load(REGIMES)), ring)
    database = Database(dsn)
    await database.start()
    try:
        async with database.transaction() as tx:
            await tx.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
            await tx.execute(_TREE, UNITS)
            indexes = await tx.fetch(_INDEXES)
            await tx.execute("DROP INDEX customer_search_by_term, " + ", ".join(each["name"] for each in indexes))
            await index.refresh(tx, {new_id()}, now())  # nobody, but now there is a secret
            terms, _ = await index.terms(tx)
            assert terms is not None
            drawn = company.customers(customers)
            while chunk := list(islice(drawn, _CHUNK)):
                await _load(tx, company, ring, terms, chunk, histories=histories)
            await tx.execute("SET LOCAL maintenance_work_mem = '512MB'")
            for made in (*(each["definition"] for each in indexes), _BY_TERM):  # a third of the time of row by row
                await tx.connection.execute(made, timeout=600)
            await tx.execute("UPDATE search_index SET done_at = now()")
        async with database.reading() as tx:
            await tx.connection.execute("VACUUM ANALYZE", timeout=600)
    finally:
        await database.close()


async def _load(
    tx: Transaction, company: Company, ring: KeyRing, terms: Terms, chunk: list[Customer], *, histories: bool
) -> None:
    values = {each.id: company.values(each) for each in chunk}
    keys = {each.id: ring.new_key(str(each.id)) for each in chunk}
    await tx.copy("customer", _CUSTOMER, [_row(company, each, values[each.id]) for each in chunk])
    await tx.copy(
        "subject_key", ("customer_id", "kek", "wrapped"), [(found, key.kek, key.wrapped) for found, key in keys.items()]
    )
    found = [_found_by(company, terms, each, values[each.id]) for each in chunk]
    await tx.copy("customer_search", ("customer_id", "version", "unit", "terms"), found)
    if histories:
        columns = ("customer_id", "version", "event_id", "type", "at", "actor", "items", "sealed")
        await tx.copy(
            "customer_event", columns, [_registered(ring, each, keys[each.id], values[each.id]) for each in chunk]
        )


def _row(company: Company, customer: Customer, values: bytes) -> tuple[Any, ...]:
    meta = company.meta(customer)
    return (
        customer.id, KIND, customer.unit, customer.manager, customer.number, customer.name, name_key(customer.name),
        customer.status, customer.grade, 1 if meta == b"{}" else 2, orjson.Fragment(values), orjson.Fragment(meta),
        ACTOR, customer.at, customer.at,
    )  # fmt: skip


def _found_by(company: Company, terms: Terms, customer: Customer, values: bytes) -> tuple[Any, ...]:
    made = terms.of_file(company.catalogue, customer.unit, customer.manager, orjson.loads(values))
    return customer.id, 2, terms.place("unit", customer.unit), list(made)


def _registered(ring: KeyRing, customer: Customer, key: WrappedKey, values: bytes) -> tuple[Any, ...]:
    """The first row of a history: all values, sealed."""
    event_id, known = new_id(), orjson.loads(values)
    sealed = ring.seal(key, str(customer.id), event_id, before_and_after({}, known))
    return customer.id, 1, event_id, "customer.registered", customer.at, ACTOR, list(known), sealed


async def deal(dsn: str, months: int = 12) -> None:
    """Let each customer have bought something in each of the last months, the present one included."""
    today = now().date()
    place = today.year * 12 + today.month - months
    first = date(place // 12, place % 12 + 1, 1)
    database = Database(dsn)
    await database.start()
    try:
        async with database.transaction() as tx:
            await tx.connection.execute(_DEALT, first, today, ACTOR, timeout=1200)
        async with database.reading() as tx:
            await tx.connection.execute("VACUUM ANALYZE purchase", timeout=600)
    finally:
        await database.close()


async def sizes(dsn: str) -> dict[str, int]:
    """Bytes of each table, with what it keeps out of line, and of each index; largest first."""
    database = Database(dsn)
    await database.start()
    try:
        async with database.reading() as tx:
            rows = await tx.fetch(_SIZES)
    finally:
        await database.close()
    return {row["name"]: row["bytes"] for row in rows}
