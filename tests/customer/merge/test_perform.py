"""Making one file of two: what the survivor gets, how the loser is closed, what is refused (R5.2)."""

import shutil
from pathlib import Path
from typing import Any

import httpx
import pytest

from kehu.sample.shop_front import shop_front
from shared.events import CustomerChanged, CustomerMerged
from tests.customer.duplicate.test_pairs import pairs, register_in, run_consumer
from tests.customer.file.test_keys import erase
from tests.factories import customer as made
from tests.factories.customer import OTHER_UNIT, RunningCustomer, at_once
from tests.factories.merges import REASON, merge, merged, two_files, undo, wish
from tests.factories.pictures import png
from tests.fakes.issuer import Issuer

pytestmark = pytest.mark.req("R5.2")
MERGED = CustomerMerged.type


async def refusal(service: RunningCustomer, body: dict[str, Any], *args: str) -> tuple[int, str, list[str]]:
    answer = await merge(service, body, *args)
    problem = answer.json()
    return answer.status_code, problem["code"], [fault["pointer"] for fault in problem.get("errors", ())]


async def test_the_survivor_gets_what_was_chosen_and_the_loser_is_closed(service: RunningCustomer) -> None:
    survivor, loser = await two_files(service)
    answer = await merge(service, wish(survivor, loser))
    view = answer.json()
    assert (answer.status_code, answer.headers["location"]) == (201, f"/v1/merges/{view['id']}")
    assert (view["survivor"], view["loser"], view["items"]) == (
        survivor["id"], loser["id"], ["contact_phone", "shop_name"],
    )  # fmt: skip
    assert (view["survivor_version"], view["loser_version"], view["reason"]) == (2, 2, REASON)
    kept, closed = await service.file(survivor["id"]), await service.file(loser["id"])
    assert (kept["version"], kept["name"], kept["merged_into"]) == (2, "示例超市", None)
    assert kept["values"]["contact_phone"]["value"] == "13811112222"
    assert kept["values"]["customer_code"]["value"] == survivor["number"], "what was not chosen stays"
    assert (closed["version"], closed["merged_into"], closed["name"]) == (2, survivor["id"], "示例超市")
    assert closed["values"]["shop_name"]["value"] == "示例超市", "its values stay, under its own key"


async def test_both_files_have_it_in_their_events_and_the_loser_in_its_history(service: RunningCustomer) -> None:
    survivor, loser = await two_files(service)
    view = await merged(service, survivor, loser)
    facts = {envelope.subject: (envelope.sequence, event) for envelope, event in await service.outbox(MERGED)}
    assert facts.keys() == {f"customer/{survivor['id']}", f"customer/{loser['id']}"}
    sequence, event = facts[f"customer/{loser['id']}"]
    assert (sequence, event.part, event.other_id, event.merge) == (2, "loser", survivor["id"], view["id"])
    sequence, event = facts[f"customer/{survivor['id']}"]
    assert (sequence, event.part, event.items) == (None, "survivor", ("contact_phone", "shop_name"))
    [(_, changed)] = await service.outbox(CustomerChanged.type)
    assert (changed.customer_id, changed.version) == (survivor["id"], 2)
    assert not any(word in changed.model_dump_json() + event.model_dump_json() for word in ("示例超市", REASON))
    history = (await service.get(f"/v1/customers/{loser['id']}/history")).json()["items"]
    assert [(entry["version"], entry["type"], entry["state"]) for entry in history] == [
        (2, MERGED, "open"), (1, "customer.registered", "open"),
    ]  # fmt: skip


