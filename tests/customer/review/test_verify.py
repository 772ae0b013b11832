"""Confirming without a change: one version, one event, sealed answer, nothing else touched; and every refusal."""

from typing import Any

import httpx
import pytest

from services.customer.consumers import GRADING
from shared.events import CustomerVerified
from tests.customer.review.conftest import SECOND_QUARTER, THIRD_QUARTER, TODAY, Register
from tests.factories.customer import OTHER_UNIT, RunningCustomer, Served, at_once

VERIFIED = CustomerVerified.type
ANSWER = "店主在电话中说没有变化"
pytestmark = [pytest.mark.req("R1.2"), pytest.mark.req("R7.3")]


async def verify(
    service: RunningCustomer,
    customer: str,
    version: int | None,
    items: Any,
    role: str = "customer_manager",
    **more: Any,
) -> httpx.Response:
    body = {"items": items, "channel": "phone", "answer": ANSWER, **more}
    headers = service.as_(role) | ({} if version is None else {"If-Match": f'"{version}"'})
    return await service.http.post(f"/v1/customers/{customer}/verification", json=body, headers=headers)


async def test_items_are_confirmed_by_a_version_without_a_change(service: RunningCustomer, register: Register) -> None:
    found = await register(business_area=40)
    answer = await verify(service, found["id"], 1, ["shop_name", "business_area"], answered_by="店主示例安")
    assert (answer.status_code, answer.headers["etag"]) == (200, '"2"'), answer.text
    assert (answer.json()["items"], answer.json()["whole"]) == (["shop_name", "business_area"], False)
    file = await service.file(found["id"])
    shown, as_was = file["values"]["shop_name"], found["values"]["shop_name"]
    assert {**shown, "verified_at": None} == {**as_was, "verified_at": None}, "who set it and when stay"
    assert shown["verified_at"] > as_was["verified_at"] == file["values"]["address"]["verified_at"]
    [(envelope, event)] = await service.outbox(VERIFIED)
    assert (envelope.sequence, event.version, event.items, event.channel, str(event.on), event.whole) == (
        2, 2, ("shop_name", "business_area"), "phone", "2026-11-24", False,
    )  # fmt: skip
    assert ANSWER not in event.model_dump_json() and "示例安" not in event.model_dump_json()
    history = (await service.get(f"/v1/customers/{found['id']}/history")).json()["items"]
    latest = tuple(history[0][name] for name in ("version", "type", "actor"))
    assert latest == (2, VERIFIED, "staff/customer_manager")


async def test_a_verification_makes_no_grade_anew(service: RunningCustomer, register: Register) -> None:
    found = await register(business_area=40)
    before = (await service.get(f"/v1/customers/{found['id']}/grade")).json()
    await verify(service, found["id"], 1, ["business_area"])
    [consumer] = [each for each in service.parts.consumers if each.group == GRADING]
    async with service.database.transaction() as tx:
        await consumer.handle(tx, await service.deliveries())
    assert (await service.get(f"/v1/customers/{found['id']}/grade")).json() == before


async def test_all_that_is_due_is_confirmed_and_is_due_no_more(service: RunningCustomer, register: Register) -> None:
    found = await register(promotion="member", business_area=40)
    first = (await verify(service, found["id"], 1, "all_due")).json()
    assert set(first["items"]) > {"promotion", "business_area", "shop_name"}
    assert first["whole"]
    assert "contact_phone" not in first["items"], "real-time items are changed at once, not reviewed"
    assert "customer_code" in first["items"], "who confirms need not be who keeps an item"
    for state in ("due", "overdue"):
        assert (await service.get("/v1/reviews", "customer_manager", state=state)).json()["items"] == []
    again = await verify(service, found["id"], 2, "all_due")
    assert (again.status_code, again.json()["code"]) == (409, "nothing_due")


