"""Roles and clearance: who may give what to whom, and how it reaches the suite."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from shared.events.directory import StaffEvent
from tests.factories.directory import DAY, TODAY, Directory, problem

ENTRY = {"role": "report_entry", "unit": "north-1"}
pytestmark = pytest.mark.req("R2.2")


async def give(directory: Directory, name: str, **body: Any) -> httpx.Response:
    return await directory.call(await directory.guard(), "POST", f"/v1/staff/{name}/roles", {**ENTRY, **body})


async def test_a_role_is_given_over_a_unit_and_told_with_its_days(directory: Directory) -> None:
    until = TODAY + timedelta(days=30)
    given = await give(directory, "clerk", until_on=str(until))
    assert given.status_code == 201
    assert {key: given.json()[key] for key in ("role", "unit", "from_on", "until_on", "granted_by")} == {
        **ENTRY, "from_on": str(TODAY), "until_on": str(until), "granted_by": "staff/guard",
    }  # fmt: skip
    standing = await directory.standing("clerk")
    assert [(held.role, held.unit, held.from_on, held.until_on) for held in standing.held][1:] == [
        ("report_entry", "north-1", TODAY, until)
    ]
    _, event = (await directory.events("staff/clerk"))[-1]
    assert isinstance(event, StaffEvent)
    assert event.items == ("role",)


async def test_a_role_taken_away_ends_at_once(directory: Directory) -> None:
    first = (await directory.person("clerk"))["roles"][0]
    fresh = (await give(directory, "clerk")).json()
    guard = await directory.guard()
    for grant in (first, fresh):
        gone = await directory.call(guard, "DELETE", f"/v1/staff/clerk/roles/{grant['id']}")
        assert gone.status_code == 204
        again = await directory.call(guard, "DELETE", f"/v1/staff/clerk/roles/{grant['id']}")
        problem(again, 404, "no_such_grant")
    assert (await directory.standing("clerk")).held == ()
    assert (await directory.person("clerk"))["roles"] == []
    foreign = (await directory.person("peer"))["roles"][0]["id"]
    for grant_id in (foreign, uuid4()):
        problem(await directory.call(guard, "DELETE", f"/v1/staff/clerk/roles/{grant_id}"), 404, "no_such_grant")


@pytest.mark.parametrize(
    ("body", "faults"),
    [
        ({"role": "emperor"}, [("/role", "unknown")]),
        ({"unit": "nowhere"}, [("/unit", "unknown")]),
        ({"from_on": str(TODAY - DAY)}, [("/from_on", "in_the_past")]),
        ({"from_on": str(TODAY + DAY), "until_on": str(TODAY)}, [("/until_on", "before_from_on")]),
        ({"from_on": str(TODAY - DAY), "until_on": str(TODAY - 2 * DAY)},
         [("/from_on", "in_the_past"), ("/until_on", "before_from_on")]),
    ],
)  # fmt: skip
async def test_a_role_that_cannot_be_is_refused(
    directory: Directory, body: dict[str, Any], faults: list[tuple[str, str]]
) -> None:
    assert problem(await give(directory, "clerk", **body), 422, "bad_staff") == faults


async def test_a_role_is_held_once_at_a_time(directory: Directory) -> None:
    until = TODAY + timedelta(days=5)
    assert (await give(directory, "clerk", until_on=str(until))).status_code == 201
    problem(await give(directory, "clerk", from_on=str(until)), 409, "role_held")
    assert (await give(directory, "clerk", from_on=str(until + DAY))).status_code == 201
    assert (await give(directory, "clerk", unit="north")).status_code == 201


async def test_nobody_gives_or_takes_their_own(directory: Directory) -> None:
    guard, root = await directory.guard(), await directory.root()
    own, admin = (await directory.person("guard"))["roles"][0]["id"], "root"
    problem(await directory.call(guard, "POST", "/v1/staff/guard/roles", ENTRY), 403, "own_standing")
    problem(await directory.call(guard, "DELETE", f"/v1/staff/guard/roles/{own}"), 403, "own_standing")
    problem(await directory.call(guard, "PUT", "/v1/staff/guard/clearance", {"clearance": None}), 403, "own_standing")
    post = {"unit": "south", "from_on": str(TODAY)}
    problem(await directory.call(root, "POST", f"/v1/staff/{admin}/posts", post), 403, "own_standing")
    problem(
        await directory.call(root, "POST", f"/v1/staff/{admin}/leaving", {"last_day": str(TODAY)}), 403, "own_standing"
    )
    problem(await directory.call(root, "DELETE", f"/v1/staff/{admin}/leaving"), 403, "own_standing")


async def test_a_deputy_does_not_give_to_whom_they_stand_in_for(directory: Directory) -> None:
    days = {"from_on": str(TODAY), "until_on": str(TODAY + DAY)}
    other_guard = await directory.token("guard2", "security_officer", "hq")
    named = await directory.call(other_guard, "POST", "/v1/staff/clerk/deputies", {"deputy": "guard", **days})
    assert named.status_code == 201, named.text
    problem(await give(directory, "clerk"), 403, "own_standing")
    problem(await directory.call(await directory.guard(), "POST", "/v1/staff/peer/deputies",
                                 {"deputy": "guard", **days}), 403, "own_standing")  # fmt: skip


async def test_nobody_gives_more_than_they_may_see_themselves(directory: Directory) -> None:
    root = await directory.root()
    for role in ("customer_manager", "auditor", "general_manager"):
        refused = await directory.call(root, "POST", "/v1/staff/clerk/roles", {"role": role, "unit": "south"})
        assert problem(refused, 403, "role_above_clearance") == [("/role", "above_clearance")]
    for role in ("general_manager", "responsible_leader"):
        assert (await give(directory, "clerk", role=role, unit="hq")).status_code == 201


async def test_nobody_gives_a_role_that_reaches_further_than_they_do(directory: Directory) -> None:
    branch = await directory.branch()
    refused = await directory.call(branch, "POST", "/v1/staff/clerk/roles", {"role": "auditor", "unit": "north"})
    assert problem(refused, 403, "role_beyond_reach") == [("/role", "beyond_reach")]
    leaf = await directory.token("leaf", "branch_admin", "north")
    whole = {"role": "branch_admin", "unit": "north"}
    problem(await directory.call(leaf, "POST", "/v1/staff/chief/roles", whole), 403, "role_beyond_reach")
    assert (await directory.call(branch, "POST", "/v1/staff/clerk/roles", whole)).status_code == 201
    single = {"role": "branch_clerk", "unit": "north"}
    assert (await directory.call(leaf, "POST", "/v1/staff/chief/roles", single)).status_code == 201


async def test_what_changes_people_needs_a_recent_sign_in(directory: Directory) -> None:
    guard, root = await directory.guard(signed_in_ago_s=3600), await directory.root(signed_in_ago_s=3600)
    newcomer = {"name": "lin", "full_name": "林一（虚构）", "unit": "hq", "first_day": str(TODAY)}
    calls: list[tuple[dict[str, str], str, str, Any]] = [
        (guard, "POST", "/clerk/roles", ENTRY),
        (guard, "DELETE", f"/clerk/roles/{uuid4()}", None),
        (guard, "PUT", "/clerk/clearance", {"clearance": None}),
        (guard, "POST", "/clerk/deputies", {"deputy": "peer", "from_on": str(TODAY), "until_on": str(TODAY)}),
        (root, "POST", "", newcomer),
        (root, "PATCH", "/clerk", {"full_name": "林一（虚构）"}),
        (root, "POST", "/clerk/posts", {"unit": "hq", "from_on": str(TODAY)}),
        (root, "DELETE", f"/clerk/posts/{uuid4()}", None),
        (root, "POST", "/clerk/leaving", {"last_day": str(TODAY)}),
        (root, "DELETE", "/clerk/leaving", None),
    ]
    for who, method, path, body in calls:
        answer = await directory.call(who, method, f"/v1/staff{path}", body, **{"If-Match": '"1"'})
        problem(answer, 401, "sign_in_too_old")
        assert 'error="insufficient_user_authentication"' in answer.headers["www-authenticate"]


async def test_a_clearance_caps_and_is_never_raised_above_ones_own(directory: Directory) -> None:
    async def clear(who: dict[str, str], level: str | None) -> httpx.Response:
        return await directory.call(who, "PUT", "/v1/staff/clerk/clearance", {"clearance": level})

    guard, branch = await directory.guard(), await directory.branch()
    assert (await clear(guard, "internal")).status_code == 204
    assert (await directory.standing("clerk")).clearance == "internal"
    assert (await clear(guard, "internal")).status_code == 204
    assert (await directory.standing("clerk")).version == 2
    for level in ("top_secret", None):
        assert problem(await clear(branch, level), 403, "clearance_too_high") == [("/clearance", "above_clearance")]
    assert (await clear(branch, "secret")).status_code == 204
    assert (await clear(await directory.root(), "public")).status_code == 204
    problem(await clear(guard, "cosmic"), 422, "invalid_request")


@pytest.mark.req("R2.6")
async def test_a_role_for_a_leaver_ends_with_them_however_the_requests_meet(directory: Directory) -> None:
    last_day = TODAY + timedelta(days=3)
    root, guard = await directory.root(), await directory.guard()
    left, given = await asyncio.gather(
        directory.call(root, "POST", "/v1/staff/clerk/leaving", {"last_day": str(last_day)}),
        directory.call(guard, "POST", "/v1/staff/clerk/roles", ENTRY),
    )
    assert (left.status_code, given.status_code) == (200, 201)
    standing = await directory.standing("clerk")
    assert [(held.role, held.until_on) for held in standing.held] == [
        ("customer_manager", last_day), ("report_entry", last_day),
    ]  # fmt: skip
    late = await give(directory, "clerk", role="auditor", unit="hq", from_on=str(last_day + DAY))
    assert problem(late, 422, "bad_staff") == [("/from_on", "after_last_day")]
    gone = await asyncio.gather(
        directory.call(root, "POST", "/v1/staff/peer/leaving", {"last_day": str(TODAY - DAY)}),
        directory.call(guard, "POST", "/v1/staff/peer/roles", ENTRY),
    )
    assert gone[0].status_code == 200
    assert gone[1].status_code in (201, 409)
    assert ((await directory.standing("peer")).state, (await directory.standing("peer")).held) == ("left", ())
    problem(await give(directory, "peer"), 409, "staff_left")


async def test_the_same_role_given_by_many_at_once_is_held_once(directory: Directory) -> None:
    answers = await asyncio.gather(*(give(directory, "clerk") for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409]
