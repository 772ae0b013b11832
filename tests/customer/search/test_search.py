"""What a search finds, in what order, for whom, and what it leaves behind."""

import asyncio
from typing import Any

import pytest

from services.customer.search import service as searching
from tests.factories.customer import NEWER_KEK, OTHER_UNIT, UNIT, RunningCustomer, Served, running, values
from tests.factories.merges import merged, two_files, undo

MANAGER = "company/role/customer_manager.yaml"
ALL_FIELDS, SOME = "values.open], purpose", "values.open], fields: [general, financial], purpose"
pytestmark = pytest.mark.req("R1.1")


async def indexed(service: RunningCustomer) -> None:
    """Let the index hear of everything, and be whole."""
    await service.run_consumers()
    for job in service.parts.jobs:
        if job.name == "search_index_due":
            while await job.once(service.database):
                pass


async def search(service: RunningCustomer, q: str, role: str = "department_manager", **query: Any) -> dict[str, Any]:
    answer = await service.get("/v1/customers/search", role, q=q, **query)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def names(service: RunningCustomer, q: str, role: str = "department_manager", **query: Any) -> list[str]:
    return [each["name"] for each in (await search(service, q, role, **query))["items"]]


async def test_a_customer_is_found_by_name_address_contact_and_number(service: RunningCustomer) -> None:
    await service.register(
        customer_code="330100-0042", shop_name="湖滨便利店", address="虚构市湖东区长生路 8 号", contact_person="单示例",
        contact_phone="199 0000 4321",
    )  # fmt: skip
    await service.register(shop_name="另一家", address="别处", contact_person="别人", contact_phone="13800000000")
    await indexed(service)
    for query, item, value, text in (
        ("滨便", "shop_name", "湖滨便利店", "滨便"),
        ("hbbld", "shop_name", "湖滨便利店", "湖滨便利店"),
        ("bianli", "shop_name", "湖滨便利店", "便利"),
        ("长生路8", "address", "虚构市湖东区长生路 8 号", "长生路 8"),
        ("示例", "contact_person", "单示例", "示例"),
        ("ssl", "contact_person", "单示例", "单示例"),
        ("000042", "customer_code", "330100-0042", "00-0042"),
        ("4321", "contact_phone", "199 0000 4321", "4321"),
    ):
        [row] = (await search(service, query))["items"]
        [match] = [each for each in row["matches"] if each["item"] == item]
        assert match["value"] == value
        assert value[match["start"] : match["end"]] == text, query
    assert await names(service, "不存在") == []


async def test_names_come_first_then_what_begins_with_it_then_other_items(service: RunningCustomer) -> None:
    for name, address in (
        ("大东风店", "甲路"), ("东风店", "乙路"), ("阿明店", "东风店旁"), ("东风", "丙路"), ("西山店", "丁路"),
        ("小东风", "东风路"),
    ):  # fmt: skip
        await service.register(shop_name=name, address=address)
    await indexed(service)
    assert await names(service, "东风") == ["东风", "东风店", "大东风店", "小东风", "阿明店"]
    page, seen = await search(service, "东风", limit=2), list[str]()
    while True:
        seen += [each["name"] for each in page["items"]]
        if page["next_cursor"] is None:
            break
        page = await search(service, "东风", limit=2, cursor=page["next_cursor"])
    assert seen == ["东风", "东风店", "大东风店", "小东风", "阿明店"]


async def test_kind_and_unit_narrow_a_search(service: RunningCustomer) -> None:
    above = service.as_("department_manager", units=[UNIT, OTHER_UNIT])
    for unit in (UNIT, OTHER_UNIT):
        body = {"kind": "retail", "unit": unit, "values": values(shop_name=f"东风{unit}")}
        assert (await service.http.post("/v1/customers", json=body, headers=above)).status_code == 201
    await indexed(service)

    async def found(**query: Any) -> list[str]:
        answer = await service.http.get("/v1/customers/search", params={"q": "东风", **query}, headers=above)
        return [row["unit"] for row in answer.json()["items"]]

    assert await found() == [UNIT, OTHER_UNIT]
    assert await found(unit=OTHER_UNIT) == [OTHER_UNIT]
    assert await found(kind="retail", unit=UNIT) == [UNIT]
    unknown = await service.get("/v1/customers/search", q="东风", kind="martian")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "unknown_kind")