async def test_the_file_as_a_whole_is_every_value_in_sight(service: RunningCustomer, register: Register) -> None:
    found = await register(THIRD_QUARTER, watchlisted=True)
    answer = (await verify(service, found["id"], 1, "all", channel="visit")).json()
    assert "contact_phone" in answer["items"] and answer["whole"]
    assert (answer["withheld"], "watchlisted" in answer["items"]) == (["watchlisted"], False)
    assert "compliance_status" not in answer["items"]


async def test_changing_an_item_verifies_it_as_well(service: RunningCustomer, register: Register) -> None:
    found = await register(promotion="member", visit_cycle=7)
    await service.patch(found["id"], 1, "customer_manager", promotion="display")
    answer = (await verify(service, found["id"], 2, "all_due")).json()
    assert ("promotion" in answer["items"], "visit_cycle" in answer["items"]) == (False, True)


async def test_it_conflicts_with_no_edit_of_other_items(service: RunningCustomer, register: Register) -> None:
    found = await register(business_area=40, main_goods="饮料")
    await service.patch(found["id"], 1, business_area=50)
    assert (await verify(service, found["id"], 1, ["main_goods"])).headers["etag"] == '"3"'
    answer = await service.patch(found["id"], 1, main_goods="文具")
    assert (answer.status_code, answer.headers["etag"]) == (200, '"4"'), "to verify an item is no edit of it"


async def test_an_item_that_was_changed_meanwhile_is_a_clash_of_three_values(
    service: RunningCustomer, register: Register
) -> None:
    found = await register(main_goods="饮料")
    await service.patch(found["id"], 1, main_goods="文具")
    for items in (["main_goods", "shop_name"], "all"):
        clash = await verify(service, found["id"], 1, items)
        problem = clash.json()
        assert (clash.status_code, problem["code"], clash.headers["etag"]) == (412, "changed_meanwhile", '"2"')
        assert problem["yours"] == problem["original"] == {"main_goods": "饮料"}
        assert problem["current"] == {"main_goods": "文具"}
    assert await service.outbox(VERIFIED) == []
    await service.patch(found["id"], 2, main_goods="饮料")
    assert (await verify(service, found["id"], 1, ["main_goods"])).status_code == 200, "taken back, it is as it was"


async def test_what_cannot_be_confirmed_is_named_all_at_once(service: RunningCustomer, register: Register) -> None:
    found = await register()
    items = ["shop_name", "no_such_item", "compliance_status", "business_area"]
    answer = await verify(service, found["id"], 1, items)
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_verification")
    assert {fault["pointer"]: fault["code"] for fault in answer.json()["errors"]} == {
        "/items/1": "unknown_item", "/items/2": "system_item", "/items/3": "no_value",
    }  # fmt: skip
    bad = await verify(service, found["id"], 1, "all_due", channel="rumour", on="2026-11-25")
    assert {fault["pointer"] for fault in bad.json()["errors"]} == {"/channel", "/on"}
    for wrong in ({"items": []}, {"items": "some"}, {"answer": " "}, {"on": "tomorrow"}, {"extra": 1}):
        body = {"items": "all", "channel": "phone", "answer": ANSWER, **wrong}
        headers = {**service.as_("customer_manager"), "If-Match": '"1"'}
        refused = await service.http.post(f"/v1/customers/{found['id']}/verification", json=body, headers=headers)
        assert refused.status_code == 422, wrong


async def test_an_item_above_ones_clearance_is_not_confirmed_blindly(
    service: RunningCustomer, register: Register
) -> None:
    found = await register(watchlisted=True)
    refused = await verify(service, found["id"], 1, ["shop_name", "watchlisted"])
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (403, "/items/1")
    assert (await verify(service, found["id"], 1, ["watchlisted"], "department_manager")).status_code == 200


async def test_what_one_may_not_read_one_may_not_confirm(served: Served) -> None:
    changes = "actions: [change, dealings.read, grade.read, history.read, read, values.open]"
    less = ("company/role/customer_manager.yaml", changes, f"{changes}, fields: [general, financial]")
    async with served(less) as service:
        found = await service.register()
        refused = await verify(service, found["id"], 1, ["contact_phone"])
        assert (refused.status_code, refused.json()["code"]) == (403, "item_not_cleared")


