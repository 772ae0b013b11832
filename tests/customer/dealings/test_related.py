"""Dealings that move with a merge, and back."""

from uuid import UUID

import pytest

from services.customer.dealings.related import RelatedDealings
from tests.customer.dealings.test_feed import THIS_MONTH, feed, purchase, violation
from tests.factories.customer import RunningCustomer

pytestmark = pytest.mark.req("R5.3")


async def bought(service: RunningCustomer, customer: str) -> int | None:
    values = (await service.file(customer))["values"]
    return values["purchase_quantity"]["value"] if "purchase_quantity" in values else None


async def moved(service: RunningCustomer, source: str, target: str, records: list[str] | None = None) -> list[str]:
    async with service.database.transaction() as tx:
        return await RelatedDealings().move(tx, UUID(source), UUID(target), records)


async def test_rows_move_and_go_back_even_if_both_bought_in_the_same_month(service: RunningCustomer) -> None:
    source, target = (await service.register())["id"], (await service.register())["id"]
    await feed(service, purchases=[purchase(source, "p-1"), purchase(target, "p-2")], violations=[violation(source)])
    records = await moved(service, source, target)
    assert sorted(records) == ["purchase/p-1", "violation/v-1"]
    assert (await bought(service, source), await bought(service, target)) == (None, 200)
    assert (await service.file(target))["values"]["violation_count"]["value"] == 1
    assert await moved(service, target, source, records) == records
    assert (await bought(service, source), await bought(service, target)) == (100, 100)
    assert (await service.file(source))["values"]["violation_count"]["value"] == 1


async def test_a_correction_under_the_former_customer_follows_the_row(service: RunningCustomer) -> None:
    source, target = (await service.register())["id"], (await service.register())["id"]
    await feed(service, purchases=[purchase(source, "p-1")])
    await moved(service, source, target)
    corrected = await feed(service, purchases=[purchase(source, "p-1", quantity=70)])
    assert corrected.json() == {"recorded": 1, "unchanged": 0, "customers": 1}
    assert (await bought(service, source), await bought(service, target)) == (None, 70)
    again = await feed(service, purchases=[purchase(source, "p-1", quantity=70)])
    assert again.json()["unchanged"] == 1
    other = await feed(service, purchases=[purchase(source, "p-9")])
    assert other.json()["errors"][0]["code"] == "month_taken", "the feed has told this month of that customer"
    own = await feed(service, purchases=[purchase(target, "p-2", month=THIS_MONTH)])
    assert (own.status_code, await bought(service, target)) == (200, 170)
