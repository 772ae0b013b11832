"""Authority as data and field permission on the surfaces of a file: what the YAML of roles says is what routes do."""

import asyncio
from typing import Any

import pytest

from shared.regime import BrokenRegimes
from tests.factories.customer import OTHER_UNIT, UNIT, RunningCustomer, Served, stand, values

MANAGER = "company/role/customer_manager.yaml"
BASIC = "retail-customer/dictionary/basic.yaml"
CHANGES = "actions: [change, dealings.read, grade.read, history.read, read, values.open]"
EXAMPLE = "{action: customer.change, allowed: true}"
pytestmark = pytest.mark.req("R5.5")


@pytest.mark.req("R2.2")
async def test_a_role_changed_in_yaml_changes_what_routes_answer(served: Served) -> None:
    async with served() as service:
        found = await service.register()
        assert (await service.patch(found["id"], 1, "customer_manager", business_area=50)).status_code == 200
    less = CHANGES.replace("change, ", "")
    async with served((MANAGER, CHANGES, less), (MANAGER, EXAMPLE, EXAMPLE.replace("true", "false"))) as service:
        refused = await service.patch(found["id"], 2, "customer_manager", business_area=60)
        assert (refused.status_code, refused.json()["action"]) == (403, "customer.change")
    more = CHANGES.replace("read, values", "read, register, values")
    example = "{action: customer.register, allowed: false}"
    async with served((MANAGER, CHANGES, more), (MANAGER, example, example.replace("false", "true"))) as service:
        await service.register("customer_manager")


async def test_a_role_that_contradicts_its_examples_starts_no_service(served: Served) -> None:
    with pytest.raises(BrokenRegimes, match=r"customer\.change: not so"):
        async with served((MANAGER, CHANGES, CHANGES.replace("change, ", ""))):
            pass


async def test_a_class_of_fields_that_is_taken_away_is_gone_on_every_surface(served: Served) -> None:
    async with served() as service:
        found = await service.register(contact_phone="13900000001")
        await service.patch(found["id"], 1, contact_phone="13900000002", credit_level="A")
    async with served((MANAGER, CHANGES, f"{CHANGES}, fields: [general, financial]")) as service:
        path = f"/v1/customers/{found['id']}"
        file = await service.file(found["id"], "customer_manager")
        assert "contact_phone" in file["withheld"]
        assert "shop_name" in file["values"]
        for surface in (path, f"{path}/history", "/v1/customers", f"{path}/grade"):
            answer = await service.get(surface, "customer_manager")
            assert "1390000000" not in answer.text, surface
        blind = await service.patch(found["id"], 2, "customer_manager", contact_phone="13900000002")
        assert (blind.status_code, blind.json()["errors"][0]["pointer"]) == (403, "/values/contact_phone")
        stale = await service.patch(found["id"], 1, "customer_manager", credit_level="B")
        assert (stale.status_code, "contact_phone" in stale.text) == (412, False)
        merged = await service.patch(found["id"], 1, "customer_manager", business_area=70)
        assert "1390000000" not in merged.text


async def test_a_hidden_column_can_be_neither_seen_nor_filtered_nor_sorted_by(served: Served) -> None:
    hidden = (BASIC, "    secrecy: public\n    maintained_by: customer_manager\n    use: name", "    secrecy: secret\n"
              "    maintained_by: customer_manager\n    use: name")  # fmt: skip
    async with served(hidden) as service:
        found = await service.register(shop_name="藏名店")
        for query, named in (
            ({}, []),
            ({"name": "藏", "status": "active"}, ["query:name"]),
            ({"status": "active"}, []),
        ):
            refused = await service.get("/v1/customers", "customer_manager", **query)
            assert (refused.status_code, refused.json()["code"]) == (403, "filter_not_cleared")
            assert [fault["pointer"] for fault in refused.json()["errors"]] == named, "what was asked, and hidden"
        assert (await service.file(found["id"], "customer_manager"))["name"] is None
        [row] = (await service.get("/v1/customers", name="藏")).json()["items"]
        assert row["name"] == "藏名店"