async def test_other_refusals(service: RunningCustomer, register: Register) -> None:
    found = await register()
    assert (await verify(service, found["id"], None, "all")).status_code == 428
    assert (await verify(service, found["id"], 9, "all")).json()["code"] == "version_unknown"
    assert (await verify(service, found["id"], 1, "all", "auditor")).json()["code"] == "not_allowed"
    stranger = {**service.as_("customer_manager", OTHER_UNIT), "If-Match": '"1"'}
    body = {"items": "all", "channel": "mail", "answer": ANSWER}
    for customer in (found["id"], "019aaaaa-0000-7000-8000-000000000000"):
        answer = await service.http.post(f"/v1/customers/{customer}/verification", json=body, headers=stranger)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_an_answer_of_another_day_verifies_as_of_that_day(
    service: RunningCustomer, register: Register, clock: Any
) -> None:
    found = await register(main_goods="饮料")
    clock.move_to("2026-11-23T12:00:00+08:00")
    await service.patch(found["id"], 1, main_goods="文具")
    clock.move_to(TODAY)
    later = await verify(service, found["id"], 2, ["main_goods"], on="2026-11-20")
    assert (later.status_code, later.json()["errors"][0]["code"]) == (422, "set_later")
    answer = (await verify(service, found["id"], 2, ["shop_name"], on="2026-11-20")).json()
    assert answer["verified_at"].startswith("2026-11-20")
    assert (await service.file(found["id"]))["values"]["shop_name"]["verified_at"].startswith("2026-11-20")


async def test_of_two_at_once_that_confirm_what_is_due_one_holds(service: RunningCustomer, register: Register) -> None:
    found = await register(SECOND_QUARTER)
    answers = await at_once(*(lambda: verify(service, found["id"], 1, "all_due") for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
    assert len(await service.outbox(VERIFIED)) == 1


async def test_the_answer_is_kept_sealed_and_shown_to_who_may_see_it(
    service: RunningCustomer, register: Register
) -> None:
    found = await register()
    await verify(service, found["id"], 1, ["shop_name"], answered_by="店主")
    await verify(service, found["id"], 2, "all", channel="visit", answer="走访核实")
    path = f"/v1/customers/{found['id']}/verifications"
    page = (await service.get(path, "customer_manager", limit=1)).json()
    [latest] = page["items"]
    assert (latest["answer"], latest["channel"], latest["whole"], latest["withheld"]) == (
        "走访核实",
        "visit",
        True,
        False,
    )
    [first] = (await service.get(path, "customer_manager", cursor=page["next_cursor"])).json()["items"]
    assert (first["answer"], first["answered_by"], first["items"], first["on"]) == (
        ANSWER, "店主", ["shop_name"], "2026-11-24",
    )  # fmt: skip
    assert "verification.answer" in (await service.outbox("access.read"))[-1][1].items
    async with service.database.reading() as tx:
        rows = await tx.fetch("SELECT sealed FROM verification")
    assert all(ANSWER.encode() not in row["sealed"] for row in rows)
    assert (await service.get(path, "customer_manager", cursor="x")).json()["code"] == "bad_cursor"


async def test_an_answer_above_ones_clearance_is_withheld(served: Served) -> None:
    lower = ("company/cadence/file-check.yaml", "secrecy: confidential", "secrecy: secret")
    async with served(lower) as service:
        found = await service.register()
        assert (await verify(service, found["id"], 1, "all")).status_code == 200
        path = f"/v1/customers/{found['id']}/verifications"
        [hidden] = (await service.get(path, "customer_manager")).json()["items"]
        assert (hidden["answer"], hidden["withheld"], hidden["channel"]) == (None, True, "phone")
        assert (await service.get(path)).json()["items"][0]["answer"] == ANSWER
