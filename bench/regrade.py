"""The round of a quarter over a whole company: every customer checked anew, with the figures of a new quarter.

Two workers, as many as there are cores, take the lanes of the round. The first round grades a company that was never
graded: every grade is new, with history and event. The second comes a quarter later: every total is another one, most
grades stay. Each round keeps the snapshot of its quarter. Floor: one statement that reads all customers' values and
purchases and writes one row a customer, in the database alone.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import time
from concurrent.futures import ProcessPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path

import uvloop

from bench.figures import Figure
from bench.population import KEEPER, deal, standing
from services.customer.dealings.totals import Totals
from services.customer.dictionary.service import Dictionaries
from services.customer.grading.archive import Archive
from services.customer.grading.service import LANES, Grading
from shared.clock import now
from shared.db import Database
from shared.outbox import Outbox
from shared.process import calm_collector
from shared.regime import load

SIZES = (10_000, 100_000, 1_000_000)
WORKERS = 2
LIMIT_S = 60.0
_QUARTER = timedelta(92)
_REGIMES = Path(__file__).parents[1] / "regimes"
_FLOOR = """
CREATE TEMP TABLE floor ON COMMIT DROP AS
SELECT c.id, c.values ->> 'credit_level' AS level, sum(p.amount_fen) AS amount, max(p.varieties) AS varieties
FROM customer c LEFT JOIN purchase p ON p.customer_id = c.id GROUP BY c.id
"""


def work(dsn: str, at: datetime, lanes: tuple[int, ...]) -> float:
    """A worker's part: its lanes side by side until nothing is left; seconds of its processor time."""
    return uvloop.run(_work(dsn, at, lanes))


async def _work(dsn: str, at: datetime, lanes: tuple[int, ...]) -> float:
    regimes = load(_REGIMES)
    calm_collector()
    grading = Grading(regimes, Dictionaries(regimes), Totals(regimes), Outbox("customer"), Archive())
    database = Database(dsn, pool=len(lanes))
    await database.start()
    used = time.process_time()
    try:
        await asyncio.gather(*(_lane(database, grading, at, lane) for lane in lanes))
    finally:
        await database.close()
    return time.process_time() - used


async def _lane(database: Database, grading: Grading, at: datetime, lane: int) -> None:
    done = 1
    while done:
        async with database.transaction() as tx:
            done = await grading.round_due(tx, at, lane=lane)


async def _round(dsn: str, at: datetime) -> tuple[float, float]:
    """Seconds of the clock, and of the workers' processors."""
    shares = [tuple(range(first, LANES, WORKERS)) for first in range(WORKERS)]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(WORKERS, mp_context=context) as pool:
        await asyncio.gather(*(asyncio.to_thread(pool.submit(_ready).result) for _ in range(WORKERS)))
        began = time.perf_counter()
        jobs = [pool.submit(work, dsn, at, share) for share in shares]
        used = [await asyncio.to_thread(job.result) for job in jobs]
        return time.perf_counter() - began, sum(used)


def _ready() -> None:
    """A worker is there, with its modules loaded."""


async def _floor(dsn: str) -> float:
    database = Database(dsn)
    await database.start()
    try:
        async with database.transaction() as tx:
            began = time.perf_counter()
            await tx.connection.execute(_FLOOR, timeout=600)
            return time.perf_counter() - began
    finally:
        await database.close()


async def measure(customers: int) -> list[Figure]:
    """Both rounds over so many customers."""
    server, name = KEEPER.server(), f"regraded_{customers}"
    server.drop_database(name)
    await standing(customers)
    dsn = server.create_database(name, template=f"customers_{customers}")  # rounds leave grades behind
    await deal(dsn, 15)
    floor = await _floor(dsn)
    aim, met = ("≤ 60", LIMIT_S) if customers == max(SIZES) else ("–", float("inf"))
    found = []
    for what, at in (("every grade new", now()), ("next quarter", now() + _QUARTER)):
        took, used = await _round(dsn, at)
        note = f"{customers / took:,.0f} customers/s; workers' processors {used:.1f} s"
        found.append(
            Figure(f"round of {customers:,}, {what}", took, "s", aim, took <= met, floor, "one statement", note)
        )
    server.drop_database(name)
    return found


async def run() -> list[Figure]:
    """All sizes, smallest first."""
    return [figure for size in SIZES for figure in await measure(size)]
