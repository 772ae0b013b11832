"""What tests of quality need: a policy compiled for a day, the service's own jobs, figures counted a second time."""

from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import time_machine

from services.customer.dictionary.service import Dictionaries
from services.customer.quality.assessing import Assessing
from services.customer.review.standing import Standings
from shared.outbox import Outbox
from shared.regime import Regimes, load
from tests.factories.customer import REGIMES, RunningCustomer

NOW = datetime(2026, 11, 24, 2, tzinfo=UTC)
_LOADED = load(Path(REGIMES))
_NAMES = ("unit", "manager", "kind", "level")
_PARTS = ("completeness", "accuracy", "timeliness")


def compiled(regimes: Regimes = _LOADED) -> Assessing:
    """For pure tests: nothing of it reaches a database."""
    dictionaries = Dictionaries(regimes)
    outbox = Outbox("customer")
    return Assessing(regimes, dictionaries, Standings(dictionaries, outbox), outbox)


@pytest.fixture
def clock() -> Any:
    """The time, which stands still but when a test moves it."""
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


def assessing_of(service: RunningCustomer) -> Assessing:
    """The service's own, as its jobs hold it."""
    [job] = [job for job in service.parts.jobs if job.name == "quality_due"]
    found: Assessing = job.due.__self__  # type: ignore[attr-defined]
    return found


async def run(service: RunningCustomer, job: str, at: datetime, limit: int = 500) -> list[int]:
    """Let a job do all that is due at a moment: how much it did each time."""
    [found] = [each for each in service.parts.jobs if each.name == job]
    done: list[int] = []
    while True:
        async with service.database.transaction() as tx:
            done.append(await found.due(tx, at, limit=limit))  # type: ignore[call-arg]
        if not done[-1]:
            return done


async def quality(service: RunningCustomer, customer: str, role: str = "department_manager") -> dict[str, Any]:
    answer = await service.get(f"/v1/customers/{customer}/quality", role)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def fails(view: dict[str, Any], part: str | None = None) -> set[tuple[str, str]]:
    """What fails, as (reason, code)."""
    return {
        (each["reason"], each["code"])
        for of in view["parts"]
        if part in {None, of["part"]}
        for each in of["failing"]
    }  # fmt: skip


async def in_step(service: RunningCustomer) -> int:
    """That sums, counts and the months' last copies are what the rows of files add up to; how many files are judged."""
    async with service.database.reading() as tx:
        rows = await tx.fetch("SELECT * FROM quality WHERE level IS NOT NULL")
        sums = {
            tuple(row[name] for name in _NAMES): row for row in await tx.fetch("SELECT * FROM quality_sum WHERE n <> 0")
        }
        counts = await tx.fetch("SELECT * FROM quality_count WHERE n <> 0")
        latest = await tx.fetch(
            "SELECT DISTINCT ON (unit, manager, kind, level) * FROM quality_month"
            " ORDER BY unit, manager, kind, level, month DESC"
        )
    wanted: dict[tuple[str, ...], list[Decimal]] = {}
    failing: Counter[tuple[str, ...]] = Counter()
    for row in rows:
        line = wanted.setdefault(tuple(row[name] for name in _NAMES), [Decimal(0)] * 5)
        for place, value in enumerate((1, row["score"], *(row[part] or 0 for part in _PARTS))):
            line[place] += value
        failing.update((row["unit"], row["manager"], row["kind"], what) for what in row["failing"])
    assert {key: [row["n"], row["score"], *(row[part] for part in _PARTS)] for key, row in sums.items()} == wanted
    assert {(row["unit"], row["manager"], row["kind"], row["failing"]): row["n"] for row in counts} == failing
    copied = {tuple(row[name] for name in _NAMES): row["score"] for row in latest if row["n"]}
    assert copied == {key: row["score"] for key, row in sums.items()}
    return len(rows)
