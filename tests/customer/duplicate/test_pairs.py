"""Pairs: found once, in step with the files, listed by reach, dismissed with a reason (R5.2)."""

import asyncio
from typing import Any

import httpx
import pytest

from services.customer.consumers import DUPLICATES
from shared.events import DuplicateDismissed, DuplicateFound
from shared.ids import new_id
from tests.factories import customer as made
from tests.factories.customer import OTHER_UNIT, RunningCustomer, at_once

pytestmark = pytest.mark.req("R5.2")
FOUND, DISMISSED = DuplicateFound.type, DuplicateDismissed.type
REASON = {"reason": "同名，但为两家店铺"}
OTHERWISE = {"shop_name": "远山商贸", "contact_phone": "13811112222", "address": "远山路 77 号"}


async def pairs(service: RunningCustomer, role: str = "department_manager", unit: str = made.UNIT, **query: Any) -> Any:
    answer = await service.http.get("/v1/duplicates", params=query, headers=service.as_(role, unit))
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


async def register_in(service: RunningCustomer, unit: str, **items: Any) -> dict[str, Any]:
    body = {"kind": "retail", "values": made.values(**items), "unit": unit}
    answer = await service.http.post("/v1/customers", json=body, headers=service.as_("department_manager", unit))
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def dismiss(
    service: RunningCustomer, pair: str, unit: str = made.UNIT, units: list[str] | None = None
) -> httpx.Response:
    headers = service.as_("department_manager", unit, **({"units": units} if units else {}))
    return await service.http.post(f"/v1/duplicates/{pair}/dismissal", json=REASON, headers=headers)


async def run_consumer(service: RunningCustomer) -> None:
    batch = await service.deliveries()
    [consumer] = [each for each in service.parts.consumers if each.group == DUPLICATES]
    async with service.database.transaction() as tx:
        await consumer.handle(tx, batch)


async def test_two_files_of_one_customer_are_a_pair_and_told_of_once(service: RunningCustomer) -> None:
    older, newer = await service.register(), await service.register()
    for _ in range(2):
        await run_consumer(service)
    [pair] = await pairs(service)
    assert [side["customer_id"] for side in pair["files"]] == [older["id"], newer["id"]]
    assert (pair["verdict"], [rule["id"] for rule in pair["rules"]]) == ("certain", ["name", "phone", "address"])
    [(envelope, event)] = await service.outbox(FOUND)
    assert (envelope.subject, event.customer_id, event.other_id) == (
        f"customer/{newer['id']}", newer["id"], older["id"],
    )  # fmt: skip
    assert (event.verdict, event.rules) == ("certain", ("name", "phone", "address"))
    for one, other in ((older, newer), (newer, older)):
        answer = await service.get(f"/v1/customers/{one['id']}/duplicates")
        [found] = answer.json()["items"]
        assert (found["customer"]["customer_id"], found["pair_id"], found["dismissed"]) == (
            other["id"], pair["id"], False,
        )  # fmt: skip
        assert found["rules"][0]["items"] == ["shop_name", "shop_name"]


async def test_no_value_stands_in_the_tables_in_clear(service: RunningCustomer) -> None:
    await service.register()
    await run_consumer(service)
    async with service.database.reading() as tx:
        keys = [row["key"] for row in await tx.fetch("SELECT key FROM duplicate_key")]
        kept = await tx.fetchval("SELECT keys FROM duplicate_file")
        assert sorted(keys) == kept
        assert len(keys) >= 3
        columns = await tx.fetch(
            "SELECT column_name FROM information_schema.columns WHERE table_name IN ('duplicate_key', 'duplicate_file')"
        )
    assert {row["column_name"] for row in columns} == {"key", "keys", "customer_id"}


async def test_pairs_follow_the_files(service: RunningCustomer) -> None:
    one, other = await service.register(), await service.register(**OTHERWISE)
    await run_consumer(service)
    assert await pairs(service) == []
    await service.patch(other["id"], 1, contact_phone="13900000000", address="示例路 1 号")
    await run_consumer(service)
    [pair] = await pairs(service)
    assert pair["verdict"] == "possible"
    assert await pairs(service, verdict="certain") == []
    await service.patch(other["id"], 2, shop_name="示例商行")
    await run_consumer(service)
    [again] = await pairs(service)
    assert (again["id"], again["verdict"]) == (pair["id"], "certain")
    await service.patch(one["id"], 1, **OTHERWISE)
    await run_consumer(service)
    assert await pairs(service) == []
    assert len(await service.outbox(FOUND)) == 1


async def test_a_change_of_what_is_not_compared_is_left_alone(service: RunningCustomer) -> None:
    customer = await service.register()
    await run_consumer(service)
    async with service.database.transaction() as tx:
        await tx.execute("DELETE FROM duplicate_key")
    await service.patch(customer["id"], 1, main_goods="文具")
    await run_consumer(service)
    async with service.database.reading() as tx:
        assert await tx.fetchval("SELECT count(*) FROM duplicate_key") == 0


@pytest.mark.req("R15.1")
async def test_an_erased_customer_is_found_no_more(service: RunningCustomer) -> None:
    customer, other = await service.register(), await service.register()
    await run_consumer(service)
    answer = await service.http.request(
        "DELETE",
        f"/v1/customers/{customer['id']}/key",
        json={"reason": "data subject's request"},
        headers=service.as_("security_officer"),
    )
    assert answer.status_code == 204
    for _ in range(2):
        async with service.database.reading() as tx:
            assert await tx.fetchval("SELECT count(*) FROM duplicate_pair") == 0
            assert str(await tx.fetchval("SELECT customer_id FROM duplicate_file")) == other["id"]
            assert await tx.fetchval("SELECT count(DISTINCT customer_id) FROM duplicate_key") == 1
        await run_consumer(service)
    assert (await service.get(f"/v1/customers/{customer['id']}/duplicates")).json()["items"] == []


