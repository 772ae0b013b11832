"""Handing in, approving and returning: the form becomes a customer once, in one transaction, by somebody else."""

from datetime import timedelta
from uuid import UUID

import pytest

from shared.clock import now
from tests.customer.file.test_keys import erase
from tests.factories.customer import OTHER_UNIT, UNIT, RunningCustomer, Served
from tests.factories.registration import (
    APPROVER,
    PATH,
    PROPOSER,
    approve,
    change,
    codes,
    do,
    done,
    give_back,
    know,
    opened,
    person,
    read,
    submitted,
)

pytestmark = pytest.mark.req("R7.2")
BIG = {"business_area": 600}
APPROVAL = "company/approval/registration.yaml"
STEP = "    roles: [department_manager, responsible_leader, general_manager]\n"
SECOND = "  - id: leader\n    label: {zh: 领导, en: Leader}\n    roles: [responsible_leader]\n    when: important\n"


async def test_a_form_becomes_the_customer_that_it_describes(service: RunningCustomer) -> None:
    form = await submitted(service, shop_name="登记示例店")
    assert (form["state"], form["round"], form["version"], form["faults"]) == ("submitted", 1, 2, [])
    answer = await approve(service, form)
    body = answer.json()
    assert (answer.status_code, answer.headers["etag"]) == (200, '"3"')
    assert (body["state"], body["customer_id"], body["proposer"]) == ("approved", form["id"], "customer_manager")
    file = await service.file(form["id"])
    assert (file["id"], file["name"], file["version"]) == (form["id"], "登记示例店", 1)
    assert file["values"]["shop_name"]["set_by"] == "staff/customer_manager"
    events = [(each.type, each.actor) for each, _ in await service.outbox() if each.type != "access.read"]
    assert events == [
        ("registration.opened", "staff/customer_manager"),
        ("registration.submitted", "staff/customer_manager"),
        ("customer.registered", "staff/department_manager"),
        ("registration.approved", "staff/department_manager"),
    ]
    [closed] = body["rounds"]
    assert (closed["outcome"], closed["closed_by"]) == ("approved", "staff/department_manager")
    assert [(each["step"], each["by"]) for each in closed["approvals"]] == [("department", "staff/department_manager")]
    again = await approve(service, body)
    assert codes(again)[:2] == (409, "form_decided")


async def test_the_key_of_the_form_is_the_customers_and_ends_with_it(service: RunningCustomer) -> None:
    form = await submitted(service)
    async with service.database.reading() as tx:
        before = await tx.fetchval("SELECT wrapped FROM registration")
    assert (await approve(service, form)).status_code == 200
    async with service.database.reading() as tx:
        assert await tx.fetchval("SELECT wrapped FROM subject_key") == before
        assert await tx.fetchval("SELECT wrapped FROM registration") is None
    assert (await read(service, form))["values"] == form["values"]
    assert (await erase(service, form["id"])).status_code == 204
    assert (await read(service, form))["values"] == {}


async def test_handing_in_names_every_fault_at_once_and_changes_nothing(service: RunningCustomer) -> None:
    await service.register(customer_code="A-0001")
    form = await opened(service, customer_code="A-0001", contact_phone="x", address=None, shop_photo="x", **BIG)
    answer = await do(service, form, "submission")
    status, code, faults = codes(answer)
    assert (status, code) == (422, "bad_form")
    assert faults.items() >= {
        "/values/customer_code": "taken", "/values/contact_phone": "pattern_mismatch", "/values/address": "required",
        "/staff": "too_few_staff",
    }.items()  # fmt: skip
    assert "/values/shop_photo" in faults
    assert (await read(service, form))["version"] == 1
    assert await service.outbox("registration.submitted") == []


@pytest.mark.req("R2.2")
async def test_nobody_approves_what_was_in_their_hands(service: RunningCustomer) -> None:
    own = await done(service, await opened(service, APPROVER), "submission", APPROVER)
    for answer in (await approve(service, own), await give_back(service, own)):
        assert codes(answer)[:2] == (403, "same_person")
    form = await opened(service)
    form = (await change(service, form, APPROVER, main_goods="茶")).json()
    form = await done(service, form, "submission")
    assert codes(await approve(service, form))[:2] == (403, "same_person")  # it has changed hands since
    assert (await approve(service, form, name="somebody_else")).status_code == 200
    assert (await approve(service, own, PROPOSER)).status_code == 403


