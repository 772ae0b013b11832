"""Re-checking grades: the pure evaluation of a policy of ten indicators, and the whole step over PostgreSQL.

Floor of the evaluation: the same ten values looked up and scored in plain Python for the same customers, without
expressions, explanation or rounding. The step locks, loads, sums dealings, evaluates and stores in batches.
"""

from __future__ import annotations

import asyncio
import random
import tempfile
import time
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from bench.figures import Figure, median
from kehu.postgres import PostgresServer
from services.customer.app import SERVICE
from services.customer.dealings.rules import Formulas
from services.customer.dealings.totals import Totals
from services.customer.dictionary.service import Dictionaries
from services.customer.grading.archive import Archive
from services.customer.grading.rules import Policy
from services.customer.grading.service import Grading
from shared.clock import now
from shared.db import Database
from shared.migrations import upgrade
from shared.outbox import Outbox
from shared.process import calm_collector
from shared.regime import GradePolicy, Regimes, load

INDICATORS = 10
CUSTOMERS = 10_000
ROUNDS = 5
BATCH = 500
STORED = 5_000
_DAY = date(2026, 11, 24)
_REGIMES = Path(__file__).parents[1] / "regimes"


def _ten(regimes: Regimes) -> Policy:
    """The declared policy with its first ten indicators."""
    declared = regimes.grade("retail", on=_DAY)
    cut = declared.model_copy(update={"indicators": declared.indicators[:INDICATORS], "least_weight": 1})
    cut.stamp(declared.ref)
    catalogue, lists = regimes.catalogue("retail", on=_DAY), regimes.labels(on=_DAY)
    return Policy(cut, catalogue, Formulas(catalogue, lists), lists)


def _facts(policy: Policy, chance: random.Random) -> tuple[dict[str, Any], dict[str, Decimal | None]]:
    """The stored values and the totals of one customer."""
    values: dict[str, Any] = {
        "credit_level": chance.choice("ABCD"), "business_area": str(chance.randrange(5, 200)),
        "settlement_method": chance.choice(["electronic", "transfer", "cash", "credit"]),
        "model_shop": chance.random() < 0.1, "terminal_equipped": chance.random() < 0.5,
    }  # fmt: skip
    totals = {f"total.{code}": Decimal(chance.randrange(0, 60)) for code in policy.catalogue.totals}
    year = chance.randrange(1_000_000, 90_000_000)
    totals |= {"total.purchase_amount_12m": Decimal(year).scaleb(-2), "total.purchase_amount_3m": Decimal(year // 4)}
    return values, totals


def _by_hand(policy: GradePolicy, rows: list[tuple[dict[str, Any], dict[str, Decimal | None]]]) -> int:
    """Score plainly: a look-up and a comparison of each indicator's value against its bands."""
    bands = [[band.below for band in each.bands or () if band.below is not None] for each in policy.indicators]
    weights = [each.weight for each in policy.indicators]
    graded = 0
    for _, totals in rows:
        figures = list(totals.values())[:INDICATORS]
        points = [
            sum(1 for end in ends if figure is not None and figure >= end)
            for ends, figure in zip(bands, figures, strict=False)
        ]
        score = Decimal(sum(p * w for p, w in zip(points, weights, strict=False))) / 100
        graded += score >= 0
    return graded


def _pure(regimes: Regimes) -> list[Figure]:
    policy, chance = _ten(regimes), random.Random(1)
    rows = [_facts(policy, chance) for _ in range(CUSTOMERS)]
    rates, floors = [], []
    for _ in range(ROUNDS):
        started = time.process_time()
        _by_hand(policy.declared, rows)
        floors.append(CUSTOMERS / (time.process_time() - started))
        started = time.process_time()
        grades = {policy.check(values, totals).grade for values, totals in rows}
        rates.append(CUSTOMERS / (time.process_time() - started))
        assert len(grades) > 1
    rate = median(rates)
    return [
        Figure(
            "grade evaluation", rate, "customers/s/core", "≥ 10,000", rate >= 10_000, median(floors), "scored by hand",
            f"{INDICATORS} indicators, explained",
        )
    ]  # fmt: skip


_FILES = """
INSERT INTO customer (id, kind, unit, name, name_key, version, values, meta, created_by, created_at, updated_at)
SELECT gen_random_uuid(), 'retail', 'unit-1', n::text, convert_to(n::text, 'UTF8'), 1, jsonb_build_object(
  'credit_level', substr('ABCD', n % 4 + 1, 1), 'business_area', (n % 150)::text, 'shop_name', repeat('店', 30),
  'address', repeat('路', 100), 'settlement_method', 'cash'), '{}', 'staff/bench', now(), now()
FROM generate_series(1, $1::int) n
"""
_BOUGHT = """
INSERT INTO purchase (customer_id, recorded_for, month, source_id, quantity, amount_fen, varieties, orders,
  orders_planned, payments_late, recorded_at, recorded_by)
SELECT id, id, month::date, id || month::text, 90, 900000 + (random() * 10000000)::int, 20, 4, 4, 0, now(),
  'staff/bench'
FROM customer, generate_series($1::date, $2::date, '1 month') month
"""


async def _step(dsn: str, regimes: Regimes) -> list[Figure]:
    database = Database(dsn)
    await database.start()
    try:
        async with database.transaction() as tx:
            await tx.execute(_FILES, STORED)
            await tx.execute(_BOUGHT, now().date().replace(day=1) - timedelta(days=335), now().date())
        async with database.reading() as tx:
            await tx.execute("ANALYZE")
            ids = [row["id"] for row in await tx.fetch("SELECT id FROM customer ORDER BY id")]
        grading = Grading(regimes, Dictionaries(regimes), Totals(regimes), Outbox("customer"), Archive())
        fresh = await _round(database, grading, ids)
        rounds = [await _round(database, grading, ids) for _ in range(ROUNDS)]
        kept = median([rate for rate, _ in rounds])
        stays = (
            f"batches of {BATCH}; {median([whole for _, whole in rounds]):,.0f} customers/s with PostgreSQL beside it"
        )
        return [
            Figure("grade re-check, every grade new", fresh[0], "customers/s/core", "–", True),
            Figure(
                "grade re-check, every grade stays", kept, "customers/s/core", "≥ 10,000", kept >= 10_000, note=stays
            ),
        ]
    finally:
        await database.close()


async def _round(database: Database, grading: Grading, ids: list[Any]) -> tuple[float, float]:
    """Customers a second of the worker's processor time, and a second of the clock."""
    started, used = time.perf_counter(), time.process_time()
    for start in range(0, len(ids), BATCH):
        async with database.transaction() as tx:
            await grading.recheck(tx, ids[start : start + BATCH], now())
    return len(ids) / (time.process_time() - used), len(ids) / (time.perf_counter() - started)


async def run() -> list[Figure]:
    """The figures; the step runs over a PostgreSQL of its own."""
    regimes = load(_REGIMES)
    calm_collector()
    figures = _pure(regimes)
    with tempfile.TemporaryDirectory() as folder:
        server = PostgresServer(Path(folder) / "postgres")
        server.start()
        try:
            dsn = server.create_database("customer")
            await asyncio.to_thread(upgrade, SERVICE.migrations, dsn)
            return figures + await _step(dsn, regimes)
        finally:
            server.stop()
