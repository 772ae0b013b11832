"""Contacts over HTTP: what is taken, refused, only flagged; who is told; what the next one needs."""

from typing import Any

import pytest
import time_machine

from shared.clock import now
from shared.events import ContactFlagged, ContactRecorded, ContactReported
from tests.customer.contact.conftest import (
    AT,
    LINE,
    OTHERS_LINE,
    VISIT,
    Say,
    call,
    faults,
    knows,
    line,
    recorded,
)
from tests.factories.customer import OTHER_UNIT, UNIT, RunningCustomer, Served, at_once

pytestmark = pytest.mark.req("R5.3")
LATER = "2026-11-25T09:00:00+08:00"
FLAGGED, REPORTED = ContactFlagged.type, ContactReported.type


@pytest.mark.req("R7.4")
async def test_a_first_visit_takes_two_and_its_record(service: RunningCustomer, customer: str, say: Say) -> None:
    alone = await say(customer, staff=["a", "a"], record={"summary": "面谈"})
    assert faults(alone) == [
        ("/staff", "too_few_staff"), ("/record/purpose", "required"), ("/record/preparation", "required"),
    ]  # fmt: skip
    first = recorded(await say(customer))
    assert (first["first"], first["staff"], first["version"], first["flags"]) == (True, ["a", "b"], 1, [])
    again = recorded(await say(customer, at=LATER, staff=["a"], record={"purpose": "回访", "summary": "面谈"}))
    assert again["first"] is False
    earlier = await say(customer, at="2026-11-01T09:00:00+08:00", staff=["a"])
    assert faults(earlier) == [("/staff", "too_few_staff")], "recorded late, it was the first one all the same"
    [(envelope, event), _] = await service.outbox(ContactRecorded.type)
    assert isinstance(event, ContactRecorded)
    assert (event.contact, event.staff, event.first, event.unit, event.manager) == (
        first["id"], ("a", "b"), True, UNIT, "lu",
    )  # fmt: skip
    assert (envelope.subject, event.definition.id) == (f"customer/{customer}", "company/contact/visit")


@pytest.mark.req("R7.4")
async def test_of_two_first_visits_at_once_one_is_the_first(customer: str, say: Say) -> None:
    both = await at_once(lambda: say(customer), lambda: say(customer))
    assert sorted(recorded(each)["first"] for each in both) == [False, True]


async def test_all_that_is_wrong_is_said_at_once(customer: str, say: Say) -> None:
    wrong = {"at": "2099-01-01T00:00:00Z", "staff": ["a"], "line": {"number": "1"}, "care": "vip", "record": {"x": "y"}}
    assert faults(await say(customer, **wrong)) == [
        ("/at", "in_the_future"), ("/staff", "too_few_staff"), ("/line", "not_kept"), ("/care", "not_kept"),
        ("/record/x", "unknown_particular"), *((f"/record/{code}", "required") for code in VISIT),
    ]  # fmt: skip
    assert faults(await say(customer, kind="seance")) == [("/kind", "unknown_kind")]


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "2026-11-24T09:00:00"])
async def test_moments_that_nobody_can_reckon_with_are_refused(customer: str, say: Say, at: str) -> None:
    assert (await say(customer, at=at)).status_code == 422


@pytest.mark.req("R5.5")
async def test_a_foreign_unit_neither_records_nor_reads(service: RunningCustomer, customer: str, say: Say) -> None:
    made = recorded(await say(customer))
    faults(await say(customer, unit=OTHER_UNIT), 404, "not_found")
    path = f"/v1/customers/{customer}/contacts"
    for each in (path, f"{path}/{made['id']}", f"{path}/demands"):
        answer = await service.http.get(each, headers=service.as_("customer_manager", OTHER_UNIT))
        faults(answer, 404, "not_found")
    seen = await service.http.get("/v1/contacts", headers=service.as_("customer_manager", OTHER_UNIT))
    assert seen.json() == {"items": [], "next_cursor": None}


@pytest.mark.req("R7.1")
async def test_a_call_from_no_line_of_the_company_is_recorded_flagged_and_told(
    service: RunningCustomer, customer: str, say: Say
) -> None:
    knows(service, {"a": [line(LINE)], "b": [line(OTHERS_LINE)]})
    good = recorded(await say(customer, **call(line={"id": LINE})))
    assert (good["line"], good["flags"]) == ({"id": LINE, "state": "assigned"}, [])
    others = recorded(await say(customer, **call(line={"id": OTHERS_LINE})))
    private = recorded(await say(customer, **call()))
    assert [each["line"]["state"] for each in (others, private)] == ["unassigned", "unassigned"]
    assert private["number"] == "13900001111"
    told = await service.outbox(FLAGGED)
    assert [(each.contact, each.flags, each.unit) for _, each in told] == [  # type: ignore[attr-defined]
        (others["id"], ("line",), UNIT), (private["id"], ("line",), UNIT),
    ]  # fmt: skip
    assert faults(await say(customer, **call(staff=["nobody"]))) == [("/staff/0", "unknown_person")]
    stored = str([event.model_dump() for _, event in await service.outbox()])
    assert "13900001111" not in stored
    assert "来电询价" not in stored


