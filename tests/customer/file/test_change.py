"""Changing a customer: versions, merging, refusals."""

import asyncio

import pytest

from shared.events import CustomerChanged
from tests.factories.customer import OTHER_UNIT, RunningCustomer, at_once

CHANGED = CustomerChanged.type


@pytest.mark.req("R0.2")
async def test_a_change_makes_the_next_version_one_event_and_one_history_row(service: RunningCustomer) -> None:
    customer = await service.register()
    answer = await service.patch(customer["id"], 1, shop_name="新名便利店")
    assert (answer.status_code, answer.headers["etag"]) == (200, '"2"')
    assert answer.json()["values"].keys() == {"shop_name"}
    assert answer.json()["values"]["shop_name"]["value"] == "新名便利店"
    file = await service.file(customer["id"])
    assert (file["version"], file["name"], file["values"]["shop_name"]["value"]) == (2, "新名便利店", "新名便利店")
    history = (await service.get(f"/v1/customers/{customer['id']}/history")).json()["items"]
    assert [entry["version"] for entry in history] == [2, 1]
    assert history[0]["items"] == [{"code": "shop_name", "before": "示例便利店", "after": "新名便利店"}]
    events = await service.outbox("customer.registered", CHANGED)
    assert [(envelope.sequence, event.version) for envelope, event in events] == [(1, 1), (2, 2)]
    assert events[1][1].items == ("shop_name",)
    assert "新名" not in events[1][1].model_dump_json(), "values travel sealed"


@pytest.mark.req("R1.2")
async def test_each_value_remembers_who_set_it(service: RunningCustomer) -> None:
    customer = await service.register()
    await service.patch(customer["id"], 1, "customer_manager", shop_name="新名便利店")
    shown = (await service.file(customer["id"]))["values"]
    assert shown["shop_name"]["set_by"] == "staff/customer_manager"
    assert shown["address"]["set_by"] == "staff/department_manager"
    assert shown["shop_name"]["set_at"] > shown["address"]["set_at"]


async def test_null_takes_a_value_away_unless_it_is_required(service: RunningCustomer) -> None:
    customer = await service.register(business_area=35)
    answer = await service.patch(customer["id"], 1, business_area=None)
    assert (answer.status_code, answer.json()["values"]["business_area"]["value"]) == (200, None)
    assert "business_area" not in (await service.file(customer["id"]))["values"]
    refused = await service.patch(customer["id"], 2, shop_name=None)
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (422, "required")


@pytest.mark.req("R0.2")
async def test_setting_what_is_there_already_changes_nothing(service: RunningCustomer) -> None:
    customer = await service.register(business_area=35)
    for given in ({"shop_name": "示例便利店"}, {"business_area": "35"}, {"main_goods": None}):
        answer = await service.patch(customer["id"], 1, **given)
        assert (answer.status_code, answer.headers["etag"], answer.json()["values"]) == (200, '"1"', {})
    assert await service.outbox(CHANGED) == []
    assert len((await service.get(f"/v1/customers/{customer['id']}/history")).json()["items"]) == 1


async def test_a_change_names_the_version_that_it_was_made_on(service: RunningCustomer) -> None:
    customer = await service.register()
    missing = await service.patch(customer["id"], None, shop_name="新名")
    assert (missing.status_code, missing.json()["code"]) == (428, "if_match_required")
    for bad in ("3", "*", '"0"', 'W/"1"', '"1", "2"', '"99999999999"'):
        answer = await service.patch(customer["id"], bad, shop_name="新名")
        assert (answer.status_code, answer.json()["code"]) == (422, "bad_if_match"), bad
    ahead = await service.patch(customer["id"], 7, shop_name="新名")
    assert (ahead.status_code, ahead.json()["code"], ahead.headers["etag"]) == (412, "version_unknown", '"1"')


async def test_edits_of_different_items_are_merged_and_the_answer_shows_the_others(service: RunningCustomer) -> None:
    customer = await service.register(business_area=35)
    await service.patch(customer["id"], 1, "customer_manager", business_area=40)
    answer = await service.patch(customer["id"], 1, shop_name="新名便利店")
    assert (answer.status_code, answer.headers["etag"]) == (200, '"3"')
    shown = answer.json()["values"]
    assert shown.keys() == {"shop_name", "business_area"}
    assert float(shown["business_area"]["value"]) == 40
    assert shown["business_area"]["set_by"] == "staff/customer_manager"


async def test_edits_of_the_same_item_clash_with_three_values(service: RunningCustomer) -> None:
    customer = await service.register(main_goods="饮料")
    await service.patch(customer["id"], 1, main_goods="日用百货")
    clash = await service.patch(customer["id"], 1, main_goods="文具", shop_name="新名便利店")
    problem = clash.json()
    assert (clash.status_code, problem["code"], clash.headers["etag"]) == (412, "changed_meanwhile", '"2"')
    assert problem["yours"] == {"main_goods": "文具"}
    assert problem["current"] == {"main_goods": "日用百货"}
    assert problem["original"] == {"main_goods": "饮料"}
    assert [fault["pointer"] for fault in problem["errors"]] == ["/values/main_goods"]
    assert (await service.file(customer["id"]))["name"] == "示例便利店", "nothing of a clashing change is stored"
    settled = await service.patch(customer["id"], 2, main_goods="文具", shop_name="新名便利店")
    assert settled.headers["etag"] == '"3"'


