"""The dealings feed: recorded once, corrected by source id, refused whole, and what it makes of system items."""

from datetime import date
from typing import Any

import httpx
import pytest

from services.customer.dealings.rules import first_month, window
from shared.clock import now
from shared.events import DealingsRecorded, GradeChanged
from tests.factories.customer import OTHER_UNIT, RunningCustomer, at_once

RECORDED = DealingsRecorded.type
THIS_MONTH = now().strftime("%Y-%m")


def purchase(customer: str, source: str = "p-1", month: str = THIS_MONTH, **figures: int) -> dict[str, Any]:
    given = {
        "quantity": 100, "amount_fen": 1_234_500, "varieties": 30, "orders": 4, "orders_planned": 4, "payments_late": 0,
    }  # fmt: skip
    return {"source_id": source, "customer_id": customer, "month": month, **given, **figures}


def violation(customer: str, source: str = "v-1", **more: Any) -> dict[str, Any]:
    given = {"kind": "late renewal", "severity": "minor", "found_on": now().strftime("%Y-%m-01")}
    return {"source_id": source, "customer_id": customer, **given, **more}


async def feed(service: RunningCustomer, role: str = "department_manager", **rows: Any) -> httpx.Response:
    return await service.http.post("/v1/dealings", json=rows, headers=service.as_(role))


@pytest.mark.req("R1.3")
async def test_system_items_follow_the_dealings(service: RunningCustomer) -> None:
    customer = await service.register()
    answer = await feed(service, purchases=[purchase(customer["id"])], violations=[violation(customer["id"])])
    assert (answer.status_code, answer.json()) == (200, {"recorded": 2, "unchanged": 0, "customers": 1})
    shown = {code: value["value"] for code, value in (await service.file(customer["id"]))["values"].items()}
    assert (shown["purchase_quantity"], shown["purchase_amount"]) == (100, "12345.00")
    assert shown["average_purchase_price"] == "123.45"
    assert shown["compliance_status"] == "minor"
    assert shown["ordering_regularity"] == "100.0"
    assert shown["violation_count"] == 1


@pytest.mark.req("R1.3")
async def test_the_same_rows_again_change_nothing_and_a_correction_replaces(service: RunningCustomer) -> None:
    customer = await service.register()
    rows = [purchase(customer["id"])]
    await feed(service, purchases=rows)
    again = await feed(service, purchases=rows)
    assert again.json() == {"recorded": 0, "unchanged": 1, "customers": 0}
    assert len(await service.outbox(RECORDED)) == 1
    await feed(service, purchases=[purchase(customer["id"], amount_fen=2_000_000)])
    [_, (envelope, event)] = await service.outbox(RECORDED)
    assert envelope.subject == f"customer/{customer['id']}"
    assert set(event.totals) == {"total.purchase_amount_12m", "total.purchase_amount_3m"}
    assert (await service.file(customer["id"]))["values"]["purchase_amount"]["value"] == "20000.00"


async def test_a_withdrawn_violation_counts_no_more(service: RunningCustomer) -> None:
    customer = await service.register()
    await feed(service, violations=[violation(customer["id"], severity="serious")])
    assert (await service.file(customer["id"]))["values"]["compliance_status"]["value"] == "serious"
    await feed(service, violations=[violation(customer["id"], severity="serious", withdrawn=True)])
    assert (await service.file(customer["id"]))["values"]["compliance_status"]["value"] == "clean"


@pytest.mark.req("R0.3")
async def test_dealings_that_count_lead_to_a_new_grade_and_others_do_not(service: RunningCustomer) -> None:
    customer = await service.register(credit_level="A", business_area=90)
    await service.run_consumers()
    first = (await service.get(f"/v1/customers/{customer['id']}/grade")).json()
    await feed(service, purchases=[purchase(customer["id"], amount_fen=90_000_000, quantity=5000, varieties=60)])
    await service.run_consumers()
    second = (await service.get(f"/v1/customers/{customer['id']}/grade")).json()
    assert float(second["score"]) > float(first["score"])
    assert second["customer_version"] == 1
    old = purchase(customer["id"], "p-old", month="2019-01")
    await feed(service, purchases=[old])
    await service.run_consumers()
    [*_, (_, event)] = await service.outbox(RECORDED)
    assert event.totals == (), "a month that no window reaches moves no total"
    after = (await service.get(f"/v1/customers/{customer['id']}/grade")).json()
    assert after == second
    changes = [event.grade for _, event in await service.outbox(GradeChanged.type)]
    assert changes == [first["grade"], second["grade"]]


