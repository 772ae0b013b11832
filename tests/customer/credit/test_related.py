"""Credit in the timeline, given away in a merge and back, and told to the customer."""

from typing import Any
from uuid import UUID

import pytest

from services.customer.credit.related import RelatedCredit
from tests.customer.credit.conftest import Desk, desk_of
from tests.factories.customer import RunningCustomer


def related_of(service: RunningCustomer) -> RelatedCredit:
    """With the service's own parts, as its jobs hold them."""
    jobs: dict[str, Any] = {job.name: getattr(job.due, "__self__", None) for job in service.parts.jobs}
    terms = jobs["credit_forms_due"]
    return RelatedCredit(terms._files, terms._keys, terms._reads, terms._journal, terms._showing, terms._standing)


@pytest.mark.req("R5.3")
async def test_each_step_is_a_line_of_the_timeline(desk: Desk) -> None:
    await desk.grant()
    await desk.owe()
    await desk.pay()
    lines = (await desk.service.get(f"{desk.path}/timeline")).json()["items"]
    own = {each["type"] for each in lines if each["type"].startswith("credit.")}
    assert own == {
        "credit.proposed", "credit.approved", "credit.bill_recorded", "credit.overdue", "credit.supply_suspended",
        "credit.supply_resumed",
    }  # fmt: skip


async def test_all_of_it_moves_and_comes_back(desk: Desk) -> None:
    other = await desk_of(desk.service)
    form = await desk.grant()
    await desk.owe()
    await desk.post("/supply/stop", {"reason": "已进入诉讼"})
    related = related_of(desk.service)
    async with desk.service.database.transaction() as tx:
        moved = await related.move(tx, desk.id, other.id)
    assert ((await desk.supply())["state"], (await other.supply())["state"]) == ("allowed", "stopped")
    [shown] = await other.forms()
    assert (shown["id"], shown["answers"]["credit_standing"]) == (form, "资信良好（虚构）")
    [hold] = (await desk.service.get(f"{other.path}/supply/holds")).json()["items"]
    assert hold["steps"][-1]["said"] == {"reason": "已进入诉讼"}
    await desk.owe(amount_fen=1_000)
    assert (await other.supply())["outstanding_fen"] == 1_000, "the feed goes on naming the former customer"
    async with desk.service.database.transaction() as tx:
        assert sorted(await related.move(tx, other.id, desk.id, moved)) == sorted(moved)
    assert ((await desk.supply())["state"], (await other.supply())["state"]) == ("stopped", "allowed")
    assert [each["id"] for each in await desk.forms()] == [form]


async def test_what_can_be_there_once_only_stays_where_the_other_has_one(desk: Desk) -> None:
    other = await desk_of(desk.service)
    forms = [await each.grant() for each in (desk, other)]
    await desk.owe()
    await other.owe("b-2")
    async with desk.service.database.transaction() as tx:
        moved = await related_of(desk.service).move(tx, desk.id, other.id)
    assert moved == ["bill/b-1"]
    assert [[each["id"] for each in await place.forms()] for place in (desk, other)] == [[each] for each in forms]
    assert (await other.supply())["overdue_bills"] == 2
    assert await desk.run() == 1, "a suspension without a bill ends"
    assert ((await desk.supply())["state"], (await other.supply())["state"]) == ("allowed", "suspended")


@pytest.mark.req("R15.1")
async def test_the_customer_is_told_of_it(desk: Desk) -> None:
    await desk.grant()
    await desk.owe()
    await desk.post("/supply/lifting", {"reason": "已付承兑"})
    told = await desk.service.get(f"{desk.path}/disclosure", "security_officer")
    assert told.status_code == 200, told.text
    kept = told.json()["records"]["credit"]
    assert kept["forms"][0]["answers"]["credit_standing"] == "资信良好（虚构）"
    assert (kept["bills"][0]["source_id"], kept["payments"]) == ("b-1", [])
    assert "已付承兑" in told.text


async def test_an_erased_customers_bills_stay_and_nothing_else_opens(desk: Desk) -> None:
    await desk.grant()
    await desk.owe()
    headers = desk.service.as_("security_officer")
    await desk.service.http.request("DELETE", f"{desk.path}/key", json={"reason": "asked"}, headers=headers)
    assert (await desk.service.get(f"{desk.path}/credit/forms")).json()["code"] == "customer_erased"
    assert (await desk.pay()).status_code == 200
    async with desk.service.database.reading() as tx:
        assert UUID(str(await tx.fetchval("SELECT customer_id FROM credit_bill"))) == desk.id