async def test_a_returned_form_is_mended_and_every_round_is_kept(service: RunningCustomer) -> None:
    form = await submitted(service, contact_person="张示例乙")
    answer = await give_back(service, form)
    assert (answer.status_code, answer.json()["state"]) == (200, "returned")
    back = await read(service, form)
    [closed] = back["rounds"]
    assert (closed["reason"], closed["items"]) == ("地址不全", {"address": "请写到门牌号"})
    assert (closed["outcome"], closed["closed_by"]) == ("returned", "staff/department_manager")
    [(_, event)] = await service.outbox("registration.returned")
    assert event.items == ("address",)
    assert "门牌号" not in event.model_dump_json()
    async with service.database.reading() as tx:
        assert "门牌号".encode() not in await tx.fetchval("SELECT sealed FROM registration_round")
    mended = (await change(service, back, address="示例路 1 号 2 幢")).json()
    again = await done(service, mended, "submission")
    assert (again["round"], [each["outcome"] for each in again["rounds"]]) == (2, [None, "returned"])
    assert (await approve(service, again)).json()["state"] == "approved"


async def test_a_return_needs_reasons_about_items_that_there_are(service: RunningCustomer) -> None:
    form = await submitted(service)
    bad = await do(service, form, "return", APPROVER, {"reason": "x", "items": {"nothing": "y"}})
    assert codes(bad) == (422, "bad_form", {"/items/nothing": "unknown_item"})
    assert (await do(service, form, "return", APPROVER, {"reason": " "})).status_code == 422
    assert (await read(service, form))["state"] == "submitted"


async def test_a_form_that_was_taken_back_can_be_changed_and_not_approved(service: RunningCustomer) -> None:
    form = await submitted(service)
    assert codes(await change(service, form, main_goods="茶"))[:2] == (409, "form_state")
    back = await done(service, form, "withdrawal")
    assert (back["state"], back["rounds"][0]["outcome"]) == ("draft", "withdrawn")
    late = await approve(service, form)
    assert (codes(late)[:2], late.json()["version"], late.headers["etag"]) == ((412, "form_changed"), 3, '"3"')
    assert codes(await approve(service, back))[:2] == (409, "form_state")
    assert codes(await do(service, back, "withdrawal"))[:2] == (409, "form_state")


async def test_approvers_see_what_waits_for_them_the_longest_first(service: RunningCustomer) -> None:
    forms = [await submitted(service) for _ in range(3)]
    own = await done(service, await opened(service, APPROVER), "submission", APPROVER)
    first = (await service.get(f"{PATH}/waiting", APPROVER, limit=2)).json()
    rest = (await service.get(f"{PATH}/waiting", APPROVER, limit=2, cursor=first["next_cursor"])).json()
    assert [each["id"] for each in [*first["items"], *rest["items"]]] == [each["id"] for each in forms]
    other = await service.http.get(f"{PATH}/waiting", headers=service.as_(APPROVER, name="other"))
    assert own["id"] in {each["id"] for each in other.json()["items"]}
    beyond = await service.http.get(f"{PATH}/waiting", headers=service.as_(APPROVER, OTHER_UNIT))
    assert beyond.json()["items"] == []
    assert (await service.get(f"{PATH}/waiting", PROPOSER)).status_code == 403


async def test_a_form_that_does_not_hold_any_more_is_not_approved(service: RunningCustomer) -> None:
    form = await submitted(service, customer_code="A-0002")
    await service.register(customer_code="A-0002")
    answer = await approve(service, form)
    assert codes(answer) == (409, "form_outdated", {"/values/customer_code": "taken"})
    assert (await read(service, form))["state"] == "submitted"


@pytest.mark.req("R5.6")
async def test_an_important_customer_needs_two_staff(service: RunningCustomer) -> None:
    form = await opened(service, staff=("a",), **BIG)
    assert (form["important"], form["staff_needed"]) == (True, 2)
    assert [(each["pointer"], each["seen"]) for each in form["faults"]] == [("/staff", 1)]
    assert codes(await do(service, form, "submission"))[2] == {"/staff": "too_few_staff"}
    form = await done(service, (await change(service, form, staff=["a", "b"])).json(), "submission")
    async with service.database.transaction() as tx:
        await tx.execute("UPDATE registration SET staff = '{a}'")  # one of them has gone meanwhile
    assert codes(await approve(service, form)) == (409, "form_outdated", {"/staff": "too_few_staff"})
    async with service.database.transaction() as tx:
        await tx.execute("UPDATE registration SET staff = '{a,b}'")
    assert (await approve(service, form)).status_code == 200
    [(_, event)] = await service.outbox("registration.submitted")
    assert (event.important, event.staff) == (True, 2)


