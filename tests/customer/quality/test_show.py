"""What is shown of quality: words, drill-down, trend and the worst files, within reach and sight."""

from typing import Any

import pytest

from tests.customer.quality.conftest import NOW, fails, quality
from tests.factories.customer import OTHER_UNIT, UNIT, RunningCustomer, Served, values

GOOD = {
    "issued_on": "2024-05-01", "valid_until": "2028-12-31", "bank_account": "6222000000000000000",
    "business_area": 40, "registered_capital": "50000.00", "customer_status": "active",
}  # fmt: skip
pytestmark = pytest.mark.req("R1.4")


async def file(service: RunningCustomer, unit: str = UNIT, **items: Any) -> str:
    body = {"kind": "retail", "values": values(**items)}
    answer = await service.http.post("/v1/customers", json=body, headers=service.as_("department_manager", unit))
    assert answer.status_code == 201, answer.text
    found: str = answer.json()["id"]
    return found


async def three(service: RunningCustomer) -> tuple[str, str, str]:
    """Lu's two files of UNIT, one better than the other, and one of another unit."""
    found = (
        await file(service, customer_manager="lu"),
        await file(service, customer_manager="lu", **GOOD),
        await file(service, OTHER_UNIT, customer_manager="fang"),
    )
    await service.run_consumers()
    return found


async def ask(service: RunningCustomer, path: str, role: str = "general_manager", **query: Any) -> Any:
    answer = await service.get(path, role, **query)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_each_part_says_in_words_why(service: RunningCustomer) -> None:
    customer = await file(service, **GOOD)
    await service.run_consumers()
    view = await quality(service, customer)
    parts = {each["part"]: each for each in view["parts"]}
    assert [each["weight"] for each in view["parts"]] == [50, 30, 20]
    total = sum(float(each["mark"]) * each["weight"] for each in view["parts"])
    assert float(view["score"]) == pytest.approx(total / 100, abs=0.051)
    assert view["label"] == {"zh": "较差", "en": "poor"}
    assert view["text"]["zh"].startswith(f"得分 {view['score']}，较差。依据：零售客户基础信息质量评分办法")
    complete = parts["completeness"]
    there = complete["looked"] - len(complete["failing"])
    assert complete["text"]["en"] == (
        f"Completeness {complete['mark']}: {there} of {complete['looked']} items have a value"
    )  # fmt: skip
    assert parts["accuracy"]["text"]["zh"].startswith("准确性 100.0：检查")
    [tax] = [each for each in complete["failing"] if each["code"] == "taxpayer_number"]
    assert tax["text"]["zh"].endswith("：未填写")
    assert view["policy"]["id"] == "retail-customer/quality/retail"


async def test_what_lies_above_the_clearance_is_withheld_in_number(served: Served) -> None:
    kept = "    maintenance: static\n    source: registration\n    secrecy: "
    tax, day = f"    pattern: '[0-9A-Z]{{15,20}}'\n{kept}", f"    type: date\n{kept}"
    changes = (
        ("retail-customer/dictionary/basic.yaml", f"{tax}confidential", f"{tax}top_secret"),
        ("retail-customer/dictionary/management.yaml", f"{day}internal", f"{day}top_secret"),
    )
    async with served(*changes) as service:
        customer = await file(service)
        async with service.database.transaction() as tx:
            broken = (
                """UPDATE customer SET values = values || '{"issued_on": "2029-01-01", "valid_until": "2028-12-31"}'"""
            )
            await tx.execute(broken)
        await service.run_consumers()
        whole, seen = await quality(service, customer, "general_manager"), await quality(service, customer)
        gone = fails(whole) - fails(seen)
        assert gone == {("missing", "taxpayer_number"), ("broken", "licence-dates"), ("broken", "licence-issued")}
        assert [each["withheld"] for each in seen["parts"]] == [1, 2, 0]
        assert (seen["score"], sum(each["withheld"] for each in whole["parts"])) == (whole["score"], 0)
        items = await ask(service, "/v1/quality", "department_manager", by="item", limit=200)
        codes = {each["code"] for each in items["items"]}
        assert not codes & {"taxpayer_number", "licence-dates"}
        assert "bank_account" in codes
        refused = await service.get("/v1/quality/customers", "department_manager", item="licence-dates")
        assert (refused.status_code, refused.json()["code"]) == (403, "filter_not_cleared")
        found = await ask(service, "/v1/quality/customers", item="licence-dates")
        assert [each["customer_id"] for each in found["items"]] == [customer]


