"""Forms for credit: what is asked, who agrees, what the longest term is."""

from datetime import timedelta
from typing import Any

import pytest

from shared.clock import now
from shared.events import CreditApproved, CreditProposed
from tests.customer.credit.conftest import ANSWERS, TODAY, Desk, desk_of
from tests.factories.customer import OTHER_UNIT, Served, at_once, stand

pytestmark = pytest.mark.req("R7.5")


async def test_an_agreed_form_gives_credit(desk: Desk) -> None:
    proposed = await desk.propose()
    assert (proposed.status_code, proposed.json()["state"], proposed.json()["from_on"]) == (201, "proposed", None)
    assert (await desk.supply())["term_days"] is None, "not before somebody agreed"
    approved = await desk.decide(proposed.json()["id"])
    assert (approved.json()["state"], approved.json()["from_on"]) == ("in_force", TODAY.isoformat())
    assert approved.json()["answers"] == {**ANSWERS, "monthly_output": "120000.00"}
    supply = await desk.supply()
    assert (supply["state"], supply["term_days"], supply["limit_fen"]) == ("allowed", 30, 5_000_000)
    [(envelope, event)] = await desk.service.outbox(CreditApproved.type)
    assert (envelope.subject, event.proposer, event.step) == (
        f"customer/{desk.customer}",
        "customer_manager",
        "department",
    )


@pytest.mark.parametrize(
    ("given", "faults"),
    [
        ({"term_days": 32}, [("/term_days", "out_of_range")]),
        ({"term_days": 0}, [("/term_days", "out_of_range")]),
        ({"answers": {}}, [(f"/answers/{each}", "required") for each in ANSWERS if each != "monthly_output"]),
        (
            {"term_days": 32, "answers": {**ANSWERS, "means": "hearsay", "gossip": 1, "staff_count": -1}},
            [
                ("/term_days", "out_of_range"),
                ("/answers/gossip", "unknown_answer"),
                ("/answers/means", "not_in_list"),
                ("/answers/staff_count", "below_minimum"),
            ],
        ),
        ({"limit_fen": 0}, [("/limit_fen", "greater_than_equal")]),
    ],
)
async def test_what_cannot_be_put_forward_is_named_all_at_once(
    desk: Desk, given: dict[str, Any], faults: list[tuple[str, str]]
) -> None:
    refused = await desk.propose(**given)
    assert refused.status_code == 422
    assert [(each["pointer"], each["code"]) for each in refused.json()["errors"]] == faults
    assert await desk.forms() == []


async def test_a_term_of_the_longest_days_is_agreed_to(desk: Desk) -> None:
    assert (await desk.propose(term_days=31)).status_code == 201


async def test_whoever_put_it_forward_neither_agrees_nor_returns_it(desk: Desk) -> None:
    form = (await desk.propose("department_manager")).json()["id"]
    for what in ("approval", "return"):
        refused = await desk.decide(form, what)
        assert (refused.status_code, refused.json()["code"]) == (403, "same_person"), what
    assert (await desk.decide(form, name="another")).status_code == 200


async def test_of_those_who_decide_at_once_one_comes_too_late(desk: Desk) -> None:
    form = (await desk.propose()).json()["id"]
    answers = await at_once(
        lambda: desk.decide(form, name="one"),
        lambda: desk.decide(form, name="two"),
        lambda: desk.decide(form, "return", name="three"),
    )
    assert sorted(each.status_code for each in answers) == [200, 409, 409]
    assert {each.json()["code"] for each in answers if each.status_code == 409} == {"credit_form_closed"}
    assert len(await desk.service.outbox("credit.approved", "credit.returned")) == 1


async def test_one_form_waits_at_a_time(desk: Desk) -> None:
    answers = await at_once(*[desk.propose] * 2)
    assert sorted(each.status_code for each in answers) == [201, 409]
    assert {each.json().get("code") for each in answers} == {None, "credit_form_open"}


async def test_a_returned_form_says_why_and_another_may_follow(desk: Desk) -> None:
    form = (await desk.propose()).json()["id"]
    assert (await desk.decide(form, "return")).json()["state"] == "returned"
    [shown] = await desk.forms("customer_manager")
    assert [(each["type"], each["said"]) for each in shown["steps"]] == [
        ("credit.proposed", None), ("credit.returned", {"reason": "理由"})
    ]  # fmt: skip
    assert (await desk.propose()).status_code == 201


async def test_a_later_form_takes_the_place_of_the_former(desk: Desk) -> None:
    first = await desk.grant()
    second = (await desk.propose(term_days=15)).json()["id"]
    assert (await desk.supply())["term_days"] == 30
    await desk.decide(second)
    states = {each["id"]: (each["state"], each["ended_on"]) for each in await desk.forms()}
    assert states == {first: ("replaced", TODAY.isoformat()), second: ("in_force", None)}
    assert (await desk.supply())["term_days"] == 15