async def test_a_clash_over_a_classified_item_is_a_recorded_read(service: RunningCustomer) -> None:
    customer = await service.register()
    await service.patch(customer["id"], 1, contact_person="李示例")
    before = len(await service.outbox("access.read"))
    clash = await service.patch(customer["id"], 1, contact_person="王示例")
    assert clash.json()["current"] == {"contact_person": "李示例"}
    [(_, read)] = (await service.outbox("access.read"))[before:]
    assert (read.items, read.level) == (("contact_person",), "confidential")


async def test_agreeing_edits_and_edits_taken_back_do_not_clash(service: RunningCustomer) -> None:
    customer = await service.register(main_goods="饮料")
    await service.patch(customer["id"], 1, main_goods="文具")
    agreed = await service.patch(customer["id"], 1, main_goods="文具")
    assert (agreed.status_code, agreed.headers["etag"]) == (200, '"2"')
    await service.patch(customer["id"], 2, main_goods="饮料")
    after_return = await service.patch(customer["id"], 1, main_goods="书报")
    assert (after_return.status_code, after_return.headers["etag"]) == (200, '"4"')


async def test_an_item_above_ones_clearance_cannot_be_written_blindly(service: RunningCustomer) -> None:
    customer = await service.register()
    refused = await service.patch(customer["id"], 1, "customer_manager", watchlisted=True)
    assert (refused.status_code, refused.json()["code"]) == (403, "item_not_cleared")
    assert refused.json()["errors"][0]["pointer"] == "/values/watchlisted"
    assert (await service.patch(customer["id"], 1, watchlisted=True)).status_code == 200


async def test_a_customer_of_another_unit_is_not_there(service: RunningCustomer) -> None:
    customer = await service.register()
    path = f"/v1/customers/{customer['id']}"
    stranger = service.as_("customer_manager", OTHER_UNIT)
    answers = [
        await service.http.patch(path, json={"values": {"main_goods": "x"}}, headers={**stranger, "If-Match": '"1"'}),
        await service.http.get(path, headers=stranger),
        await service.http.get(f"{path}/history", headers=stranger),
        await service.http.get(f"{path}/grade", headers=stranger),
        await service.http.get("/v1/customers/019aaaaa-0000-7000-8000-000000000000", headers=stranger),
    ]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.json()["code"] for answer in answers}) == 1, "hidden and absent look alike"
    records = [event.record for _, event in await service.outbox("access.refused")]  # type: ignore[attr-defined]
    assert records == [*[customer["id"]] * 4, "019aaaaa-0000-7000-8000-000000000000"], "and both are recorded"


@pytest.mark.req("R0.2")
async def test_two_changes_at_once_of_different_items_both_hold(service: RunningCustomer) -> None:
    customer = await service.register(business_area=35)
    items = [{"shop_name": f"店 {n}"} if n % 2 else {"main_goods": f"货 {n}"} for n in range(2)]
    answers = await at_once(*(lambda each=each: service.patch(customer["id"], 1, **each) for each in items))
    assert [answer.status_code for answer in answers] == [200, 200]
    assert sorted(answer.headers["etag"] for answer in answers) == ['"2"', '"3"']
    events = await service.outbox(CHANGED)
    assert [event.version for _, event in events] == [2, 3]


@pytest.mark.req("R0.2")
async def test_of_many_changes_at_once_of_the_same_item_one_holds(service: RunningCustomer) -> None:
    customer = await service.register()
    answers = await at_once(*(lambda n=n: service.patch(customer["id"], 1, main_goods=f"货 {n}") for n in range(8)))
    assert sorted(answer.status_code for answer in answers) == [200] + [412] * 7
    assert [event.version for _, event in await service.outbox(CHANGED)] == [2]


@pytest.mark.req("R0.2")
async def test_versions_are_contiguous_and_in_order_under_load(service: RunningCustomer) -> None:
    customer = await service.register()

    async def writer(item: str) -> None:
        for n in range(10):
            answer = await service.patch(customer["id"], 1, **{item: f"值 {n}"})
            while answer.status_code == 412:
                answer = await service.patch(customer["id"], int(answer.headers["etag"][1:-1]), **{item: f"值 {n}"})
            assert answer.status_code == 200

    await asyncio.gather(*(writer(item) for item in ("main_goods", "shop_name", "address", "business_scope")))
    events = await service.outbox(CHANGED)
    assert [event.version for _, event in events] == list(range(2, 42))
    assert (await service.file(customer["id"]))["version"] == 41


async def test_a_failing_commit_is_never_a_success(service: RunningCustomer) -> None:
    customer = await service.register()
    async with service.database.transaction() as tx:
        await tx.execute(
            "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$"
        )
        await tx.execute(
            "CREATE CONSTRAINT TRIGGER late AFTER INSERT ON customer_event DEFERRABLE INITIALLY DEFERRED"
            " FOR EACH ROW EXECUTE FUNCTION fail()"
        )
    answer = await service.patch(customer["id"], 1, main_goods="文具")
    assert answer.status_code == 500
    assert "no" not in answer.json()["detail"].split()
    assert (await service.file(customer["id"]))["version"] == 1
    assert await service.outbox(CHANGED) == []
