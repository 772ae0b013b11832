"""Everything about one customer, newest first, as far as the reader may ask."""

from typing import Any

import pytest

from tests.customer.dealings.test_feed import feed, purchase, violation
from tests.customer.photo.test_put import put
from tests.customer.relation.test_relations import add
from tests.factories.customer import OTHER_UNIT, RunningCustomer
from tests.factories.pictures import png

pytestmark = pytest.mark.req("R5.3")


async def timeline(service: RunningCustomer, customer: str, role: str = "department_manager", **query: Any):
    answer = await service.get(f"/v1/customers/{customer}/timeline", role, **query)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def eventful(service: RunningCustomer) -> str:
    """A customer of whom every source has something to tell."""
    customer = (await service.register(credit_level="A", business_area=90))["id"]
    await service.run_consumers()
    await put(service, customer, 1, png())
    await feed(service, purchases=[purchase(customer)], violations=[violation(customer)])
    await service.patch(customer, 2, watchlisted=True, main_goods="文具")
    await add(service, customer, "guarantor", party={"type": "person", "name": "示例甲"})
    return customer


async def test_every_source_tells_newest_first_without_values(service: RunningCustomer) -> None:
    customer = await eventful(service)
    page = await timeline(service, customer)
    assert page["next_cursor"] is None
    assert [(line["source"], line["type"], line["record"]) for line in page["items"] if line["source"] == "file"] == [
        ("file", "customer.changed", "3"), ("file", "customer.changed", "2"), ("file", "customer.registered", "1"),
    ]  # fmt: skip
    told = {line["type"]: line for line in page["items"]}
    assert set(told) >= {
        "customer.grade_changed", "photo.kept", "purchase.recorded", "violation.recorded", "relation.added",
    }  # fmt: skip
    assert set(page["items"][1]["facts"]["items"]) == {"watchlisted", "main_goods"}
    assert told["photo.kept"]["facts"] == {"item": "shop_photo", "media_type": "image/png"}
    assert told["customer.grade_changed"]["facts"]["grade"] == (await service.file(customer))["grade"]
    assert told["relation.added"]["facts"] == {"kind": "guarantor", "own": True}
    moments = [line["at"] for line in page["items"]]
    assert moments == sorted(moments, reverse=True)
    assert "文具" not in str(page)
    assert "示例甲" not in str(page)


async def test_pages_go_on_where_they_ended_whatever_happens_meanwhile(service: RunningCustomer) -> None:
    customer = await eventful(service)
    months = [purchase(customer, f"q-{month}", month=f"2026-{month:02}") for month in range(1, 10)]
    await feed(service, purchases=months)  # nine lines of one moment
    whole = (await timeline(service, customer))["items"]
    for limit in (1, 4):
        seen: list[dict[str, Any]] = []
        cursor = None
        while not seen or cursor is not None:
            query = {"limit": limit} if cursor is None else {"limit": limit, "cursor": cursor}
            page = await timeline(service, customer, **query)
            seen += page["items"]
            cursor = page["next_cursor"]
            assert len(page["items"]) == limit or cursor is None
            if len(seen) == limit:
                version = (await service.file(customer))["version"]
                await service.patch(customer, version, main_goods=f"货 {limit}")
        assert seen == whole
        whole = (await timeline(service, customer))["items"]


async def test_one_type_alone_can_be_asked_for(service: RunningCustomer) -> None:
    customer = await eventful(service)
    page = await timeline(service, customer, type="customer.changed")
    assert ([line["record"] for line in page["items"]], page["next_cursor"]) == (["3", "2"], None)
    first = await timeline(service, customer, type="customer.changed", limit=1)
    rest = await timeline(service, customer, type="customer.changed", limit=1, cursor=first["next_cursor"])
    assert [line["record"] for line in first["items"] + rest["items"]] == ["3", "2"]
    assert (await timeline(service, customer, type="no.such"))["items"] == []


@pytest.mark.req("R2.2")
async def test_a_reader_sees_what_each_source_lets_them_see(service: RunningCustomer) -> None:
    customer = await eventful(service)
    sources = {line["source"] for line in (await timeline(service, customer, "auditor"))["items"]}
    assert sources == {"file", "photo", "dealings", "relation"}, "an auditor may not see grades"
    stranger = service.as_("customer_manager", OTHER_UNIT)
    answer = await service.http.get(f"/v1/customers/{customer}/timeline", headers=stranger)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert (await service.get(f"/v1/customers/{customer}/timeline", "report_entry")).status_code == 403
    for cursor in ("x", "WzFd", "WyJzb29uIiwgInBob3RvIiwgMSwgNV0"):
        bad = await service.get(f"/v1/customers/{customer}/timeline", cursor=cursor)
        assert (bad.status_code, bad.json()["code"]) == (422, "bad_cursor")