async def test_two_customers_registered_at_the_same_moment_find_each_other(service: RunningCustomer) -> None:
    await at_once(*(lambda: register_in(service, made.UNIT) for _ in range(2)))  # type: ignore[arg-type]
    batch = await service.deliveries()
    [consumer] = [each for each in service.parts.consumers if each.group == DUPLICATES]

    async def apply(part: int) -> None:
        async with service.database.transaction() as tx:
            await consumer.handle(tx, batch[part : part + 1])

    await asyncio.gather(apply(0), apply(1))
    assert len(await pairs(service)) == 1


async def test_a_pair_is_listed_where_one_of_its_files_is(service: RunningCustomer) -> None:
    await register_in(service, made.UNIT)
    theirs = await register_in(service, OTHER_UNIT)
    await run_consumer(service)
    [pair] = await pairs(service, "customer_manager", OTHER_UNIT)
    assert [(side["within_reach"], side["customer_id"]) for side in pair["files"]] == [
        (False, None), (True, theirs["id"]),
    ]  # fmt: skip
    assert {tuple(rule["items"]) for rule in pair["rules"]} == {
        (None, "shop_name"), (None, "contact_phone"), (None, "address"),
    }  # fmt: skip
    assert await pairs(service, "customer_manager", "unit-3") == []
    assert len(await pairs(service, "general_manager", "unit-3")) == 1


async def test_pairs_come_in_pages_the_latest_first(service: RunningCustomer) -> None:
    for _ in range(3):
        await service.register()
    await run_consumer(service)
    headers = service.as_("department_manager")
    first = (await service.http.get("/v1/duplicates", params={"limit": 2}, headers=headers)).json()
    rest = await service.http.get("/v1/duplicates", params={"cursor": first["next_cursor"]}, headers=headers)
    ids = [each["id"] for each in [*first["items"], *rest.json()["items"]]]
    assert ids == sorted(ids, reverse=True)
    assert (len(first["items"]), len(ids), rest.json()["next_cursor"]) == (2, 3, None)


async def test_a_dismissed_pair_is_closed_and_its_reason_sealed(service: RunningCustomer) -> None:
    older, _ = await service.register(), await service.register()
    await run_consumer(service)
    [pair] = await pairs(service)
    answers = await at_once(lambda: dismiss(service, pair["id"]), lambda: dismiss(service, pair["id"]))
    assert sorted(answer.status_code for answer in answers) == [204, 409]
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"duplicate_dismissed"}
    assert await pairs(service) == []
    [(envelope, event)] = await service.outbox(DISMISSED)
    assert envelope.subject == f"customer/{older['id']}"
    assert "店铺" not in event.model_dump_json()
    async with service.database.reading() as tx:
        assert "店铺".encode() not in await tx.fetchval("SELECT reason FROM duplicate_pair")
    [match] = (await service.get(f"/v1/customers/{older['id']}/duplicates")).json()["items"]
    assert match["dismissed"] is True
    await run_consumer(service)
    assert await pairs(service) == [], "nothing new speaks for it"


async def test_a_dismissed_pair_opens_again_when_more_speaks_for_it(service: RunningCustomer) -> None:
    one, other = await service.register(), await service.register(address="远山路 77 号")
    await run_consumer(service)
    [pair] = await pairs(service)
    await dismiss(service, pair["id"])
    await service.patch(other["id"], 1, shop_name="示例超市")
    await run_consumer(service)
    assert await pairs(service) == []
    await service.patch(other["id"], 2, address="示例路 1 号")
    await run_consumer(service)
    [again] = await pairs(service)
    assert (again["id"], again["verdict"]) == (pair["id"], "certain")
    assert len(await service.outbox(FOUND)) == 2
    assert one["id"] in {side["customer_id"] for side in again["files"]}


async def test_who_dismisses_has_both_files_within_reach(service: RunningCustomer) -> None:
    await register_in(service, made.UNIT)
    await register_in(service, OTHER_UNIT)
    await run_consumer(service)
    [pair] = await pairs(service, "general_manager")
    one_only = await dismiss(service, pair["id"])
    assert (one_only.status_code, one_only.json()["code"]) == (403, "other_file_beyond_reach")
    none, unknown = (
        await dismiss(service, pair["id"], "unit-3"),
        await dismiss(service, str(new_id())),
    )
    assert (none.status_code, none.json()["code"]) == (404, "not_found")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "not_found")
    assert (await dismiss(service, pair["id"], units=[made.UNIT, OTHER_UNIT])).status_code == 204


async def test_the_list_obeys_field_permission(served: made.Served) -> None:
    change = ("company/role/customer_manager.yaml", "clearance: confidential", "clearance: internal")
    async with served(change) as service:
        await service.register(shop_name="示例商贸")
        await service.register(shop_name="远山商贸", address="示例路 1 号 3 幢")
        await service.run_consumers()
        assert await pairs(service) == []
        await service.register(shop_name="示例商贸", address="远山路 77 号")
        await service.run_consumers()
        assert len(await pairs(service)) == 1, "by name and telephone"
        assert await pairs(service, "customer_manager") == [], "who may not see the telephone learns of nothing"
