"""Each confirms by themself, of late signed in, with a password that will do; two at once complete it once."""

import asyncio
from typing import Any

import httpx
import pytest

from tests.factories.custody import FRESH, ROLE, UNIT, Custody
from tests.factories.directory import DAY, TODAY, problem
from tests.factories.identity import PASSWORD

pytestmark = [pytest.mark.req("R4.5"), pytest.mark.req("R2.2")]


async def untouched(custody: Custody, change: str, *outstanding: str) -> None:
    assert (await custody.state(change))["outstanding"] == list(outstanding)
    assert await custody.roles("keeper") == [(ROLE, UNIT)]


async def test_nobody_confirms_for_another(custody: Custody) -> None:
    change = await custody.begun()
    for name, part in (
        ("keeper", "successor"),
        ("keeper", "supervisor"),
        ("heir", "leaver"),
        ("chief", "leaver"),
        ("guard", "supervisor"),  # who may supervise, but is not named
        ("root", "successor"),
    ):
        problem(await custody.confirm(change, name, part), 403, "not_your_part")
    await untouched(custody, change, "leaver", "successor", "supervisor")


async def test_a_confirmation_needs_a_sign_in_of_late(custody: Custody) -> None:
    change = await custody.begun()
    path = f"/v1/custody-changes/{change}/confirmations"
    for name, part in (("keeper", "leaver"), ("heir", "successor"), ("chief", "supervisor")):
        headers = await custody.who(name, signed_in_ago_s=3600)
        body = {"as": part, "password": FRESH["keeper"]} if part != "supervisor" else {"as": part}
        answer = await custody.directory.call(headers, "POST", path, body)
        problem(answer, 401, "sign_in_too_old")
        assert 'error="insufficient_user_authentication", max_age="600"' in answer.headers["WWW-Authenticate"]
    await untouched(custody, change, "leaver", "successor", "supervisor")


async def test_the_supervisor_confirms_last(custody: Custody) -> None:
    change = await custody.begun()
    for name, part in (("heir", "successor"), ("keeper", "leaver")):
        answer = await custody.confirm(change, "chief", "supervisor")
        problem(answer, 409, "confirm_first")
        assert part in answer.json()["outstanding"]
        assert (await custody.confirm(change, name, part)).status_code == 201
    await untouched(custody, change, "supervisor")


async def test_one_who_confirmed_does_not_confirm_again(custody: Custody) -> None:
    change = await custody.begun()
    assert (await custody.confirm(change, "keeper", "leaver")).status_code == 201
    problem(await custody.confirm(change, "keeper", "leaver", "Another-one-2026"), 409, "confirmed_already")
    assert await custody.hashes() == 1


@pytest.mark.parametrize(
    ("body", "code", "faults"),
    [
        ({"as": "leaver"}, "bad_change_over", {("/password", "missing")}),
        ({"as": "leaver", "password": "short"}, "unfit_password",
         {("/password", "password_length"), ("/password", "password_classes")}),
        ({"as": "leaver", "password": "The-keeper-2026"}, "unfit_password", {("/password", "password_holds_name")}),
        ({"as": "leaver", "password": ""}, "invalid_request", {("/password", "too_short")}),
        ({"as": "leaver", "password": FRESH["keeper"], "at": "2020-01-01"}, "invalid_request",
         {("/at", "extra_forbidden")}),
        ({"as": "leaver", "password": FRESH["keeper"], "secret_hash": "x"}, "invalid_request",
         {("/secret_hash", "extra_forbidden")}),
        ({"as": "proposer"}, "invalid_request", {("/as", "enum")}),
        ({}, "invalid_request", {("/as", "missing")}),
    ],
)  # fmt: skip
async def test_a_confirmation_that_will_not_do_says_why_and_repeats_no_password(
    custody: Custody, body: dict[str, Any], code: str, faults: set[tuple[str, str]]
) -> None:
    change = await custody.begun()
    answer = await custody.call("keeper", "POST", f"/{change}/confirmations", body)
    assert set(problem(answer, 422, code)) == faults
    assert not body.get("password") or body["password"] not in answer.text
    await untouched(custody, change, "leaver", "successor", "supervisor")


