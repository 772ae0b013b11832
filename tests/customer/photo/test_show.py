"""Showing photographs: to who is cleared, recorded where classified, gone with the customer."""

import pytest

from tests.customer.file.test_keys import erase
from tests.customer.photo.test_put import kept, put
from tests.factories.customer import OTHER_UNIT, RunningCustomer
from tests.factories.pictures import photograph, png

pytestmark = pytest.mark.req("R1.6")


async def test_a_photograph_comes_back_byte_by_byte_and_is_stored_nowhere(service: RunningCustomer) -> None:
    customer = (await service.register())["id"]
    for version, (content, media) in enumerate(((png(), "image/png"), (photograph(), "image/jpeg")), 1):
        photo = (await put(service, customer, version, content)).json()["id"]
        answer = await service.get(f"/v1/customers/{customer}/photos/{photo}")
        assert (answer.status_code, answer.content, answer.headers["content-type"]) == (200, content, media)
        assert answer.headers["content-disposition"] == "inline"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
    assert await service.outbox("access.read") == [], "a shop front is not classified"


@pytest.mark.req("R2.2")
async def test_a_classified_photograph_is_shown_to_the_cleared_and_the_reading_is_recorded(
    service: RunningCustomer,
) -> None:
    customer = (await service.register())["id"]
    photo = (await put(service, customer, 1, png(), "legal_person_photo")).json()["id"]
    path, before = f"/v1/customers/{customer}/photos/{photo}", len(await service.outbox("access.read"))
    assert (await service.get(path, "auditor")).content == png()
    [(envelope, read)] = (await service.outbox("access.read"))[before:]
    assert (read.items, read.level, envelope.subject) == (
        ("legal_person_photo",), "confidential", f"customer/{customer}",
    )  # fmt: skip


@pytest.mark.req("R2.2")
async def test_a_photograph_above_ones_clearance_is_refused(service: RunningCustomer) -> None:
    customer = (await service.register())["id"]
    photo = (await put(service, customer, 1, png(), "legal_person_photo")).json()["id"]
    async with service.database.transaction() as tx:  # no declared role reads customers without this clearance
        await tx.execute("UPDATE photo SET item = 'watchlisted'")
    refused = await service.get(f"/v1/customers/{customer}/photos/{photo}", "customer_manager")
    assert (refused.status_code, refused.json()["code"]) == (403, "photo_not_cleared")
    [(_, event)] = await service.outbox("access.refused")
    assert (event.code, event.action) == ("photo_not_cleared", "customer.read")


@pytest.mark.req("R2.2")
async def test_a_photograph_out_of_reach_of_another_customer_or_of_nobody_is_not_there(
    service: RunningCustomer,
) -> None:
    customer, other = (await service.register())["id"], (await service.register())["id"]
    photo = (await put(service, customer, 1, png())).json()["id"]
    stranger = service.as_("customer_manager", OTHER_UNIT)
    answers = [
        await service.http.get(f"/v1/customers/{customer}/photos/{photo}", headers=stranger),
        await service.get(f"/v1/customers/{other}/photos/{photo}"),
        await service.get(f"/v1/customers/{customer}/photos/{customer}"),
        await service.get(f"/v1/customers/{photo}/photos/{photo}"),
    ]
    assert {(each.status_code, each.json()["code"]) for each in answers} == {(404, "not_found")}
    assert (await service.get(f"/v1/customers/{customer}/photos/shop_photo")).status_code == 422
    assert (await service.http.get(f"/v1/customers/{customer}/photos/{photo}")).status_code == 401
    assert (await service.get(f"/v1/customers/{customer}/photos/{photo}", "report_entry")).status_code == 403


@pytest.mark.req("R15.1")
async def test_photographs_end_with_the_customer_and_with_no_other(service: RunningCustomer) -> None:
    customer, other = (await service.register())["id"], (await service.register())["id"]
    photo = (await put(service, customer, 1, png())).json()["id"]
    others = (await put(service, other, 1, png())).json()["id"]
    await erase(service, customer)
    gone = await service.get(f"/v1/customers/{customer}/photos/{photo}")
    assert (gone.status_code, gone.json()["code"]) == (409, "customer_erased")
    assert await kept(service) == 1
    assert (await service.get(f"/v1/customers/{other}/photos/{others}")).status_code == 200
