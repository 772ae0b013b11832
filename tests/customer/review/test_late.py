"""How late a change is, from when it was learnt of: recorded and shown, told if beyond the term, never refused."""

from typing import Any

import httpx
import pytest

from shared.events import CustomerChangedLate
from tests.customer.review.conftest import TODAY, Register
from tests.factories.customer import RunningCustomer

LATE = CustomerChangedLate.type
pytestmark = pytest.mark.req("R1.2")


async def change(service: RunningCustomer, customer: str, version: int, learnt: Any, **items: Any) -> httpx.Response:
    headers = {**service.as_("department_manager"), "If-Match": f'"{version}"'}
    body = {"values": items, "learnt_at": learnt}
    return await service.http.patch(f"/v1/customers/{customer}", json=body, headers=headers)


async def test_lateness_in_working_days_stands_beside_the_value(service: RunningCustomer, register: Register) -> None:
    found = await register()
    answer = await change(
        service, found["id"], 1, "2026-11-20T09:00:00+08:00", customer_status="suspended", shop_name="新名店"
    )
    assert answer.status_code == 200, answer.text
    learnt = answer.json()["values"]["customer_status"]["learnt"]
    assert (learnt["working_days"], learnt["late"]) == (2, True), "a Friday, a Tuesday, a weekend between"
    shown = (await service.file(found["id"]))["values"]
    assert shown["customer_status"]["learnt"] == learnt
    assert "learnt" not in shown["shop_name"], "nothing says how soon a static item is changed"
    [(envelope, event)] = await service.outbox(LATE)
    assert (event.version, envelope.sequence, event.items.keys()) == (2, 2, {"customer_status"})
    assert (event.items["customer_status"].working_days, event.items["customer_status"].within) == (2, 1)


async def test_each_item_may_have_a_moment_of_its_own(service: RunningCustomer, register: Register) -> None:
    found = await register()
    learnt = {"contact_phone": "2026-11-23T18:00:00+08:00", "bank_account": "2026-09-30T09:00:00+08:00"}
    answer = await change(
        service, found["id"], 1, learnt, contact_phone="13900000007", bank_account="6200111122223333444",
        settlement_method="cash",
    )  # fmt: skip
    values = answer.json()["values"]
    assert (values["contact_phone"]["learnt"]["working_days"], values["contact_phone"]["learnt"]["late"]) == (1, False)
    assert values["bank_account"]["learnt"]["working_days"] == 35, "the holiday of October is none of them"
    assert "learnt" not in values["settlement_method"]
    [(_, event)] = await service.outbox(LATE)
    assert event.items.keys() == {"bank_account"}


async def test_in_time_and_unsaid_are_no_events(service: RunningCustomer, register: Register) -> None:
    found = await register()
    await change(service, found["id"], 1, TODAY, customer_status="suspended")
    await service.patch(found["id"], 2, customer_status="active")
    assert await service.outbox(LATE) == []
    assert "learnt" not in (await service.file(found["id"]))["values"]["customer_status"], "a later change has its own"


async def test_a_verified_value_keeps_how_late_it_was(service: RunningCustomer, register: Register) -> None:
    found = await register()
    await change(service, found["id"], 1, "2026-11-20T09:00:00+08:00", customer_status="suspended")
    headers = {**service.as_("customer_manager"), "If-Match": '"2"'}
    body = {"items": ["customer_status"], "channel": "phone", "answer": "仍为暂停"}
    assert (await service.http.post(f"/v1/customers/{found['id']}/verification", json=body, headers=headers)).is_success
    assert (await service.file(found["id"]))["values"]["customer_status"]["learnt"]["late"]


@pytest.mark.parametrize(
    ("learnt", "pointer", "code"),
    [
        ("2026-11-24T10:00:01+08:00", "/learnt_at", "in_the_future"),
        ("2026-05-12T09:59:59+08:00", "/learnt_at", "before_registration"),
        ({"customer_status": "2027-01-01T00:00:00Z"}, "/learnt_at/customer_status", "in_the_future"),
        ({"shop_name": "2026-11-20T00:00:00Z"}, "/learnt_at/shop_name", "not_set"),
        ("2026-11-20T09:00:00", None, None),
        ("yesterday", None, None),
    ],
)
async def test_a_moment_that_cannot_be_is_refused(
    service: RunningCustomer, register: Register, learnt: Any, pointer: str | None, code: str | None
) -> None:
    found = await register()
    refused = await change(service, found["id"], 1, learnt, customer_status="suspended")
    assert refused.status_code == 422
    if code is not None:
        [fault] = refused.json()["errors"]
        assert (fault["pointer"], fault["code"]) == (pointer, code)
    assert (await service.file(found["id"]))["version"] == 1
