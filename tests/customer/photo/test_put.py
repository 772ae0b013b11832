"""Uploading photographs: a change like any other, refused like any other."""

from typing import Any

import httpx
import pytest

from shared.events import CustomerChanged
from tests.customer.file.test_keys import erase
from tests.factories import customer as made
from tests.factories.customer import OTHER_UNIT, RunningCustomer, at_once
from tests.factories.pictures import photograph, png, resized
from tests.fakes.issuer import Issuer

pytestmark = pytest.mark.req("R1.6")
CHANGED = CustomerChanged.type


async def put(
    service: RunningCustomer, customer: str, version: int | None, content: Any, item: str = "shop_photo",
    role: str = "department_manager", **headers: str,
) -> httpx.Response:  # fmt: skip
    match = {} if version is None else {"If-Match": f'"{version}"'}
    return await service.http.put(
        f"/v1/customers/{customer}/photos/{item}",
        content=content,
        headers={**service.as_(role), "Content-Type": "image/png", **match, **headers},
    )


async def kept(service: RunningCustomer) -> int:
    async with service.database.reading() as tx:
        return await tx.fetchval("SELECT count(*) FROM photo")


async def test_a_picture_becomes_the_value_of_its_item_as_the_next_version(service: RunningCustomer) -> None:
    customer = (await service.register())["id"]
    answer = await put(service, customer, 1, png())
    body = answer.json()
    assert (answer.status_code, answer.headers["etag"]) == (200, '"2"')
    assert {name: body[name] for name in ("item", "media_type", "width", "height", "version")} == {
        "item": "shop_photo", "media_type": "image/png", "width": 160, "height": 120, "version": 2,
    }  # fmt: skip
    file = await service.file(customer)
    assert (file["version"], file["values"]["shop_photo"]["value"]) == (2, body["id"])
    [(envelope, event)] = await service.outbox(CHANGED)
    assert (envelope.sequence, event.items, event.version) == (2, ("shop_photo",), 2)
    history = (await service.get(f"/v1/customers/{customer}/history")).json()["items"]
    assert history[0]["items"] == [{"code": "shop_photo", "before": None, "after": body["id"]}]


@pytest.mark.req("R15.1")
async def test_a_picture_rests_sealed(service: RunningCustomer) -> None:
    customer = (await service.register())["id"]
    assert (await put(service, customer, 1, png())).status_code == 200
    async with service.database.reading() as tx:
        row = await tx.fetchrow("SELECT * FROM photo JOIN stored_object ON stored_object.id = content_id")
    assert png()[33:60] not in row["content"]
    assert len(row["content"]) == len(png()) + 28
    assert row["actor"] == "staff/department_manager"


async def test_the_same_bytes_again_change_nothing_whatever_the_etag(service: RunningCustomer) -> None:
    customer = (await service.register())["id"]
    first = await put(service, customer, 1, png())
    for version in (1, 2):
        again = await put(service, customer, version, png())
        assert (again.status_code, again.headers["etag"], again.json()["id"]) == (200, '"2"', first.json()["id"])
    assert (len(await service.outbox(CHANGED)), await kept(service)) == (1, 1)


async def test_the_same_bytes_at_once_are_one_change(service: RunningCustomer) -> None:
    customer = (await service.register())["id"]
    answers = await at_once(*(lambda: put(service, customer, 1, png()) for _ in range(4)))
    assert {(each.status_code, each.headers["etag"]) for each in answers} == {(200, '"2"')}
    assert (len(await service.outbox(CHANGED)), await kept(service)) == (1, 1)


async def test_the_same_bytes_for_another_item_are_another_photograph(service: RunningCustomer) -> None:
    customer = (await service.register())["id"]
    shop = await put(service, customer, 1, png())
    counter = await put(service, customer, 2, png(), "counter_photo")
    assert shop.json()["id"] != counter.json()["id"]
    assert (counter.headers["etag"], await kept(service)) == ('"3"', 2)


async def test_of_different_pictures_at_once_one_holds_and_the_others_are_not_kept(service: RunningCustomer) -> None:
    customer = (await service.register())["id"]
    answers = await at_once(*(lambda n=n: put(service, customer, 1, png(n)) for n in range(5)))
    assert sorted(each.status_code for each in answers) == [200] + [412] * 4
    assert (len(await service.outbox(CHANGED)), await kept(service)) == (1, 1)
    clash = next(each for each in answers if each.status_code == 412)
    held = next(each for each in answers if each.status_code == 200).json()["id"]
    problem = clash.json()
    assert (problem["code"], clash.headers["etag"], problem["original"]) == (
        "changed_meanwhile", '"2"', {"shop_photo": None},
    )  # fmt: skip
    assert problem["current"] == {"shop_photo": held}


async def test_a_clash_keeps_a_picture_that_the_history_names(service: RunningCustomer) -> None:
    customer = (await service.register())["id"]
    await put(service, customer, 1, png(1))
    await put(service, customer, 2, png(2))
    assert (await put(service, customer, 1, png(1))).status_code == 412
    assert await kept(service) == 2