async def test_staff_are_people_in_service(service: RunningCustomer) -> None:
    know(service, person("here", ""), person("gone", "", last_day="2026-02-01"))
    form = await opened(service, staff=("here", "gone", "nobody"))
    assert {each["pointer"]: each["code"] for each in form["faults"]} == {
        "/staff/1": "unknown_person", "/staff/2": "unknown_person",
    }  # fmt: skip


async def test_the_next_level_decides_where_nobody_else_is_there(service: RunningCustomer) -> None:
    know(service, person("dong", APPROVER), person("gao", "general_manager", "company", 3))
    as_gao = {"role": "general_manager", "name": "gao", "unit": "company"}
    form = await submitted(service)
    refused = await approve(service, form, **as_gao)
    assert (codes(refused)[:2], refused.json()["roles"]) == ((403, "not_in_charge"), [APPROVER])
    own = await opened(service, APPROVER)  # that is, of dong
    async with service.database.transaction() as tx:
        await tx.execute("UPDATE registration_hand SET actor = 'staff/dong' WHERE registration = $1", UUID(own["id"]))
    own = await done(service, own, "submission")
    assert (await approve(service, own, **as_gao)).status_code == 200
    desks = [event.desk for _, event in await service.outbox("registration.submitted")]
    assert desks == [UNIT, "company"]


async def test_several_steps_one_after_the_other(served: Served) -> None:
    async with served((APPROVAL, STEP, "    roles: [department_manager]\n" + SECOND)) as service:
        small = await submitted(service)
        assert (await approve(service, small)).json()["state"] == "approved"
        form = await submitted(service, staff=("a", "b"), **BIG)
        early = await approve(service, form, "responsible_leader")
        assert (codes(early)[:2], early.json()["roles"]) == ((403, "not_in_charge"), [APPROVER])
        half = (await approve(service, form)).json()
        assert (half["state"], half["version"], half["customer_id"]) == ("submitted", 3, None)
        assert codes(await approve(service, half))[:2] == (403, "same_person")
        waiting = [await service.get(f"{PATH}/waiting", role) for role in (APPROVER, "responsible_leader")]
        assert [len(each.json()["items"]) for each in waiting] == [0, 1]
        whole = (await approve(service, half, "responsible_leader")).json()
        assert (whole["state"], whole["customer_id"]) == ("approved", form["id"])
        assert [each["step"] for each in whole["rounds"][0]["approvals"]] == ["department", "leader"]
        [(_, event)] = await service.outbox("registration.step_approved")
        assert (event.step, event.desk) == ("department", None)


async def lapse(service: RunningCustomer, days: int) -> int:
    """Let the job find how things stand some days from now."""
    [job] = [each for each in service.parts.jobs if each.name == "forms_lapsed_due"]
    async with service.database.transaction() as tx:
        return await job.due(tx, now() + timedelta(days=days))


async def test_a_form_lapses_when_nobody_decides_in_time(service: RunningCustomer) -> None:
    form = await submitted(service)
    assert (await lapse(service, 14), await lapse(service, 16), await lapse(service, 16)) == (0, 1, 0)
    back = await read(service, form)
    assert (back["state"], back["rounds"][0]["outcome"]) == ("returned", "lapsed")
    assert codes(await approve(service, back))[:2] == (409, "form_decided")
    [(envelope, _)] = await service.outbox("registration.lapsed")
    assert (envelope.actor, envelope.sequence) == ("system/customer", 3)
    assert (await done(service, back, "submission"))["round"] == 2


async def test_what_has_lapsed_is_over_before_the_job_has_noted_it(service: RunningCustomer) -> None:
    form = await submitted(service)
    async with service.database.transaction() as tx:
        await tx.execute("UPDATE registration SET expires_at = now()")
    assert (await read(service, form))["state"] == "returned"
    assert codes(await approve(service, form))[:2] == (409, "form_decided")
    assert (await service.get(f"{PATH}/waiting", APPROVER)).json()["items"] == []
    changed = await change(service, form, main_goods="茶")
    assert (changed.status_code, changed.json()["state"]) == (200, "returned")
    assert changed.json()["rounds"][0]["outcome"] == "lapsed"
