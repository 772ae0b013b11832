"""Becoming overdue is told of once for each customer and occasion, whatever dies; rounds when measures change."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.events import ReviewOverdue, ReviewOverdueCounted
from tests.customer.review.conftest import SECOND_QUARTER, Register, standings_of
from tests.customer.review.test_verify import verify
from tests.factories.customer import UNIT, RunningCustomer, Served

OVERDUE, COUNTED = ReviewOverdue.type, ReviewOverdueCounted.type
NOW = datetime(2026, 11, 24, 2, tzinfo=UTC)
JANUARY = datetime(2027, 1, 4, 2, tzinfo=UTC)
pytestmark = pytest.mark.req("R1.2")


async def told(service: RunningCustomer, at: datetime = NOW, limit: int = 500) -> list[int]:
    done = []
    while True:
        async with service.database.transaction() as tx:
            done.append(await standings_of(service).overdue_due(tx, at, limit=limit))
        if not done[-1]:
            return done


async def test_each_customer_is_told_of_once_an_occasion(service: RunningCustomer, register: Register) -> None:
    found = [(await register(customer_manager="lu", promotion="member"))["id"] for _ in range(3)]
    assert await told(service, limit=4) == [2, 1, 1, 0], "two reviews each; then the unit"
    events = await service.outbox(OVERDUE)
    assert sorted(event.customer_id for _, event in events) == sorted(found)
    envelope, event = events[0]
    assert (envelope.actor, envelope.subject) == ("system/customer", f"customer/{event.customer_id}")
    assert (event.unit, event.manager, event.reviews, len(event.cadences), str(event.due_on)) == (
        UNIT, "lu", 2, 2, "2026-09-30",
    )  # fmt: skip
    [(_, counted)] = await service.outbox(COUNTED)
    assert (counted.unit, counted.reviews, counted.managers) == (UNIT, 6, 1)
    assert await told(service) == [0]
    assert await told(service, JANUARY) == [3, 1, 0], "what was due by the end of the year is another occasion"
    assert [event.reviews for _, event in (await service.outbox(OVERDUE))[3:]] == [1, 1, 1], "the static items alone"


async def test_what_dies_before_its_commit_is_told_of_once_all_the_same(
    service: RunningCustomer, register: Register
) -> None:
    await register()
    with pytest.raises(RuntimeError):
        async with service.database.transaction() as tx:
            assert await standings_of(service).overdue_due(tx, NOW) == 1
            raise RuntimeError("died before the commit")
    assert await service.outbox(OVERDUE) == []
    assert await told(service) == [1, 1, 0]
    assert len(await service.outbox(OVERDUE)) == 1


async def test_what_was_verified_before_the_bus_told_is_not_overdue(
    service: RunningCustomer, register: Register
) -> None:
    found = await register(SECOND_QUARTER)
    async with service.database.transaction() as tx:
        await tx.execute("UPDATE customer SET status = 'closed' WHERE id = $1", found["id"])
    assert await told(service) == [1, 0], "looked at anew, there is nothing to tell"
    assert await service.outbox(OVERDUE) == []


async def test_a_review_that_is_made_and_missed_again_is_told_of_again(
    service: RunningCustomer, register: Register
) -> None:
    found = await register()
    await told(service)
    assert (await verify(service, found["id"], 1, "all")).status_code == 200
    assert await told(service, JANUARY) == [0]
    april = datetime(2027, 4, 2, 2, tzinfo=UTC)
    assert (await told(service, april))[0] == 1
    assert [str(event.due_on) for _, event in await service.outbox(OVERDUE)] == ["2026-09-30", "2027-03-31"]


async def test_a_round_reckons_every_file_anew_when_a_measure_changes(
    service: RunningCustomer, served: Served, clock: Any
) -> None:
    clock.move_to("2026-08-11T10:00:00+08:00")
    for _ in range(5):
        await service.register(promotion="member")
    clock.move_to("2026-11-24T10:00:00+08:00")

    async def rounds(of: RunningCustomer) -> list[int]:
        done = []
        while True:
            async with of.database.transaction() as tx:
                done.append(await standings_of(of).place_due(tx, NOW, limit=2))
            if not done[-1]:
                return done

    async def last_days(of: RunningCustomer) -> list[tuple[str, int]]:
        async with of.database.reading() as tx:
            rows = await tx.fetch("SELECT due_on, sum(n)::int AS n FROM review_count WHERE n > 0 GROUP BY 1 ORDER BY 1")
            counted = [(str(row["due_on"]), row["n"]) for row in rows]
            rows = await tx.fetch("SELECT due_on, count(*)::int AS n FROM review_due GROUP BY 1 ORDER BY 1")
        assert counted == [(str(row["due_on"]), row["n"]) for row in rows]
        return counted

    assert await rounds(service) == [2, 2, 1, 0]
    assert await rounds(service) == [0]
    assert await last_days(service) == [("2026-12-31", 10), ("2027-06-30", 5)]
    monthly = ("retail-customer/cadence/quarterly-review.yaml", "period: quarter", "period: month")
    examples = [
        (monthly[0], old, new)
        for old, new in (
            ("opens: 2026-04-01, due: 2026-06-30", "opens: 2026-04-01, due: 2026-04-30"),
            ("opens: 2026-01-01, due: 2026-03-31", "opens: 2026-01-01, due: 2026-01-30"),
            ("opens: 2026-10-01, due: 2026-12-31", "opens: 2026-10-01, due: 2026-10-30"),
            ("opens: 2027-01-01, due: 2027-03-31", "opens: 2026-12-01, due: 2026-12-31"),
            ("opens: 2027-07-01, due: 2027-09-30", "opens: 2027-06-01, due: 2027-06-30"),
        )
    ]
    async with served(monthly, *examples) as changed:
        assert await rounds(changed) == [2, 2, 1, 0]
        assert await last_days(changed) == [("2026-09-30", 5), ("2026-12-31", 5), ("2027-06-30", 5)]


async def test_reckonings_at_once_keep_counts_and_reviews_in_step(
    service: RunningCustomer, register: Register, clock: Any
) -> None:
    found = [(await register(customer_manager="lu"))["id"] for _ in range(4)]
    ids = [each["id"] for each in await _files(service)]

    async def follow() -> None:
        async with service.database.transaction() as tx:
            await standings_of(service).follow(tx, ids, NOW + timedelta(seconds=1))

    patches = (service.patch(each, 1, customer_manager="fang") for each in found)
    answers = await asyncio.gather(*patches, *(follow() for _ in range(4)))
    assert [answer.status_code for answer in answers if answer is not None] == [200] * 4
    await follow()
    async with service.database.reading() as tx:
        rows = await tx.fetch("SELECT manager, sum(n)::int AS n FROM review_count WHERE n <> 0 GROUP BY 1")
        assert [(row["manager"], row["n"]) for row in rows] == [("fang", 8)]


async def _files(service: RunningCustomer) -> list[Any]:
    async with service.database.reading() as tx:
        return await tx.fetch("SELECT id FROM customer")