async def test_edits_of_other_items_are_merged_and_shown(service: RunningCustomer) -> None:
    customer = (await service.register())["id"]
    await service.patch(customer, 1, main_goods="文具")
    answer = await put(service, customer, 1, png())
    assert (answer.status_code, answer.headers["etag"]) == (200, '"3"')
    assert answer.json()["values"]["main_goods"]["value"] == "文具"


async def test_the_content_decides_what_it_is_not_its_name(service: RunningCustomer) -> None:
    customer = (await service.register())["id"]
    answer = await put(service, customer, 1, photograph(), **{"Content-Type": "image/png"})
    assert answer.json()["media_type"] == "image/jpeg"
    refused = await put(service, customer, 2, b"<script>alert(1)</script>", **{"Content-Type": "image/jpeg"})
    assert (refused.status_code, refused.json()["code"]) == (415, "not_a_picture")


async def test_bad_pictures_items_and_versions_are_refused_and_nothing_is_kept(service: RunningCustomer) -> None:
    customer = (await service.register())["id"]
    refusals = [
        (await put(service, customer, 1, b""), 415, "not_a_picture"),
        (await put(service, customer, 1, resized(png(), 1, 1)), 422, "bad_picture"),
        (await put(service, customer, 1, png()[:30]), 422, "bad_picture"),
        (await put(service, customer, 1, png(), "shop_name"), 422, "not_a_photo_item"),
        (await put(service, customer, 1, png(), "no_such_item"), 422, "not_a_photo_item"),
        (await put(service, customer, 1, png(), "x" * 81), 422, "invalid_request"),
        (await put(service, customer, None, png()), 428, "if_match_required"),
        (await put(service, customer, 1, png(), **{"If-Match": "*"}), 422, "bad_if_match"),
        (await put(service, customer, 7, png()), 412, "version_unknown"),
    ]
    assert [(each.status_code, each.json()["code"]) for each, *_ in refusals] == [tuple(rest) for _, *rest in refusals]
    assert refusals[3][0].json()["errors"][0]["pointer"] == "path:photo"
    assert (await service.file(customer))["version"] == 1
    assert await kept(service) == 0


async def test_a_photograph_may_be_larger_than_other_bodies_but_not_without_bound(service: RunningCustomer) -> None:
    customer = (await service.register())["id"]
    limit, usual = service.settings.photo_limit_bytes, service.settings.body_limit_bytes
    assert usual < limit
    large = png() + b"\0" * (limit - len(png()))

    async def in_parts(content: bytes) -> Any:
        yield content[:usual]
        yield content[usual:]

    for version, content in enumerate((large, in_parts(large[:-1])), 1):
        assert (await put(service, customer, version, content)).status_code == 200
    for content in (large + b"\0", in_parts(large + b"\0")):
        refused = await put(service, customer, 3, content)
        assert (refused.status_code, refused.json()["code"]) == (413, "body_too_large")
        assert refused.json()["limit_bytes"] == limit
    elsewhere = await service.patch(customer, 3, main_goods="x" * usual)
    assert (elsewhere.status_code, elsewhere.json()["limit_bytes"]) == (413, usual)


async def test_the_bound_is_a_setting(dsn: str, issuer: Issuer) -> None:
    async with made.running(dsn, issuer, photo_limit_bytes=1024) as service:
        customer = (await service.register())["id"]
        assert (await put(service, customer, 1, png())).status_code == 200
        assert (await put(service, customer, 2, png(2) + b"\0" * 1024)).status_code == 413


@pytest.mark.req("R2.2")
async def test_who_may_not_change_the_item_uploads_nothing(service: RunningCustomer) -> None:
    customer = (await service.register())["id"]
    path, stranger = f"/v1/customers/{customer}/photos/shop_photo", service.as_("customer_manager", OTHER_UNIT)
    hidden = await service.http.put(path, content=png(), headers={**stranger, "If-Match": '"1"'})
    assert (hidden.status_code, hidden.json()["code"]) == (404, "not_found")
    assert (await put(service, customer, 1, png(), role="auditor")).status_code == 403
    assert (await service.http.put(path, content=png(), headers={"If-Match": '"1"'})).status_code == 401
    absent = await put(service, "019aaaaa-0000-7000-8000-000000000000", 1, png())
    assert absent.status_code == 404
    assert await kept(service) == 0


@pytest.mark.req("R15.1")
async def test_an_upload_during_an_erasure_leaves_no_picture(service: RunningCustomer) -> None:
    customer = (await service.register())["id"]
    answers = await at_once(
        lambda: erase(service, customer), *(lambda n=n: put(service, customer, 1, png(n)) for n in range(4))
    )
    assert answers[0].status_code == 204
    assert {each.status_code for each in answers[1:]} <= {200, 409, 412}
    assert await kept(service) == 0
    late = await put(service, customer, 2, png())
    assert (late.status_code, late.json()["code"]) == (409, "customer_erased")


async def test_a_number_and_a_photograph_change_at_once_without_a_deadlock(service: RunningCustomer) -> None:
    customer = (await service.register())["id"]
    answers = await at_once(
        *(lambda item=item: put(service, customer, 1, png(), item) for item in ("shop_photo", "licence_photo")),
        *(lambda n=n: service.patch(customer, 1, customer_code=f"P-{n}") for n in range(3)),
    )
    assert sorted(each.status_code for each in answers) == [200, 200, 200, 412, 412]
