"""Corrections: a new version with a reason, nothing gone; the quarterly visit; lists; what other features get."""

from typing import Any

import httpx
import pytest
import time_machine

from services.customer.contact.related import RelatedContacts
from shared.clock import now
from tests.customer.contact.conftest import AT, LINE, VISIT, Say, a_dealer, call, faults, knows, line, recorded
from tests.factories.customer import OTHER_UNIT, UNIT, RunningCustomer

pytestmark = pytest.mark.req("R5.3")
REASON = "记错时间"


async def correct(
    service: RunningCustomer, contact: dict[str, Any], version: int | None = 1, unit: str = UNIT, **body: Any
) -> httpx.Response:
    headers = service.as_("customer_manager", unit)
    if version is not None:
        headers["If-Match"] = f'"{version}"'
    path = f"/v1/customers/{contact['customer_id']}/contacts/{contact['id']}"
    return await service.http.patch(path, json={"reason": REASON, **body}, headers=headers)


async def test_a_correction_is_a_version_and_what_stood_before_stays(
    service: RunningCustomer, customer: str, say: Say
) -> None:
    made = recorded(await say(customer))
    earlier = "2026-11-23T09:00:00+08:00"
    answer = await correct(service, made, at=earlier, record={"preparation": "查阅档案和订单", "next_steps": "送样"})
    fixed = recorded(answer)
    assert (fixed["version"], fixed["at"], answer.headers["ETag"]) == (2, earlier, '"2"')
    assert fixed["record"] == {**VISIT, "preparation": "查阅档案和订单", "next_steps": "送样"}
    one, two = fixed["versions"]
    assert (one["record"], one["at"], one["reason"]) == (VISIT, AT, None)
    assert (two["type"], two["reason"], two["actor"]) == ("contact.corrected", REASON, "staff/customer_manager")
    assert recorded(await correct(service, made, 2, record={}))["version"] == 2, "nothing differs: no version"
    [(_, event)] = await service.outbox("contact.corrected")
    assert (event.version, event.withdrawn) == (2, False)  # type: ignore[attr-defined]


async def test_what_a_correction_is_refused_for(service: RunningCustomer, customer: str, say: Say) -> None:
    made = recorded(await say(customer))
    faults(await correct(service, made, None, staff=["a", "c"]), 428, "if_match_required")
    faults(await correct(service, made, 1, OTHER_UNIT, staff=["a", "c"]), 404, "not_found")
    assert faults(await correct(service, made, at="2099-01-01T00:00:00Z")) == [("/at", "in_the_future")]
    assert faults(await correct(service, made, staff=["a"])) == [("/staff", "too_few_staff")]
    assert faults(await correct(service, made, record={"summary": None})) == [("/record/summary", "required")]
    recorded(await correct(service, made, staff=["a", "c"]))
    faults(await correct(service, made, 1, staff=["a", "d"]), 412, "contact_changed")
    assert (await correct(service, made, 9, staff=["a", "d"])).status_code == 412
    recorded(await correct(service, made, 2, withdrawn=True))
    faults(await correct(service, made, 3, staff=["a", "d"]), 409, "contact_withdrawn")
    other = (await service.register())["id"]
    faults(await correct(service, {**made, "customer_id": other}, 3, staff=["a"]), 404, "not_found")


@pytest.mark.req("R7.4")
async def test_after_a_visit_was_withdrawn_the_next_is_the_first(
    service: RunningCustomer, customer: str, say: Say
) -> None:
    made = recorded(await say(customer))
    withdrawn = recorded(await correct(service, made, withdrawn=True))
    assert (withdrawn["withdrawn"], withdrawn["record"]) == (True, VISIT)
    assert recorded(await say(customer, at="2026-11-25T09:00:00+08:00"))["first"] is True


@pytest.mark.req("R7.1")
async def test_a_flag_goes_and_comes_with_the_line_and_is_told_when_it_is_new(
    service: RunningCustomer, customer: str, say: Say
) -> None:
    knows(service, {"a": [line(LINE)]})
    made = recorded(await say(customer, **call()))
    assert (made["flags"], len(await service.outbox("contact.flagged"))) == (["line"], 1)
    fixed = recorded(await correct(service, made, line={"id": LINE}))
    assert (fixed["flags"], fixed["number"], fixed["versions"][0]["number"]) == ([], None, "13900001111")
    assert len(await service.outbox("contact.flagged")) == 1
    recorded(await correct(service, made, 2, line={"number": "13900002222"}))
    assert len(await service.outbox("contact.flagged")) == 2
    recorded(await correct(service, made, 3, direction="in"))
    assert len(await service.outbox("contact.flagged")) == 2, "that was told already"


