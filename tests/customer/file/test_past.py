"""Files as they stood, and old values put back."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.customer.file import rules
from shared.clock import CHINA, now
from shared.errors import Invalid
from shared.web.plain import plan_of
from tests.customer.dealings.test_feed import feed, purchase, violation
from tests.customer.file.test_keys import erase
from tests.customer.grading.test_service import grading_of
from tests.customer.review.test_verify import verify
from tests.factories.customer import OTHER_UNIT, RunningCustomer, at_once

pytestmark = pytest.mark.req("R5.2")
LONG_AGO = "2025-01-15"


async def past(service: RunningCustomer, customer: str, role: str = "department_manager", **query: object):
    return await service.get(f"/v1/customers/{customer}", role, **query)


def kept(file: dict[str, Any]) -> dict[str, Any]:
    """The values that are not computed: those are reckoned at the moment of each answer."""
    return {code: value for code, value in file["values"].items() if value["set_by"] != "system"}


async def moments(service: RunningCustomer, customer: str) -> dict[int, str]:
    """When each version was made."""
    entries = (await service.get(f"/v1/customers/{customer}/history")).json()["items"]
    return {entry["version"]: entry["at"] for entry in entries}


async def backdated(service: RunningCustomer, *ages_in_days: int) -> list[datetime]:
    """Spread the versions over the past, as if they had been made so long ago."""
    at = [now() - timedelta(days=age) for age in ages_in_days]
    async with service.database.transaction() as tx:
        await tx.execute("ALTER TABLE customer_event DISABLE TRIGGER append_only")
        for version, moment in enumerate(at, 1):
            await tx.execute("UPDATE customer_event SET at = $2 WHERE version = $1", version, moment)
        await tx.execute("UPDATE customer SET created_at = $1", at[0])
        await tx.execute("ALTER TABLE customer_event ENABLE TRIGGER append_only")
    return at


@pytest.mark.req("R1.2")
async def test_a_version_has_the_values_columns_and_marks_that_it_had(service: RunningCustomer) -> None:
    customer = (await service.register(main_goods="饮料", business_area=35))["id"]
    await service.patch(customer, 1, "customer_manager", shop_name="新名便利店", main_goods=None, model_shop=True)
    await service.patch(customer, 2, shop_name="再新便利店", business_area=40)
    first = (await past(service, customer, version=1)).json()
    assert (first["version"], first["name"], first["updated_at"]) == (1, "示例便利店", first["created_at"])
    shown = {code: value["value"] for code, value in first["values"].items()}
    assert (shown["shop_name"], shown["main_goods"], "model_shop" in shown) == ("示例便利店", "饮料", False)
    second = (await past(service, customer, version=2)).json()
    assert (second["version"], second["name"], "main_goods" in second["values"]) == (2, "新名便利店", False)
    assert float(second["values"]["business_area"]["value"]) == 35
    name, at = second["values"]["shop_name"], (await moments(service, customer))[2]
    assert (name["set_by"], name["set_at"], name["verified_at"]) == ("staff/customer_manager", at, at)
    assert second["values"]["business_area"]["set_by"] == "staff/department_manager"
    assert second["values"]["address"] == first["values"]["address"]
    today = (await past(service, customer, version=3)).json()
    assert kept(today) == kept(await service.file(customer))
    assert (today["name"], today["as_of"]) == ("再新便利店", (await moments(service, customer))[3])


@pytest.mark.req("R1.2")
async def test_a_verification_is_told_as_of_then_and_sets_nothing(service: RunningCustomer) -> None:
    customer = (await service.register(business_area=35))["id"]
    await service.patch(customer, 1, business_area=40)
    assert (await verify(service, customer, 2, ["business_area"], "department_manager")).status_code == 200
    await service.patch(customer, 3, business_area=45)
    at = await moments(service, customer)
    for version, verified in ((2, at[2]), (3, at[3])):
        area = (await past(service, customer, version=version)).json()["values"]["business_area"]
        assert (float(area["value"]), area["set_at"], area["verified_at"]) == (40, at[2], verified)


@pytest.mark.req("R1.2")
async def test_a_moment_or_a_day_gives_the_version_of_then(service: RunningCustomer) -> None:
    customer = (await service.register(main_goods="饮料"))["id"]
    await service.patch(customer, 1, main_goods="文具")
    await service.patch(customer, 2, main_goods="书报")
    at = await backdated(service, 30, 20, 10)

    async def goods(as_of: str) -> str:
        return (await past(service, customer, as_of=as_of)).json()["values"]["main_goods"]["value"]

    assert await goods(at[1].isoformat()) == "文具"
    assert await goods((at[1] - timedelta(microseconds=1)).isoformat()) == "饮料"
    assert await goods(at[1].astimezone(CHINA).date().isoformat()) == "文具", "a day ends with what changed on it"
    assert await goods((at[1] - timedelta(days=1)).astimezone(CHINA).date().isoformat()) == "饮料"
    assert await goods(now().astimezone(CHINA).date().isoformat()) == "书报", "today ends now"
    assert await goods(at[2].astimezone(CHINA).isoformat()) == "书报"
    early = await past(service, customer, as_of=LONG_AGO)
    assert (early.status_code, early.json()["code"]) == (404, "not_registered_yet")


async def test_what_cannot_be_told_is_refused(service: RunningCustomer) -> None:
    customer = (await service.register())["id"]
    refused = {
        "bad_as_of": [{"as_of": text} for text in ("yesterday", "20260630", "2026-02-30", "2026-06-30T10:00:00", "")],
        "as_of_in_the_future": [{"as_of": "2099-01-01"}, {"as_of": "2099-01-01T00:00:00Z"}, {"as_of": "9999-12-31"}],
        "as_of_or_version": [{"as_of": LONG_AGO, "version": 1}],
        "no_such_version": [{"version": 2}],
        "invalid_request": [{"version": 0}],
    }
    for code, queries in refused.items():
        for query in queries:
            answer = await past(service, customer, **query)
            status = 404 if code == "no_such_version" else 422
            assert (answer.status_code, answer.json()["code"]) == (status, code), query


def test_moments_are_read_as_rfc_3339_says() -> None:
    at = datetime(2026, 6, 30, 4, tzinfo=UTC)
    assert rules.moment_of("2026-06-30", datetime(2026, 7, 2, tzinfo=UTC)).isoformat() == (
        "2026-06-30T15:59:59.999999+00:00"
    )
    assert rules.moment_of("2026-06-30", at) == at
    for text in ("2026-06-30T12:00:00+08:00", "2026-06-30t04:00:00z", "2026-06-30 04:00:00.000Z"):
        assert rules.moment_of(text, at) == at
    with pytest.raises(Invalid):
        rules.moment_of("2026-06-30T04:00:00.001Z", at)


@pytest.mark.req("R2.2")
async def test_authority_and_clearance_are_those_of_today_and_the_reading_is_recorded(
    service: RunningCustomer,
) -> None:
    customer = (await service.register(watchlisted=True, customer_manager="somebody"))["id"]
    await service.patch(customer, 1, shop_name="新名便利店")
    before = len(await service.outbox("access.read"))
    old = (await past(service, customer, "customer_manager", version=1)).json()
    assert ("watchlisted" in old["withheld"], "watchlisted" in old["values"]) == (True, False)
    [(_, read)] = (await service.outbox("access.read"))[before:]
    assert ("contact_phone" in read.items, read.purpose) == (True, "customer_service")
    stranger = service.as_("customer_manager", OTHER_UNIT)
    for query in ({"version": 1}, {"version": 9}, {"as_of": LONG_AGO}):
        answer = await service.http.get(f"/v1/customers/{customer}", params=query, headers=stranger)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.req("R15.1")
async def test_an_erased_file_says_so(service: RunningCustomer) -> None:
    customer = (await service.register())["id"]
    await erase(service, customer)
    answer = await past(service, customer, version=1)
    assert (answer.status_code, answer.json()["code"]) == (409, "customer_erased")
    last = (await past(service, customer, version=2)).json()
    assert (last["erased_at"] is not None, "contact_person" in last["values"]) == (True, False)


@pytest.mark.req("R1.3")
async def test_system_items_and_grade_are_those_of_the_day(service: RunningCustomer) -> None:
    customer = (await service.register(credit_level="A", business_area=90))["id"]
    [at] = await backdated(service, 200)
    day = at.astimezone(CHINA).date()
    rows = [purchase(customer, "p-0", month=day.strftime("%Y-%m")), purchase(customer, "p-1")]
    await feed(service, purchases=rows, violations=[violation(customer)])
    async with service.database.transaction() as tx:
        await grading_of(service).recheck(tx, [await tx.fetchval("SELECT id FROM customer")], now())
    then = (await past(service, customer, as_of=(at + timedelta(seconds=1)).isoformat())).json()
    shown = {code: value["value"] for code, value in then["values"].items()}
    assert (shown["purchase_quantity"], shown["compliance_status"]) == (100, "clean")
    assert (then["computed_on"], then["grade"], then["values"]["purchase_quantity"]["set_by"]) == (
        day.isoformat(), None, "system",
    )  # fmt: skip
    today = (await past(service, customer, as_of=now().isoformat())).json()
    assert (today["values"]["purchase_quantity"]["value"], today["grade"]) == (
        200, (await service.file(customer))["grade"],
    )  # fmt: skip


async def test_without_a_dictionary_of_then_system_items_are_left_out(service: RunningCustomer) -> None:
    customer = (await service.register())["id"]
    await feed(service, purchases=[purchase(customer)])
    await backdated(service, 365 * 3)
    then = (await past(service, customer, as_of=(now() - timedelta(days=365 * 3 - 1)).isoformat())).json()
    assert (then["computed_on"], "purchase_quantity" in then["values"], "shop_name" in then["values"]) == (
        None, False, True,
    )  # fmt: skip


async def restore(
    service: RunningCustomer, customer: str, version: int, *items: str, base: int, role: str = "department_manager"
):
    return await service.http.post(
        f"/v1/customers/{customer}/restore",
        json={"version": version, "items": list(items)},
        headers={**service.as_(role), "If-Match": f'"{base}"'},
    )


@pytest.mark.req("R1.2")
async def test_old_values_are_put_back_by_an_ordinary_change(service: RunningCustomer) -> None:
    customer = (await service.register(main_goods="饮料"))["id"]
    await service.patch(customer, 1, main_goods="文具", business_area=40, shop_name="新名便利店")
    answer = await restore(service, customer, 1, "main_goods", "business_area", base=2)
    assert (answer.status_code, answer.headers["etag"]) == (200, '"3"')
    shown = {code: value["value"] for code, value in (await service.file(customer))["values"].items()}
    assert (shown["main_goods"], "business_area" in shown, shown["shop_name"]) == ("饮料", False, "新名便利店")
    [*_, (envelope, event)] = await service.outbox("customer.changed")
    assert (envelope.sequence, set(event.items)) == (3, {"main_goods", "business_area"})
    again = await restore(service, customer, 1, "main_goods", base=3)
    assert (again.headers["etag"], again.json()["values"]) == ('"3"', {}), "what stands already changes nothing"


async def test_putting_back_is_refused_like_any_change(service: RunningCustomer) -> None:
    customer = (await service.register(main_goods="饮料", watchlisted=True))["id"]
    await service.patch(customer, 1, main_goods="文具", shop_name="新名便利店")
    bad = await restore(service, customer, 1, "shop_name", "no_such_item", "purchase_quantity", base=2)
    assert (bad.status_code, {(fault["pointer"], fault["code"]) for fault in bad.json()["errors"]}) == (
        422, {("/items/1", "unknown_item"), ("/items/2", "system_item")},
    )  # fmt: skip
    hidden = await restore(service, customer, 1, "watchlisted", base=2, role="customer_manager")
    assert (hidden.status_code, hidden.json()["errors"][0]["pointer"]) == (403, "/items/0")
    unknown = await restore(service, customer, 9, "main_goods", base=2)
    assert (unknown.status_code, unknown.json()["code"]) == (404, "no_such_version")
    auditor = await restore(service, customer, 1, "main_goods", base=2, role="auditor")
    assert auditor.status_code == 403
    stranger = {**service.as_("customer_manager", OTHER_UNIT), "If-Match": '"2"'}
    body = {"version": 1, "items": ["main_goods"]}
    foreign = await service.http.post(f"/v1/customers/{customer}/restore", json=body, headers=stranger)
    assert foreign.status_code == 404
    await erase(service, customer)
    gone = await restore(service, customer, 1, "main_goods", base=2)
    assert (gone.status_code, gone.json()["code"]) == (409, "customer_erased")


async def test_putting_back_what_somebody_else_changed_meanwhile_clashes(service: RunningCustomer) -> None:
    customer = (await service.register(main_goods="饮料"))["id"]
    await service.patch(customer, 1, main_goods="文具")
    await service.patch(customer, 2, main_goods="书报")
    clash = await restore(service, customer, 1, "main_goods", base=2)
    assert (clash.status_code, clash.json()["code"]) == (412, "changed_meanwhile")
    assert (clash.json()["errors"][0]["pointer"], clash.json()["current"]) == ("/items/0", {"main_goods": "书报"})
    answers = await at_once(
        lambda: restore(service, customer, 1, "main_goods", base=3),
        lambda: service.patch(customer, 3, main_goods="百货"),
    )
    assert sorted(answer.status_code for answer in answers) == [200, 412], "one of two at once, not both"


async def test_a_read_of_today_stays_a_plain_request(service: RunningCustomer) -> None:
    [route] = [route for route in service.parts.app().state.routes if route.name == "get_customer"]
    assert plan_of(route, [each.call for each in route.dependant.dependencies if each.name == "tx"]) is not None
    customer = (await service.register())["id"]
    current = await service.http.get(
        f"/v1/customers/{customer}", headers={**service.as_("auditor"), "If-None-Match": '"1"'}
    )
    assert current.status_code == 304
    assert (await service.get(f"/v1/customers/{customer}", surprise="1")).status_code == 200
