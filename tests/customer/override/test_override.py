"""Grades that people set: four eyes, a day on which they end, and the reckoned grade beside them all the while."""

from datetime import date, timedelta
from typing import Any

import httpx
import pytest

from services.customer.override.expiry import Expiry
from services.customer.override.rules import faults
from shared.clock import day_of, now
from shared.events import GradeChanged, GradeOverrideExpired, GradeOverrideProposed
from tests.factories.customer import OTHER_UNIT, UNIT, RunningCustomer, at_once

LATER = (day_of(now()) + timedelta(30)).isoformat()
pytestmark = pytest.mark.req("R1.5")


async def graded(service: RunningCustomer) -> str:
    """A customer whose reckoned grade is E."""
    found = await service.register()
    await service.run_consumers()
    return f"/v1/customers/{found['id']}/grade"


async def propose(service: RunningCustomer, path: str, role: str = "customer_manager", **given: Any) -> httpx.Response:
    headers = service.as_(role, given.pop("unit", UNIT))
    body = {"grade": "A", "expires_on": LATER, "reason": "重点客户，进货记录补登中", **given}
    return await service.http.post(f"{path}/overrides", json=body, headers=headers)


async def step(
    service: RunningCustomer, path: str, override: str, what: str, role: str = "department_manager", **claims: Any
) -> httpx.Response:
    body = {} if what == "approval" else {"json": {"reason": "理由"}}
    headers = service.as_(role, **claims)
    return await service.http.post(f"{path}/overrides/{override}/{what}", headers=headers, **body)


async def in_force(service: RunningCustomer, path: str, **given: Any) -> str:
    override = (await propose(service, path, **given)).json()["id"]
    answer = await step(service, path, override, "approval")
    assert (answer.status_code, answer.json()["state"]) == (200, "in_force"), answer.text
    return str(override)


async def grade(service: RunningCustomer, path: str) -> dict[str, Any]:
    found: dict[str, Any] = (await service.get(path)).json()
    return found


async def test_an_approved_override_holds_and_the_reckoned_grade_is_shown_beside_it(service: RunningCustomer) -> None:
    path = await graded(service)
    proposed = await propose(service, path)
    assert (proposed.status_code, proposed.json()["state"]) == (201, "proposed")
    assert (await grade(service, path))["grade"] == "E", "not before somebody else agreed"
    await step(service, path, proposed.json()["id"], "approval")
    found = await grade(service, path)
    assert (found["grade"], found["settled"], found["override"]["id"]) == ("A", "E", proposed.json()["id"])
    assert found["override"]["text"] == {
        "zh": "由人工定为 A；计算等级为 E", "en": "Set to A by people; reckoned it is E"
    }  # fmt: skip
    assert found["override"]["text"]["en"] in (await service.get(path, lang="en")).json()["sentences"]
    listed = (await service.http.get("/v1/customers", headers=service.as_("department_manager"))).json()["items"]
    assert [each["grade"] for each in listed] == ["A"]
    (_, first), (_, second) = await service.outbox(GradeChanged.type)
    assert (first.override, second.override, second.before, second.grade) == (None, proposed.json()["id"], "E", "A")


async def test_checks_go_on_under_an_override(service: RunningCustomer) -> None:
    path = await graded(service)
    await in_force(service, path)
    customer = path.split("/")[3]
    await service.patch(customer, 1, credit_level="A", business_area=90, settlement_method="electronic")
    await service.run_consumers()
    found = await grade(service, path)
    assert (found["grade"], found["settled"], found["customer_version"]) == ("A", "D", 2)
    assert len(await service.outbox(GradeChanged.type)) == 2, "the grade in force did not change"
    again = await service.http.post(f"/v1/customers/{customer}/grades/2/reproduce", headers=service.as_("auditor"))
    assert again.json()["reproduced"] is True


async def test_the_reason_is_sealed_wherever_it_rests(service: RunningCustomer) -> None:
    path = await graded(service)
    await propose(service, path, reason="只有我们知道")
    [(_, event)] = await service.outbox(GradeOverrideProposed.type)
    assert "只有我们知道" not in event.model_dump_json()
    async with service.database.reading() as tx:
        row = await tx.fetchrow("SELECT reason FROM grade_override")
    assert "只有我们知道".encode() not in row["reason"]
    [shown] = (await service.get(f"{path}/overrides")).json()["items"]
    assert shown["reason"] == "只有我们知道"


async def test_whoever_proposed_it_does_not_approve_it(service: RunningCustomer) -> None:
    path = await graded(service)
    override = (await propose(service, path, "department_manager")).json()["id"]
    refused = await step(service, path, override, "approval")
    assert (refused.status_code, refused.json()["code"]) == (403, "same_person")
    assert (await step(service, path, override, "approval", name="another")).status_code == 200


@pytest.mark.parametrize(
    ("given", "pointers"),
    [
        ({"grade": "Z"}, ["/grade"]),
        ({"expires_on": "2036-01-01"}, ["/expires_on"]),
        ({"expires_on": "2020-01-01", "grade": "Z"}, ["/grade", "/expires_on"]),
        ({"reason": "  "}, ["/reason"]),
    ],
)
async def test_what_cannot_be_proposed(service: RunningCustomer, given: dict[str, Any], pointers: list[str]) -> None:
    path = await graded(service)
    refused = await propose(service, path, **given)
    assert (refused.status_code, [each["pointer"] for each in refused.json()["errors"]]) == (422, pointers)


async def test_one_override_at_a_time(service: RunningCustomer) -> None:
    path = await graded(service)
    answers = await at_once(*[lambda: propose(service, path)] * 2)
    assert sorted(each.status_code for each in answers) == [201, 409]
    assert {each.json().get("code") for each in answers} == {None, "override_open"}
    [first] = [each.json()["id"] for each in answers if each.status_code == 201]
    await step(service, path, first, "approval")
    assert (await propose(service, path)).json()["code"] == "override_open"
    await step(service, path, first, "lifting")
    assert (await propose(service, path)).status_code == 201