async def test_a_closed_file_takes_no_change_and_stands_in_no_list_unless_asked(service: RunningCustomer) -> None:
    survivor, loser = await two_files(service)
    await merged(service, survivor, loser)
    refused = await service.patch(loser["id"], 2, main_goods="文具")
    assert (refused.status_code, refused.json()["code"]) == (409, "customer_merged")
    assert refused.json()["merged_into"] == survivor["id"]
    photo = await service.http.put(
        f"/v1/customers/{loser['id']}/photos/shop_photo",
        content=png(),
        headers={**service.as_("department_manager"), "If-Match": '"2"'},
    )
    assert (photo.status_code, photo.json()["code"]) == (409, "customer_merged")
    assert (await erase(service, loser["id"])).json()["code"] == "customer_merged"
    listed = (await service.get("/v1/customers")).json()["items"]
    assert [each["id"] for each in listed] == [survivor["id"]]
    asked = (await service.get("/v1/customers", merged=True)).json()["items"]
    assert [(each["id"], each["merged_into"]) for each in asked] == [(loser["id"], survivor["id"])]


async def test_the_number_can_be_taken_too(service: RunningCustomer) -> None:
    survivor, loser = await two_files(service)
    await merged(service, survivor, loser, take={"customer_code": "loser"})
    assert (await service.file(survivor["id"]))["number"] == loser["number"]
    closed = await service.file(loser["id"])
    assert (closed["number"], closed["values"]["customer_code"]["value"]) == (None, loser["number"])


async def test_nothing_taken_is_a_merge_all_the_same(service: RunningCustomer) -> None:
    survivor, loser = await two_files(service)
    view = await merged(service, survivor, loser, take={})
    assert (view["survivor_version"], view["items"]) == (1, [])
    assert (await service.file(loser["id"]))["merged_into"] == survivor["id"]


async def test_the_pair_is_settled_and_the_survivor_graded_anew(service: RunningCustomer) -> None:
    survivor, loser = await two_files(service, contact_phone="13900000000")
    await run_consumer(service)
    assert len(await pairs(service)) == 1
    await merged(service, survivor, loser)
    await service.run_consumers()
    assert await pairs(service) == []
    assert (await service.get(f"/v1/customers/{survivor['id']}/duplicates")).json()["items"] == []
    assert (await service.get(f"/v1/customers/{survivor['id']}/grade")).status_code == 200
    assert (await service.get(f"/v1/customers/{loser['id']}/grade")).json()["code"] == "not_graded_yet"


async def test_files_that_cannot_be_merged_are_refused(service: RunningCustomer) -> None:
    survivor, loser = await two_files(service)
    assert await refusal(service, wish(survivor, survivor)) == (422, "merge_with_itself", ["/loser/id"])
    unknown = {"id": "019aaaaa-0000-7000-8000-000000000000", "version": 1}
    assert (await refusal(service, wish(survivor, unknown)))[:2] == (404, "not_found")
    theirs = await register_in(service, OTHER_UNIT)
    for body in (wish(survivor, theirs), wish(theirs, survivor)):
        assert (await refusal(service, body))[:2] == (404, "not_found")
    assert (await refusal(service, wish(survivor, loser), "customer_manager"))[:2] == (403, "not_allowed")
    await merged(service, survivor, loser)
    third = await service.register()
    for body in (wish(third, loser), wish(loser, third)):
        assert (await refusal(service, body))[1] == "customer_merged"
    await erase(service, third["id"])
    status, code, pointers = await refusal(service, wish(survivor, third))
    assert (status, code, pointers) == (409, "customer_erased", ["/loser/id"])
    assert len(await service.outbox(MERGED)) == 2


async def test_customers_of_different_kinds_are_not_merged(dsn: str, issuer: Issuer, tmp_path: Path) -> None:
    root = Path(shutil.copytree(made.REGIMES, tmp_path / "regimes"))
    shutil.copytree(root / "retail-customer/dictionary", root / "other-customer/dictionary")
    for path in (root / "other-customer").rglob("*.yaml"):
        path.write_text(path.read_text("utf-8").replace("kind: retail\n", "kind: other\n"), "utf-8")
    async with made.running(dsn, issuer, regimes_path=root) as service:
        survivor = await service.register()
        body = {"kind": "other", "values": made.values()}
        answer = await service.http.post("/v1/customers", json=body, headers=service.as_("department_manager"))
        assert answer.status_code == 201, answer.text
        assert (await refusal(service, wish(survivor, answer.json())))[:2] == (409, "other_kind")


