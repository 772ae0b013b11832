"""Supply follows the bills: suspended at once, told, lifted by payment or by a decision; the list of what is due."""

from datetime import timedelta

import pytest

from shared.events import CreditOverdue, CreditReported, SupplyResumed
from tests.customer.credit.conftest import TODAY, Desk, day, desk_of, on, standing_of
from tests.factories.customer import OTHER_UNIT, Served, at_once

pytestmark = pytest.mark.req("R7.5")
REPORT = {"cause": "回款延迟", "plan": "分两次付清", "pays_on": "2026-12-20"}
WHY = {"reason": "已收到承兑汇票"}


async def test_what_falls_due_unpaid_suspends_supply_at_once_and_is_told(desk: Desk) -> None:
    await desk.grant()
    await desk.owe(due=0)
    assert await desk.run() == 0, "its last day is not over"
    assert (await desk.supply())["state"] == "allowed"
    assert await desk.run(moment=on(TODAY + timedelta(1))) == 1
    supply = await desk.supply()
    assert (supply["state"], supply["reason"], supply["reported"]) == ("suspended", "overdue", False)
    assert supply["outstanding_fen"] == 100_000
    [(envelope, event)] = await desk.service.outbox(CreditOverdue.type)
    assert (event.unit, event.manager, event.bills, event.due_on) == ("unit-1", "manager1", 1, TODAY)
    assert envelope.actor == "system/customer"
    assert await desk.run(moment=on(TODAY + timedelta(1))) == 0, "told once"


async def test_days_of_grace_are_waited_for(served: Served, desk: Desk) -> None:
    await desk.grant()
    async with served(("trading-discipline/credit/credit_terms.yaml", "grace_days: 0", "grace_days: 2")) as service:
        other = Desk(service, desk.customer)
        await other.owe(due=-2)
        assert (await other.supply())["state"] == "allowed"
        assert await other.run(moment=on(TODAY + timedelta(1))) == 1


async def test_payment_in_full_lifts_a_part_does_not(desk: Desk) -> None:
    await desk.grant()
    await desk.owe()
    assert (await desk.supply())["state"] == "suspended", "as soon as it is known"
    await desk.pay("p-1", amount_fen=40_000)
    supply = await desk.supply()
    assert (supply["state"], supply["overdue_fen"]) == ("suspended", 60_000)
    await desk.pay("p-2", amount_fen=60_000)
    supply = await desk.supply()
    assert (supply["state"], supply["since"], supply["outstanding_fen"]) == ("allowed", None, 0)
    [(_, event)] = await desk.service.outbox(SupplyResumed.type)
    assert event.cause == "paid"


async def test_a_payment_that_bounces_suspends_again(desk: Desk) -> None:
    await desk.grant()
    await desk.owe()
    await desk.pay()
    await desk.pay(withdrawn=True)
    assert (await desk.supply())["state"] == "suspended"
    assert (await desk.types()).count("credit.overdue") == 2


async def test_a_bill_that_is_cancelled_or_put_off_is_not_overdue_any_more(desk: Desk) -> None:
    await desk.grant()
    await desk.owe()
    await desk.feed(bills=[desk.bill("b-1", -20, 3)])
    assert (await desk.supply())["state"] == "allowed"
    await desk.owe()
    assert (await desk.supply())["state"] == "suspended"
    await desk.owe(withdrawn=True)
    assert (await desk.supply())["state"] == "allowed"


async def test_a_decision_lifts_until_the_next_bill_is_overdue(desk: Desk) -> None:
    await desk.grant()
    await desk.owe()
    lifted = await desk.post("/supply/lifting", WHY)
    assert (lifted.status_code, lifted.json()["state"], lifted.json()["overdue_bills"]) == (200, "allowed", 1)
    assert await desk.run(moment=on(TODAY + timedelta(1))) == 0, "what was decided about stays decided"
    await desk.owe("b-2")
    assert (await desk.supply())["state"] == "suspended"
    [later, first] = (await desk.service.get(f"{desk.path}/supply/holds")).json()["items"]
    assert (later["state"], first["state"]) == ("suspended", "allowed")
    assert [step["type"] for step in first["steps"]] == [
        "credit.overdue", "credit.supply_suspended", "credit.supply_resumed"
    ]  # fmt: skip
    assert first["steps"][-1]["said"] == WHY


async def test_the_report_reaches_the_department_sealed(desk: Desk) -> None:
    await desk.grant()
    await desk.owe()
    reported = await desk.post("/supply/report", REPORT, "customer_manager", name="manager1")
    assert (reported.status_code, reported.json()["reported"]) == (200, True)
    [(_, event)] = await desk.service.outbox(CreditReported.type)
    assert "回款" not in event.model_dump_json()
    [hold] = (await desk.service.get(f"{desk.path}/supply/holds")).json()["items"]
    assert hold["steps"][-1]["said"] == REPORT


async def test_whoever_owes_or_made_the_report_does_not_lift(desk: Desk) -> None:
    await desk.grant()
    await desk.owe()
    owes = await desk.post("/supply/lifting", WHY, name="manager1")
    assert (owes.status_code, owes.json()["code"]) == (403, "same_person")
    await desk.post("/supply/report", REPORT)
    made = await desk.post("/supply/lifting", WHY)
    assert (made.status_code, made.json()["code"]) == (403, "same_person")
    assert (await desk.post("/supply/lifting", WHY, "customer_manager")).json()["code"] == "not_allowed"
    assert (await desk.post("/supply/lifting", {"reason": " "}, name="another")).status_code == 422
    assert (await desk.post("/supply/lifting", WHY, name="another")).json()["state"] == "allowed"


