"""Quality follows the files by their events, in whatever order and however often they come, and by the days in them."""

import asyncio
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from services.customer.consumers import QUALITY, follow
from services.customer.quality.rules import Reason
from shared.events import CustomerChanged, QualityChanged
from tests.customer.file.test_keys import erase
from tests.customer.quality.conftest import NOW, assessing_of, fails, in_step, quality, run
from tests.customer.review.test_verify import verify
from tests.factories.customer import UNIT, RunningCustomer, Served
from tests.factories.merges import merged, two_files, undo

CHANGED = QualityChanged.type
MAY, AUGUST = "2026-05-12T10:00:00+08:00", "2026-08-11T10:00:00+08:00"
JANUARY, APRIL = datetime(2027, 1, 4, 2, tzinfo=UTC), datetime(2027, 4, 2, 2, tzinfo=UTC)
pytestmark = pytest.mark.req("R1.4")


async def apply(service: RunningCustomer, *numbers: int) -> None:
    """Let the group apply these events of the outbox, in this order, in one transaction."""
    deliveries = await service.deliveries()
    async with service.database.transaction() as tx:
        await follow(QUALITY, assessing_of(service).follow)(tx, [deliveries[number] for number in numbers])


async def row_of(service: RunningCustomer, customer: str) -> dict[str, Any]:
    async with service.database.reading() as tx:
        row = await tx.fetchrow("SELECT * FROM quality WHERE customer_id = $1", UUID(customer))
    return dict(row) if row is not None else {}


async def test_a_change_is_followed_by_its_event(service: RunningCustomer) -> None:
    customer = (await service.register())["id"]
    missing = await service.get(f"/v1/customers/{customer}/quality")
    assert (missing.status_code, missing.json()["code"]) == (404, "not_judged")
    await service.run_consumers()
    before = await quality(service, customer)
    await service.patch(customer, 1, bank_account="6222000000000000000")
    assert await quality(service, customer) == before, "by the event, not by the request"
    await service.run_consumers()
    after = await quality(service, customer)
    assert fails(before) - fails(after) == {("missing", "bank_account")}
    assert (before["customer_version"], after["customer_version"]) == (1, 2)
    assert float(after["score"]) > float(before["score"])
    assert await in_step(service) == 1


async def test_an_event_of_another_feature_judges_nothing(service: RunningCustomer) -> None:
    customer = (await service.register())["id"]
    await apply(service, 0)
    async with service.database.transaction() as tx:
        await tx.execute("DELETE FROM outbox")
    await service.run_consumers()  # the grade of the new file goes out
    before = await row_of(service, customer)
    await service.run_consumers()
    assert await row_of(service, customer) == before


async def test_two_events_of_one_customer_handled_at_once_and_an_old_one_last(service: RunningCustomer) -> None:
    customer = (await service.register())["id"]
    for version, area in enumerate((30, 40, None), 1):
        assert (await service.patch(customer, version, business_area=area)).status_code == 200
    deliveries = len(await service.deliveries())
    await asyncio.gather(*(apply(service, number) for number in range(1, deliveries)))
    assert (await row_of(service, customer))["file_version"] == 4
    await apply(service, 0)
    row = await row_of(service, customer)
    assert (row["file_version"], "missing:business_area" in row["failing"]) == (4, True)
    assert await in_step(service) == 1, "however many judged it, it is counted once"


async def test_delivered_again_it_is_the_same(service: RunningCustomer) -> None:
    customer = (await service.register())["id"]
    await apply(service, 0)
    before = await row_of(service, customer)
    await apply(service, 0)
    await apply(service, 0, 0)
    assert await row_of(service, customer) == before
    assert await in_step(service) == 1


async def test_what_dies_before_its_commit_is_judged_once_all_the_same(service: RunningCustomer) -> None:
    await service.register()
    deliveries = await service.deliveries()
    with pytest.raises(RuntimeError):
        async with service.database.transaction() as tx:
            await follow(QUALITY, assessing_of(service).follow)(tx, deliveries)
            raise RuntimeError("died before the commit")
    assert await in_step(service) == 0
    await apply(service, 0)
    assert await in_step(service) == 1


async def test_figures_stay_in_step_whatever_happens_at_once(service: RunningCustomer, clock: Any) -> None:
    found = [(await service.register(customer_manager="lu"))["id"] for _ in range(4)]
    await service.run_consumers()

    async def judge() -> None:
        async with service.database.transaction() as tx:
            await assessing_of(service).follow(tx, [UUID(each) for each in reversed(found)], NOW)

    patches = (service.patch(each, 1, customer_manager="fang", credit_level="A") for each in found)
    await asyncio.gather(*patches, *(judge() for _ in range(4)))
    await judge()
    assert await in_step(service) == 4
    async with service.database.reading() as tx:
        assert await tx.fetchval("SELECT array_agg(DISTINCT manager) FROM quality_sum WHERE n > 0") == ["fang"]