async def test_lists_go_page_by_page_and_are_filtered(service: RunningCustomer, customer: str, say: Say) -> None:
    other = (await service.register(customer_manager="wang"))["id"]
    visits = [recorded(await say(customer, at=f"2026-11-2{n}T09:00:00+08:00"))["id"] for n in (1, 2)]
    flagged = recorded(await say(customer, **call(at="2026-11-23T09:00:00+08:00")))["id"]
    others = recorded(await say(other, at="2026-11-20T09:00:00+08:00", staff=["c", "d"]))["id"]

    async def listed(path: str = "/v1/contacts", **query: Any) -> list[str]:
        return [each["id"] for each in (await service.get(path, **query)).json()["items"]]

    latest = [flagged, *reversed(visits), others]
    assert await listed() == latest
    cursor, seen = None, []
    while page := (await service.get("/v1/contacts", limit=1, **({"cursor": cursor} if cursor else {}))).json():
        seen += [each["id"] for each in page["items"]]
        if (cursor := page["next_cursor"]) is None:
            break
    assert seen == latest
    assert await listed(kind="call") == await listed(flagged=True) == [flagged]
    assert await listed(flagged=False) == latest[1:]
    assert await listed(manager="wang") == await listed(staff="d") == [others]
    assert (await listed(unit=UNIT), await listed(unit=OTHER_UNIT)) == (latest, [])
    assert await listed(f"/v1/customers/{customer}/contacts", kind="visit") == [*reversed(visits)]
    assert "record" not in (await service.get("/v1/contacts")).json()["items"][0]
    assert (await service.get("/v1/contacts", cursor="bm9uc2Vuc2U")).json()["code"] == "bad_cursor"


async def due(service: RunningCustomer, state: str) -> list[str]:
    answer = await service.get("/v1/reviews", state=state, cadence="visit")
    assert answer.status_code == 200, answer.text
    return [each["customer"] for each in answer.json()["items"]]


@pytest.mark.req("R7.4")
async def test_a_customer_is_visited_every_quarter(service: RunningCustomer, say: Say) -> None:
    with time_machine.travel("2026-08-11T10:00:00+08:00", tick=False) as clock:
        dealer = await a_dealer(service)
        await service.register()
        await service.run_consumers()
        clock.move_to("2026-11-25T10:00:00+08:00")
        assert (await due(service, "due"), await due(service, "upcoming")) == ([dealer], [])
        made = recorded(await say(dealer))
        assert (await due(service, "due"), await due(service, "upcoming")) == ([], [dealer])
        recorded(await correct(service, made, at="2026-09-30T09:00:00+08:00"))
        assert await due(service, "due") == [dealer], "a visit of the quarter before does not count for this one"
        recorded(await correct(service, made, 2, at="2026-10-09T09:00:00+08:00"))
        assert await due(service, "upcoming") == [dealer]
        recorded(await correct(service, made, 3, withdrawn=True))
        assert await due(service, "due") == [dealer]
        clock.move_to("2027-01-04T10:00:00+08:00")
        assert await due(service, "overdue") == [dealer]


def related_of(service: RunningCustomer) -> RelatedContacts:
    [keys] = [job.due.__self__ for job in service.parts.jobs if job.name == "rewrap_keys_due"]  # type: ignore[attr-defined]
    [found] = [each for each in keys._related if isinstance(each, RelatedContacts)]
    return found


@pytest.mark.req("R15.1")
async def test_contacts_move_with_a_merge_and_back_and_are_told_to_the_customer(
    service: RunningCustomer, customer: str, say: Say
) -> None:
    async def disclosed(of: str) -> list[dict[str, Any]]:
        answer = await service.get(f"/v1/customers/{of}/disclosure", "security_officer")
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()["records"]["contact"]["contacts"]
        return found

    async def visited() -> dict[str, Any]:
        async with service.database.reading() as tx:
            rows = await tx.fetch("SELECT customer_id, visited_at FROM review_file")
        return {str(row["customer_id"]): row["visited_at"] for row in rows}

    other = (await service.register())["id"]
    made = recorded(await say(customer))
    recorded(await correct(service, made, record={"next_steps": "送样"}))
    timeline = (await service.get(f"/v1/customers/{customer}/timeline")).json()["items"]
    assert [each["type"] for each in timeline if "contact." in each["type"]] == [
        "contact.corrected",
        "contact.recorded",
    ]
    assert "送样" not in str(timeline)
    async with service.database.transaction() as tx:
        ids = {str(row["id"]): row["id"] for row in await tx.fetch("SELECT id FROM customer")}
        moved = await related_of(service).move(tx, ids[customer], ids[other])
        assert moved == [made["id"]]
        assert [each.record for each in await related_of(service).happenings(tx, ids[other], now(), 1)] == [
            f"{made['id']}/2"
        ]
    assert await disclosed(customer) == []
    [found] = await disclosed(other)
    assert [each["record"] for each in found["versions"]] == [VISIT, {**VISIT, "next_steps": "送样"}]
    stands = await visited()
    assert (stands[customer], stands[other] is not None) == (None, True)
    async with service.database.transaction() as tx:
        assert await related_of(service).move(tx, ids[other], ids[customer], moved) == moved
    assert [each["id"] for each in await disclosed(customer)] == [made["id"]]
