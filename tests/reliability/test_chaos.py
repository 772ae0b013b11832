"""A short chaos run on each bus: whatever breaks, nothing is lost, doubled or out of order."""

import asyncio

import pytest

from tests.reliability import chaos
from tests.reliability.faults import Kind, points_of, schedule
from tests.reliability.suite import REPLICATED, Suite

pytestmark = [pytest.mark.req("R0.2"), pytest.mark.req("R0.3"), pytest.mark.slow]

SECONDS = 12


def test_the_same_seed_gives_the_same_faults_and_another_seed_others() -> None:
    faults = schedule(3, 60, REPLICATED, "kafka")
    assert faults == schedule(3, 60, REPLICATED, "kafka")
    assert faults != schedule(4, 60, REPLICATED, "kafka")


def test_a_long_schedule_has_every_kind_of_fault_and_no_broker_fault_without_a_broker() -> None:
    assert {each.kind for each in schedule(1, 600, REPLICATED, "kafka")} == set(Kind)
    kinds = {each.kind for each in schedule(1, 600, REPLICATED, "postgres")}
    assert kinds == set(Kind) - {Kind.BROKER_KILL, Kind.BROKER_PAUSE}


def test_members_die_only_at_points_that_they_pass() -> None:
    assert points_of("customer.api.2") == ["writer.before_commit", "writer.after_commit"]
    assert "audit.append.before_commit" in points_of("audit.worker")
    assert "audit.append.before_commit" not in points_of("notify.worker")


@pytest.mark.parametrize("bus", ["postgres", pytest.param("kafka", marks=pytest.mark.kafka)])
def test_nothing_is_lost_or_doubled_in_a_short_chaos_run(bus: str) -> None:
    with chaos.servers(bus) as servers, Suite(servers, members=REPLICATED) as suite:
        suite.start()
        report = asyncio.run(chaos.run(suite, SECONDS, seed=1))
    assert not report.verdict.violations, str(report)
    assert sum(report.faults.values()) > SECONDS / 3, str(report)
    assert report.verdict.figures["changes acked"] > 20, str(report)
