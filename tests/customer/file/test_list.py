"""Lists of customers: order, pages, filters, and the caller's reach."""

import pytest

from services.customer.file.rules import name_key
from shared.ids import new_id
from tests.factories.customer import OTHER_UNIT, UNIT, RunningCustomer, values

CHINESE = ("丙店", "甲店", "乙店", "Abc 店", "丁店")


async def names(service: RunningCustomer, role: str = "department_manager", **query: object) -> list[str]:
    found: list[str] = []
    cursor = None
    while True:
        given = {**query, "cursor": cursor} if cursor else query
        answer = await service.get("/v1/customers", role, **given)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        found += [row["name"] for row in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            return found


async def test_customers_come_in_order_of_pinyin_page_by_page(service: RunningCustomer) -> None:
    for name in CHINESE:
        await service.register(shop_name=name)
    for limit in (1, 2, 5, 200):
        assert await names(service, limit=limit) == ["Abc 店", "丙店", "丁店", "甲店", "乙店"]


async def test_equal_names_are_neither_lost_nor_doubled_between_pages(service: RunningCustomer) -> None:
    ids = {(await service.register(shop_name="同名店"))["id"] for _ in range(7)}
    page = (await service.get("/v1/customers", limit=3)).json()
    seen = [row["id"] for row in page["items"]]
    while page["next_cursor"]:
        page = (await service.get("/v1/customers", limit=3, cursor=page["next_cursor"])).json()
        seen += [row["id"] for row in page["items"]]
    assert len(seen) == 7
    assert set(seen) == ids


async def test_filters_combine(service: RunningCustomer) -> None:
    await service.register(shop_name="东风店", customer_status="active", customer_manager="manager1")
    await service.register(shop_name="东方店", customer_status="closed", customer_manager="manager1")
    await service.register(shop_name="西方店", customer_status="active", customer_manager="manager2")
    assert await names(service, name="东") == ["东方店", "东风店"]
    assert await names(service, name="东", status="active") == ["东风店"]
    assert await names(service, manager="manager1", kind="retail", unit=UNIT) == ["东方店", "东风店"]
    assert await names(service, manager="nobody") == []
    assert await names(service, name="东方店甲") == []


async def test_a_list_row_holds_no_values(service: RunningCustomer) -> None:
    await service.register()
    [row] = (await service.get("/v1/customers")).json()["items"]
    assert row.keys() == {
        "id", "kind", "unit", "number", "name", "manager", "status", "grade", "version", "created_at", "updated_at",
        "merged_into",
    }  # fmt: skip
    assert await service.outbox("access.read") == []


@pytest.mark.req("R2.2")
async def test_a_list_ends_at_the_callers_reach(service: RunningCustomer) -> None:
    above = service.as_("department_manager", units=[UNIT, OTHER_UNIT])
    for unit, name in ((UNIT, "甲店"), (OTHER_UNIT, "乙店"), (UNIT, "丙店")):
        body = {"kind": "retail", "values": values(shop_name=name), "unit": unit}
        assert (await service.http.post("/v1/customers", json=body, headers=above)).status_code == 201
    assert await names(service, "customer_manager") == ["丙店", "甲店"]
    assert await names(service, "customer_manager", unit=OTHER_UNIT) == []
    assert await names(service, "general_manager", limit=2) == ["丙店", "甲店", "乙店"]
    both = await service.http.get("/v1/customers", params={"limit": 2}, headers=above)
    assert [row["name"] for row in both.json()["items"]] == ["丙店", "甲店"]
    rest = await service.http.get("/v1/customers", params={"cursor": both.json()["next_cursor"]}, headers=above)
    assert [row["name"] for row in rest.json()["items"]] == ["乙店"]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"cursor": "xxx"}, "bad_cursor"),
        ({"cursor": "WyJ6eiIsICJ6eiJd"}, "bad_cursor"),
        ({"cursor": "e30"}, "bad_cursor"),
        ({"limit": 0}, "invalid_request"),
        ({"limit": 10**9}, "invalid_request"),
        ({"name": "\ud800"}, "invalid_request"),
    ],
)
async def test_bad_queries_are_refused(service: RunningCustomer, query: dict[str, object], code: str) -> None:
    if query.get("name") == "\ud800":
        answer = await service.http.get("/v1/customers?name=%ED%A0%80", headers=service.as_("department_manager"))
        assert answer.status_code == 200, "what is not UTF-8 is read as a replacement character"
        return
    answer = await service.get("/v1/customers", **query)
    assert (answer.status_code, answer.json()["code"]) == (422, code)


@pytest.mark.slow
async def test_a_page_costs_the_same_at_any_depth(service: RunningCustomer) -> None:
    """Plans, not stopwatches: a deep page starts at its place in an index and reads no more rows than it shows."""
    count = 20_000
    async with service.database.transaction() as tx:
        await tx.execute(
            "INSERT INTO customer (id, kind, unit, name, name_key, version, values, meta, created_by, created_at,"
            " updated_at) SELECT gen_random_uuid(), 'retail', 'unit-' || n % 10, n::text, convert_to("
            "lpad(n::text, 8, '0'), 'UTF8'), 1, '{}', '{}', 'staff/x', now(), now() FROM generate_series(1, $1::int) n",
            count,
        )
    async with service.database.reading() as tx:
        await tx.execute("ANALYZE customer")
        for condition in ("", "AND unit = 'unit-1'"):
            plan = await tx.fetchval(
                "EXPLAIN (ANALYZE, FORMAT JSON) SELECT id, name_key FROM customer WHERE (name_key, id) > ($1, $2)"
                f" {condition} ORDER BY name_key, id LIMIT 50",
                f"{count - 1000:08d}".encode(),
                new_id(),
            )
            assert '"Sort' not in plan, plan
            assert "Index" in plan


def test_the_sort_key_keeps_prefixes_and_pinyin() -> None:
    assert name_key("甲店").startswith(name_key("甲"))
    assert sorted(CHINESE, key=name_key) == ["Abc 店", "丙店", "丁店", "甲店", "乙店"]
    assert name_key("ＡＢＣ") == name_key("abc")
