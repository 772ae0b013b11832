"""Reading one customer: clearance, the record of classified reads, revalidation."""

import pytest

from shared.events import ClassifiedRead
from tests.factories.customer import RunningCustomer, Served

READ = ClassifiedRead.type


@pytest.mark.req("R2.2")
async def test_items_above_ones_clearance_are_named_and_withheld(service: RunningCustomer) -> None:
    customer = await service.register(watchlisted=True)
    whole = await service.file(customer["id"], "department_manager")
    assert whole["values"]["watchlisted"]["value"] is True
    assert whole["withheld"] == []
    part = await service.file(customer["id"], "customer_manager")
    assert "watchlisted" not in part["values"]
    assert part["withheld"] == ["watchlisted"]


@pytest.mark.req("R2.2")
async def test_a_read_of_classified_items_is_recorded_before_the_answer_leaves(service: RunningCustomer) -> None:
    customer = await service.register()
    assert await service.outbox(READ) == []
    await service.file(customer["id"], "customer_manager")
    [(envelope, event)] = await service.outbox(READ)
    assert envelope.subject == f"customer/{customer['id']}"
    assert envelope.actor == "staff/customer_manager"
    assert {"contact_person", "contact_phone"} <= set(event.items)
    assert "shop_name" not in event.items
    assert event.level == "confidential"
    assert "13900000000" not in event.model_dump_json()


@pytest.mark.req("R2.2")
async def test_a_classified_read_that_cannot_be_recorded_does_not_happen(service: RunningCustomer) -> None:
    customer = await service.register()
    async with service.database.transaction() as tx:
        await tx.execute("ALTER TABLE outbox ADD CONSTRAINT full_up CHECK (false) NOT VALID")
    answer = await service.get(f"/v1/customers/{customer['id']}")
    assert answer.status_code == 500
    assert "13900000000" not in answer.text


async def test_a_customer_that_did_not_change_need_not_be_sent_again(service: RunningCustomer) -> None:
    customer = await service.register()
    path = f"/v1/customers/{customer['id']}"
    headers = {**service.as_("department_manager"), "If-None-Match": '"1"'}
    same = await service.http.get(path, headers=headers)
    assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", '"1"')
    await service.patch(customer["id"], 1, main_goods="文具")
    changed = await service.http.get(path, headers=headers)
    assert (changed.status_code, changed.headers["etag"]) == (200, '"2"')


async def test_grades_are_for_those_who_may_read_grades(service: RunningCustomer) -> None:
    customer = await service.register(credit_level="A")
    await service.run_consumers()
    assert (await service.file(customer["id"], "department_manager"))["grade"] is not None
    assert (await service.file(customer["id"], "auditor"))["grade"] is None
    listed = (await service.get("/v1/customers", "auditor")).json()["items"]
    assert [row["grade"] for row in listed] == [None]
    refused = await service.get("/v1/customers", "auditor", grade="A")
    assert (refused.status_code, refused.json()["code"]) == (403, "filter_not_cleared")
    assert (await service.get(f"/v1/customers/{customer['id']}/grade", "auditor")).status_code == 403


async def test_ids_that_are_none_are_refused(service: RunningCustomer) -> None:
    answer = await service.get("/v1/customers/not-an-id")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "path:customer_id"


@pytest.mark.req("R2.2")
async def test_from_which_level_reads_are_recorded_is_declared(served: Served) -> None:
    level = ("company/resource/customer.yaml", "recorded_from: confidential", "recorded_from: secret")
    async with served(level) as service:
        customer = await service.register(watchlisted=True)
        await service.file(customer["id"], "customer_manager")
        assert await service.outbox(READ) == []
        await service.file(customer["id"], "department_manager")
        [(_, event)] = await service.outbox(READ)
        assert (event.items, event.level) == (("watchlisted",), "secret")
    async with served((level[0], f"{level[1]}\n", "")) as service:
        await service.file(customer["id"], "department_manager")
        assert len(await service.outbox(READ)) == 1