async def test_all_bad_rows_are_told_at_once_and_none_is_recorded(service: RunningCustomer) -> None:
    customer = await service.register()
    unknown = "019aaaaa-0000-7000-8000-000000000000"
    await feed(service, purchases=[purchase(customer["id"], "p-0")])
    answer = await feed(
        service,
        purchases=[
            purchase(unknown, "p-1", month="2026-01"),
            purchase(customer["id"], "p-2", month="2099-01"),
            purchase(customer["id"], "p-3"),
            purchase(customer["id"], "p-4", month="2026-02"),
            purchase(customer["id"], "p-4", month="2026-03"),
        ],
        violations=[violation(customer["id"], found_on="2099-01-01")],
    )
    found = {(fault["pointer"], fault["code"]) for fault in answer.json()["errors"]}
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_dealings")
    assert found == {
        ("/purchases/0/customer_id", "no_such_customer"),
        ("/purchases/0/source_id", "taken"),
        ("/purchases/1/month", "in_the_future"),
        ("/purchases/2/month", "month_taken"),
        ("/purchases/3/source_id", "doubled"),
        ("/purchases/4/source_id", "doubled"),
        ("/violations/0/found_on", "in_the_future"),
    }
    async with service.database.reading() as tx:
        assert await tx.fetchval("SELECT count(*) FROM purchase") == 1


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"month": "2026-13"}, "/purchases/0/month"),
        ({"amount_fen": -1}, "/purchases/0/amount_fen"),
        ({"amount_fen": 1.5}, "/purchases/0/amount_fen"),
        ({"quantity": 10**12}, "/purchases/0/quantity"),
        ({"source_id": ""}, "/purchases/0/source_id"),
        ({"surprise": 1}, "/purchases/0/surprise"),
    ],
)
async def test_rows_of_another_shape_are_refused(
    service: RunningCustomer, change: dict[str, Any], pointer: str
) -> None:
    answer = await feed(service, purchases=[{**purchase("019aaaaa-0000-7000-8000-000000000000"), **change}])
    assert answer.status_code == 422
    assert pointer in {fault["pointer"] for fault in answer.json()["errors"]}


async def test_a_feed_ends_at_the_callers_reach(service: RunningCustomer) -> None:
    customer = await service.register()
    stranger = service.as_("department_manager", OTHER_UNIT)
    body = {"purchases": [purchase(customer["id"])]}
    refused = await service.http.post("/v1/dealings", json=body, headers=stranger)
    assert refused.status_code == 422
    assert (await feed(service, "customer_manager", **body)).status_code == 403
    await feed(service, **body)
    own = await service.http.post(
        "/v1/dealings", json={"purchases": [purchase(customer["id"], month="2026-01")]}, headers=stranger
    )
    assert {fault["code"] for fault in own.json()["errors"]} >= {"taken"}


@pytest.mark.req("R2.2")
async def test_a_feed_tells_nothing_of_customers_out_of_reach(service: RunningCustomer) -> None:
    customer = await service.register()
    await feed(service, purchases=[purchase(customer["id"])])
    stranger, told = service.as_("department_manager", OTHER_UNIT), []
    for whose in (customer["id"], "019aaaaa-0000-7000-8000-000000000000"):
        body = {"purchases": [purchase(whose, "p-other")], "violations": [violation(whose, "v-other")]}
        refused = await service.http.post("/v1/dealings", json=body, headers=stranger)
        told.append([(fault["pointer"], fault["code"]) for fault in refused.json()["errors"]])
    assert told[0] == told[1]
    assert ("/purchases/0/customer_id", "no_such_customer") in told[0]


async def test_two_feeds_at_once_record_a_row_once(service: RunningCustomer) -> None:
    customer = await service.register()
    rows = [purchase(customer["id"], f"p-{month}", f"2026-{month:02d}") for month in range(1, 11)]
    answers = await at_once(lambda: feed(service, purchases=rows), lambda: feed(service, purchases=rows[::-1]))
    assert {answer.status_code for answer in answers} == {200}
    assert sum(answer.json()["recorded"] for answer in answers) == 10
    clash = await at_once(
        lambda: feed(service, purchases=[purchase(customer["id"], "q-1", "2025-12")]),
        lambda: feed(service, purchases=[purchase(customer["id"], "q-2", "2025-12")]),
    )
    assert sorted(answer.status_code for answer in clash) in ([200, 409], [200, 422])


def test_a_window_of_months_ends_with_this_one() -> None:
    assert first_month(date(2026, 11, 24), 1) == date(2026, 11, 1)
    assert first_month(date(2026, 11, 24), 3) == date(2026, 9, 1)
    assert first_month(date(2026, 2, 1), 12) == date(2025, 3, 1)


@pytest.mark.req("R1.5")
@pytest.mark.parametrize(
    ("months", "offset", "first", "after"),
    [(3, 0, "2026-12-01", None), (3, 1, "2026-11-01", "2027-02-01"), (3, 4, "2026-08-01", "2026-11-01"),
     (12, 12, "2025-03-01", "2026-03-01")],
)  # fmt: skip
def test_a_window_with_an_offset_ends_before_the_month(months: int, offset: int, first: str, after: str | None) -> None:
    found = window(date(2027, 2, 28), months, offset)
    assert found == (date.fromisoformat(first), None if after is None else date.fromisoformat(after))