@pytest.mark.req("R5.4")
async def test_another_department_reports_its_contact_to_the_one_that_is_responsible(
    service: RunningCustomer, customer: str, say: Say
) -> None:
    own = recorded(await say(customer))
    assert own["by_unit"] == UNIT
    assert await service.outbox(REPORTED) == []
    theirs = recorded(await say(customer, "department_manager", "/reports", unit=OTHER_UNIT, at=LATER))
    [(_, event)] = await service.outbox(REPORTED)
    assert isinstance(event, ContactReported)
    assert (event.contact, event.unit, event.by_unit) == (theirs["id"], UNIT, OTHER_UNIT)
    listed = (await service.get(f"/v1/customers/{customer}/contacts")).json()["items"]
    assert [each["by_unit"] for each in listed] == [OTHER_UNIT, UNIT]
    unknown = "0190a5b2-7c3d-7e4f-8a9b-0c1d2e3f4a5b"
    faults(await say(unknown, "department_manager", "/reports", unit=OTHER_UNIT), 404, "not_found")


@pytest.mark.req("R5.6")
async def test_two_are_in_contact_with_a_new_important_customer_and_report(service: RunningCustomer, say: Say) -> None:
    with time_machine.travel(AT, tick=False) as clock:
        customer = (await service.register(business_area=600))["id"]
        report = {**VISIT, "report": "联系报告"}
        assert faults(await say(customer)) == [("/record/report", "required")]
        recorded(await say(customer, record=report))
        clock.move_to(LATER)
        assert faults(await say(customer, at=LATER, staff=["a"], record=report)) == [("/staff", "too_few_staff")]
        recorded(await say(customer, **call(at=LATER, record={"summary": "问候", "report": "联系报告"})))
        clock.move_to("2027-06-01T09:00:00+08:00")
        recorded(await say(customer, at="2027-06-01T08:00:00+08:00", staff=["a"]))


@pytest.mark.req("R5.5")
async def test_an_important_customer_is_received_as_a_vip(service: RunningCustomer, customer: str, say: Say) -> None:
    important = (await service.register(business_area=600))["id"]
    reception: dict[str, Any] = {"kind": "reception", "staff": ["a", "b"]}
    said = {"purpose": "来访", "summary": "参观", "report": "报告"}
    assert faults(await say(important, **reception, record=said)) == [("/care", "not_in_list")]
    assert recorded(await say(important, **reception, record=said, care="vip"))["flags"] == []
    assert recorded(await say(customer, **reception, record=said, care="ordinary"))["flags"] == []
    assert await service.outbox(FLAGGED) == []
    assert recorded(await say(important, **reception, record=said, care="ordinary"))["flags"] == ["care"]
    assert len(await service.outbox(FLAGGED)) == 1


@pytest.mark.req("R7.4")
async def test_what_the_next_contact_needs_can_be_asked(service: RunningCustomer, customer: str, say: Say) -> None:
    async def asked(customer_id: str, role: str = "department_manager") -> tuple[Any, dict[str, Any]]:
        found = (await service.get(f"/v1/customers/{customer_id}/contacts/demands", role)).json()
        return found["important"], {each["kind"]: each for each in found["kinds"]}

    important, kinds = await asked(customer)
    assert important is False
    assert (kinds["visit"]["first"], kinds["visit"]["staff"], kinds["visit"]["record"]) == (True, 2, list(VISIT))
    assert (kinds["call"]["lines"], kinds["call"]["staff"], kinds["reception"]["care"]) == (["phone"], 1, None)
    recorded(await say(customer))
    _, kinds = await asked(customer)
    assert (kinds["visit"]["first"], kinds["visit"]["staff"]) == (False, 1)
    important, kinds = await asked((await service.register(business_area=600))["id"])
    assert (important, kinds["reception"]["care"], kinds["reception"]["staff"]) == (True, "vip", 2)
    assert "report" in kinds["call"]["record"]


async def test_a_repeated_request_records_once(service: RunningCustomer, customer: str, say: Say) -> None:
    headers = {"Idempotency-Key": "0190a5b2-7c3d-7e4f-8a9b-0c1d2e3f4a5b"}
    first, again = [recorded(await say(customer, headers=headers)) for _ in range(2)]
    assert first["id"] == again["id"]
    assert len((await service.get(f"/v1/customers/{customer}/contacts")).json()["items"]) == 1


@pytest.mark.req("R2.2")
async def test_words_above_a_readers_clearance_are_withheld_and_their_reading_is_recorded(served: Served) -> None:
    change = ("company/contact/call.yaml", "secrecy: confidential", "secrecy: secret")
    async with served(change) as service:
        customer = (await service.register())["id"]
        headers, path = service.as_("department_manager"), f"/v1/customers/{customer}/contacts"
        made = recorded(await service.http.post(path, json={**call(), "at": AT}, headers=headers))
        assert made["record"] == {"summary": "来电询价"}
        hidden = (await service.get(f"{path}/{made['id']}", "customer_manager")).json()
        assert (hidden["record"], hidden["number"], hidden["withheld"]) == ({}, None, ["summary"])
        assert hidden["versions"][0]["record"] == {}
        levels = [event.level for _, event in await service.outbox("access.read")]  # type: ignore[attr-defined]
        assert "secret" in levels


async def test_of_an_erased_customer_nothing_is_recorded_or_shown(
    service: RunningCustomer, customer: str, say: Say
) -> None:
    made = recorded(await say(customer))
    erased = await service.http.request(
        "DELETE", f"/v1/customers/{customer}/key", json={"reason": "请求删除"}, headers=service.as_("security_officer")
    )
    assert erased.status_code == 204, erased.text
    faults(await say(customer, at=now().isoformat()), 409, "customer_erased")
    answer = await service.get(f"/v1/customers/{customer}/contacts/{made['id']}")
    faults(answer, 409, "customer_erased")
