"""Asking before registering: over all units, and no more told than the asker may know (R5.2)."""

from typing import Any

import httpx
import pytest

from tests.factories import customer as made
from tests.factories.customer import OTHER_UNIT, RunningCustomer

pytestmark = pytest.mark.req("R5.2")
NEW = {"shop_name": "示例超市", "contact_phone": "139 0000 0000", "address": "示例路1号"}
RULES = "company/duplicate/customer.yaml"


async def check(
    service: RunningCustomer,
    role: str = "department_manager",
    unit: str = made.UNIT,
    kind: str = "retail",
    **items: Any,
) -> httpx.Response:
    body = {"kind": kind, "values": items}
    return await service.http.post("/v1/duplicates/check", json=body, headers=service.as_(role, unit))


async def matches(service: RunningCustomer, *args: Any, **items: Any) -> list[dict[str, Any]]:
    answer = await check(service, *args, **items)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


async def test_a_customer_who_has_a_file_is_found_by_what_is_known_of_them(service: RunningCustomer) -> None:
    customer = await service.register()
    await service.register(shop_name="远山商贸", contact_phone="13811112222", address="远山路 77 号")
    assert await matches(service, **NEW) == [], "not before the keys are there"
    await service.run_consumers()
    [found] = await matches(service, **NEW)
    assert found["verdict"] == "certain"
    assert found["customer"] == {
        "customer_id": customer["id"], "kind": "retail", "unit": made.UNIT, "manager": None,
        "number": customer["number"], "name": "示例便利店", "within_reach": True,
    }  # fmt: skip
    assert {rule["id"]: (rule["same"], rule["items"]) for rule in found["rules"]} == {
        "name": (True, [None, "shop_name"]),
        "phone": (True, [None, "contact_phone"]),
        "address": (True, [None, "address"]),
    }
    assert found["rules"][0]["title"] == {"zh": "名称", "en": "Name"}


async def test_one_likeness_is_not_enough_and_the_likeliest_comes_first(service: RunningCustomer) -> None:
    await service.register(shop_name="杭州示例商贸", address="远山路 77 号")
    await service.register(shop_name="杭州示例商贸", licence_number="330100123456", contact_phone="13811112222")
    await service.run_consumers()
    assert await matches(service, shop_name="杭州示例商贸") == []
    found = await matches(
        service, shop_name="杭州示列商贸有限公司", contact_phone="13900000000", licence_number="330100123456"
    )
    assert [each["verdict"] for each in found] == ["certain", "possible"]
    assert [{rule["id"]: rule["same"] for rule in each["rules"]} for each in found] == [
        {"licence": True, "name": False},
        {"name": False, "phone": True},
    ]


async def test_of_a_file_out_of_reach_only_rules_and_name_are_told(service: RunningCustomer) -> None:
    await service.register()
    await service.run_consumers()
    [found] = await matches(service, "customer_manager", OTHER_UNIT, **NEW)
    assert found["customer"] == {
        "customer_id": None, "kind": None, "unit": None, "manager": None, "number": None, "name": "示例便利店",
        "within_reach": False,
    }  # fmt: skip
    assert found["verdict"] == "certain"
    assert [(rule["id"], rule["items"]) for rule in found["rules"]] == [
        ("name", [None, None]), ("phone", [None, None]), ("address", [None, None]),
    ]  # fmt: skip
    assert found["pair_id"] is None


async def test_the_measure_says_whether_names_beyond_reach_are_told(served: made.Served) -> None:
    async with served((RULES, "names_beyond_reach: true", "names_beyond_reach: false")) as service:
        await service.register()
        await service.run_consumers()
        [found] = await matches(service, "customer_manager", OTHER_UNIT, **NEW)
        assert (found["customer"]["name"], found["customer"]["within_reach"]) == (None, False)
        [own] = await matches(service, **NEW)
        assert own["customer"]["name"] == "示例便利店"


async def test_a_hit_on_a_classified_item_is_a_recorded_read(service: RunningCustomer) -> None:
    customer = await service.register()
    await service.run_consumers()
    before = len(await service.outbox("access.read"))
    await check(service, **NEW)
    [(envelope, read)] = (await service.outbox("access.read"))[before:]
    assert (envelope.subject, read.items) == (f"customer/{customer['id']}", ("contact_phone",))


async def test_nobody_asks_about_items_that_they_may_not_read(served: made.Served) -> None:
    grant = "actions: [check, read], purpose: customer_service}"
    narrowed = "actions: [check, read], fields: [general], purpose: customer_service}"
    async with served(("company/role/customer_manager.yaml", grant, narrowed)) as service:
        await service.register()
        await service.run_consumers()
        refused = await check(service, "customer_manager", **NEW)
        assert (refused.status_code, refused.json()["code"]) == (403, "item_not_cleared")
        assert [fault["pointer"] for fault in refused.json()["errors"]] == ["/values/contact_phone"]
        names = {name: value for name, value in NEW.items() if name != "contact_phone"}
        [found] = await matches(service, "customer_manager", OTHER_UNIT, **names)
        assert {rule["id"] for rule in found["rules"]} == {"name", "address"}


async def test_what_cannot_be_compared_is_refused_at_once(service: RunningCustomer) -> None:
    unknown = await check(service, kind="unheard_of", **NEW)
    assert (unknown.status_code, unknown.json()["code"]) == (422, "unknown_kind")
    bad = await check(service, shop_name="", contact_phone="abc", no_such_item="x")
    assert (bad.status_code, bad.json()["code"]) == (422, "bad_values")
    assert len(bad.json()["errors"]) == 3
    assert (await check(service)).status_code == 422
    assert (await check(service, "auditor", **NEW)).status_code == 403


async def test_what_many_share_says_nothing(served: made.Served) -> None:
    async with served((RULES, "most: 30", "most: 2")) as service:
        for _ in range(3):
            await service.register()
        await service.run_consumers()
        assert len(await matches(service, **NEW)) == 3
        await service.register()
        await service.run_consumers()
        assert await matches(service, **NEW) == []
