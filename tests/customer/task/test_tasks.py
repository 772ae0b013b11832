"""One list of what waits for a person: from every feature, as far as they may do it, gone once it is done."""

from typing import Any

import pytest

from tests.customer.override.test_override import graded, propose, step
from tests.customer.review.conftest import Register, clock, register
from tests.factories.customer import OTHER_UNIT, UNIT, RunningCustomer
from tests.factories.registration import approve, give_back, submitted

__all__ = ["clock", "register"]
pytestmark = pytest.mark.req("R7.3")


async def tasks(service: RunningCustomer, role: str = "department_manager", unit: str = UNIT, **query: Any) -> Any:
    answer = await service.http.get("/v1/tasks", params=query, headers=service.as_(role, unit))
    assert answer.status_code == 200, answer.text
    return answer.json()


def kinds(found: Any) -> list[str]:
    return [each["type"] for each in found["items"]]


async def test_a_form_waits_for_the_approver_and_once_returned_for_its_proposer(service: RunningCustomer) -> None:
    form = await submitted(service)
    [task] = (await tasks(service))["items"]
    assert (task["type"], task["record"], task["address"]) == (
        "registration.decide", form["id"], f"/v1/registrations/{form['id']}",
    )  # fmt: skip
    assert (task["customer_id"], task["overdue"]) == (None, False)
    assert kinds(await tasks(service, "customer_manager")) == []
    assert kinds(await tasks(service, unit=OTHER_UNIT)) == []
    await give_back(service, form)
    assert kinds(await tasks(service)) == []
    assert kinds(await tasks(service, "customer_manager")) == ["registration.mend"]


async def test_a_form_that_became_a_customer_waits_for_nobody(service: RunningCustomer) -> None:
    assert (await approve(service, await submitted(service))).status_code == 200
    assert kinds(await tasks(service)) == [] == kinds(await tasks(service, "customer_manager"))


async def test_a_proposal_waits_for_whoever_may_agree_and_not_for_its_proposer(service: RunningCustomer) -> None:
    path = await graded(service)
    mine = (await propose(service, path, "department_manager")).json()
    assert "override.decide" not in kinds(await tasks(service)), "four eyes"
    await step(service, path, mine["id"], "refusal", "general_manager", unit="")
    theirs = (await propose(service, path)).json()
    [task] = (await tasks(service, type="override.decide"))["items"]
    assert (task["record"], task["due"], task["customer_id"]) == (
        theirs["id"], theirs["decide_until"], path.split("/")[3],
    )  # fmt: skip
    assert task["name"] == "示例便利店"
    assert (await tasks(service, unit=OTHER_UNIT, type="override.decide"))["items"] == []
    await step(service, path, theirs["id"], "approval")
    assert (await tasks(service, type="override.decide"))["items"] == []


async def test_reviews_wait_for_the_manager_of_the_file_first_what_is_overdue(
    service: RunningCustomer, register: Register
) -> None:
    mine = await register(promotion="member", customer_manager="customer_manager")
    await register(promotion="member", customer_manager="lu")
    found = await tasks(service, "customer_manager")
    assert kinds(found) == ["review.overdue", "review.overdue", "review.due"]
    assert {each["customer_id"] for each in found["items"]} == {mine["id"]}
    assert [each["overdue"] for each in found["items"]] == [True, True, False]
    assert found["items"][0]["due"] == "2026-09-30T16:00:00Z", "until its last day in China is over"
    assert (found["counts"]["review.overdue"], found["counts"]["review.due"]) == (2, 1)
    assert (await tasks(service, "customer_manager", type="review.due"))["counts"] == {"review.due": 1}
    assert [each["due"] for each in (await tasks(service, "customer_manager", limit=1))["items"]] == [
        found["items"][0]["due"]
    ]
    said = {"items": "all", "channel": "visit", "on": "2026-11-24", "answer": "属实", "answered_by": "张示例"}
    headers = service.as_("customer_manager") | {"If-Match": '"1"'}
    done = await service.http.post(f"/v1/customers/{mine['id']}/verification", json=said, headers=headers)
    assert done.status_code == 200, done.text
    assert kinds(await tasks(service, "customer_manager")) == []


async def test_two_files_that_may_be_of_one_customer_wait_for_whoever_may_judge(service: RunningCustomer) -> None:
    same = {"shop_name": "重复示例店", "contact_phone": "13900001111", "address": "示例路 8 号"}
    first, second = [await service.register(**same) for _ in range(2)]
    await service.run_consumers()
    [task] = (await tasks(service, type="duplicate.judge"))["items"]
    assert task["customer_id"] in {first["id"], second["id"]}
    assert (task["due"], task["address"]) == (None, "/v1/duplicates")
    assert kinds(await tasks(service, "customer_manager")) == [], "who may only read them has nothing to judge"
    pair = task["record"]
    done = await service.http.post(
        f"/v1/duplicates/{pair}/dismissal", json={"reason": "两家店"}, headers=service.as_("department_manager")
    )
    assert done.status_code == 204, done.text
    assert (await tasks(service, type="duplicate.judge"))["items"] == []


async def test_tasks_that_nobody_knows_are_refused_with_those_that_there_are(service: RunningCustomer) -> None:
    answer = await service.get("/v1/tasks", type="tea.drink")
    assert (answer.status_code, answer.json()["code"]) == (422, "unknown_task")
    assert "review.due" in answer.json()["errors"][0]["expected"]


async def test_who_has_no_work_with_customers_has_no_list(service: RunningCustomer) -> None:
    assert (await service.get("/v1/tasks", "report_entry")).status_code == 403
