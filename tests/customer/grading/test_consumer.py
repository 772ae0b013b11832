"""Re-checks through the bus: what triggers them, what does not, and that they happen once."""

import pytest

from services.customer.consumers import GRADING
from shared.events import CustomerChanged, GradeChanged
from tests.factories.customer import RunningCustomer

GRADED = GradeChanged.type


@pytest.mark.req("R0.3")
async def test_a_registered_customer_gets_its_first_grade(service: RunningCustomer) -> None:
    customer = await service.register(credit_level="A", business_area=90)
    missing = await service.get(f"/v1/customers/{customer['id']}/grade")
    assert (missing.status_code, missing.json()["code"]) == (404, "not_graded_yet")
    await service.run_consumers()
    answer = await service.get(f"/v1/customers/{customer['id']}/grade")
    assert answer.status_code == 200, answer.text
    grade = answer.json()
    assert grade["grade"] and grade["customer_version"] == 1 and grade["serial"] == 1
    assert {each["id"] for each in grade["indicators"]} >= {"compliance", "credit_level"}
    assert grade["policy"].keys() == {"id", "version", "hash"}
    [(envelope, event)] = await service.outbox(GRADED)
    assert (event.before, event.grade, envelope.sequence) == (None, grade["grade"], 1)
    assert (await service.file(customer["id"]))["grade"] == grade["grade"]


@pytest.mark.req("R0.3")
async def test_a_change_that_counts_is_checked_and_one_that_does_not_is_left_alone(service: RunningCustomer) -> None:
    customer = await service.register(credit_level="D", business_area=5, settlement_method="credit")
    await service.run_consumers()
    before = (await service.get(f"/v1/customers/{customer['id']}/grade")).json()
    await service.patch(customer["id"], 1, shop_name="改名便利店")
    await service.run_consumers()
    after = (await service.get(f"/v1/customers/{customer['id']}/grade")).json()
    assert after == before, "the name counts for nothing, so nothing is even checked"
    await service.patch(customer["id"], 2, credit_level="A", business_area=90, settlement_method="electronic")
    await service.run_consumers()
    better = (await service.get(f"/v1/customers/{customer['id']}/grade")).json()
    assert better["customer_version"] == 3
    assert float(better["score"]) > float(before["score"])


@pytest.mark.req("R0.3")
async def test_nothing_is_published_when_the_grade_stays(service: RunningCustomer) -> None:
    customer = await service.register(business_area=30)
    await service.run_consumers()
    await service.patch(customer["id"], 1, business_area=31)
    await service.run_consumers()
    grade = (await service.get(f"/v1/customers/{customer['id']}/grade")).json()
    assert grade["customer_version"] == 2, "the latest check is on the latest version"
    assert len(await service.outbox(GRADED)) == 1
    assert len((await service.get(f"/v1/customers/{customer['id']}/grades")).json()["items"]) == 1


@pytest.mark.req("R0.2")
async def test_events_that_come_again_change_nothing(service: RunningCustomer) -> None:
    await service.register(credit_level="A")
    batch = await service.deliveries()
    [consumer] = [each for each in service.parts.consumers if each.group == GRADING]
    for again in (batch, [*batch, *batch]):
        async with service.database.transaction() as tx:
            await consumer.handle(tx, again)
    assert len(await service.outbox(GRADED)) == 1


async def test_many_changes_of_one_customer_are_one_check(service: RunningCustomer) -> None:
    customer = await service.register(credit_level="A")
    for version, level in enumerate(("B", "C", "D"), start=1):
        await service.patch(customer["id"], version, credit_level=level)
    await service.run_consumers()
    assert len(await service.outbox(CustomerChanged.type)) == 3
    [(_, event)] = await service.outbox(GRADED)
    assert event.customer_version == 4
