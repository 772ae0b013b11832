"""Customers go from one person to another: proposed, approved where it must be, accepted, at once and with history."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from services.customer.handover.rules import OPEN, Handover, State, is_four_eyes
from shared.clock import day_of, now
from shared.events import HandoverAccepted, HandoverProposed
from tests.factories.customer import OTHER_UNIT, UNIT, RunningCustomer, at_once, stand, values
from tests.factories.handovers import (
    LEAVER,
    SUCCESSOR,
    accepted,
    changes,
    customers_of,
    leaves,
    managers,
    offered,
    propose,
    step,
)

pytestmark = pytest.mark.req("R5.7")


async def test_all_customers_go_to_the_successor_by_the_path_of_every_change(service: RunningCustomer) -> None:
    customers = await customers_of(service, 3)
    [other] = await customers_of(service, 1, "manager3")
    handover = await offered(service)
    assert await managers(service, *customers) == [LEAVER] * 3, "not before it was accepted"
    answer = (await step(service, handover, "acceptance")).json()
    assert (answer["state"], answer["customers"], answer["accepted_by"]) == ("accepted", 3, f"staff/{SUCCESSOR}")
    assert await managers(service, *customers, other) == [SUCCESSOR] * 3 + ["manager3"]
    told = await changes(service)
    assert sorted(each.customer_id for each in told) == customers, "one event a file, hence one entry of the audit log"
    assert {(each.manager, each.version, each.items) for each in told} == {(SUCCESSOR, 2, ("customer_manager",))}
    history = (await service.get(f"/v1/customers/{customers[0]}/history")).json()["items"]
    assert (history[0]["version"], history[0]["actor"]) == (2, f"staff/{SUCCESSOR}")
    [(envelope, event)] = await service.outbox(HandoverAccepted.type)
    assert isinstance(event, HandoverAccepted)
    assert (envelope.subject, event.customers, event.successor) == (f"handover/{handover}", 3, SUCCESSOR)
    listed = (await service.get(f"/v1/handovers/{handover}/customers")).json()["items"]
    assert [(each["customer_id"], each["version"]) for each in listed] == [(each, 2) for each in customers]


async def test_named_customers_go_and_others_stay(service: RunningCustomer) -> None:
    first, second, third = await customers_of(service, 3)
    await accepted(service, customers=[first, third])
    assert await managers(service, first, second, third) == [SUCCESSOR, LEAVER, SUCCESSOR]


async def test_what_a_person_proposes_for_themself_is_approved_by_another_first(service: RunningCustomer) -> None:
    customers = await customers_of(service, 1)
    proposed = await propose(service, "customer_manager", LEAVER)
    handover = proposed.json()["id"]
    assert (proposed.status_code, proposed.json()["state"]) == (201, "proposed")
    early = await step(service, handover, "acceptance")
    assert (early.status_code, early.json()["code"]) == (409, "handover_not_approved")
    approved = await step(service, handover, "approval", "department_manager", "dept")
    assert (approved.status_code, approved.json()["state"]) == (200, "offered"), approved.text
    assert (await step(service, handover, "acceptance")).status_code == 200
    assert await managers(service, *customers) == [SUCCESSOR]


async def test_neither_side_approves_nor_whoever_proposed(service: RunningCustomer) -> None:
    await customers_of(service, 1)
    handover = (await propose(service, name=SUCCESSOR)).json()
    assert handover["state"] == "proposed", "a successor's own wish waits for somebody else"
    for name in (SUCCESSOR, LEAVER):
        refused = await step(service, handover["id"], "approval", "department_manager", name)
        assert (refused.status_code, refused.json()["code"]) == (403, "same_person")


async def test_a_colleagues_customers_are_not_for_a_customer_manager_to_give_away(service: RunningCustomer) -> None:
    [customer] = await customers_of(service, 1)
    refused = await propose(service, "customer_manager", SUCCESSOR)
    assert (refused.status_code, refused.json()["code"]) == (409, "nothing_to_hand_over")
    named = await propose(service, "customer_manager", SUCCESSOR, customers=[customer])
    assert (named.status_code, named.json()["errors"][0]["pointer"]) == (422, "/customers/0")


WRONG: list[tuple[dict[str, Any], list[str]]] = [
    ({"reason": "mood"}, ["/reason"]),
    ({"successor": LEAVER, "reason": "mood"}, ["/reason", "/successor"]),
    *(({"successor": each}, ["/successor"]) for each in ("stranger", "elsewhere", "auditor", "going", "gone")),
    ({"customers": ["0190a5b2-7c3d-7e4f-8a9b-0c1d2e3f4a5b"]}, ["/customers/0"]),
]


async def test_what_cannot_be_proposed(service: RunningCustomer) -> None:
    [customer] = await customers_of(service, 1)
    for name, role, unit in ((LEAVER, "customer_manager", UNIT), (SUCCESSOR, "customer_manager", UNIT),
                             ("elsewhere", "customer_manager", OTHER_UNIT), ("auditor", "auditor", UNIT)):  # fmt: skip
        stand(service, name, (role, unit))
    await leaves(service, "going", day_of(now()))
    await leaves(service, "gone", day_of(now()) - timedelta(9))
    of_unit = ({"unit": OTHER_UNIT, "customers": [customer]}, ["/unit"])
    doubled = ({"customers": [customer, customer]}, ["/customers"])
    for wish, pointers in (*WRONG, of_unit, doubled):
        refused = await propose(service, **wish)
        assert refused.status_code == 422, (wish, refused.text)
        assert [each["pointer"] for each in refused.json()["errors"]] == pointers, wish
    assert await service.outbox("handover.proposed") == []


async def test_a_hand_over_is_of_one_unit_within_reach(service: RunningCustomer) -> None:
    [near] = await customers_of(service, 1)
    elsewhere = service.as_("department_manager", OTHER_UNIT)
    body = {"kind": "retail", "values": values(customer_manager=LEAVER)}
    far = (await service.http.post("/v1/customers", json=body, headers=elsewhere)).json()["id"]
    unknown = await propose(service, customers=[near, far])
    assert [each["pointer"] for each in unknown.json()["errors"]] == ["/customers/1"]
    both = await propose(service, "general_manager")
    assert (both.status_code, both.json()["errors"][0]["expected"]) == (422, [UNIT, OTHER_UNIT])
    assert (await propose(service, "general_manager", unit=OTHER_UNIT)).json()["customers"] == 1
    handover = (await propose(service)).json()
    assert (handover["unit"], handover["customers"]) == (UNIT, 1)
    assert (await service.http.get(f"/v1/handovers/{handover['id']}", headers=elsewhere)).status_code == 404


async def test_only_the_named_successor_accepts(service: RunningCustomer) -> None:
    await customers_of(service, 1)
    handover = await offered(service)
    for role, name in (("customer_manager", LEAVER), ("department_manager", "dept"), ("auditor", "auditor")):
        refused = await step(service, handover, "acceptance", role, name)
        assert refused.status_code in (403, 404), (role, refused.text)
    assert (await step(service, handover, "acceptance", unit=OTHER_UNIT)).json()["code"] == "handover_not_eligible"


async def test_a_successor_who_lost_the_role_or_left_meanwhile_takes_nothing_over(service: RunningCustomer) -> None:
    customers = await customers_of(service, 1)
    stand(service, SUCCESSOR, ("customer_manager", UNIT))
    handover = await offered(service)
    stand(service, SUCCESSOR, ("customer_manager", OTHER_UNIT), version=2)
    refused = await step(service, handover, "acceptance")
    assert (refused.status_code, refused.json()["code"]) == (409, "handover_not_eligible")
    await leaves(service, SUCCESSOR, day_of(now()))
    assert (await step(service, handover, "acceptance")).json()["code"] == "handover_not_eligible"
    assert await managers(service, *customers) == [LEAVER]


async def test_accepted_twice_at_once_it_moves_once(service: RunningCustomer) -> None:
    customers = await customers_of(service, 2)
    handover = await offered(service)
    answers = await at_once(*[lambda: step(service, handover, "acceptance")] * 3)
    assert sorted(each.status_code for each in answers) == [200, 409, 409]
    assert {each.json()["code"] for each in answers if each.status_code == 409} == {"handover_closed"}
    assert len(await changes(service)) == len(customers)
    assert len(await service.outbox(HandoverAccepted.type)) == 1


async def test_cancelled_while_it_is_accepted_one_of_the_two_holds(service: RunningCustomer) -> None:
    customers = await customers_of(service, 2)
    handover = await offered(service)
    accept, cancel = await at_once(
        lambda: step(service, handover, "acceptance"),
        lambda: step(service, handover, "cancellation", "department_manager", "dept", reason="stays"),
    )
    assert sorted([accept.status_code, cancel.status_code]) == [200, 409]
    expected = SUCCESSOR if accept.status_code == 200 else LEAVER
    assert await managers(service, *customers) == [expected] * 2


@pytest.mark.parametrize(("what", "role", "name"), [
    ("refusal", "customer_manager", SUCCESSOR), ("cancellation", "department_manager", "dept"),
    ("cancellation", "customer_manager", LEAVER),
])  # fmt: skip
async def test_declined_or_cancelled_it_moves_nobody_and_frees_its_customers(
    service: RunningCustomer, what: str, role: str, name: str
) -> None:
    customers = await customers_of(service, 1)
    handover = await offered(service, customers=customers)
    unsaid = await step(service, handover, what, role, name, reason="mood")
    assert (unsaid.status_code, unsaid.json()["errors"][0]["pointer"]) == (422, "/reason")
    ended = await step(service, handover, what, role, name, reason="workload")
    assert (ended.status_code, ended.json()["end_reason"]) == (200, "workload"), ended.text
    assert (await step(service, handover, "acceptance")).json()["code"] == "handover_closed"
    assert await managers(service, *customers) == [LEAVER]
    await accepted(service, customers=customers)


async def test_a_customer_is_in_one_open_hand_over(service: RunningCustomer) -> None:
    first, second = await customers_of(service, 2)
    answers = await at_once(*[lambda: propose(service, customers=[first, second])] * 2)
    assert sorted(each.status_code for each in answers) == [201, 409]
    [late] = [each.json() for each in answers if each.status_code == 409]
    assert (late["code"], [each["pointer"] for each in late["errors"]]) == (
        "handover_open", ["/customers/0", "/customers/1"],
    )  # fmt: skip
    assert (await propose(service, customers=[second])).json()["errors"][0]["pointer"] == "/customers/0"


async def test_one_hand_over_of_all_is_open_and_it_takes_what_no_other_names(service: RunningCustomer) -> None:
    first, second = await customers_of(service, 2)
    await offered(service, customers=[first], successor="manager3")
    answers = await at_once(*[lambda: propose(service)] * 2)
    assert sorted(each.status_code for each in answers) == [201, 409]
    [handover] = [each.json()["id"] for each in answers if each.status_code == 201]
    assert (await step(service, handover, "acceptance")).json()["customers"] == 1
    assert await managers(service, first, second) == [LEAVER, SUCCESSOR]


async def test_who_is_somebody_elses_by_then_stays_there(service: RunningCustomer) -> None:
    first, second = await customers_of(service, 2)
    handover = await offered(service, customers=[first, second])
    await service.patch(first, 1, customer_manager="manager3")
    assert (await step(service, handover, "acceptance")).json()["customers"] == 1
    assert await managers(service, first, second) == ["manager3", SUCCESSOR]
    listed = (await service.get(f"/v1/handovers/{handover}/customers")).json()["items"]
    assert [each["version"] for each in listed] == [None, 2]


async def test_with_nobody_left_to_move_nothing_is_accepted(service: RunningCustomer) -> None:
    [customer] = await customers_of(service, 1)
    handover = await offered(service, customers=[customer])
    await service.patch(customer, 1, customer_manager="manager3")
    refused = await step(service, handover, "acceptance")
    assert (refused.status_code, refused.json()["code"]) == (409, "nothing_to_hand_over")
    assert (await service.get(f"/v1/handovers/{handover}")).json()["state"] == "offered"
    assert (await propose(service)).json()["code"] == "nothing_to_hand_over"


async def test_lists_filter_and_go_on(service: RunningCustomer) -> None:
    await customers_of(service, 1)
    first = await accepted(service)
    await customers_of(service, 1)
    second = await offered(service)
    page = (await service.get("/v1/handovers", limit=1)).json()
    assert [each["id"] for each in page["items"]] == [second]
    rest = (await service.get("/v1/handovers", limit=1, cursor=page["next_cursor"])).json()
    assert [each["id"] for each in rest["items"]] == [first]
    for query, found in (({"state": "accepted"}, [first]), ({"person": SUCCESSOR}, [second, first]),
                         ({"person": "manager9"}, [])):  # fmt: skip
        assert [each["id"] for each in (await service.get("/v1/handovers", **query)).json()["items"]] == found
    elsewhere = service.as_("customer_manager", OTHER_UNIT, name="manager9")
    assert (await service.http.get("/v1/handovers", headers=elsewhere)).json()["items"] == []


async def test_the_approvers_are_told_where_they_are(service: RunningCustomer) -> None:
    await customers_of(service, 1)
    for name in (LEAVER, SUCCESSOR):
        stand(service, name, ("customer_manager", UNIT))
    stand(service, "dept", ("department_manager", UNIT))
    await propose(service, "customer_manager", LEAVER)
    [(_, event)] = await service.outbox(HandoverProposed.type)
    assert isinstance(event, HandoverProposed)
    assert (event.desk, event.proposer) == (UNIT, LEAVER)


@pytest.mark.parametrize(
    ("proposed_by", "agreed", "accepts", "enough"),
    [
        ("dept", [], "manager2", True),
        ("dept", [], "dept", False),  # as the successor's deputy
        ("manager1", ["dept"], "manager2", True),
        ("manager1", ["dept"], "manager1", False),
        ("manager2", ["dept"], "manager2", True),
    ],
)
def test_two_people_beside_the_leaver_stand_behind_it(
    proposed_by: str, agreed: list[str], accepts: str, enough: bool
) -> None:
    moment = now()
    handover = Handover(
        uuid4(), UNIT, LEAVER, SUCCESSOR, "leaving", True, 1, State.OFFERED, f"staff/{proposed_by}", moment, moment,
        [{"by": f"staff/{each}"} for each in agreed],
    )  # fmt: skip
    assert is_four_eyes(handover, f"staff/{accepts}") is enough
    assert handover.state_at(moment) is State.LAPSED
    assert handover.state in OPEN
