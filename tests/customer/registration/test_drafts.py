"""Drafts: whatever is readable is kept and its faults are shown; two people do not overwrite each other; deletion ends
the key."""

from typing import Any

import pytest

from tests.factories.customer import OTHER_UNIT, UNIT, RunningCustomer, at_once
from tests.factories.registration import (
    APPROVER,
    PATH,
    change,
    codes,
    do,
    done,
    opened,
    read,
    submitted,
)

pytestmark = pytest.mark.req("R7.2")


async def rows(service: RunningCustomer, table: str = "registration") -> list[Any]:
    async with service.database.reading() as tx:
        return await tx.fetch(f"SELECT * FROM {table}")


async def test_a_draft_keeps_what_it_was_given_and_shows_all_that_is_wrong(service: RunningCustomer) -> None:
    form = await opened(service, contact_phone="打电话给我", credit_level="Z", address=None, staff=("a", "b", "a"))
    assert (form["state"], form["version"], form["round"], form["staff"]) == ("draft", 1, 0, ["a", "b"])
    assert (form["proposer"], form["created_by"], form["unit"]) == ("customer_manager", "staff/customer_manager", UNIT)
    assert form["values"]["contact_phone"] == "打电话给我"
    assert {each["pointer"]: each["code"] for each in form["faults"]} == {
        "/values/contact_phone": "pattern_mismatch", "/values/credit_level": "not_in_list",
        "/values/address": "required",
    }  # fmt: skip
    assert await read(service, form) == form
    [(envelope, event)] = await service.outbox("registration.opened")
    assert (envelope.subject, envelope.sequence) == (f"registration/{form['id']}", 1)
    assert event.items == tuple(sorted(form["values"]))


async def test_values_are_sealed_at_rest_and_in_no_event(service: RunningCustomer) -> None:
    form = await opened(service, contact_person="张示例甲")
    [row] = await rows(service)
    assert "张示例甲".encode() not in row["sealed"] + row["wrapped"]
    assert all("张示例甲" not in each.model_dump_json() for _, each in await service.outbox())
    assert form["values"]["contact_person"] == "张示例甲"


async def test_only_items_that_people_fill_in_are_taken(service: RunningCustomer) -> None:
    body = {"kind": "retail", "values": {"no_such_item": 1, "purchase_amount": "1.00", "shop_name": "店"}}
    answer = await service.http.post(PATH, json=body, headers=service.as_("customer_manager"))
    found = {"/values/no_such_item": "unknown_item", "/values/purchase_amount": "system_item"}
    assert codes(answer) == (422, "bad_form", found)
    kind = await service.http.post(PATH, json={"kind": "x"}, headers=service.as_("customer_manager"))
    assert codes(kind) == (422, "unknown_kind", {"/kind": "unknown_kind"})
    foreign = {"kind": "retail", "unit": OTHER_UNIT}
    beyond = await service.http.post(PATH, json=foreign, headers=service.as_("customer_manager"))
    assert codes(beyond)[:2] == (403, "unit_out_of_reach")
    homeless = await service.http.post(PATH, json={"kind": "retail"}, headers=service.as_("customer_manager", ""))
    assert codes(homeless)[:2] == (422, "unit_missing")
    assert await rows(service) == []


async def test_a_change_needs_the_version_that_was_seen(service: RunningCustomer) -> None:
    form = await opened(service)
    path = f"{PATH}/{form['id']}"
    bare = await service.http.patch(path, json={"values": {}}, headers=service.as_("customer_manager"))
    assert codes(bare)[:2] == (428, "if_match_required")
    changed = await change(service, form, main_goods="文具", address=None, staff=["a"])
    assert (changed.status_code, changed.headers["etag"]) == (200, '"2"')
    body = changed.json()
    assert (body["values"]["main_goods"], "address" in body["values"], body["staff"]) == ("文具", False, ["a"])
    late = await change(service, form, main_goods="茶")
    assert (codes(late)[:2], late.headers["etag"]) == ((412, "form_changed"), '"2"')
    assert {name: late.json()[name] for name in ("state", "version", "seen")} == {
        "state": "draft", "version": 2, "seen": 1,
    }  # fmt: skip
    same = await change(service, body, main_goods="文具")
    assert same.headers["etag"] == '"2"'
    [(_, event)] = await service.outbox("registration.changed")
    assert (event.items, event.staff) == (("address", "main_goods"), True)