@pytest.mark.parametrize(
    ("query", "code", "fault"),
    [
        ({"q": "店"}, "bad_search", "too_short"),
        ({"q": "%_"}, "bad_search", "too_short"),
        ({"q": "店" * 61}, "bad_search", "too_long"),
        ({"q": "便利\u202e"}, "bad_search", "unsafe_text"),
        ({"q": "便利", "cursor": "xxx"}, "bad_cursor", "bad_cursor"),
        ({"q": "便利", "cursor": "WzEsICJ6eiIsICIwMTk5MDAwMC0wMDAwLTcwMDAtODAwMC0wMDAwMDAwMDAwMDAiXQ"}, "bad_cursor",
         "bad_cursor"),
        ({"q": "便利", "limit": 0}, "invalid_request", None),
        ({}, "invalid_request", None),
    ],
)  # fmt: skip
async def test_bad_searches_are_refused(
    service: RunningCustomer, query: dict[str, Any], code: str, fault: str | None
) -> None:
    answer = await service.get("/v1/customers/search", **query)
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert fault is None or answer.json()["errors"][0]["code"] == fault


@pytest.mark.req("R2.2")
async def test_a_search_ends_at_the_callers_reach(service: RunningCustomer) -> None:
    above = service.as_("department_manager", units=[UNIT, OTHER_UNIT])
    for unit, manager in ((UNIT, "lu"), (OTHER_UNIT, "fang")):
        body = {"kind": "retail", "unit": unit, "values": values(shop_name=f"东风{unit}", customer_manager=manager)}
        assert (await service.http.post("/v1/customers", json=body, headers=above)).status_code == 201
    await indexed(service)
    assert await names(service, "东风", "customer_manager") == [f"东风{UNIT}"]
    assert await names(service, "东风", "customer_manager", unit=OTHER_UNIT) == []
    assert await names(service, "东风", "general_manager") == [f"东风{UNIT}", f"东风{OTHER_UNIT}"]


@pytest.mark.req("R2.2")
async def test_a_move_takes_a_customer_out_of_reach_before_the_index_hears_of_it(service: RunningCustomer) -> None:
    await service.register(shop_name="东风店")
    await indexed(service)
    assert await names(service, "东风", "customer_manager") == ["东风店"]
    async with service.database.transaction() as tx:
        await tx.execute("UPDATE customer SET unit = $1", OTHER_UNIT)
    assert await names(service, "东风", "customer_manager") == []


@pytest.mark.req("R2.2")
@pytest.mark.req("R5.5")
async def test_an_item_that_the_reader_may_not_see_is_no_hit(served: Served) -> None:
    async with served() as service:
        await service.register(shop_name="东风店", contact_person="单示例", contact_phone="19900004321")
        await indexed(service)
        assert await names(service, "4321", "customer_manager") == ["东风店"]
    async with served((MANAGER, ALL_FIELDS, SOME)) as service:
        assert await names(service, "东风", "customer_manager") == ["东风店"]
        for query in ("4321", "单示例", "ssl", "shanshili"):
            answer = await search(service, query, "customer_manager")
            assert answer["items"] == [], query
            assert not answer["capped"]


@pytest.mark.req("R2.2")
async def test_items_of_a_recorded_level_are_recorded_as_read_and_only_those(service: RunningCustomer) -> None:
    found = await service.register(shop_name="东风店", contact_person="单示例")
    await service.register(shop_name="西山店", contact_person="单示例")
    await indexed(service)
    await search(service, "东风")
    assert await service.outbox("access.read") == []
    await search(service, "示例", limit=1)
    [(envelope, event)] = await service.outbox("access.read")
    assert (envelope.subject, event.items) == (f"customer/{found['id']}", ("contact_person",))


