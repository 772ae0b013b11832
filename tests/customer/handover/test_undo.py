"""A hand-over taken back within its term, as far as nobody was given the customers meanwhile."""

from datetime import timedelta

import pytest

from shared.clock import day_of, now
from shared.events import HandoverUndone
from tests.factories.customer import OTHER_UNIT, UNIT, RunningCustomer, at_once, stand
from tests.factories.handovers import (
    LEAVER,
    SUCCESSOR,
    accepted,
    changes,
    customers_of,
    leaves,
    managers,
    offered,
    step,
    undo,
)

pytestmark = pytest.mark.req("R5.7")


async def test_undone_all_are_as_they_were_with_history(service: RunningCustomer) -> None:
    customers = await customers_of(service, 2)
    handover = await accepted(service)
    answer = await undo(service, handover, reason="stays")
    assert (answer.status_code, answer.json()["state"], answer.json()["end_reason"]) == (200, "undone", "stays")
    assert await managers(service, *customers) == [LEAVER] * 2
    assert [each.version for each in await changes(service)] == [2, 2, 3, 3]
    [(_, event)] = await service.outbox(HandoverUndone.type)
    assert isinstance(event, HandoverUndone)
    assert (event.moved_back, event.customers) == (2, 2)
    history = (await service.get(f"/v1/customers/{customers[0]}/history")).json()["items"]
    assert [each["actor"] for each in history[:2]] == ["staff/dept", f"staff/{SUCCESSOR}"]
    await accepted(service)  # and again


async def test_who_was_given_to_somebody_meanwhile_stays_there(service: RunningCustomer) -> None:
    kept, back, again = await customers_of(service, 3)
    handover = await accepted(service)
    await service.patch(kept, 2, customer_manager="manager3")
    await service.patch(again, 2, customer_manager="manager3")
    await service.patch(again, 3, customer_manager=SUCCESSOR)  # to the successor, but by somebody's later word
    await service.patch(back, 2, business_area=70)  # another item is in nobody's way
    assert (await undo(service, handover)).status_code == 200
    assert await managers(service, kept, back, again) == ["manager3", LEAVER, SUCCESSOR]
    listed = (await service.get(f"/v1/handovers/{handover}/customers")).json()["items"]
    assert [each["undone_version"] for each in listed] == [None, 4, None]


async def test_undone_at_once_by_two_it_is_undone_once(service: RunningCustomer) -> None:
    customers = await customers_of(service, 1)
    handover = await accepted(service)
    answers = await at_once(*[lambda: undo(service, handover)] * 2)
    assert sorted(each.status_code for each in answers) == [200, 409]
    assert await managers(service, *customers) == [LEAVER]
    assert len(await changes(service)) == 2


async def test_what_cannot_be_undone(service: RunningCustomer) -> None:
    [customer] = await customers_of(service, 1)
    waiting = await offered(service)
    assert (await undo(service, waiting)).json()["code"] == "handover_closed"
    await step(service, waiting, "acceptance")
    for name in (LEAVER, SUCCESSOR):
        assert (await undo(service, waiting, name=name)).json()["code"] == "same_person"
    assert (await undo(service, waiting, reason="mood")).status_code == 422
    assert (await undo(service, waiting, role="customer_manager", name="manager3")).status_code == 403
    assert (await undo(service, waiting, unit=OTHER_UNIT)).status_code == 404
    await service.patch(customer, 2, customer_manager="manager3")
    assert (await undo(service, waiting)).json()["code"] == "nothing_to_hand_over"
    async with service.database.transaction() as tx:
        await tx.execute("UPDATE handover SET undo_until = now() - interval '1 second'")
    assert (await undo(service, waiting)).json()["code"] == "handover_undo_over"


async def test_nobody_gets_customers_back_who_may_not_look_after_them(service: RunningCustomer) -> None:
    customers = await customers_of(service, 1)
    handover = await accepted(service)
    await leaves(service, LEAVER, day_of(now()) - timedelta(1))
    assert (await undo(service, handover)).json()["code"] == "handover_not_eligible"
    stand(service, LEAVER, ("customer_manager", OTHER_UNIT), version=2)
    assert (await undo(service, handover)).json()["code"] == "handover_not_eligible"
    stand(service, LEAVER, ("customer_manager", UNIT), version=3)
    assert (await undo(service, handover)).status_code == 200
    assert await managers(service, *customers) == [LEAVER]