async def test_of_two_changes_at_once_one_holds(service: RunningCustomer) -> None:
    form = await opened(service)
    answers = await at_once(*(lambda n=n: change(service, form, main_goods=f"货{n}") for n in range(4)))
    assert sorted(each.status_code for each in answers) == [200, 412, 412, 412]


@pytest.mark.req("R15.1")
async def test_deleting_a_draft_leaves_nothing_to_open(service: RunningCustomer) -> None:
    form = await opened(service)
    path, headers = f"{PATH}/{form['id']}", {**service.as_("customer_manager"), "If-Match": '"1"'}
    stale = await service.http.delete(path, headers={**headers, "If-Match": '"7"'})
    assert codes(stale)[:2] == (412, "form_changed")
    assert (await service.http.delete(path, headers=headers)).status_code == 204
    assert (await service.http.delete(path, headers=headers)).status_code == 404
    assert [await rows(service, name) for name in ("registration", "registration_hand")] == [[], []]
    [(envelope, _)] = await service.outbox("registration.deleted")
    assert envelope.sequence == 2
    waits = await submitted(service)
    refused = await service.http.delete(
        f"{PATH}/{waits['id']}", headers={**service.as_("customer_manager"), "If-Match": '"2"'}
    )
    assert codes(refused)[:2] == (409, "form_state")


@pytest.mark.req("R2.2")
async def test_forms_of_other_units_are_not_there(service: RunningCustomer) -> None:
    form = await opened(service)
    stranger = service.as_("customer_manager", OTHER_UNIT)
    assert (await service.http.get(f"{PATH}/{form['id']}", headers=stranger)).status_code == 404
    assert (await change(service, form, unit=OTHER_UNIT, main_goods="茶")).status_code == 404
    assert (await do(service, form, "submission", unit=OTHER_UNIT)).status_code == 404
    assert (await service.http.get(PATH, headers=stranger)).json()["items"] == []
    assert (await service.http.get(PATH, headers=service.as_("admin"))).status_code == 403
    assert (await service.http.get(PATH)).status_code == 401


@pytest.mark.req("R2.2")
async def test_items_above_the_clearance_are_neither_shown_nor_set(service: RunningCustomer) -> None:
    form = await opened(service, certificate_number="!", bank_account="12")
    seen = await read(service, form, "auditor")
    assert "certificate_number" in seen["withheld"]
    assert "certificate_number" not in seen["values"]
    faults = {each["pointer"]: each for each in form["faults"]}
    hidden = {each["pointer"]: each for each in seen["faults"]}
    assert faults["/values/certificate_number"]["seen"] is not None
    assert hidden["/values/certificate_number"]["seen"] is None
    assert hidden["/values/bank_account"]["seen"] == faults["/values/bank_account"]["seen"]
    reads = [event.items for _, event in await service.outbox("access.read")]
    assert any("bank_account" in items and "certificate_number" not in items for items in reads)


async def test_lists_are_paged_and_filtered_within_reach(service: RunningCustomer) -> None:
    forms = [await opened(service, shop_name=f"店{n}") for n in range(5)]
    waits = await done(service, forms[0], "submission")
    first = (await service.get(PATH, "customer_manager", limit=3)).json()
    rest = (await service.get(PATH, "customer_manager", limit=3, cursor=first["next_cursor"])).json()
    assert [each["name"] for each in [*first["items"], *rest["items"]]] == ["店4", "店3", "店2", "店1", "店0"]
    assert rest["next_cursor"] is None
    found = (await service.get(PATH, "customer_manager", state="submitted", proposer="customer_manager")).json()
    assert [each["id"] for each in found["items"]] == [waits["id"]]
    assert (await service.get(PATH, "customer_manager", unit=OTHER_UNIT)).json()["items"] == []
    assert (await service.get(PATH, "customer_manager", cursor="x")).status_code == 422
    bad = await service.get(f"{PATH}/waiting", APPROVER, cursor="x")
    assert (bad.status_code, bad.json()["code"]) == (422, "bad_cursor")
