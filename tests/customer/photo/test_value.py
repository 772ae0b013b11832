"""Ids of photographs as values: only the customer's own, for the item that they were taken for."""

import pytest

from tests.customer.photo.test_put import put
from tests.factories.customer import RunningCustomer, values
from tests.factories.pictures import png

pytestmark = pytest.mark.req("R1.6")
NOBODYS = "01993a2e-0000-7000-8000-000000000000"


async def test_an_earlier_photograph_of_the_item_can_be_set_again_and_null_takes_it_away(
    service: RunningCustomer,
) -> None:
    customer = (await service.register())["id"]
    first = (await put(service, customer, 1, png(1))).json()["id"]
    await put(service, customer, 2, png(2))
    back = await service.patch(customer, 3, shop_photo=first)
    assert (back.status_code, back.headers["etag"]) == (200, '"4"')
    assert (await service.file(customer))["values"]["shop_photo"]["value"] == first
    away = await service.patch(customer, 4, shop_photo=None)
    assert (away.status_code, away.headers["etag"]) == (200, '"5"')
    assert "shop_photo" not in (await service.file(customer))["values"]


async def test_an_id_of_nobody_of_another_item_or_of_another_customer_is_refused(service: RunningCustomer) -> None:
    customer, other = (await service.register())["id"], (await service.register())["id"]
    others = (await put(service, other, 1, png())).json()["id"]
    counter = (await put(service, customer, 1, png(), "counter_photo")).json()["id"]
    for given in (NOBODYS, others, counter):
        refused = await service.patch(customer, 2, shop_photo=given, business_area="wide")
        faults = {each["pointer"]: each["code"] for each in refused.json()["errors"]}
        assert (refused.status_code, refused.json()["code"]) == (422, "bad_values")
        assert faults == {"/values/shop_photo": "not_uploaded", "/values/business_area": "wrong_type"}
    assert (await service.file(customer))["version"] == 2


async def test_photographs_come_after_registration(service: RunningCustomer) -> None:
    body = {"kind": "retail", "values": values(shop_photo=NOBODYS, counter_photo="shop.jpg")}
    refused = await service.http.post("/v1/customers", json=body, headers=service.as_("department_manager"))
    faults = {each["pointer"]: each for each in refused.json()["errors"]}
    assert (refused.status_code, refused.json()["code"]) == (422, "bad_values")
    assert faults["/values/counter_photo"]["code"] == "pattern_mismatch"
    assert faults["/values/shop_photo"]["code"] == "not_uploaded"
    assert "/photos/shop_photo" in faults["/values/shop_photo"]["expected"]
