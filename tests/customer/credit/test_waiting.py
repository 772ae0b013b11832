"""What waits for whom: a form for an approver, an overdue customer for the report, a report for a decision."""

from typing import Any

import pytest

from tests.customer.credit.conftest import Desk
from tests.factories.customer import OTHER_UNIT

pytestmark = pytest.mark.req("R7.5")


async def tasks(desk: Desk, role: str, **claims: Any) -> list[tuple[str, str]]:
    headers = desk.service.as_(role, **claims)
    answer = await desk.service.http.get("/v1/tasks", headers=headers)
    assert answer.status_code == 200, answer.text
    found = [(each["type"], each["record"]) for each in answer.json()["items"]]
    return [each for each in found if each[0].startswith("credit.")]


async def test_a_form_waits_for_whoever_may_agree_and_did_not_propose_it(desk: Desk) -> None:
    form = (await desk.propose("department_manager")).json()["id"]
    assert await tasks(desk, "department_manager") == []
    assert await tasks(desk, "department_manager", unit=OTHER_UNIT, name="another") == []
    assert await tasks(desk, "customer_manager") == []
    assert await tasks(desk, "department_manager", name="another") == [("credit.decide", form)]
    await desk.decide(form, name="another")
    assert await tasks(desk, "department_manager", name="another") == []


async def test_what_is_overdue_waits_for_the_report_and_then_for_a_decision(desk: Desk) -> None:
    await desk.grant()
    await desk.owe()
    hold = (await desk.supply())["hold"]
    assert await tasks(desk, "customer_manager", name="manager1") == [("credit.report", hold)]
    assert await tasks(desk, "customer_manager", name="manager2") == []
    assert await tasks(desk, "department_manager") == []
    await desk.post("/supply/report", {"cause": "a", "plan": "b"}, "customer_manager", name="manager1")
    assert await tasks(desk, "customer_manager", name="manager1") == []
    assert await tasks(desk, "department_manager") == [("credit.lift", hold)]
    await desk.pay()
    assert await tasks(desk, "department_manager") == []