async def test_a_password_does_not_come_back_nor_stay(custody: Custody) -> None:
    """The factory's own does not meet the policy, so a first change-over gives one that does."""
    change = await custody.begun()
    assert (await custody.complete(change)).status_code == 201
    back = await custody.begun(leaver="heir", successor="keeper")
    for former in (FRESH["keeper"],):
        answer = await custody.confirm(back, "keeper", "successor", former)
        assert set(problem(answer, 422, "unfit_password")) == {("/password", "password_used_before")}
    short = await custody.confirm(back, "keeper", "successor", PASSWORD)
    assert ("/password", "password_classes") in problem(short, 422, "unfit_password")


async def test_the_supervisor_gives_no_password(custody: Custody) -> None:
    change = await custody.begun()
    await custody.handed_over(change)
    answer = await custody.confirm(change, "chief", "supervisor", FRESH["heir"])
    assert problem(answer, 422, "bad_change_over") == [("/password", "not_for_supervisor")]
    await untouched(custody, change, "supervisor")


async def test_a_supervisor_who_is_none_any_more_does_not_complete_it(custody: Custody) -> None:
    change = await custody.begun()
    await custody.handed_over(change)
    now_clerk = await custody.directory.token("chief", "customer_manager", "north")
    path = f"/v1/custody-changes/{change}/confirmations"
    problem(await custody.directory.call(now_clerk, "POST", path, {"as": "supervisor"}), 403, "not_allowed")
    moved = await custody.directory.token("chief", "department_manager", "south", "south-1")
    problem(await custody.directory.call(moved, "POST", path, {"as": "supervisor"}), 403, "not_allowed")
    await untouched(custody, change, "supervisor")


async def test_a_supervisor_who_is_cleared_no_more_does_not_complete_it(custody: Custody) -> None:
    change, guard = await custody.begun(), await custody.who("guard")
    await custody.handed_over(change)
    lowered = await custody.directory.call(guard, "PUT", "/v1/staff/chief/clearance", {"clearance": "internal"})
    assert lowered.is_success, lowered.text
    completed = await custody.confirm(change, "chief", "supervisor")
    assert problem(completed, 409, "change_over_outdated") == [("/supervisor", "may_not_supervise")]
    assert await custody.roles("keeper") == [(ROLE, UNIT)]


async def test_what_has_changed_since_the_proposal_stops_the_completion(custody: Custody) -> None:
    change = await custody.begun()
    await custody.handed_over(change)
    async with custody.directory.identity.database.transaction() as tx:  # a last day has passed; no job has come by
        await tx.execute("UPDATE staff SET last_day = $1 WHERE name IN ('keeper', 'heir')", TODAY - DAY)
    answer = await custody.confirm(change, "chief", "supervisor")
    assert set(problem(answer, 409, "change_over_outdated")) == {
        ("/leaver", "not_in_service"), ("/leaver", "holds_it_not"), ("/successor", "not_in_service"),
    }  # fmt: skip
    assert (await custody.state(change))["outstanding"] == ["supervisor"]
    assert (await custody.types(change))[-1] == "custody.confirmed"


