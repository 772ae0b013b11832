"""What waits for whom in a hand-over, in the list of tasks."""

import pytest

from tests.factories.customer import RunningCustomer
from tests.factories.handovers import LEAVER, SUCCESSOR, customers_of, propose, step


async def tasks(service: RunningCustomer, role: str, name: str) -> list[str]:
    answer = await service.http.get("/v1/tasks", headers=service.as_(role, name=name))
    return [each["type"] for each in answer.json()["items"] if each["type"].startswith("handover.")]


@pytest.mark.req("R5.7")
async def test_each_step_waits_for_whoever_may_take_it(service: RunningCustomer) -> None:
    await customers_of(service, 1)
    handover = (await propose(service, "customer_manager", LEAVER)).json()["id"]
    dept, successor = ("department_manager", "dept"), ("customer_manager", SUCCESSOR)
    assert await tasks(service, *dept) == ["handover.approve"]
    assert await tasks(service, "department_manager", LEAVER) == [], "nobody approves their own"
    assert await tasks(service, *successor) == []
    await step(service, handover, "approval", *dept)
    assert [await tasks(service, *dept), await tasks(service, *successor)] == [[], ["handover.accept"]]
    await step(service, handover, "acceptance")
    assert await tasks(service, *successor) == ["handover.tell"]
    await step(service, handover, "notices", channel="phone")
    assert await tasks(service, *successor) == []