async def test_a_change_is_found_by_its_new_value_only(service: RunningCustomer) -> None:
    found = await service.register(shop_name="东风店")
    await indexed(service)
    await service.patch(found["id"], 1, shop_name="西山店")
    assert await names(service, "东风") == [], "what the file says counts, not what the index still says"
    await service.run_consumers()
    assert await names(service, "西山") == ["西山店"]
    assert await names(service, "东风") == []


async def test_an_older_version_never_replaces_a_newer_one(service: RunningCustomer) -> None:
    found = await service.register(shop_name="东风店")
    early = await service.deliveries()
    await service.patch(found["id"], 1, shop_name="西山店")
    await service.run_consumers()
    search_group = next(each for each in service.parts.consumers if each.group == "customer-search")
    async with service.database.transaction() as tx:
        await tx.execute("DELETE FROM consumed")
        await search_group.handle(tx, early)
    assert await names(service, "西山") == ["西山店"]


async def test_changes_of_other_items_leave_the_index_alone(service: RunningCustomer) -> None:
    found = await service.register()
    await indexed(service)
    await service.patch(found["id"], 1, business_area=70)
    async with service.database.reading() as tx:
        before = await tx.fetchval("SELECT xmin::text FROM customer_search")
    await service.run_consumers()
    async with service.database.reading() as tx:
        assert await tx.fetchval("SELECT xmin::text FROM customer_search") == before


@pytest.mark.req("R5.2")
async def test_a_file_that_was_merged_is_found_as_the_one_that_goes_on(service: RunningCustomer) -> None:
    survivor, loser = await two_files(service)
    await indexed(service)
    made = await merged(service, survivor, loser)
    await indexed(service)
    assert [each["id"] for each in (await search(service, "示例超市"))["items"]] == [survivor["id"]]
    assert (await undo(service, made["id"])).status_code == 200
    await indexed(service)
    assert [each["id"] for each in (await search(service, "示例超市"))["items"]] == [loser["id"]]


@pytest.mark.req("R15.1")
async def test_an_erased_customer_is_found_no_more_and_leaves_no_terms(service: RunningCustomer) -> None:
    found = await service.register(shop_name="东风店", contact_person="单示例")
    await indexed(service)
    headers = service.as_("security_officer")
    answer = await service.http.request(
        "DELETE", f"/v1/customers/{found['id']}/key", json={"reason": "asked for"}, headers=headers
    )
    assert answer.status_code == 204, answer.text
    assert await names(service, "东风", "general_manager") == []
    await service.run_consumers()
    async with service.database.reading() as tx:
        assert await tx.fetchval("SELECT terms FROM customer_search") == []


@pytest.mark.req("R15.1")
async def test_no_text_of_a_customer_stands_in_the_index(service: RunningCustomer) -> None:
    await service.register(shop_name="东风店", contact_person="单示例", contact_phone="19900004321")
    await indexed(service)
    async with service.database.reading() as tx:
        rows = await tx.fetch("SELECT t::text AS row FROM customer_search t")
        kept = str(await tx.fetchrow("SELECT * FROM search_index"))
    assert not any(part in row["row"] + kept for row in rows for part in ("东风", "示例", "4321", "dfd", "shili"))


async def test_the_index_is_made_anew_when_another_item_is_declared(served: Served) -> None:
    async with served() as service:
        for name in ("东风店", "西山店"):
            await service.register(shop_name=name, business_scope="鲜花绿植")
        await indexed(service)
        assert await names(service, "绿植") == []
    basic = "retail-customer/dictionary/basic.yaml"
    declared = ("max_length: 300\n", "max_length: 300\n    search: [text, pinyin]\n")
    async with served((basic, *declared)) as service:
        answer = await search(service, "绿植")
        assert (answer["items"], answer["indexing"]) == ([], False)
        job = next(each for each in service.parts.jobs if each.name == "search_index_due")
        assert await job.once(service.database) == 2
        assert sorted(await names(service, "绿植")) == ["东风店", "西山店"]
        assert sorted(await names(service, "xhlz")) == ["东风店", "西山店"]


