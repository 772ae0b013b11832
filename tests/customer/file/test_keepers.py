"""Each item is set by the role that keeps it, or one that stands above that: declared, and held wherever items are
set."""

import pytest

from kehu.sample.shop_front import shop_front
from tests.factories.customer import UNIT, RunningCustomer, Served, stand, values

DEPARTMENT = "company/role/department_manager.yaml"
MANAGER = "company/role/customer_manager.yaml"
ABOVE = "above: [customer_manager]\n"
ACTIONS = "actions: [change, dealings.read, grade.read, history.read, read, values.open]"
NO_REGISTER = "{action: customer.register, allowed: false}"
pytestmark = pytest.mark.req("R1.1")


async def test_an_item_of_another_role_is_refused_and_the_refusal_names_item_and_role(service: RunningCustomer) -> None:
    found = await service.register()
    refused = await service.patch(
        found["id"], 1, "customer_manager", shop_name="新名店", customer_class="key", delivery_person="示例和"
    )
    problem = refused.json()
    assert (refused.status_code, problem["code"]) == (403, "item_not_kept")
    assert {fault["pointer"]: fault["expected"] for fault in problem["errors"]} == {
        "/values/customer_class": "somebody who holds department_manager, or a role above it",
        "/values/delivery_person": "somebody who holds department_manager, or a role above it",
    }
    assert (await service.file(found["id"]))["version"] == 1
    assert (await service.patch(found["id"], 1, customer_class="key", shop_name="新名店")).status_code == 200


async def test_what_stands_there_already_may_be_sent_along(service: RunningCustomer) -> None:
    found = await service.register(customer_class="key")
    same = {"customer_class": "key", "customer_code": found["values"]["customer_code"]["value"], "shop_name": "新名店"}
    answer = await service.patch(found["id"], 1, "customer_manager", **same)
    assert (answer.status_code, answer.json()["values"].keys()) == (200, {"shop_name"})


async def test_taking_a_value_away_is_setting_it(service: RunningCustomer) -> None:
    found = await service.register(customer_class="key")
    refused = await service.patch(found["id"], 1, "customer_manager", customer_class=None)
    assert (refused.status_code, refused.json()["code"]) == (403, "item_not_kept")


async def test_a_picture_is_kept_like_any_item(service: RunningCustomer) -> None:
    found = await service.register()
    headers = {"If-Match": '"1"', "Content-Type": "image/png"}
    for item, status in (("customer_manager_photo", 403), ("shop_photo", 200)):
        answer = await service.http.put(
            f"/v1/customers/{found['id']}/photos/{item}", content=shop_front(1),
            headers={**service.as_("customer_manager"), **headers},
        )  # fmt: skip
        assert answer.status_code == status, answer.text
    async with service.database.reading() as tx:
        assert await tx.fetchval("SELECT count(*) FROM photo") == 1, "what is refused is not kept"


async def test_which_roles_stand_above_which_is_data(served: Served) -> None:
    async with served() as service:
        found = await service.register()
    async with served((DEPARTMENT, ABOVE, "")) as service:
        refused = await service.patch(found["id"], 1, shop_name="新名店")
        assert (refused.status_code, refused.json()["code"]) == (403, "item_not_kept")
        assert (await service.patch(found["id"], 1, customer_class="key")).status_code == 200


async def test_who_registers_sets_what_is_required_and_what_they_keep(served: Served) -> None:
    more = (MANAGER, ACTIONS, ACTIONS.replace("read, values", "read, register, values"))
    async with served(more, (MANAGER, NO_REGISTER, NO_REGISTER.replace("false", "true"))) as service:
        await service.register("customer_manager", business_area=40)
        body = {"kind": "retail", "values": values(customer_class="key")}
        refused = await service.http.post("/v1/customers", json=body, headers=service.as_("customer_manager"))
        assert (refused.status_code, [fault["pointer"] for fault in refused.json()["errors"]]) == (
            403, ["/values/customer_class"],
        )  # fmt: skip


async def test_two_roles_over_different_units_do_not_lend_each_other_what_they_keep(service: RunningCustomer) -> None:
    found = await service.register()
    stand(service, "lu", ("customer_manager", UNIT), ("department_manager", "unit-9"))
    headers = {**service.as_("x", name="lu"), "If-Match": '"1"'}
    path, body = f"/v1/customers/{found['id']}", {"values": {"customer_class": "key"}}
    assert (await service.http.patch(path, json=body, headers=headers)).json()["code"] == "item_not_kept"


async def test_the_explanation_says_who_keeps_an_item(service: RunningCustomer) -> None:
    found = await service.register()
    stand(service, "lu", ("customer_manager", UNIT))
    about = {"name": "lu", "action": "customer.change", "subject": f"customer/{found['id']}"}
    codes = {}
    for field in ("shop_name", "customer_class"):
        said = (await service.get("/v1/decisions", "security_officer", **about, field=field)).json()
        codes[field] = (said["allowed"], said["reasons"][-1]["code"])
    assert codes == {"shop_name": (True, "kept"), "customer_class": (False, "not_kept")}
    read = {**about, "action": "customer.read", "field": "customer_class"}
    assert (await service.get("/v1/decisions", "security_officer", **read)).json()["allowed"]
