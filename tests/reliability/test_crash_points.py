"""Dying at any named point loses nothing and doubles nothing: every point, in the process that passes it, on both
buses."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from shared.crash import POINTS
from tests.reliability.checker import judge
from tests.reliability.evidence import Scene, collect, drain, opened
from tests.reliability.load import Load
from tests.reliability.suite import PATH, Servers, Suite

pytestmark = [pytest.mark.req("R0.2"), pytest.mark.req("R0.3"), pytest.mark.slow]

ROOT = Path(__file__).parents[2]
# Who passes a point, and at which passage it dies: jobs pass theirs from the start on, whether or not there is work.
WORKERS = ("audit.worker", "customer.worker", "notify.worker")
WHERE: dict[str, tuple[tuple[str, int], ...]] = {
    "writer.before_commit": (("customer.api", 9),),
    "writer.after_commit": (("customer.api", 9),),
    "relay.after_read": (("customer.worker", 3),),
    "relay.after_publish": (("customer.worker", 3),),
    "relay.after_delete": (("customer.worker", 3),),
    "consumer.after_fetch": (("customer.worker", 3), ("notify.worker", 2)),
    "consumer.before_commit": tuple((worker, 2) for worker in WORKERS),
    "consumer.after_commit": (("customer.worker", 3), ("notify.worker", 2)),
    "consumer.after_dead_letter": (("notify.worker", 1),),
    "job.before_commit": (("notify.worker", 6),),
    "job.after_commit": (("notify.worker", 6),),
    "redrive.before_commit": (("notify.api", 1),),
    "audit.append.before_commit": (("audit.worker", 3),),
    "audit.append.after_commit": (("audit.worker", 3),),
    "audit.checkpoint.before_commit": (("audit.worker", 2),),
    "audit.checkpoint.after_commit": (("audit.worker", 2),),
}
ON_THEIR_OWN = {
    "import.staged": "tests/customer/exchange/test_crash.py",
    "import.step_applied": "tests/customer/exchange/test_crash.py",
    "import.before_verdict": "tests/customer/exchange/test_crash.py",
    "handover.batch_moved": "tests/customer/handover/test_crash.py",
    "storage.after_object": "tests/customer/content/test_crash.py",
}
"""Points that changes of single customers never pass: the test of those who do dies there."""
_REST_S = 0.02  # enough is under way at each death, and the processors are left to those that start again
PARKING = {"consumer.after_dead_letter", "redrive.before_commit"}
CASES = [
    pytest.param(point, member, passage, id=f"{point}-{member}")
    for point, places in WHERE.items()
    if point not in PARKING
    for member, passage in places
]
_REFUSE_MESSAGES = """
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'refused, as a wrong event is'; END $$;
CREATE TRIGGER refuse BEFORE INSERT ON message FOR EACH ROW EXECUTE FUNCTION refuse();
"""
_TAKE_MESSAGES = "DROP TRIGGER IF EXISTS refuse ON message; DROP FUNCTION IF EXISTS refuse;"


@pytest.fixture(scope="module")
def suite(servers: Servers) -> Iterator[Suite]:
    """One suite a bus; only the member under test is started again."""
    with Suite(servers, members=(*PATH, "notify.api")) as suite:
        suite.start()
        yield suite


def test_every_crash_point_is_run() -> None:
    assert WHERE.keys().isdisjoint(ON_THEIR_OWN)
    assert WHERE.keys() | ON_THEIR_OWN.keys() == POINTS.keys()
    for point, test in ON_THEIR_OWN.items():
        assert f'"{point}"' in (ROOT / test).read_text("utf-8")


@pytest.mark.parametrize(("point", "member", "passage"), CASES)
async def test_nothing_is_lost_or_doubled_when_a_process_dies_at(
    point: str, member: str, passage: int, suite: Suite
) -> None:
    async with _judged(suite) as (load, _):
        victim = suite.members[member]
        victim.kill()
        victim.start(crash=f"{point}:{passage}")
        async with load.writing(clients=4):
            await asyncio.to_thread(victim.await_crash)
            victim.start()
            await asyncio.to_thread(victim.await_ready)


async def test_events_stay_parked_once_when_a_consumer_dies_after_parking_one(suite: Suite) -> None:
    async with _judged(suite) as (load, scene):
        victim = suite.members["notify.worker"]
        suite.execute(_REFUSE_MESSAGES, "notify")
        victim.kill()
        victim.start(crash="consumer.after_dead_letter")
        async with load.writing(clients=4):
            await asyncio.to_thread(victim.await_crash)
        victim.start()
        await drain(scene)
        suite.execute(_TAKE_MESSAGES, "notify")
        letters = await _letters(suite)
        assert letters
        for letter in letters:
            assert await _replay(suite, letter) == 200


async def test_a_replay_that_dies_before_its_commit_can_be_repeated(suite: Suite) -> None:
    async with _judged(suite) as (load, scene):
        suite.execute(_REFUSE_MESSAGES, "notify")
        await load.write(0.5, clients=4)
        await drain(scene)
        suite.execute(_TAKE_MESSAGES, "notify")
        first, *others = await _letters(suite)
        victim = suite.members["notify.api"]
        victim.kill()
        victim.start(crash="redrive.before_commit")
        await asyncio.to_thread(victim.await_ready)
        assert await _replay(suite, first) is None
        await asyncio.to_thread(victim.await_crash)
        victim.start()
        await asyncio.to_thread(victim.await_ready)
        for letter in (first, *others):
            assert await _replay(suite, letter) == 200


@asynccontextmanager
async def _judged(suite: Suite) -> AsyncIterator[tuple[Load, Scene]]:
    """Clients of a healthy suite; after the block it is healed, drained and judged."""
    suite.start()
    async with (
        Load(suite.urls("customer"), suite.servers.issuer, customers=3, rest_s=_REST_S) as load,
        opened(suite) as scene,
    ):
        try:
            yield load, scene
        finally:
            suite.execute(_TAKE_MESSAGES, "notify")
        suite.start()
        verdict = judge(await collect(scene, load.journal, await drain(scene)))
        assert not verdict.violations, str(verdict)
        assert verdict.figures["changes acked"] > 3, str(verdict)


async def _letters(suite: Suite) -> list[str]:
    async with _operations(suite) as http:
        answer = await http.get("/v1/dead-letters", params={"limit": 200})
        assert answer.status_code == 200, answer.text
        return [each["id"] for each in answer.json()["items"]]


async def _replay(suite: Suite, letter: str) -> int | None:
    """The status of the answer; None if there was none."""
    async with _operations(suite) as http:
        try:
            return (await http.post(f"/v1/dead-letters/{letter}/replay")).status_code
        except httpx.TransportError:
            return None


@asynccontextmanager
async def _operations(suite: Suite) -> AsyncIterator[httpx.AsyncClient]:
    headers = suite.servers.issuer.bearer("admin", ["admin"])
    async with httpx.AsyncClient(base_url=suite.url("notify.api"), headers=headers, trust_env=False) as http:
        yield http
