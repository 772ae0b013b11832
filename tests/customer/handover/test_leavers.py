"""What leavers have not handed over; customers are told in time; what nobody decides lapses."""

from datetime import date, timedelta
from uuid import UUID

import pytest

from services.customer.handover.related import RelatedHandovers
from services.customer.handover.rules import tell_by
from shared.clock import day_of, now
from shared.events import (
    HandoverFellDue,
    HandoverLapsed,
    HandoverOmitted,
    HandoverSettled,
    HandoverTellingMissed,
    HandoverTold,
)
from tests.factories.customer import OTHER_UNIT, UNIT, RunningCustomer, stand
from tests.factories.handovers import (
    LEAVER,
    SUCCESSOR,
    accepted,
    customers_of,
    leaves,
    managers,
    offered,
    propose,
    run_job,
    step,
    undo,
)

TODAY = day_of(now())
OUTSTANDING = "handovers_outstanding_due"


async def follow(service: RunningCustomer, later: timedelta = timedelta(0)) -> int:
    return await run_job(service, OUTSTANDING, now=now() + later)


@pytest.mark.req("R2.6")
async def test_a_leavers_customers_fall_due_once_and_are_settled_when_they_are_handed_over(
    service: RunningCustomer,
) -> None:
    await customers_of(service, 2)
    assert await follow(service) == 0
    await leaves(service, LEAVER, TODAY + timedelta(10))
    assert [await follow(service), await follow(service)] == [1, 0]
    [(envelope, event)] = await service.outbox(HandoverFellDue.type)
    assert isinstance(event, HandoverFellDue)
    assert (envelope.subject, event.customers, event.unit) == (f"staff/{LEAVER}", 2, UNIT)
    [listed] = (await service.get("/v1/handovers/outstanding")).json()["items"]
    assert (listed["person"], listed["customers"], listed["omitted_at"]) == (LEAVER, 2, None)
    await customers_of(service, 1)
    await follow(service)
    assert (await service.get("/v1/handovers/outstanding")).json()["items"][0]["customers"] == 3, "counted anew"
    stand(service, SUCCESSOR, ("customer_manager", UNIT))
    handover = await accepted(service)
    assert await follow(service) == 1
    [(_, settled)] = await service.outbox(HandoverSettled.type)
    assert isinstance(settled, HandoverSettled)
    assert settled.stays is False
    assert (await service.get("/v1/handovers/outstanding")).json()["items"] == []
    await undo(service, handover)
    assert await follow(service) == 1, "they are to be handed over again"


@pytest.mark.req("R2.6")
async def test_customers_of_whoever_left_without_hand_over_count_as_a_leak(service: RunningCustomer) -> None:
    await customers_of(service, 1)
    await leaves(service, LEAVER, TODAY + timedelta(1))
    await follow(service)
    assert await service.outbox(HandoverOmitted.type) == []
    assert [await follow(service, timedelta(3)), await follow(service, timedelta(3))] == [1, 0]
    [(_, event)] = await service.outbox(HandoverOmitted.type)
    assert isinstance(event, HandoverOmitted)
    assert (event.person, event.customers, event.last_day) == (LEAVER, 1, TODAY + timedelta(1))
    for query, count in (({"omitted": True}, 1), ({"omitted": False}, 0), ({}, 1)):
        assert len((await service.get("/v1/handovers/outstanding", **query)).json()["items"]) == count
    elsewhere = service.as_("department_manager", OTHER_UNIT)
    assert (await service.http.get("/v1/handovers/outstanding", headers=elsewhere)).json()["items"] == []
    assert (await service.http.get("/v1/handovers/outstanding")).status_code == 401
    stand(service, SUCCESSOR, ("customer_manager", UNIT))
    await accepted(service)  # late, and still possible
    assert await follow(service, timedelta(3)) == 1


@pytest.mark.req("R2.6")
async def test_whoever_stays_after_all_has_nothing_to_hand_over(service: RunningCustomer) -> None:
    await customers_of(service, 1)
    await leaves(service, LEAVER, TODAY + timedelta(1))
    await follow(service)
    await leaves(service, LEAVER, None)
    assert await follow(service) == 1
    [(_, event)] = await service.outbox(HandoverSettled.type)
    assert isinstance(event, HandoverSettled)
    assert event.stays


@pytest.mark.req("R2.6")
async def test_who_had_left_before_it_was_found_is_told_of_as_omitted_only(service: RunningCustomer) -> None:
    await customers_of(service, 1)
    await leaves(service, LEAVER, TODAY - timedelta(9))
    assert await follow(service) == 1
    assert len(await service.outbox(HandoverOmitted.type)) == 1
    assert await service.outbox(HandoverFellDue.type) == []


@pytest.mark.req("R2.6")
async def test_the_list_of_leavers_goes_on_page_by_page(service: RunningCustomer) -> None:
    for name in (LEAVER, "manager3"):
        await customers_of(service, 1, name)
        await leaves(service, name, TODAY + timedelta(1))
    assert await follow(service) == 2
    first = (await service.get("/v1/handovers/outstanding", limit=1)).json()
    second = (await service.get("/v1/handovers/outstanding", limit=1, cursor=first["next_cursor"])).json()
    assert [each["person"] for page in (first, second) for each in page["items"]] == [LEAVER, "manager3"]
    assert second["next_cursor"] is None