async def test_a_filter_finds_only_files_in_which_its_column_is_shown(served: Served) -> None:
    async with served() as service:
        above = service.as_("department_manager", units=[UNIT, OTHER_UNIT])
        for unit in (UNIT, OTHER_UNIT):
            body = {"kind": "retail", "unit": unit, "values": values(customer_manager="lu")}
            assert (await service.http.post("/v1/customers", json=body, headers=above)).status_code == 201
        # In one unit the person sees grades; in the other only what a reader without grades sees.
        stand(service, "lu", ("customer_manager", UNIT), ("security_officer", OTHER_UNIT))
        who = service.as_("x", name="lu")
        units = [row["unit"] for row in (await service.http.get("/v1/customers", headers=who)).json()["items"]]
        assert sorted(units) == [UNIT, OTHER_UNIT]
        async with service.database.transaction() as tx:
            await tx.execute("UPDATE customer SET grade = 'A'")
        rows = (await service.http.get("/v1/customers", headers=who)).json()["items"]
        assert {row["unit"]: row["grade"] for row in rows} == {UNIT: "A", OTHER_UNIT: None}
        found = (await service.http.get("/v1/customers", params={"grade": "A"}, headers=who)).json()["items"]
        assert [row["unit"] for row in found] == [UNIT]


async def test_each_column_in_sight_of_other_files_only_is_named(service: RunningCustomer) -> None:
    stand(service, "lu", ("security_officer", UNIT))
    who = service.as_("x", name="lu")
    refused = await service.http.get("/v1/customers", params={"grade": "A", "status": "active"}, headers=who)
    assert [fault["pointer"] for fault in refused.json()["errors"]] == ["query:grade"]


@pytest.mark.req("R2.2")
async def test_files_of_a_kind_whose_dictionary_is_not_in_force_are_told_of_by_no_filter_order_or_cursor(
    service: RunningCustomer,
) -> None:
    for name in ("甲店", "藏名店", "周店"):
        await service.register(shop_name=name)
    async with service.database.transaction() as tx:
        await tx.execute("UPDATE customer SET kind = 'former' WHERE name = '藏名店'")
    for query in ({"name": "藏"}, {"status": "active", "name": "藏"}):
        assert (await service.get("/v1/customers", **query)).json() == {"items": [], "next_cursor": None}
    page = (await service.get("/v1/customers", limit=1)).json()
    rest = (await service.get("/v1/customers", limit=1, cursor=page["next_cursor"])).json()
    assert [row["name"] for row in (*page["items"], *rest["items"])] == ["甲店", "周店"]
    assert rest["next_cursor"] is None
    assert (await service.get("/v1/customers", kind="former")).json()["code"] == "unknown_kind"


@pytest.mark.req("R2.2")
async def test_what_runs_while_its_callers_role_is_taken_away_changes_nothing(service: RunningCustomer) -> None:
    found = await service.register()
    stand(service, "lu", ("customer_manager", UNIT))
    headers = {**service.as_("x", name="lu"), "If-Match": '"1"'}
    path, body = f"/v1/customers/{found['id']}", {"values": {"business_area": 51}}
    async with service.database.transaction() as tx:
        await tx.execute("SELECT 1 FROM customer WHERE id = $1 FOR UPDATE", found["id"])
        running = asyncio.create_task(service.http.patch(path, json=body, headers=headers))
        await asyncio.sleep(0.3)
        assert not running.done()
        stand(service, "lu", ("auditor", UNIT), version=2)
    refused = await running
    assert (refused.status_code, refused.json()["code"]) == (403, "authority_changed")
    assert (await service.file(found["id"]))["version"] == 1
    assert (await service.http.patch(path, json=body, headers=headers)).json()["code"] == "not_allowed"
    assert "access.refused" in {envelope.type for envelope, _ in await service.outbox()}


@pytest.mark.req("R2.2")
async def test_a_decision_is_explained_by_the_service_that_keeps_the_subject(service: RunningCustomer) -> None:
    found = await service.register()
    stand(service, "lu", ("customer_manager", UNIT))

    async def ask(role: str = "security_officer", **query: str) -> Any:
        return await service.get("/v1/decisions", role, **query)

    about = {"name": "lu", "action": "customer.read", "subject": f"customer/{found['id']}"}
    yes = (await ask(**about, field="bank_account")).json()
    assert (yes["allowed"], yes["roles"], [r["code"] for r in yes["reasons"]]) == (
        True, ["customer_manager"], ["granted", "reached", "cleared", "shown"],
    )  # fmt: skip
    no = (await ask(**about, field="watchlisted")).json()
    assert (no["allowed"], no["reasons"][-1]["code"]) == (False, "above_clearance")
    assert {"zh", "en"} == no["reasons"][-1]["text"].keys()
    for wrong, status, code in (
        ({"name": "nobody"}, 404, "unknown_person"),
        ({"action": "customer.fly"}, 422, "unknown_action"),
        ({"subject": "customer/none"}, 404, "not_found"),
        ({"subject": "planet/mars"}, 404, "unknown_subject"),
        ({"field": "shoe_size"}, 422, "unknown_field"),
    ):
        answer = await ask(**{**about, **wrong})
        assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert (await ask("customer_manager", **about)).status_code == 403