async def test_until_the_index_is_whole_an_answer_says_so(service: RunningCustomer) -> None:
    await service.register(shop_name="东风店")
    assert await search(service, "东风") == {"items": [], "next_cursor": None, "capped": False, "indexing": True}
    await service.run_consumers()
    answer = await search(service, "东风")
    assert ([each["name"] for each in answer["items"]], answer["indexing"]) == (["东风店"], True)
    await indexed(service)
    assert not (await search(service, "东风"))["indexing"]


async def test_more_than_can_be_put_in_order_is_told(service: RunningCustomer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searching, "MOST", 3)
    for number in range(4):
        await service.register(shop_name=f"东风{number}号")
    await service.register(shop_name="西山店")
    await indexed(service)
    answer = await search(service, "东风")
    assert (len(answer["items"]), answer["capped"]) == (3, True)
    answer = await search(service, "西山")
    assert (len(answer["items"]), answer["capped"]) == (1, False)
    answer = await search(service, "东风", "customer_manager")
    assert (len(answer["items"]), answer["capped"]) == (3, True)


async def test_a_reach_of_many_units_is_walked_and_the_end_of_the_walk_is_told(
    service: RunningCustomer, monkeypatch: pytest.MonkeyPatch
) -> None:
    units = [UNIT, OTHER_UNIT, *(f"empty-{number}" for number in range(searching._NEAR_UNITS))]
    above = service.as_("department_manager", units=units)
    for unit in (UNIT, OTHER_UNIT, "far-away"):
        everywhere = service.as_("department_manager", unit, units=[unit])
        body = {"kind": "retail", "unit": unit, "values": values(shop_name=f"东风{unit}")}
        assert (await service.http.post("/v1/customers", json=body, headers=everywhere)).status_code == 201
    await indexed(service)

    async def found() -> tuple[list[str], bool]:
        answer = (await service.http.get("/v1/customers/search", params={"q": "东风"}, headers=above)).json()
        return [row["unit"] for row in answer["items"]], answer["capped"]

    assert await found() == ([UNIT, OTHER_UNIT], False)
    monkeypatch.setattr(searching, "_FARTHEST", 1)
    units_found, capped = await found()
    assert capped
    assert set(units_found) <= {UNIT, OTHER_UNIT}
    assert len(units_found) <= 1


async def test_searching_while_it_changes_finds_one_name_or_the_other(service: RunningCustomer) -> None:
    found = await service.register(shop_name="东风店")
    await indexed(service)
    stop = asyncio.Event()

    async def rename() -> None:
        for version in range(1, 11):
            await service.patch(found["id"], version, shop_name=("西山店", "东风店")[version % 2 - 1])
            await service.run_consumers()
        stop.set()

    async def look() -> None:
        while not stop.is_set():
            for query in ("东风", "西山"):
                for row in (await search(service, query))["items"]:
                    assert query in row["name"]
                    assert query in row["matches"][0]["value"]

    await asyncio.gather(rename(), look(), look())


@pytest.mark.req("R15.1")
async def test_a_new_key_encryption_key_takes_the_index_along_and_a_lost_one_makes_it_anew(
    served: Served, service: RunningCustomer, dsn: str
) -> None:
    await service.register(shop_name="东风店")
    await indexed(service)
    async with running(dsn, service.issuer, kek=NEWER_KEK) as renewed:
        await indexed(renewed)
        async with renewed.database.reading() as tx:
            assert await tx.fetchval("SELECT kek FROM search_index") == "k2"
    async with running(dsn, service.issuer, kek=NEWER_KEK.partition(",")[0]) as alone:
        assert await names(alone, "东风") == ["东风店"]
    lost = "k9:" + NEWER_KEK.partition(",")[0].partition(":")[2]
    async with running(dsn, service.issuer, kek=lost) as other:
        assert (await search(other, "东风"))["indexing"]
        await indexed(other)
        assert await names(other, "东风") == ["东风店"]