async def test_wrong_choices_are_named_all_at_once(service: RunningCustomer) -> None:
    survivor, loser = await two_files(service)
    take = {"no_such_item": "loser", "violations_12m": "survivor", "shop_name": "loser"}
    assert await refusal(service, wish(survivor, loser, take=take)) == (
        422, "bad_choice", ["/take/no_such_item", "/take/violations_12m"],
    )  # fmt: skip
    assert (await merge(service, wish(survivor, loser, take={"shop_name": "both"}))).status_code == 422


async def test_nobody_takes_what_they_may_not_see(served: made.Served) -> None:
    grant = "{resource: merge, actions: [perform, read, undo], purpose: management}"
    narrowed = "{resource: merge, actions: [perform, read, undo], fields: [general], purpose: management}"
    async with served(("company/role/department_manager.yaml", grant, narrowed)) as service:
        survivor, loser = await two_files(service)
        assert await refusal(service, wish(survivor, loser)) == (403, "item_not_cleared", ["/take/contact_phone"])
        assert (await service.file(loser["id"]))["merged_into"] is None


async def test_a_required_item_cannot_be_taken_away(service: RunningCustomer) -> None:
    survivor = await service.register(main_goods="饮料")
    loser = await service.register()
    view = await merged(service, survivor, loser, take={"main_goods": "loser"})
    assert view["items"] == ["main_goods"]
    assert "main_goods" not in (await service.file(survivor["id"]))["values"]


async def test_a_merge_of_files_that_somebody_changed_meanwhile_is_refused(service: RunningCustomer) -> None:
    survivor, loser = await two_files(service)
    for file in (survivor, loser):
        await service.patch(file["id"], 1, main_goods="文具")
    answer = await merge(service, wish(survivor, loser))
    assert (answer.status_code, answer.json()["code"]) == (412, "merge_on_old_version")
    assert answer.json()["current"] == {"survivor": '"2"', "loser": '"2"'}
    assert [fault["pointer"] for fault in answer.json()["errors"]] == ["/survivor/version", "/loser/version"]
    again = wish({**survivor, "version": 2}, {**loser, "version": 2})
    assert (await merge(service, again)).status_code == 201


async def test_of_a_merge_and_an_edit_at_once_one_comes_too_late(service: RunningCustomer) -> None:
    survivor, loser = await two_files(service)
    merging, edit = await at_once(
        lambda: merge(service, wish(survivor, loser)),
        lambda: service.patch(loser["id"], 1, shop_name="改名便利店"),
    )
    assert (merging.status_code, edit.status_code) in {(201, 409), (412, 200)}
    merged_into = (await service.file(loser["id"]))["merged_into"]
    assert (merged_into is not None) is (merging.status_code == 201)


async def test_of_merges_at_once_one_holds(service: RunningCustomer) -> None:
    survivor, loser = await two_files(service)
    third = await service.register()
    answers = await at_once(
        lambda: merge(service, wish(survivor, loser)),
        lambda: merge(service, wish(loser, survivor)),
        lambda: merge(service, wish(third, loser)),
        lambda: merge(service, wish(third, loser)),
    )
    assert sorted(answer.status_code for answer in answers)[0] == 201
    assert {answer.status_code for answer in answers} <= {201, 409, 412}
    files = [await service.file(each["id"]) for each in (survivor, loser, third)]
    closed = [each for each in files if each["merged_into"] is not None]
    assert len(closed) == sum(answer.status_code == 201 for answer in answers)
    for each in closed:
        into = next(other for other in files if other["id"] == each["merged_into"])
        assert into["id"] != each["id"]


async def test_a_request_sent_twice_is_one_merge(service: RunningCustomer) -> None:
    survivor, loser = await two_files(service)
    key = {"Idempotency-Key": "merge-1"}
    first, again = [await merge(service, wish(survivor, loser), **key) for _ in range(2)]
    assert (first.status_code, again.status_code, again.json()) == (201, 201, first.json())
    assert len(await service.outbox(MERGED)) == 2