async def test_a_verification_and_a_day_that_comes_make_the_difference(service: RunningCustomer, clock: Any) -> None:
    clock.move_to(MAY)
    customer = (await service.register(promotion="member"))["id"]
    clock.move_to(NOW)
    await service.run_consumers()
    late = {("overdue", "promotion"), ("unverified", "file-check")}
    assert fails(await quality(service, customer), "timeliness") == late
    assert (await verify(service, customer, 1, "all", "department_manager")).status_code == 200
    await service.run_consumers()
    assert fails(await quality(service, customer), "timeliness") == set()
    assert await run(service, "quality_turned", NOW) == [0], "nothing turns today"
    assert await run(service, "quality_turned", JANUARY) == [0]
    assert await run(service, "quality_turned", APRIL) == [1, 0]
    assert fails(await quality(service, customer), "timeliness") == late
    assert await in_step(service) == 1


async def test_an_erased_file_is_judged_no_more_from_that_moment_on(service: RunningCustomer) -> None:
    customer = (await service.register())["id"]
    await service.run_consumers()
    assert (await erase(service, customer)).status_code < 300
    row = await row_of(service, customer)
    assert (row["level"], row["failing"], row["score"]) == (None, [], None)
    assert await in_step(service) == 0
    await service.run_consumers()
    assert await in_step(service) == 0


async def test_a_file_that_was_merged_away_counts_again_when_that_is_undone(service: RunningCustomer) -> None:
    survivor, loser = await two_files(service)
    view = await merged(service, survivor, loser)
    await service.run_consumers()
    assert await in_step(service) == 1
    assert (await row_of(service, loser["id"]))["level"] is None
    assert (await undo(service, view["id"])).status_code == 200
    await service.run_consumers()
    assert await in_step(service) == 2


async def test_a_closed_shop_is_not_judged(service: RunningCustomer) -> None:
    customer = (await service.register())["id"]
    await service.run_consumers()
    assert (await service.patch(customer, 1, customer_status="closed")).status_code == 200
    await service.run_consumers()
    assert await in_step(service) == 0
    assert (await service.get(f"/v1/customers/{customer}/quality")).status_code == 404


async def test_another_level_is_told_of_and_the_first_one_is_not(service: RunningCustomer) -> None:
    customer = (await service.register(customer_manager="lu"))["id"]
    await service.run_consumers()
    assert await service.outbox(CHANGED) == []
    more = {"issued_on": "2024-05-01", "valid_until": "2028-12-31", "registered_capital": "50000.00"}
    async with service.database.transaction() as tx:
        await tx.execute("UPDATE quality SET level = 'good'")
        await tx.execute("UPDATE quality_sum SET level = 'good'")
    await service.patch(customer, 1, **more)
    await service.run_consumers()
    [(envelope, event)] = await service.outbox(CHANGED)
    assert (envelope.source, envelope.subject, envelope.actor) == (
        "/customer/quality", f"customer/{customer}", "system/customer",
    )  # fmt: skip
    assert (event.unit, event.manager, event.before, event.quality, event.customer_version) == (
        UNIT,
        "lu",
        "good",
        "poor",
        2,
    )
    await service.run_consumers()
    assert len(await service.outbox(CHANGED)) == 1


async def test_a_policy_that_comes_into_force_judges_all_files_in_steps(
    service: RunningCustomer, served: Served
) -> None:
    for _ in range(5):
        await service.register()
    assert await run(service, "quality_due", NOW, limit=2) == [2, 2, 1, 0], "also those whose events are long gone"
    assert await run(service, "quality_due", NOW) == [0]
    assert await in_step(service) == 5
    file = "retail-customer/quality/retail.yaml"
    async with served((file, "    email: 0\n", ""), (file, "whole: 10", "whole: 11"), begins="2027-01-01") as changed:
        assert await run(changed, "quality_due", NOW) == [0], "not in force yet"
        async with changed.database.transaction() as tx:
            due = next(job.due for job in changed.parts.jobs if job.name == "quality_due")
            assert await due(tx, JANUARY, limit=2) == 2  # type: ignore[call-arg]
        assert await run(changed, "quality_due", JANUARY, limit=2) == [2, 1, 0], "it goes on where it stopped"
        async with changed.database.reading() as tx:
            rows = await tx.fetch("SELECT failing, policy FROM quality")
        assert {row["policy"]["version"] for row in rows} == {"2027-01-01"}
        assert all(f"{Reason.MISSING}:email" in row["failing"] for row in rows)
        assert await in_step(changed) == 5


async def test_a_value_that_the_dictionary_allows_no_more_lowers_accuracy(
    service: RunningCustomer, served: Served
) -> None:
    customer = (await service.register(business_area=900))["id"]
    await service.run_consumers()
    assert "900" not in str(await row_of(service, customer))
    async with service.database.transaction() as tx:
        await tx.execute(
            """UPDATE customer SET values = values || '{"business_area": -5}' WHERE id = $1""", UUID(customer)
        )
    await service.patch(customer, 1, shop_name="示例超市")
    await service.run_consumers()
    assert ("invalid", "business_area") in fails(await quality(service, customer))
    assert [event.version for _, event in await service.outbox(CustomerChanged.type)] == [2]