async def test_a_leaver_to_whom_the_role_is_given_anew_later_on_does_not_hand_it_over(custody: Custody) -> None:
    guard, path = await custody.who("guard"), "/v1/staff/keeper/roles"
    change = await custody.begun()
    await custody.handed_over(change)
    async with custody.directory.identity.database.transaction() as tx:
        await tx.execute("UPDATE role_grant SET until_on = $1 WHERE role = $2", TODAY + DAY, ROLE)
    again = {"role": ROLE, "unit": UNIT, "from_on": str(TODAY + 2 * DAY)}
    assert (await custody.directory.call(guard, "POST", path, again)).status_code == 201
    completed = await custody.confirm(change, "chief", "supervisor")
    assert problem(completed, 409, "change_over_outdated") == [("/leaver", "holds_it_again")]
    assert (ROLE, UNIT) not in await custody.roles("heir")
    assert (await custody.call("guard", "POST", f"/{change}/withdrawal")).status_code == 200
    assert problem(await custody.propose(), 422, "bad_change_over") == [("/leaver", "holds_it_again")]


async def test_a_password_that_was_changed_meanwhile_has_to_be_given_anew(custody: Custody) -> None:
    change = await custody.begun()
    await custody.handed_over(change)
    async with custody.directory.identity.database.transaction() as tx:
        await tx.execute("UPDATE account SET set_at = now() WHERE name = 'heir'")
    answer = await custody.confirm(change, "chief", "supervisor")
    assert problem(answer, 409, "change_over_outdated") == [("/successor", "password_changed")]


async def test_of_two_who_complete_it_at_once_one_does(custody: Custody) -> None:
    change = await custody.begun()
    await custody.handed_over(change)
    answers = await asyncio.gather(*(custody.confirm(change, "chief", "supervisor") for _ in range(4)))
    assert sorted(each.status_code for each in answers) == [201, 409, 409, 409]
    assert {each.json()["code"] for each in answers if each.status_code == 409} <= {
        "change_over_closed", "confirmed_already",
    }  # fmt: skip
    assert (await custody.types(change)).count("custody.changed_over") == 1
    assert (await custody.roles("heir")).count((ROLE, UNIT)) == 1


async def test_leaver_and_successor_confirm_at_once_and_each_only_once(custody: Custody) -> None:
    change = await custody.begun()
    pairs = [("keeper", "leaver"), ("heir", "successor")] * 2
    answers = await asyncio.gather(*(custody.confirm(change, *pair) for pair in pairs))
    assert sorted(each.status_code for each in answers) == [201, 201, 409, 409]
    assert (await custody.types(change)).count("custody.confirmed") == 2
    await untouched(custody, change, "supervisor")


async def test_withdrawing_and_completing_at_once_leave_one_of_the_two(custody: Custody) -> None:
    for _ in range(3):
        change = await custody.begun()
        await custody.handed_over(change)
        completed, withdrawn = await asyncio.gather(
            custody.confirm(change, "chief", "supervisor"), custody.call("guard", "POST", f"/{change}/withdrawal")
        )
        state = (await custody.state(change))["state"]
        if state == "done":
            assert (completed.status_code, withdrawn.status_code) == (201, 409)
            assert (await custody.types(change))[-1] == "custody.changed_over"
            return
        assert (state, completed.status_code, withdrawn.status_code) == ("withdrawn", 409, 200)
        await untouched(custody, change)


async def test_two_proposals_at_once_leave_one(custody: Custody) -> None:
    answers: list[httpx.Response] = await asyncio.gather(*(custody.propose() for _ in range(4)))
    assert sorted(each.status_code for each in answers) == [201, 409, 409, 409]


async def test_a_confirmation_that_is_sent_twice_has_one_effect_and_leaves_no_trace_of_the_password(
    custody: Custody,
) -> None:
    change = await custody.begun()
    path, body = f"/{change}/confirmations", {"as": "leaver", "password": FRESH["keeper"]}
    key = {"Idempotency-Key": "1c6e3c2e-8f0e-4d53-a11c-0b8d4f6f0001"}
    first, again = [await custody.call("keeper", "POST", path, body, **key) for _ in range(2)]
    assert (first.status_code, again.status_code, again.json()) == (201, 201, first.json())
    other = await custody.call("keeper", "POST", path, {**body, "password": "Other-pass-2-x"}, **key)
    assert (other.status_code, other.json()) == (201, first.json()), "another password is not told apart"