async def test_from_the_company_down_to_a_file(service: RunningCustomer) -> None:
    worse, better, other = await three(service)
    units = await ask(service, "/v1/quality", by="unit")
    assert units["total"]["files"] == 3
    assert [(each["unit"], each["files"]) for each in units["items"]] == [(OTHER_UNIT, 1), (UNIT, 2)], "worst first"
    marks = [float((await quality(service, each))["score"]) for each in (worse, better)]
    assert float(units["items"][1]["score"]) == pytest.approx(sum(marks) / 2, abs=0.01)
    managers = await ask(service, "/v1/quality", by="manager", unit=UNIT)
    assert [(each["manager"], each["files"], each["levels"]) for each in managers["items"]] == [("lu", 2, {"poor": 2})]
    items = (await ask(service, "/v1/quality", by="item", manager="lu", part="completeness", limit=200))["items"]
    bank = next(each for each in items if each["code"] == "bank_account")
    assert (bank["files"], bank["reason"], bank["kind"]) == (1, "missing", "retail")
    assert [each["files"] for each in items] == sorted((each["files"] for each in items), reverse=True)
    files = await ask(service, "/v1/quality/customers", manager="lu", item="bank_account")
    assert [each["customer_id"] for each in files["items"]] == [worse]
    assert {each[0] for each in fails(await quality(service, worse))} == {"missing"}
    assert other not in str(files)


async def test_the_worst_files_come_first(service: RunningCustomer) -> None:
    worse, better, other = await three(service)
    first = await ask(service, "/v1/quality/customers", part="completeness")
    ranked = [each["customer_id"] for each in first["items"]]
    assert (set(ranked[:2]), ranked[2]) == ({worse, other}, better)
    assert first["items"][0]["name"] == "示例便利店"
    border = first["items"][2]["completeness"]
    below = await ask(service, "/v1/quality/customers", part="completeness", below=border)
    assert len(below["items"]) == 2
    assert (await ask(service, "/v1/quality/customers", level="good"))["items"] == []
    assert len((await ask(service, "/v1/quality/customers", kind="retail", unit=UNIT))["items"]) == 2


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/v1/quality", {"by": "unit"}),
        ("/v1/quality", {"by": "manager", "part": "timeliness"}),
        ("/v1/quality", {"by": "item"}),
        ("/v1/quality/customers", {}),
    ],
)
async def test_pages_go_on_behind_the_last_line(service: RunningCustomer, path: str, query: dict[str, Any]) -> None:
    await three(service)
    everything = (await ask(service, path, limit=200, **query))["items"]
    found, cursor = [], None
    for _ in range(3 if query.get("by") == "item" else 10):
        more = {} if cursor is None else {"cursor": cursor}
        page = await ask(service, path, limit=1, **query, **more)
        found += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert found == everything[: len(found)]
    assert cursor is not None or len(found) == len(everything)


