"""Who can be named in a change-over, and who may propose, see, withdraw and refuse one."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from shared.clock import now
from shared.events import AccessRefused, CustodyRefused
from tests.factories.custody import ROLE, UNIT, USUAL, Custody
from tests.factories.directory import DAY, TODAY, problem

pytestmark = pytest.mark.req("R4.5")


async def test_a_proposal_waits_for_three_and_ends_after_the_declared_term(custody: Custody) -> None:
    answer = await custody.propose()
    assert answer.status_code == 201, answer.text
    seen = answer.json()
    assert {name: seen[name] for name in USUAL} == USUAL
    assert (seen["state"], seen["proposed_by"], seen["version"]) == ("open", "staff/guard", 1)
    assert (seen["confirmations"], seen["outstanding"]) == ([], ["leaver", "successor", "supervisor"])
    (proposed,) = await custody.events(seen["id"])
    assert proposed[1].until - proposed[0].time == timedelta(days=3)  # type: ignore[attr-defined]
    assert await custody.state(seen["id"]) == seen


@pytest.mark.parametrize(
    ("changes", "faults"),
    [
        ({"successor": "keeper"}, {("/successor", "same_person"), ("/successor", "holds_it")}),
        ({"supervisor": "heir"}, {("/supervisor", "same_person"), ("/supervisor", "may_not_supervise")}),
        ({"supervisor": "keeper"}, {("/supervisor", "same_person"), ("/supervisor", "may_not_supervise")}),
        ({"supervisor": "southern"}, {("/supervisor", "may_not_supervise")}),
        ({"successor": "nobody"}, {("/successor", "unknown")}),
        ({"leaver": "nobody"}, {("/leaver", "unknown"), ("/leaver", "holds_it_not")}),
        ({"leaver": "peer"}, {("/leaver", "holds_it_not")}),
        ({"leaver": None}, {("/leaver", "missing")}),
        ({"successor": "guard"}, {("/successor", "proposes_it")}),
        ({"supervisor": "guard"}, {("/supervisor", "proposes_it")}),
        ({"supervisor": "root"}, {("/supervisor", "may_not_supervise")}),  # not cleared for what the role clears
        ({"role": "customer_manager"}, {("/role", "not_in_custody"), ("/leaver", "holds_it_not"),
                                        ("/successor", "holds_it")}),
        ({"role": "emperor"}, {("/role", "not_in_custody"), ("/leaver", "holds_it_not")}),
        ({"unit": "nowhere"}, {("/unit", "unknown"), ("/leaver", "holds_it_not"),
                               ("/supervisor", "may_not_supervise")}),
    ],
)  # fmt: skip
@pytest.mark.req("R2.2")
async def test_all_that_is_wrong_with_a_proposal_is_told_at_once(
    custody: Custody, changes: dict[str, Any], faults: set[tuple[str, str]]
) -> None:
    assert set(problem(await custody.propose(**changes), 422, "bad_change_over")) == faults
    assert (await custody.call("guard", "GET")).json()["items"] == []


@pytest.mark.parametrize(
    ("body", "faults"),
    [
        ({**USUAL, "state": "done"}, [("/state", "extra_forbidden")]),
        ({**USUAL, "proposed_by": "staff/chief"}, [("/proposed_by", "extra_forbidden")]),
        ({**USUAL, "confirmations": []}, [("/confirmations", "extra_forbidden")]),
        ({"role": ROLE, "unit": UNIT, "leaver": "keeper"}, [("/successor", "missing"), ("/supervisor", "missing")]),
    ],
)
async def test_a_proposal_says_nothing_but_who_what_and_where(
    custody: Custody, body: dict[str, Any], faults: list[tuple[str, str]]
) -> None:
    assert problem(await custody.call("guard", "POST", "", body), 422, "invalid_request") == faults


@pytest.mark.req("R2.2")
async def test_nobody_fills_a_vacancy_with_somebody_of_their_own_making(custody: Custody) -> None:
    directory, root = custody.directory, await custody.who("root")
    gone = await directory.call(root, "POST", "/v1/staff/keeper/leaving", {"last_day": str(TODAY - DAY)})
    assert gone.status_code == 200
    puppet = {"name": "puppet", "full_name": "木偶（虚构）", "unit": UNIT, "first_day": str(TODAY)}
    assert (await directory.call(root, "POST", "/v1/staff", puppet)).status_code == 201
    vacant = {"leaver": None, "successor": "puppet"}
    assert set(problem(await custody.propose(by="root", **vacant, supervisor="root"), 422, "bad_change_over")) == {
        ("/supervisor", "proposes_it"), ("/supervisor", "may_not_supervise"),
    }  # fmt: skip
    assert (await custody.propose(by="root", **vacant)).status_code == 201, "with a third person, who is cleared"


@pytest.mark.req("R2.2")
async def test_to_propose_needs_a_sign_in_of_late(custody: Custody) -> None:
    headers = await custody.who("guard", signed_in_ago_s=3600)
    problem(await custody.directory.call(headers, "POST", "/v1/custody-changes", USUAL), 401, "sign_in_too_old")


async def test_people_who_are_still_to_come_or_have_left_are_no_parties(custody: Custody) -> None:
    directory, root = custody.directory, await custody.who("root")
    newcomer = {"name": "lin", "full_name": "林（虚构）", "unit": UNIT, "first_day": str(TODAY + DAY)}
    assert (await directory.call(root, "POST", "/v1/staff", newcomer)).status_code == 201
    for name in ("peer", "southern"):
        body = {"last_day": str(TODAY - DAY)}
        assert (await directory.call(root, "POST", f"/v1/staff/{name}/leaving", body)).status_code == 200
    for changes, faults in (
        ({"successor": "lin"}, {("/successor", "not_in_service")}),
        ({"successor": "peer"}, {("/successor", "not_in_service")}),
        ({"supervisor": "southern"}, {("/supervisor", "not_in_service"), ("/supervisor", "may_not_supervise")}),
    ):
        assert set(problem(await custody.propose(**changes), 422, "bad_change_over")) == faults


@pytest.mark.req("R2.2")
async def test_only_some_propose_and_only_within_their_reach(custody: Custody) -> None:
    for name in ("keeper", "heir", "chief"):
        problem(await custody.propose(by=name), 403, "not_allowed")
    elsewhere = await custody.directory.token("guard", "branch_guard", "south", "south-1")
    refused = await custody.directory.call(elsewhere, "POST", "/v1/custody-changes", USUAL)
    problem(refused, 403, "not_allowed")


async def test_one_change_over_at_a_time_of_a_role_over_a_unit(custody: Custody) -> None:
    first = await custody.begun()
    problem(await custody.propose(successor="peer"), 409, "change_over_open")
    assert (await custody.call("guard", "POST", f"/{first}/withdrawal")).status_code == 200
    await custody.begun(successor="peer")


@pytest.mark.req("R2.2")
async def test_one_sees_ones_own_and_what_is_within_reach_and_of_the_rest_not_even_that_it_is(custody: Custody) -> None:
    change = await custody.begun()
    for name in ("guard", "root", "chief", "keeper", "heir"):
        assert [each["id"] for each in (await custody.call(name, "GET")).json()["items"]] == [change]
        assert (await custody.state(change, name))["id"] == change
    for name in ("southern", "peer"):
        assert (await custody.call(name, "GET")).json()["items"] == []
        for method, path, body in (
            ("GET", "", None),
            ("POST", "/confirmations", {"as": "supervisor"}),
            ("POST", "/withdrawal", {}),
            ("POST", "/refusal", {"reason": "x"}),
        ):
            problem(await custody.call(name, method, f"/{change}{path}", body), 404, "not_found")
    problem(await custody.call("guard", "GET", f"/{(absent := str(uuid4()))}"), 404, "not_found")
    refused = [event for _, event in await custody.directory.identity.outbox() if isinstance(event, AccessRefused)]
    assert [event.record for event in refused] == [*[change] * 8, absent]
    assert {event.code for event in refused} == {"not_found"}


async def test_the_list_goes_page_by_page_newest_first(custody: Custody) -> None:
    ids = []
    for _ in range(3):
        ids.append(await custody.begun())
        await custody.call("guard", "POST", f"/{ids[-1]}/withdrawal")
    ids.append(await custody.begun())
    first = (await custody.call("keeper", "GET", "?limit=3")).json()
    rest = (await custody.call("keeper", "GET", f"?limit=3&cursor={first['next_cursor']}")).json()
    assert [each["id"] for each in first["items"] + rest["items"]] == ids[::-1]
    assert rest["next_cursor"] is None
    opened = (await custody.call("keeper", "GET", "?state=open")).json()["items"]
    assert [each["id"] for each in opened] == ids[3:]
    problem(await custody.call("keeper", "GET", "?cursor=x"), 422, "bad_cursor")


async def test_only_whoever_proposed_it_withdraws_it(custody: Custody) -> None:
    change = await custody.begun()
    await custody.confirm(change, "keeper", "leaver")
    for name in ("root", "keeper", "chief"):
        problem(await custody.call(name, "POST", f"/{change}/withdrawal", {"reason": "x"}), 403, "not_your_part")
    answer = await custody.call("guard", "POST", f"/{change}/withdrawal", {"reason": "改派他人"})
    assert answer.status_code == 200
    seen = answer.json()
    assert (seen["state"], seen["closed_by"], seen["reason"]) == ("withdrawn", "staff/guard", "改派他人")
    assert (await custody.types(change))[-1] == "custody.withdrawn"
    assert await custody.hashes() == 0
    for name, part in (("keeper", "leaver"), ("heir", "successor"), ("chief", "supervisor")):
        problem(await custody.confirm(change, name, part), 409, "change_over_closed")
    problem(await custody.call("guard", "POST", f"/{change}/withdrawal"), 409, "change_over_closed")


async def test_each_of_the_three_can_refuse_with_a_reason(custody: Custody) -> None:
    for name, part in (("keeper", "leaver"), ("heir", "successor"), ("chief", "supervisor")):
        change = await custody.begun()
        await custody.confirm(change, "keeper", "leaver")
        problem(await custody.call(name, "POST", f"/{change}/refusal", {"reason": " "}), 422, "invalid_request")
        problem(await custody.call(name, "POST", f"/{change}/refusal", {}), 422, "invalid_request")
        problem(await custody.call("guard", "POST", f"/{change}/refusal", {"reason": "x"}), 403, "not_your_part")
        answer = await custody.call(name, "POST", f"/{change}/refusal", {"reason": "材料尚未移交"})
        seen = answer.json()
        assert (seen["state"], seen["closed_by"], seen["outstanding"]) == ("refused", f"staff/{name}", [])
        _, event = (await custody.events(change))[-1]
        assert isinstance(event, CustodyRefused)
        assert (event.part, event.name) == (part, name)
        assert "材料" not in event.model_dump_json()
        assert await custody.hashes() == 0
        problem(await custody.confirm(change, "heir", "successor"), 409, "change_over_closed")


async def test_what_is_not_confirmed_in_time_expires(custody: Custody) -> None:
    change = await custody.begun()
    await custody.handed_over(change)
    (job,) = (each for each in custody.directory.identity.parts.jobs if each.name == "expire-change-overs")
    database = custody.directory.identity.database
    async with database.transaction() as tx:
        assert await job.due(tx, now() + timedelta(days=2, hours=23)) == 0
    await custody.let_expire(change)
    problem(await custody.confirm(change, "chief", "supervisor"), 409, "change_over_closed")
    problem(await custody.call("guard", "POST", f"/{change}/withdrawal"), 409, "change_over_closed")
    assert (await custody.state(change))["state"] == "expired"
    for done in (1, 0):
        async with database.transaction() as tx:
            assert await job.due(tx, now()) == done
    seen = await custody.state(change)
    assert (seen["state"], seen["closed_by"]) == ("expired", "system")
    assert (await custody.types(change))[-1] == "custody.expired"
    assert (await custody.hashes(), await custody.roles("keeper")) == (0, [(ROLE, UNIT)])
    await custody.begun()