async def test_a_stop_outlasts_the_payment(desk: Desk) -> None:
    await desk.grant()
    await desk.owe()
    stopped = await desk.post("/supply/stop", {"reason": "已进入诉讼"})
    assert (stopped.json()["state"], stopped.json()["reason"]) == ("stopped", "stopped")
    assert (await desk.post("/supply/stop", {"reason": "再次"})).json()["code"] == "supply_stopped"
    await desk.pay()
    assert (await desk.supply())["state"] == "stopped"
    assert (await desk.post("/supply/lifting", WHY)).json()["state"] == "allowed"


async def test_of_two_who_lift_at_once_one_comes_too_late_and_a_payment_beside_harms_nothing(desk: Desk) -> None:
    await desk.grant()
    await desk.owe()
    answers = await at_once(
        lambda: desk.post("/supply/lifting", WHY, name="one"),
        lambda: desk.post("/supply/lifting", WHY, name="two"),
        desk.pay,
    )
    assert answers[2].status_code == 200
    assert {each.json().get("code") for each in answers if each.is_error} <= {"supply_not_suspended"}
    assert len(await desk.service.outbox(SupplyResumed.type)) == 1
    assert (await desk.supply())["state"] == "allowed"


@pytest.mark.parametrize(("path", "body"), [("report", REPORT), ("stop", WHY), ("lifting", WHY)])
async def test_where_nothing_is_held_up_there_is_nothing_to_do(desk: Desk, path: str, body: dict[str, str]) -> None:
    refused = await desk.post(f"/supply/{path}", body)
    assert (refused.status_code, refused.json()["code"]) == (409, "supply_not_suspended")


async def test_supply_of_others_is_nobodys_business(desk: Desk) -> None:
    await desk.grant()
    await desk.owe()
    for path, body in (("report", REPORT), ("stop", WHY), ("lifting", WHY)):
        assert (await desk.post(f"/supply/{path}", body, unit=OTHER_UNIT)).status_code == 404
    headers = desk.service.as_("department_manager", OTHER_UNIT)
    assert (await desk.service.http.get(f"{desk.path}/supply", headers=headers)).status_code == 404
    assert (await desk.due(unit=OTHER_UNIT))["items"] == []


async def test_the_due_list_pages_and_filters(desk: Desk) -> None:
    await desk.grant()
    other = await desk_of(desk.service)
    await other.grant()
    dues = {"b-1": -3, "b-2": -3, "b-3": 0, "b-4": 7, "b-5": 8}
    rows = [(other if name == "b-2" else desk).bill(name, -20, due) for name, due in dues.items()]
    await desk.feed(bills=[*rows, desk.bill("b-6", -20, 4)])
    await desk.pay(bill="b-6")
    found, cursor = list[str](), None
    while True:
        page = await desk.due(limit=2, **({"cursor": cursor} if cursor else {}))
        found += [each["bill"] for each in page["items"]]
        if (cursor := page["next_cursor"]) is None:
            break
    assert found == list(dues), "what is paid is due no more"

    async def bills(**query: str) -> list[str]:
        return [each["bill"] for each in (await desk.due(**query))["items"]]

    assert await bills(state="overdue") == ["b-1", "b-2"]
    assert await bills(state="soon") == ["b-3", "b-4"]
    assert await bills(customer=other.customer) == ["b-2"]
    assert await bills(manager="manager1", unit="unit-1") == list(dues)
    assert await bills(manager="somebody") == []
    [first, *_] = (await desk.due())["items"]
    assert (first["days_overdue"], first["supply"], first["amount_fen"]) == (3, "suspended", 100_000)
    bad = await desk.service.get("/v1/credit/due", cursor="bm9uZQ")
    assert (bad.status_code, bad.json()["code"]) == (422, "bad_cursor")


async def test_amounts_are_shown_to_whom_they_are_for(served: Served, desk: Desk) -> None:
    await desk.grant()
    await desk.owe()
    narrowed = (
        "company/role/auditor.yaml",
        "{resource: credit, actions: [read], fields: [general, contact, financial,",
    )
    async with served((*narrowed, "{resource: credit, actions: [read], fields: [general, contact,")) as service:
        other = Desk(service, desk.customer)
        supply = await other.supply("auditor")
        assert (supply["state"], supply["outstanding_fen"], supply["withheld"]) == ("suspended", None, True)
        [row] = (await other.due("auditor"))["items"]
        assert (row["bill"], row["amount_fen"], row["withheld"]) == ("b-1", None, True)
        [form] = await other.forms("auditor")
        assert (form["limit_fen"], "limit_fen" in form["withheld"]) == (None, True)


async def test_a_round_that_was_cut_off_is_made_again_and_tells_once(desk: Desk) -> None:
    await desk.grant()
    await desk.owe(due=0)
    tomorrow = on(TODAY + timedelta(1))
    with pytest.raises(RuntimeError):
        async with desk.service.database.transaction() as tx:
            assert await standing_of(desk.service).overdue_due(tx, tomorrow) == 1
            raise RuntimeError("dies before the commit")
    assert await desk.types() == ["credit.proposed", "credit.approved"]
    assert await desk.run(moment=tomorrow) == 1
    assert (await desk.types())[2:] == ["credit.overdue", "credit.supply_suspended"]
    assert day(0) == (await desk.supply())["due_on"]