async def test_of_two_who_decide_at_once_one_comes_too_late(service: RunningCustomer) -> None:
    path = await graded(service)
    override = (await propose(service, path)).json()["id"]
    answers = await at_once(
        lambda: step(service, path, override, "approval", name="one"),
        lambda: step(service, path, override, "approval", name="two"),
        lambda: step(service, path, override, "refusal", name="three"),
    )
    assert sorted(each.status_code for each in answers) == [200, 409, 409]
    late = {each.json()["code"] for each in answers if each.status_code == 409}
    assert late == {"override_closed"}
    assert len(await service.outbox("grade.override_approved", "grade.override_refused")) == 1


async def test_a_refused_one_changes_nothing_and_says_why(service: RunningCustomer) -> None:
    path = await graded(service)
    override = (await propose(service, path)).json()["id"]
    assert (await step(service, path, override, "refusal")).json()["state"] == "refused"
    assert (await grade(service, path))["grade"] == "E"
    [shown] = (await service.get(f"{path}/overrides")).json()["items"]
    assert (shown["end_reason"], shown["ended_by"]) == ("理由", "staff/department_manager")


async def test_lifting_brings_the_reckoned_grade_back(service: RunningCustomer) -> None:
    path = await graded(service)
    override = await in_force(service, path)
    assert (await step(service, path, override, "lifting")).json()["state"] == "lifted"
    found = await grade(service, path)
    assert (found["grade"], found["override"]) == ("E", None)
    assert [event.grade for _, event in await service.outbox(GradeChanged.type)] == ["E", "A", "E"]
    assert (await step(service, path, override, "lifting")).json()["code"] == "override_closed"


def expiry_of(service: RunningCustomer) -> Expiry:
    [job] = [job for job in service.parts.jobs if job.name == "overrides_due"]
    return job.due.__self__


async def test_its_last_day_ends_it_and_the_change_of_grade_is_published(service: RunningCustomer) -> None:
    path = await graded(service)
    await in_force(service, path)
    over = now() + timedelta(31)
    async with service.database.transaction() as tx:
        assert await expiry_of(service).expire_due(tx, now()) == 0
        assert await expiry_of(service).expire_due(tx, over) == 1
        assert await expiry_of(service).expire_due(tx, over) == 0
    assert (await grade(service, path))["grade"] == "E"
    assert [event.grade for _, event in await service.outbox(GradeChanged.type)] == ["E", "A", "E"]
    [(envelope, _)] = await service.outbox(GradeOverrideExpired.type)
    assert envelope.actor == "system/customer"


async def test_a_proposal_that_nobody_decides_expires_and_is_in_nobodys_way(service: RunningCustomer) -> None:
    path = await graded(service)
    override = (await propose(service, path)).json()["id"]
    async with service.database.transaction() as tx:
        await tx.execute("UPDATE grade_override SET decide_until = now() - interval '1 second'")
    late = await step(service, path, override, "approval")
    assert (late.status_code, late.json()["state"]) == (409, "expired")
    assert (await propose(service, path)).status_code == 201
    assert [each["state"] for each in (await service.get(f"{path}/overrides")).json()["items"]] == [
        "proposed", "expired"
    ]  # fmt: skip


async def test_a_check_at_the_very_end_needs_no_job(service: RunningCustomer) -> None:
    path = await graded(service)
    await in_force(service, path)
    async with service.database.transaction() as tx:
        await tx.execute("UPDATE grade SET override_until = now()")
    await service.http.post(f"{path}/recheck", headers=service.as_("department_manager"))
    assert (await grade(service, path))["grade"] == "E"


async def test_who_may_not_and_what_is_out_of_reach(service: RunningCustomer) -> None:
    path = await graded(service)
    assert (await propose(service, path, "auditor")).status_code == 403
    assert (await propose(service, path, unit=OTHER_UNIT)).status_code == 404
    override = (await propose(service, path)).json()["id"]
    assert (await step(service, path, override, "approval", "customer_manager")).status_code == 403
    assert (await step(service, path, override, "approval", unit=OTHER_UNIT)).status_code == 404
    elsewhere = await graded(service)
    assert (await step(service, elsewhere, override, "approval")).status_code == 404
    assert (await service.http.get(f"{path}/overrides", headers=service.as_("customer_manager", OTHER_UNIT))).is_error


async def test_an_erased_customer_gets_none(service: RunningCustomer) -> None:
    path = await graded(service)
    await service.http.request(
        "DELETE", f"{path[:-6]}/key", json={"reason": "asked"}, headers=service.as_("security_officer")
    )
    assert (await propose(service, path)).json()["code"] == "customer_erased"


async def test_a_grade_that_a_later_policy_does_not_have_gives_way(service: RunningCustomer) -> None:
    path = await graded(service)
    await in_force(service, path)
    async with service.database.transaction() as tx:
        await tx.execute("UPDATE grade SET override_grade = 'AAA'")
    await service.http.post(f"{path}/recheck", headers=service.as_("department_manager"))
    assert (await grade(service, path))["grade"] == "E"


def test_today_and_the_longest_term_are_the_bounds() -> None:
    today = date(2026, 11, 30)
    assert list(faults("A", today, ["A"], today, timedelta(1))) == []
    assert [each.code for each in faults("A", today - timedelta(1), ["A"], today, timedelta(1))] == ["out_of_range"]
    assert [each.code for each in faults("A", today + timedelta(2), ["A"], today, timedelta(1))] == ["out_of_range"]
