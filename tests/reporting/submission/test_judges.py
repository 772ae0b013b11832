"""The judging processes: bounded, replaced when one dies, gone when their parent is."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path

import httpx
import orjson
import psutil
import pytest

from services.reporting.submission.filing import Filing
from services.reporting.submission.judges import Judges
from shared.errors import Invalid, TooLarge, Unavailable
from tests.conftest import FreshDatabase
from tests.factories import reporting
from tests.factories.reporting import PERIOD, REGIMES, REPORT, loans
from tests.fakes.issuer import Issuer

TODAY = date(2026, 11, 24)


def filing(rows: int = 1) -> Filing:
    document = {"report": REPORT, "period": PERIOD, "org": "unit-1", "rows": loans(rows)}
    return Filing(orjson.dumps(document))


@pytest.fixture
async def judges() -> AsyncIterator[Judges]:
    made = Judges(REGIMES, processes=1, waiting=1, memory_mib=2048)
    yield made
    await made.close()


async def test_a_refusal_crosses_from_the_process_whole(judges: Judges) -> None:
    with pytest.raises(Invalid) as refused:
        await judges.examine(Filing(b'{"report": "no-such"}'), TODAY)
    assert {fault.pointer for fault in refused.value.faults} == {"/report", "/period", "/org", "/rows"}


async def test_more_than_the_queue_holds_is_refused_and_the_loop_stays_free(judges: Judges) -> None:
    await judges.examine(filing(), TODAY)
    running = [asyncio.create_task(judges.examine(filing(3000), TODAY)) for _ in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(Unavailable, match="judges_busy"):
        await judges.examine(filing(), TODAY)
    assert [examined.judgement.rows for examined in await asyncio.gather(*running)] == [3000, 3000]
    assert (await judges.examine(filing(), TODAY)).judgement.rows == 1


async def test_a_judge_that_dies_costs_its_filing_and_is_replaced(judges: Judges) -> None:
    mine = psutil.Process()
    others = set(mine.children())  # other tests keep processes of theirs
    await judges.examine(filing(), TODAY)
    [judge] = [child for child in set(mine.children()) - others if "spawn_main" in " ".join(child.cmdline())]
    running = asyncio.create_task(judges.examine(filing(20_000), TODAY))
    await asyncio.sleep(0.05)
    os.kill(judge.pid, signal.SIGKILL)
    with pytest.raises(Unavailable, match="judge_lost"):
        await running
    assert (await judges.examine(filing(), TODAY)).judgement.rows == 1


async def test_what_needs_more_memory_than_a_judge_has_is_refused_and_the_judge_stays() -> None:
    judges = Judges(REGIMES, processes=1, waiting=0, memory_mib=512)
    await judges.examine(filing(), TODAY)
    with pytest.raises(TooLarge, match="too_large_to_judge"):
        await judges.examine(Filing(b'{"rows": [' + b"{}," * 9_000_000 + b"{}]}"), TODAY)
    assert (await judges.examine(filing(), TODAY)).judgement.rows == 1
    await judges.close()


async def test_more_rows_than_a_report_may_have_are_refused(judges: Judges) -> None:
    rows = b"{}," * 1_000_000 + b"{}"
    body = f'{{"report": "{REPORT}", "period": "{PERIOD}", "org": "unit-1", "rows": ['.encode() + rows + b"]}"
    with pytest.raises(TooLarge, match="too_many_rows"):
        await judges.examine(Filing(body), TODAY)


@pytest.mark.slow
def test_judges_end_with_a_parent_that_is_killed(fresh_database: FreshDatabase, tmp_path: Path) -> None:
    with Issuer() as issuer, reporting.running(fresh_database("reporting"), issuer, tmp_path) as service:
        body = {"report": REPORT, "period": PERIOD, "org": "unit-1", "rows": loans(1)}
        headers = service.partner("unit-1")
        answer = httpx.post(f"{service.url}/v1/submissions", json=body, headers=headers, timeout=30, trust_env=False)
        assert answer.status_code == 201
        family = psutil.Process(service.pid).children(recursive=True)
        assert family
        os.kill(service.pid, signal.SIGKILL)
        _, alive = psutil.wait_procs(family, 10)
        assert alive == []
