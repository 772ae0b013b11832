"""The feed of bills and payments: recorded once, corrected by source id, refused whole."""

from typing import Any

import pytest

from shared.events import CreditBillsRecorded
from tests.customer.credit.conftest import Desk, day, desk_of
from tests.factories.customer import OTHER_UNIT, at_once

pytestmark = pytest.mark.req("R7.5")


async def test_the_same_rows_again_change_nothing_and_a_correction_replaces(desk: Desk) -> None:
    await desk.grant()
    payment = {"source_id": "p-1", "bill": "b-1", "paid_on": day(0), "amount_fen": 30_000}
    rows: dict[str, Any] = {"bills": [desk.bill()], "payments": [payment]}
    first = await desk.feed("trading_system", **rows)
    assert (first.status_code, first.json()) == (200, {"recorded": 2, "unchanged": 0, "customers": 1})
    again = await desk.feed("trading_system", **rows)
    assert again.json() == {"recorded": 0, "unchanged": 2, "customers": 0}
    corrected = await desk.feed(bills=[desk.bill(amount_fen=50_000)])
    assert corrected.json() == {"recorded": 1, "unchanged": 0, "customers": 1}
    found = [event for _, event in await desk.service.outbox(CreditBillsRecorded.type)]
    assert [(each.bills, each.payments, each.outstanding_fen) for each in found] == [
        (("b-1",), ("p-1",), 70_000),
        (("b-1",), (), 20_000),
    ]


async def test_all_bad_rows_are_told_at_once_and_none_is_recorded(desk: Desk) -> None:
    await desk.grant()
    stranger = await desk_of(desk.service)
    await desk.feed(bills=[desk.bill("b-0")])
    answer = await desk.feed(
        bills=[
            desk.bill("b-1", customer_id="019aaaaa-0000-7000-8000-000000000000"),
            desk.bill("b-2", 1, 5),
            desk.bill("b-3", -10, 21),
            desk.bill("b-4", -10, -11),
            desk.bill("b-5", -90, -70),
            desk.bill("b-6"),
            desk.bill("b-6"),
            stranger.bill("b-7"),
        ],
        payments=[
            {"source_id": "p-1", "bill": "b-9", "paid_on": day(0), "amount_fen": 1},
            {"source_id": "p-2", "bill": "b-0", "paid_on": day(1), "amount_fen": 60_000},
            {"source_id": "p-3", "bill": "b-0", "paid_on": day(0), "amount_fen": 60_000},
        ],
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_credit_bills")
    assert [(each["pointer"], each["code"]) for each in answer.json()["errors"]] == [
        ("/bills/0/customer_id", "no_such_customer"),
        ("/bills/1/supplied_on", "in_the_future"),
        ("/bills/2/due_on", "out_of_range"),
        ("/bills/3/due_on", "out_of_range"),
        ("/bills/4/supplied_on", "no_credit"),
        ("/bills/5/source_id", "doubled"),
        ("/bills/6/source_id", "doubled"),
        ("/bills/7/supplied_on", "no_credit"),
        ("/payments/0/bill", "no_such_bill"),
        ("/payments/1/paid_on", "in_the_future"),
        ("/payments/1/amount_fen", "overpaid"),
        ("/payments/2/amount_fen", "overpaid"),
    ]
    async with desk.service.database.reading() as tx:
        assert await tx.fetchval("SELECT count(*) FROM credit_bill") == 1


async def test_a_bill_falls_due_by_its_term_at_the_latest(desk: Desk) -> None:
    await desk.grant(term_days=7)
    assert (await desk.feed(bills=[desk.bill("b-1", -3, 4)])).status_code == 200
    [fault] = (await desk.feed(bills=[desk.bill("b-2", -3, 5)])).json()["errors"]
    assert (fault["pointer"], fault["seen"], fault["expected"]) == (
        "/bills/0/due_on", day(5), f"from {day(-3)} to {day(4)}"
    )  # fmt: skip


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"amount_fen": 0}, "/bills/0/amount_fen"),
        ({"due_on": "2026-02-30"}, "/bills/0/due_on"),
        ({"source_id": ""}, "/bills/0/source_id"),
        ({"surprise": 1}, "/bills/0/surprise"),
    ],
)
async def test_rows_of_another_shape_are_refused(desk: Desk, change: dict[str, Any], pointer: str) -> None:
    answer = await desk.feed(bills=[desk.bill(**change)])
    assert (answer.status_code, [each["pointer"] for each in answer.json()["errors"]]) == (422, [pointer])


async def test_a_feed_ends_at_the_callers_reach(desk: Desk) -> None:
    await desk.grant()
    assert (await desk.feed("customer_manager", bills=[desk.bill()])).status_code == 403
    await desk.feed(bills=[desk.bill()])
    refused = await desk.feed("trading_system", OTHER_UNIT, bills=[desk.bill()])
    assert [each["code"] for each in refused.json()["errors"]] == ["taken", "no_such_customer"]
    payment = {"source_id": "p-1", "bill": "b-1", "paid_on": day(0), "amount_fen": 1_000_000}
    refused = await desk.feed("trading_system", OTHER_UNIT, payments=[payment])
    assert [each["code"] for each in refused.json()["errors"]] == ["no_such_bill"], "nor is its amount told"


async def test_a_bill_that_was_of_somebody_else_goes_there_with_what_follows(desk: Desk) -> None:
    await desk.grant()
    other = await desk_of(desk.service)
    await other.grant()
    await desk.owe()
    assert (await desk.supply())["state"] == "suspended"
    moved = await desk.feed(bills=[other.bill("b-1", -20, -1)])
    assert moved.json() == {"recorded": 1, "unchanged": 0, "customers": 1}
    assert ((await desk.supply())["state"], (await other.supply())["state"]) == ("allowed", "suspended")


async def test_feeds_at_once_add_up(desk: Desk) -> None:
    await desk.grant()
    await desk.owe()
    answers = await at_once(*[lambda each=each: desk.pay(f"p-{each}", amount_fen=25_000) for each in range(5)])
    assert sorted(each.status_code for each in answers) == [200, 200, 200, 200, 422], "the fifth would be too much"
    supply = await desk.supply()
    assert (supply["state"], supply["outstanding_fen"]) == ("allowed", 0)
    again = await at_once(*[desk.owe] * 2)
    assert again == [None, None]
