"""Registering a customer: what is stored, and everything that is refused, all at once."""

import uuid

import pytest

from tests.factories.customer import OTHER_UNIT, UNIT, RunningCustomer, at_once, values


@pytest.mark.req("R1.2")
async def test_a_registered_customer_shows_who_set_each_value_and_when(service: RunningCustomer) -> None:
    headers = service.as_("department_manager")
    answer = await service.http.post(
        "/v1/customers", json={"kind": "retail", "values": values(business_area=35)}, headers=headers
    )
    body = answer.json()
    assert (answer.status_code, answer.headers["etag"]) == (201, '"1"')
    assert answer.headers["location"] == f"/v1/customers/{body['id']}"
    assert (body["kind"], body["version"], body["unit"], body["name"]) == ("retail", 1, UNIT, "示例便利店")
    shown = body["values"]["business_area"]
    assert shown["set_by"] == "staff/department_manager"
    assert shown["set_at"] == shown["verified_at"] == body["created_at"]
    read = await service.file(body["id"])
    own = {code for code, value in body["values"].items() if value["set_by"] != "system"}
    assert {code: read["values"][code] for code in own} == {code: body["values"][code] for code in own}
    assert {**read, "values": None} == {**body, "values": None}


@pytest.mark.req("R1.3")
async def test_system_items_are_computed_and_nobody_sets_them(service: RunningCustomer) -> None:
    customer = await service.register()
    assert customer["values"]["compliance_status"]["value"] == "clean"
    assert customer["values"]["compliance_status"]["set_by"] == "system"
    refused = await service.patch(customer["id"], 1, purchase_amount="1.00")
    assert refused.status_code == 422
    [fault] = refused.json()["errors"]
    assert (fault["pointer"], fault["code"]) == ("/values/purchase_amount", "system_item")


@pytest.mark.req("R1.1")
async def test_all_faults_are_told_at_once_and_nothing_is_stored(service: RunningCustomer) -> None:
    given = values(
        contact_phone="call me", shop_name=7, credit_level="Z", no_such_item="x", purchase_quantity=3, address=None
    )
    answer = await service.http.post(
        "/v1/customers", json={"kind": "retail", "values": given}, headers=service.as_("department_manager")
    )
    assert answer.status_code == 422
    assert answer.headers["content-type"].startswith("application/problem+json")
    found = {fault["pointer"]: fault["code"] for fault in answer.json()["errors"]}
    assert found == {
        "/values/contact_phone": "pattern_mismatch",
        "/values/shop_name": "wrong_type",
        "/values/credit_level": "not_in_list",
        "/values/no_such_item": "unknown_item",
        "/values/purchase_quantity": "system_item",
        "/values/address": "required",
    }
    assert await service.outbox("customer.registered") == []
    assert (await service.get("/v1/customers")).json()["items"] == []


async def test_values_are_stored_in_their_normal_form(service: RunningCustomer) -> None:
    customer = await service.register(business_area="３５", shop_name="  示例店 ", registered_capital="100000")
    stored = {code: shown["value"] for code, shown in customer["values"].items()}
    assert stored["shop_name"] == "示例店"
    assert float(stored["business_area"]) == 35
    assert customer["name"] == "示例店"


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({"kind": "no-such-kind", "values": {}}, "/kind", "unknown_kind"),
        ({"kind": "retail"}, "/values", "missing"),
        ({"kind": "retail", "values": [], "x": 1}, "/values", "dict_type"),
        ({"kind": "retail", "values": {}, "surprise": 1}, "/surprise", "extra_forbidden"),
    ],
)
async def test_bodies_of_another_shape_are_refused(
    service: RunningCustomer, body: object, pointer: str, code: str
) -> None:
    answer = await service.http.post("/v1/customers", json=body, headers=service.as_("department_manager"))
    assert answer.status_code == 422
    assert (pointer, code) in {(fault["pointer"], fault["code"]) for fault in answer.json()["errors"]}


@pytest.mark.parametrize("raw", [b"{", b'{"kind": "retail", "values": {"shop_name": "\\u0000"}}', b'{"a": "\\ud800"}'])
async def test_unreadable_bodies_are_a_clear_refusal(service: RunningCustomer, raw: bytes) -> None:
    headers = {**service.as_("department_manager"), "Content-Type": "application/json"}
    answer = await service.http.post("/v1/customers", content=raw, headers=headers)
    assert answer.status_code == 400


async def test_who_may_register_and_where(service: RunningCustomer) -> None:
    body = {"kind": "retail", "values": values()}
    manager = await service.http.post("/v1/customers", json=body, headers=service.as_("customer_manager"))
    assert (manager.status_code, manager.json()["code"]) == (403, "not_allowed")
    assert (await service.http.post("/v1/customers", json=body)).status_code == 401
    foreign = {**body, "unit": OTHER_UNIT}
    refused = await service.http.post("/v1/customers", json=foreign, headers=service.as_("department_manager"))
    assert (refused.status_code, refused.json()["code"]) == (403, "unit_out_of_reach")
    above = service.as_("department_manager", units=[UNIT, OTHER_UNIT])
    accepted = await service.http.post("/v1/customers", json=foreign, headers=above)
    assert (accepted.status_code, accepted.json()["unit"]) == (201, OTHER_UNIT)
    homeless = await service.http.post("/v1/customers", json=body, headers=service.as_("department_manager", unit=""))
    assert (homeless.status_code, homeless.json()["code"]) == (422, "unit_missing")
    refusals = [event.code for _, event in await service.outbox("access.refused")]
    assert refusals == ["not_allowed", "unit_out_of_reach"]


async def test_a_number_belongs_to_one_customer(service: RunningCustomer) -> None:
    first = await service.register(customer_code="A-0001")
    body = {"kind": "retail", "values": values(customer_code="A-0001")}
    again = await service.http.post("/v1/customers", json=body, headers=service.as_("department_manager"))
    assert (again.status_code, again.json()["code"]) == (409, "number_taken")
    other = await service.register()
    moved = await service.patch(other["id"], 1, customer_code="A-0001")
    assert (moved.status_code, moved.json()["errors"][0]["pointer"]) == (409, "/values/customer_code")
    assert (await service.get("/v1/customers", number="A-0001")).json()["items"][0]["id"] == first["id"]


@pytest.mark.req("R0.2")
async def test_a_key_makes_one_customer_however_often_it_is_sent(service: RunningCustomer) -> None:
    headers = {**service.as_("department_manager"), "Idempotency-Key": str(uuid.uuid4())}
    body = {"kind": "retail", "values": values()}

    async def send():
        return await service.http.post("/v1/customers", json=body, headers=headers)

    answers = [*await at_once(send, send, send), await send()]
    made = [answer for answer in answers if answer.status_code == 201]
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len({answer.json()["id"] for answer in made}) == 1
    assert made[-1].headers["etag"] == '"1"'
    assert len(await service.outbox("customer.registered")) == 1
