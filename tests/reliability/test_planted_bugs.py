"""The checker sees what it has to see: each planted bug is caught, and the same faults do a healthy suite no harm."""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Iterable, Sequence

import pytest

from shared.bus import Message
from shared.events import topic_of
from tests.reliability.checker import Verdict, judge
from tests.reliability.evidence import Scene, collect, drain, opened
from tests.reliability.load import Load
from tests.reliability.planted import PLANTS
from tests.reliability.suite import PATH, Servers, Suite

pytestmark = [pytest.mark.req("R0.2"), pytest.mark.slow]

Fault = Callable[[Suite, Load, Scene], Awaitable[None]]

# COMMIT fails now and then, after everything else went well.
FLAKY_COMMIT = """
CREATE FUNCTION fail_commit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF random() < 0.3 THEN RAISE EXCEPTION 'as if another session had been first' USING ERRCODE = '40001'; END IF;
  RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER fail_commit AFTER INSERT OR UPDATE ON {table} DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION fail_commit();
"""
_MEND_COMMIT = "DROP TRIGGER fail_commit ON {table};"


async def nothing_but_load(_suite: Suite, load: Load, _scene: Scene) -> None:
    await load.write(2)


def crash(member: str, point: str) -> Fault:
    async def fault(suite: Suite, load: Load, _scene: Scene) -> None:
        suite.members[member].kill()
        suite.members[member].start(crash=point)
        async with load.writing():
            await asyncio.to_thread(suite.members[member].await_crash)
            suite.members[member].start()

    return fault


def flaky_commit(service: str, table: str) -> Fault:
    async def fault(suite: Suite, load: Load, _scene: Scene) -> None:
        suite.execute(FLAKY_COMMIT.format(table=table), service)
        await load.write(2)
        suite.execute(_MEND_COMMIT.format(table=table), service)

    return fault


async def late_commit(suite: Suite, load: Load, _scene: Scene) -> None:
    """A second writer stands still between its outbox row and its COMMIT, while others write on."""
    slow = suite.members["customer.api.2"]
    slow.kill()
    slow.start(pause="writer.before_commit")
    await asyncio.to_thread(slow.await_ready)
    late = asyncio.create_task(load.change(load.customers.pop(), url=slow.url))
    await asyncio.to_thread(slow.await_pause)
    await load.write(1)
    slow.signal(signal.SIGCONT)
    await late


async def repeated_messages(suite: Suite, load: Load, scene: Scene) -> None:
    """What is on the bus is published again, as by a relay that lost an acknowledgement."""
    await load.write(2)
    await drain(scene, 20)
    topic = topic_of(suite.topic_prefix, "customer")
    reader = scene.transport.reader()
    reader.assign({lane: mark.low for lane, mark in (await scene.transport.watermarks(topic)).items()})
    for _ in range(3):
        found = await reader.fetch(200, 2)
        await scene.transport.publish([Message(topic, each.key, each.value, each.headers) for each in found])
    await reader.close()


async def held_up_relay(suite: Suite, load: Load, _scene: Scene) -> None:
    """The worker stands still now and then, so that several changes of a customer leave together."""
    async with load.writing():
        for _ in range(3):
            suite.members["customer.worker"].signal(signal.SIGSTOP)
            await asyncio.sleep(0.6)
            suite.members["customer.worker"].signal(signal.SIGCONT)
            await asyncio.sleep(0.3)


async def zombie(suite: Suite, load: Load, scene: Scene) -> None:
    """A member stands still between reading and applying, until another one has taken its partitions over."""
    slow = suite.members["audit.worker"]
    slow.kill()
    slow.start(pause="consumer.after_fetch:2")
    await asyncio.to_thread(slow.await_ready)
    async with load.writing():
        await asyncio.to_thread(slow.await_pause)
    await drain(scene, 20)
    slow.signal(signal.SIGCONT)
    await asyncio.sleep(1)


FAULTS: dict[str, Fault] = {
    "early_offset": crash("audit.worker", "consumer.before_commit:3"),
    "id_cursor": late_commit,
    "delete_first": crash("customer.worker", "relay.after_delete:3"),
    "out_of_order": held_up_relay,
    "mixed_payloads": held_up_relay,
    "no_unique_key": repeated_messages,
    "swallowed_commit": flaky_commit("customer", "customer_event"),
    "error_acknowledged": flaky_commit("audit", "head"),
    "no_fence": zombie,
    "grade_check_skipped": nothing_but_load,
    "told_again": repeated_messages,
}
_ALL_MEMBERS = (*PATH, "customer.api.2", "audit.worker.2")
_MEMBERS = {late_commit: (*PATH, "customer.api.2"), zombie: (*PATH, "audit.worker.2")}


def test_every_planted_bug_has_a_fault_that_exposes_it() -> None:
    assert FAULTS.keys() == PLANTS.keys()


@pytest.mark.parametrize("plant", PLANTS)
async def test_the_checker_catches(plant: str, postgres_bus: Servers) -> None:
    fault = FAULTS[plant]
    verdict = await _verdict(postgres_bus, [fault], _MEMBERS.get(fault, PATH), 4, plant)
    assert PLANTS[plant].breaks in verdict.kinds, str(verdict)


async def test_a_healthy_suite_bears_all_the_faults_that_expose_bugs(postgres_bus: Servers) -> None:
    verdict = await _verdict(postgres_bus, dict.fromkeys(FAULTS.values()), _ALL_MEMBERS, 40)
    assert not verdict.violations, str(verdict)


async def _verdict(
    servers: Servers, faults: Iterable[Fault], members: Sequence[str], drain_s: float, plant: str = ""
) -> Verdict:
    with Suite(servers, members=members, plant=plant) as suite:
        suite.start()
        async with Load(suite.urls("customer")[:1], servers.issuer, customers=16) as load, opened(suite) as scene:
            for fault in faults:
                await fault(suite, load, scene)
                suite.start()
            passed = await drain(scene, drain_s)
            return judge(await collect(scene, load.journal, passed))