async def test_credit_is_ended_with_a_reason(desk: Desk) -> None:
    form = await desk.grant()
    assert (await desk.decide(form, "end")).json()["state"] == "ended"
    assert (await desk.supply())["term_days"] is None
    again = await desk.decide(form, "end")
    assert (again.status_code, again.json()["state"]) == (409, "ended")


async def test_a_form_that_nobody_decides_lapses_and_is_in_nobodys_way(desk: Desk) -> None:
    form = (await desk.propose()).json()["id"]
    late = now() + timedelta(16)
    async with desk.service.database.transaction() as tx:
        await tx.execute("UPDATE credit_form SET decide_until = now() - interval '1 second'")
    refused = await desk.decide(form)
    assert (refused.status_code, refused.json()["state"]) == (409, "lapsed")
    second = (await desk.propose()).json()["id"]
    assert await desk.run("credit_forms_due", now()) == 0, "the first was closed when the second came"
    assert await desk.run("credit_forms_due", late) == 1
    assert {each["id"]: each["state"] for each in await desk.forms()} == {form: "lapsed", second: "lapsed"}
    assert len(await desk.service.outbox("credit.lapsed")) == 2


async def test_who_may_not_and_what_is_out_of_reach(desk: Desk) -> None:
    assert (await desk.propose("auditor")).status_code == 403
    assert (await desk.propose(unit=OTHER_UNIT)).status_code == 404
    form = (await desk.propose()).json()["id"]
    assert (await desk.decide(form, role="customer_manager")).status_code == 403
    assert (await desk.decide(form, unit=OTHER_UNIT)).status_code == 404
    elsewhere = await desk_of(desk.service)
    assert (await elsewhere.decide(form)).status_code == 404
    assert (await desk.service.http.get(
        f"{desk.path}/credit/forms", headers=desk.service.as_("customer_manager", OTHER_UNIT)
    )).status_code == 404  # fmt: skip


async def test_whoever_stands_above_agrees_only_where_no_department_manager_is(desk: Desk) -> None:
    stand(desk.service, "dept", ("department_manager", "unit-1"))
    form = (await desk.propose()).json()["id"]
    refused = await desk.decide(form, role="general_manager")
    assert (refused.status_code, refused.json()["code"]) == (403, "not_in_charge")


async def test_answers_are_sealed_and_their_reading_is_recorded(desk: Desk) -> None:
    await desk.propose()
    [(_, event)] = await desk.service.outbox(CreditProposed.type)
    assert "资信良好" not in event.model_dump_json()
    async with desk.service.database.reading() as tx:
        row = await tx.fetchrow("SELECT sealed FROM credit_step")
    assert "资信良好".encode() not in row["sealed"]
    before = len(await desk.service.outbox("access.read"))
    [shown] = await desk.forms("auditor")
    assert shown["answers"]["credit_standing"] == "资信良好（虚构）"
    read = (await desk.service.outbox("access.read"))[before:]
    assert [set(event.items) for _, event in read] == [
        {"credit.credit_standing", "credit.payment_record", "credit.monthly_output"}
    ]


async def test_nobody_sees_writes_or_judges_above_their_clearance(served: Served, desk: Desk) -> None:
    await desk.propose()
    narrowed = ("company/role/department_manager.yaml", "clearance: secret", "clearance: internal")
    blind = ("company/role/customer_manager.yaml", "clearance: confidential", "clearance: internal")
    async with served(narrowed, blind) as service:
        other = Desk(service, desk.customer)
        [form] = await other.forms()
        assert form["withheld"] == ["monthly_output", "payment_record", "credit_standing", "debts", "lawsuits"]
        assert "credit_standing" not in form["answers"]
        refused = await other.decide(form["id"])
        assert (refused.status_code, refused.json()["code"]) == (403, "answer_not_cleared")
        assert (await other.propose()).json()["code"] == "answer_not_cleared"


async def test_an_erased_customer_gets_no_credit(desk: Desk) -> None:
    headers = desk.service.as_("security_officer")
    await desk.service.http.request("DELETE", f"{desk.path}/key", json={"reason": "asked"}, headers=headers)
    assert (await desk.propose()).json()["code"] == "customer_erased"


async def test_a_second_step_is_asked_for_where_one_is_declared(served: Served, desk: Desk) -> None:
    step = "    roles: [department_manager, responsible_leader, general_manager]\n"
    second = "  - id: general\n    label: {zh: 总经理审批, en: General manager}\n    roles: [general_manager]\n"
    more = f"{step}{second}    when: limit > 40000\n"
    file = "trading-discipline/approval/credit_terms.yaml"
    async with served((file, step, more)) as service:
        other = Desk(service, desk.customer)
        form = (await other.propose()).json()["id"]
        first = await other.decide(form)
        assert first.json()["state"] == "proposed"
        assert (await other.decide(form)).json()["code"] == "same_person"
        assert (await other.decide(form, role="general_manager")).json()["state"] == "in_force"
        assert len(await service.outbox("credit.step_approved")) == 1