async def test_only_what_is_within_reach_is_shown_and_counted(service: RunningCustomer) -> None:
    worse, _, other = await three(service)
    for path in ("/v1/quality/customers", "/v1/quality"):
        assert OTHER_UNIT not in str((await ask(service, path, "department_manager"))["items"])
    assert (await ask(service, "/v1/quality", "customer_manager"))["total"]["files"] == 2
    assert (await ask(service, "/v1/quality", "department_manager", unit=OTHER_UNIT))["total"]["files"] == 0
    trend = (await ask(service, "/v1/quality/trend", "department_manager", months=1))["items"]
    assert trend[0]["files"] == 2
    nobody = "0198c000-0000-7000-8000-000000000000"
    refused = [await service.get(f"/v1/customers/{each}/quality") for each in (other, nobody)]
    assert {(each.status_code, each.json()["code"]) for each in refused} == {(404, "not_found")}
    assert (await service.get(f"/v1/customers/{worse}/quality", "partner_reporter")).status_code == 403


async def test_units_roll_up_along_the_tree(service: RunningCustomer) -> None:
    await three(service)
    roster = service.parts.authenticator.roster
    for unit, parent in (("company", None), (UNIT, "company"), (OTHER_UNIT, UNIT)):
        roster.take([{"kind": "unit", "id": unit, "data": {"parent": parent}, "serial": roster.serial + 1}])
    sizes = [
        (await ask(service, "/v1/quality", under=each))["total"]["files"] for each in ("company", UNIT, OTHER_UNIT)
    ]
    assert sizes == [3, 3, 1]
    assert (await ask(service, "/v1/quality/trend", under=OTHER_UNIT, months=1))["items"][0]["files"] == 1
    assert (await ask(service, "/v1/quality", under=UNIT, unit=UNIT))["total"]["files"] == 2


async def test_the_trend_keeps_each_month_as_it_stood(service: RunningCustomer, clock: Any) -> None:
    clock.move_to("2026-08-11T10:00:00+08:00")
    customer = await file(service, customer_manager="lu")
    await service.run_consumers()
    clock.move_to("2026-10-20T10:00:00+08:00")
    await service.patch(customer, 1, **GOOD)
    await service.run_consumers()
    clock.move_to(NOW)
    await file(service)
    await service.run_consumers()
    items = (await ask(service, "/v1/quality/trend", months=5))["items"]
    assert [(each["month"], each["files"]) for each in items] == [
        ("2026-08", 1), ("2026-09", 1), ("2026-10", 1), ("2026-11", 2),
    ]  # fmt: skip
    assert items[0] == {**items[1], "month": "2026-08"}, "nothing happened in September"
    assert float(items[2]["completeness"]) > float(items[1]["completeness"])
    lu = (await ask(service, "/v1/quality/trend", months=1, manager="lu"))["items"]
    assert lu[0]["files"] == 1


@pytest.mark.parametrize(
    ("path", "query", "pointer"),
    [
        ("/v1/quality", {"by": "colour"}, "query:by"),
        ("/v1/quality", {"part": "beauty"}, "query:part"),
        ("/v1/quality", {"cursor": "bm8"}, "query:cursor"),
        ("/v1/quality", {"cursor": "WyJOYU4iLCIiXQ"}, "query:cursor"),  # a mean that is no number
        ("/v1/quality/customers", {"below": 0}, "query:below"),
        ("/v1/quality/customers", {"item": "no_such_item"}, "query:item"),
        ("/v1/quality/trend", {"months": 100}, "query:months"),
    ],
)
async def test_what_cannot_be_asked(service: RunningCustomer, path: str, query: dict[str, Any], pointer: str) -> None:
    answer = await service.get(path, "general_manager", **query)
    assert (answer.status_code, [each["pointer"] for each in answer.json()["errors"]]) == (422, [pointer])


async def test_a_customer_gets_to_read_it(service: RunningCustomer) -> None:
    customer = await file(service, **GOOD)
    before = await ask(service, f"/v1/customers/{customer}/disclosure", "security_officer")
    assert before["records"]["quality"] == {"quality": None}
    await service.run_consumers()
    told = await ask(service, f"/v1/customers/{customer}/disclosure", "security_officer")
    assert told["records"]["quality"]["quality"]["level"] == "poor"