@pytest.mark.req("R15.1")
async def test_erasing_the_survivor_erases_all_that_was_merged_into_it(service: RunningCustomer) -> None:
    survivor, loser = await two_files(service)
    view = await merged(service, survivor, loser)
    last = await service.register()
    await merged(service, last, await service.file(survivor["id"]), take={})
    assert (await erase(service, last["id"])).status_code == 204
    for each in (last, survivor, loser):
        file = await service.file(each["id"])
        assert file["erased_at"] is not None
        assert "contact_phone" not in file["values"]
    assert len(await service.outbox("customer.key_destroyed")) == 3
    shown = (await service.get(f"/v1/merges/{view['id']}")).json()
    assert (shown["reason"], shown["items"]) == (None, ["contact_phone", "shop_name"])
    assert (await undo(service, view["id"])).json()["code"] in {"customer_erased", "customer_merged"}


def bought(customer: str, source: str, quantity: int) -> dict[str, Any]:
    return {
        "source_id": source, "customer_id": customer, "month": "2026-01", "quantity": quantity, "amount_fen": 100,
        "varieties": 1, "orders": 1, "orders_planned": 1, "payments_late": 0,
    }  # fmt: skip


async def test_dealings_go_along_and_come_back(service: RunningCustomer) -> None:
    survivor, loser = await two_files(service)
    headers = service.as_("department_manager")

    async def feed(source: str, quantity: int = 1) -> httpx.Response:
        body = {"purchases": [bought(loser["id"], source, quantity)]}
        return await service.http.post("/v1/dealings", json=body, headers=headers)

    async def owner() -> str:
        async with service.database.reading() as tx:
            return str(await tx.fetchval("SELECT customer_id FROM purchase"))

    assert (await feed("s-1")).status_code == 200
    view = await merged(service, survivor, loser)
    assert (view["moved"], await owner()) == ({"dealings": 1}, survivor["id"])
    assert (await feed("s-1", 2)).status_code == 200, "a correction under the closed file"
    assert await owner() == survivor["id"]
    refused = await feed("s-2")
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (422, "customer_merged")
    assert survivor["id"] in refused.json()["errors"][0]["expected"]
    assert (await undo(service, view["id"])).status_code == 200
    assert await owner() == loser["id"]


async def test_a_picture_is_taken_like_any_value_and_goes_back(service: RunningCustomer) -> None:
    survivor, loser = await two_files(service)
    headers = {**service.as_("department_manager"), "If-Match": '"1"', "Content-Type": "image/png"}
    path = f"/v1/customers/{loser['id']}/photos/shop_photo"
    photo = (await service.http.put(path, content=shop_front(1), headers=headers)).json()["id"]
    view = await merged(service, survivor, {**loser, "version": 2}, take={"shop_photo": "loser"})
    assert view["moved"] == {"photo": 1}
    seen = await service.get(f"/v1/customers/{survivor['id']}/photos/{photo}")
    assert (seen.status_code, seen.content) == (200, shop_front(1))
    assert (await undo(service, view["id"])).status_code == 200
    assert (await service.get(f"/v1/customers/{loser['id']}/photos/{photo}")).content == shop_front(1)
    assert "shop_photo" not in (await service.file(survivor["id"]))["values"]


async def test_a_picture_that_goes_back_stands_in_the_way_where_it_is_shown(service: RunningCustomer) -> None:
    survivor, loser = await two_files(service)
    headers = {**service.as_("department_manager"), "If-Match": '"1"', "Content-Type": "image/png"}
    path = f"/v1/customers/{loser['id']}/photos/shop_photo"
    photo = (await service.http.put(path, content=shop_front(1), headers=headers)).json()["id"]
    view = await merged(service, survivor, {**loser, "version": 2}, take={})
    assert (await service.patch(survivor["id"], 1, shop_photo=photo)).status_code == 200
    answer = await undo(service, view["id"])
    assert (answer.status_code, answer.json()["code"]) == (409, "merge_conflicts")
    assert [fault["pointer"] for fault in answer.json()["errors"]] == ["/survivor/shop_photo"]
