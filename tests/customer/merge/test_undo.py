"""Taking merged files apart: what goes back, what stands in the way, and that it happens once (R5.2)."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from shared.clock import now
from shared.events import CustomerUnmerged
from tests.customer.duplicate.test_pairs import pairs, register_in, run_consumer
from tests.factories import customer as made
from tests.factories.customer import OTHER_UNIT, RunningCustomer, at_once
from tests.factories.merges import Notes, merged, two_files, undo
from tests.fakes.issuer import Issuer

pytestmark = pytest.mark.req("R5.2")
UNMERGED = CustomerUnmerged.type


@pytest.fixture
async def noted(
    dsn: str, issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[RunningCustomer, Notes]]:
    """The service with one feature more that keeps records of customers."""
    notes = Notes()
    monkeypatch.setattr("services.customer.app.RelatedMerges", lambda: notes)
    async with made.running(dsn, issuer) as service:
        async with service.database.transaction() as tx:
            await notes.prepare(tx)
        yield service, notes


def plain(file: dict[str, Any]) -> dict[str, Any]:
    """What of a file is as it was: not its version, and who wrote a value last."""
    values = {code: each["value"] for code, each in file["values"].items()}
    kept = {name: file[name] for name in ("id", "number", "name", "merged_into", "unit", "manager")}
    return {**kept, "values": values}


async def refusal(service: RunningCustomer, merge: str, **body: Any) -> tuple[int, str, list[str]]:
    problem = (answer := await undo(service, merge, **body)).json()
    return answer.status_code, problem["code"], [fault["pointer"] for fault in problem.get("errors", ())]


async def test_both_files_are_as_they_were(service: RunningCustomer) -> None:
    survivor, loser = await two_files(service, main_goods="饮料")
    before = [plain(await service.file(each["id"])) for each in (survivor, loser)]
    take = {"customer_code": "loser", "shop_name": "loser", "contact_phone": "loser", "main_goods": "loser"}
    view = await merged(service, survivor, loser, take=take)
    answer = await undo(service, view["id"])
    assert answer.status_code == 200, answer.text
    assert (answer.json()["undone_by"], answer.json()["undo_reason"]) == (
        "staff/department_manager",
        "两家店铺，误合并",
    )
    after = [await service.file(each["id"]) for each in (survivor, loser)]
    assert [plain(each) for each in after] == before
    assert [each["version"] for each in after] == [3, 3]
    facts = {envelope.subject: (envelope.sequence, event) for envelope, event in await service.outbox(UNMERGED)}
    assert facts.keys() == {f"customer/{survivor['id']}", f"customer/{loser['id']}"}
    assert facts[f"customer/{loser['id']}"][0] == 3
    assert (await service.patch(loser["id"], 3, main_goods="文具")).status_code == 200
    assert len((await service.get("/v1/customers")).json()["items"]) == 2


async def test_what_moved_goes_back_and_nothing_else(noted: tuple[RunningCustomer, Notes]) -> None:
    service, notes = noted
    survivor, loser = await two_files(service)
    async with service.database.transaction() as tx:
        await notes.add(tx, survivor["id"], "s1")
        await notes.add(tx, loser["id"], "l1", "l2")
    view = await merged(service, survivor, loser)
    assert view["moved"] == {"note": 2}
    async with service.database.transaction() as tx:
        assert await notes.of(tx, survivor["id"]) == ["l1", "l2", "s1"]
        await notes.add(tx, survivor["id"], "s2")
    assert (await undo(service, view["id"])).status_code == 200
    async with service.database.reading() as tx:
        assert await notes.of(tx, survivor["id"]) == ["s1", "s2"]
        assert await notes.of(tx, loser["id"]) == ["l1", "l2"]
    [(_, event), _] = await service.outbox(UNMERGED)
    assert event.moved == {"note": 2}


async def test_items_that_were_changed_since_stand_in_the_way_all_at_once(service: RunningCustomer) -> None:
    survivor, loser = await two_files(service)
    view = await merged(service, survivor, loser)
    await service.patch(survivor["id"], 2, shop_name="改名便利店", contact_phone="13700000000", main_goods="文具")
    assert await refusal(service, view["id"]) == (
        409, "merge_conflicts", ["/keep/contact_phone", "/keep/shop_name"],
    )  # fmt: skip
    assert await refusal(service, view["id"], keep=["shop_name", "main_goods"]) == (
        409, "merge_conflicts", ["/keep/contact_phone", "/keep/main_goods"],
    )  # fmt: skip
    assert (await service.file(loser["id"]))["merged_into"] == survivor["id"], "nothing was undone"
    assert (await undo(service, view["id"], keep=["shop_name", "contact_phone"])).status_code == 200
    kept = await service.file(survivor["id"])
    assert (kept["name"], kept["values"]["contact_phone"]["value"]) == ("改名便利店", "13700000000")
    assert kept["values"]["main_goods"]["value"] == "文具"
    assert (await service.file(loser["id"]))["merged_into"] is None


async def test_an_edit_that_was_taken_back_stands_in_no_way(service: RunningCustomer) -> None:
    survivor, loser = await two_files(service)
    view = await merged(service, survivor, loser)
    await service.patch(survivor["id"], 2, shop_name="改名便利店")
    await service.patch(survivor["id"], 3, shop_name="示例便利店")
    assert (await undo(service, view["id"])).status_code == 200
    kept = await service.file(survivor["id"])
    assert (kept["name"], kept["values"]["contact_phone"]["value"]) == ("示例便利店", "13900000000")


async def test_a_number_that_another_customer_has_by_now_stands_in_the_way(service: RunningCustomer) -> None:
    survivor, loser = await two_files(service)
    view = await merged(service, survivor, loser, take={"customer_code": "loser"})
    await service.patch(survivor["id"], 2, customer_code="T-other")
    await service.register(customer_code=loser["number"])
    assert await refusal(service, view["id"], keep=["customer_code"]) == (
        409, "merge_conflicts", ["/loser/customer_code"],
    )  # fmt: skip


async def test_a_merge_is_undone_once(service: RunningCustomer) -> None:
    survivor, loser = await two_files(service)
    view = await merged(service, survivor, loser)
    answers = await at_once(*(lambda: undo(service, view["id"]) for _ in range(3)))  # type: ignore[arg-type]
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409]
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"merge_undone"}
    assert len(await service.outbox(UNMERGED)) == 2
    again = await merged(service, await service.file(survivor["id"]), await service.file(loser["id"]))
    assert again["id"] != view["id"], "and the files can be merged anew"


async def test_after_the_term_a_merge_stays(service: RunningCustomer) -> None:
    survivor, loser = await two_files(service)
    view = await merged(service, survivor, loser)
    assert view["undo_until"] > (now() + timedelta(days=29)).isoformat()
    async with service.database.transaction() as tx:
        await tx.execute("UPDATE customer_merge SET undo_until = $1", now() - timedelta(seconds=1))
    assert (await refusal(service, view["id"]))[:2] == (409, "undo_term_over")


async def test_the_later_merge_is_undone_first(service: RunningCustomer) -> None:
    one, other = await two_files(service)
    third = await service.register()
    first = await merged(service, one, other)
    second = await merged(service, third, await service.file(one["id"]), take={})
    assert (await refusal(service, first["id"]))[:2] == (409, "customer_merged")
    for view in (second, first):
        assert (await undo(service, view["id"])).status_code == 200
    assert {(await service.file(each["id"]))["merged_into"] for each in (one, other, third)} == {None}


async def test_who_undoes_has_the_right_the_reach_and_a_reason(service: RunningCustomer) -> None:
    survivor, loser = await two_files(service)
    view = await merged(service, survivor, loser)
    assert (await undo(service, view["id"], "customer_manager")).status_code == 403
    assert (await undo(service, view["id"], reason="  ")).status_code == 422
    assert (await refusal(service, "019aaaaa-0000-7000-8000-000000000000"))[:2] == (404, "not_found")
    stranger = service.as_("department_manager", OTHER_UNIT)
    for path in (f"/v1/merges/{view['id']}", f"/v1/customers/{loser['id']}/merges"):
        assert (await service.http.get(path, headers=stranger)).status_code == 404
    answer = await service.http.post(f"/v1/merges/{view['id']}/undo", json={"reason": "out of reach"}, headers=stranger)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    long_ago = {"auth_time": int(now().timestamp()) - 3600}
    old = await service.http.post(
        f"/v1/merges/{view['id']}/undo",
        json={"reason": "signed in long ago"},
        headers=service.as_("department_manager", **long_ago),
    )
    assert (old.status_code, old.json()["code"]) == (401, "sign_in_too_old")


async def test_merges_of_a_file_are_shown_on_either_side(service: RunningCustomer) -> None:
    survivor, loser = await two_files(service)
    view = await merged(service, survivor, loser)
    for each in (survivor, loser):
        shown = (await service.get(f"/v1/customers/{each['id']}/merges")).json()
        assert [item["id"] for item in shown["items"]] == [view["id"]]
    assert (await service.get(f"/v1/merges/{view['id']}", "customer_manager")).json() == view
    third = await register_in(service, made.UNIT)
    assert (await service.get(f"/v1/customers/{third['id']}/merges")).json()["items"] == []


async def test_a_pair_that_was_settled_is_open_again(service: RunningCustomer) -> None:
    survivor, loser = await two_files(service, contact_phone="13900000000")
    view = await merged(service, survivor, loser)
    await run_consumer(service)
    assert await pairs(service) == []
    await undo(service, view["id"])
    await run_consumer(service)
    assert len(await pairs(service)) == 1