@pytest.mark.req("R5.7")
async def test_the_successor_notes_which_customers_were_told(service: RunningCustomer) -> None:
    first, second = await customers_of(service, 2)
    handover = await accepted(service)
    told = await step(service, handover, "notices", customers=[first], channel="phone")
    assert (told.status_code, told.json()) == (200, {"untold": 1})
    left = (await service.get(f"/v1/handovers/{handover}/customers", untold=True)).json()["items"]
    assert [each["customer_id"] for each in left] == [second]
    assert (await step(service, handover, "notices", channel="visit")).json() == {"untold": 0}
    rows = (await service.get(f"/v1/handovers/{handover}/customers")).json()["items"]
    assert [(each["channel"], each["told_by"]) for each in rows] == [
        ("phone", f"staff/{SUCCESSOR}"), ("visit", f"staff/{SUCCESSOR}"),
    ]  # fmt: skip
    events = [event for _, event in await service.outbox(HandoverTold.type)]
    assert [(each.customer_ids, each.untold) for each in events if isinstance(each, HandoverTold)] == [
        ((first,), 1), ((second,), 0),
    ]  # fmt: skip


@pytest.mark.req("R5.7")
async def test_what_cannot_be_noted_as_told(service: RunningCustomer) -> None:
    [other] = await customers_of(service, 1, "manager3")
    await customers_of(service, 1)
    handover = await offered(service)
    assert (await step(service, handover, "notices", channel="phone")).json()["code"] == "handover_closed"
    await step(service, handover, "acceptance")
    for body, pointer in (({"channel": "pigeon"}, "/channel"), ({"channel": "fax", "customers": [other]},
                           "/customers/0")):  # fmt: skip
        refused = await step(service, handover, "notices", **body)
        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, pointer)
    assert (await step(service, handover, "notices", name=LEAVER, channel="fax")).status_code == 404


@pytest.mark.req("R5.7")
async def test_the_unit_hears_once_that_customers_were_not_told_in_time(service: RunningCustomer) -> None:
    await customers_of(service, 2)
    handover = await accepted(service)
    untold = (await service.get(f"/v1/handovers/{handover}")).json()["tell_by"]
    later = now() + timedelta(30)
    assert await run_job(service, "handovers_untold_due", now=now()) == 0
    assert await run_job(service, "handovers_untold_due", now=later) == 1
    assert await run_job(service, "handovers_untold_due", now=later) == 0
    [(_, event)] = await service.outbox(HandoverTellingMissed.type)
    assert isinstance(event, HandoverTellingMissed)
    assert (event.untold, event.tell_by.isoformat()) == (2, untold)


@pytest.mark.req("R5.7")
async def test_what_nobody_decides_in_time_lapses_and_is_in_nobodys_way(service: RunningCustomer) -> None:
    customers = await customers_of(service, 1)
    handover = await offered(service, customers=customers)
    async with service.database.transaction() as tx:
        await tx.execute("UPDATE handover SET decide_until = now() - interval '1 second'")
    late = await step(service, handover, "acceptance")
    assert (late.status_code, late.json()["state"]) == (409, "lapsed")
    assert (await propose(service, customers=customers)).status_code == 201, "no job is needed"
    assert await managers(service, *customers) == [LEAVER]
    assert await run_job(service, "handovers_lapsed_due", now=now()) == 0
    assert await run_job(service, "handovers_lapsed_due", now=now() + timedelta(30)) == 1
    assert len(await service.outbox(HandoverLapsed.type)) == 2


@pytest.mark.req("R5.3", "R15.1")
async def test_a_file_tells_of_its_hand_overs(service: RunningCustomer) -> None:
    [customer] = await customers_of(service, 1)
    handover = await accepted(service)
    await step(service, handover, "notices", channel="phone")
    await undo(service, handover)
    lines = (await service.get(f"/v1/customers/{customer}/timeline")).json()["items"]
    found = [each["type"].partition(".")[2] for each in lines if each["type"].startswith("handover.")]
    assert found == ["undone", "told", "accepted"]
    async with service.database.transaction() as tx:
        assert await RelatedHandovers().move(tx, UUID(customer), UUID(customer)) == []
    told = (await service.get(f"/v1/customers/{customer}/disclosure", "security_officer")).text
    assert SUCCESSOR in told
    assert '"undone":true' in told


def test_customers_are_told_within_the_term_and_while_the_leaver_is_here() -> None:
    today, term = date(2026, 12, 1), timedelta(3)
    assert tell_by(term, today, None) == date(2026, 12, 4)
    assert tell_by(term, today, date(2026, 12, 2)) == date(2026, 12, 2)
    assert tell_by(term, today, date(2026, 12, 31)) == date(2026, 12, 4)
    assert tell_by(term, today, date(2026, 11, 1)) == today
