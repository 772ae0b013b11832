"""One answer for many files: each for itself, refusals named, nothing twice."""

from typing import Any

import httpx
import pytest

from shared.events import CustomerVerified
from tests.customer.review.conftest import Register
from tests.factories.customer import OTHER_UNIT, RunningCustomer, at_once

VERIFIED = CustomerVerified.type
NOBODY = "019aaaaa-0000-7000-8000-000000000000"
pytestmark = pytest.mark.req("R7.3")


async def verify(service: RunningCustomer, customers: Any, key: str = "", **more: Any) -> httpx.Response:
    body = {"customers": customers, "channel": "visit", "answer": "逐户走访核实", **more}
    headers = {**service.as_("customer_manager"), **({"Idempotency-Key": key} if key else {})}
    return await service.http.post("/v1/verifications", json=body, headers=headers)


async def elsewhere(service: RunningCustomer) -> str:
    """A customer of another unit."""
    body = {"kind": "retail", "values": {**_OTHER}}
    answer = await service.http.post("/v1/customers", json=body, headers=service.as_("department_manager", OTHER_UNIT))
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


_OTHER = {
    "customer_code": "T-OTHER", "shop_name": "他区店", "address": "示例路 9 号", "contact_person": "王示例",
    "contact_phone": "13900000009",
}  # fmt: skip


async def test_each_file_is_verified_or_refused_by_itself(service: RunningCustomer, register: Register) -> None:
    one, changed, done = [(await register(business_area=40))["id"] for _ in range(3)]
    foreign = await elsewhere(service)
    await service.patch(changed, 1, business_area=50)
    await verify(service, [{"id": done}])
    customers = [{"id": each} for each in (one, foreign, NOBODY, done)] + [{"id": changed, "version": 1}]
    answer = (await verify(service, customers, items="all")).json()
    assert {each["customer"] for each in answer["verified"]} == {one, done}
    assert {each["customer"]: (each["status"], each["code"]) for each in answer["refused"]} == {
        foreign: (404, "not_found"), NOBODY: (404, "not_found"), changed: (412, "changed_meanwhile"),
    }  # fmt: skip
    recorded = [event.record for _, event in await service.outbox("access.refused")]  # type: ignore[attr-defined]
    assert sorted(recorded) == sorted([foreign, NOBODY])
    again = (await verify(service, [{"id": one}])).json()
    assert (again["verified"], again["unchanged"]) == ([], [one])
    events = await service.outbox(VERIFIED)
    assert sorted(event.customer_id for _, event in events) == sorted([done, one, done])
    assert {event.channel for _, event in events} == {"visit"}


async def test_a_manager_confirms_their_due_list_at_once(service: RunningCustomer, register: Register) -> None:
    mine = [(await register(customer_manager="lu"))["id"] for _ in range(3)]
    await register(customer_manager="fang")
    answer = (await verify(service, {"manager": "lu"})).json()
    assert ({each["customer"] for each in answer["verified"]}, answer["more"]) == (set(mine), False)
    rest = (await service.get("/v1/reviews", "customer_manager", state="overdue")).json()["items"]
    assert {task["manager"] for task in rest} == {"fang"}
    assert (await verify(service, {"manager": "lu", "cadence": "nope"})).json()["code"] == "unknown_cadence"


async def test_the_same_request_again_is_answered_and_not_done_again(
    service: RunningCustomer, register: Register
) -> None:
    one = (await register())["id"]
    first = await verify(service, [{"id": one}], "key-1")
    again = await verify(service, [{"id": one}], "key-1")
    assert (first.json(), again.headers["idempotency-replayed"]) == (again.json(), "true")
    assert len(await service.outbox(VERIFIED)) == 1


async def test_two_at_once_make_one_event_of_each_file(service: RunningCustomer, register: Register) -> None:
    customers = [{"id": (await register(customer_manager="lu"))["id"]} for _ in range(4)]
    asked: list[Any] = [customers, list(reversed(customers)), {"manager": "lu"}]
    answers = await at_once(*(lambda each=each: verify(service, each) for each in asked))  # type: ignore[misc]
    assert [answer.status_code for answer in answers] == [200] * 3
    events = await service.outbox(VERIFIED)
    assert sorted(event.customer_id for _, event in events) == sorted(each["id"] for each in customers)
    assert sum(len(answer.json()["verified"]) for answer in answers) == 4


async def test_a_bad_answer_verifies_nobody(service: RunningCustomer, register: Register) -> None:
    one = (await register())["id"]
    refused = await verify(service, [{"id": one}], channel="rumour")
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/channel")
    old = (await verify(service, [{"id": one}], on="2026-05-01")).json()
    assert [each["code"] for each in old["refused"]] == ["bad_verification"]
    assert (await verify(service, [])).status_code == 422
    assert await service.outbox(VERIFIED) == []
