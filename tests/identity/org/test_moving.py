"""A move gives a unit to whoever holds a role over its new place and all below: it is refused as giving roles is."""

from typing import Any

import httpx
import pytest

from tests.factories.directory import DAY, TODAY, Directory, problem

pytestmark = pytest.mark.req("R2.2")


async def move(directory: Directory, who: dict[str, str], unit: str, parent: str | None) -> httpx.Response:
    version = (await directory.call(await directory.root(), "GET", f"/v1/units/{unit}")).headers["etag"]
    return await directory.call(who, "PUT", f"/v1/units/{unit}/parent", {"parent": parent}, **{"If-Match": version})


async def give(directory: Directory, name: str, role: str, unit: str, **more: Any) -> None:
    body = {"role": role, "unit": unit, **more}
    given = await directory.call(await directory.guard(), "POST", f"/v1/staff/{name}/roles", body)
    assert given.status_code == 201, given.text


async def parent_of(directory: Directory, unit: str) -> str | None:
    parent: str | None = (await directory.call(await directory.root(), "GET", f"/v1/units/{unit}")).json()["parent"]
    return parent


async def test_nobody_moves_a_unit_below_one_over_which_they_hold_a_role(directory: Directory) -> None:
    await give(directory, "root", "department_manager", "north")
    for unit in ("south", "south-1"):
        refused = await move(directory, await directory.root(), unit, "north-1")
        assert problem(refused, 403, "own_standing") == [("/parent", "own_standing")]
    assert await parent_of(directory, "south") == "hq"


@pytest.mark.parametrize("days", [{}, {"from_on": str(TODAY + 9 * DAY)}], ids=["now", "to come"])
async def test_nor_one_over_which_they_stand_in_for_somebody(directory: Directory, days: dict[str, str]) -> None:
    body = {"deputy": "root", "from_on": str(TODAY), "until_on": str(TODAY + 20 * DAY), **days}
    named = await directory.call(await directory.guard(), "POST", "/v1/staff/chief/deputies", body)
    assert named.status_code == 201, named.text
    problem(await move(directory, await directory.root(), "south", "north"), 403, "own_standing")


async def test_nobody_gives_by_a_move_what_they_could_not_give_as_a_role(directory: Directory) -> None:
    refused = await move(directory, await directory.root(), "south-1", "north-1")
    assert problem(refused, 403, "role_above_clearance") == [("/parent", "above_clearance")]
    assert (await move(directory, await directory.guard(), "south-1", "north-1")).status_code == 200


async def test_a_role_that_begins_later_counts_and_one_that_is_over_does_not(directory: Directory) -> None:
    root = await directory.root()
    await give(directory, "other", "department_manager", "south", from_on=str(TODAY + 30 * DAY))
    problem(await move(directory, root, "north-1", "south"), 403, "role_above_clearance")
    gone = await directory.call(root, "POST", "/v1/staff/other/leaving", {"last_day": str(TODAY - DAY)})
    assert gone.status_code == 200, gone.text
    assert (await move(directory, root, "north-1", "south")).status_code == 200


async def test_who_reached_the_unit_before_gains_nothing(directory: Directory) -> None:
    """`chief` manages the north: a move within it is none of giving roles."""
    unit = {"id": "north-2", "parent": "north", "kind": "team", "title": {"zh": "二组", "en": "Second"}}
    root = await directory.root()
    assert (await directory.call(root, "POST", "/v1/units", unit)).status_code == 201
    assert (await move(directory, root, "north-2", "north-1")).status_code == 200


async def test_a_role_that_reaches_its_own_unit_or_all_is_given_nothing_by_a_move(directory: Directory) -> None:
    await give(directory, "root", "branch_clerk", "south")
    await give(directory, "other", "auditor", "south")
    assert (await move(directory, await directory.root(), "north-1", "south")).status_code == 200


async def test_whoever_gives_roles_in_a_part_moves_units_within_it_alone(directory: Directory) -> None:
    await give(directory, "peer", "department_manager", "north-1")
    unit = {"id": "north-2", "parent": "north", "kind": "team", "title": {"zh": "二组", "en": "Second"}}
    below = {**unit, "id": "north-3", "parent": "north-2"}
    root, branch = (
        await directory.root(),
        await directory.token("branch", "branch_admin", "north", "north-1", "north-2"),
    )
    for each in (unit, below):
        assert (await directory.call(root, "POST", "/v1/units", each)).status_code == 201
    problem(await move(directory, branch, "north-2", "north-1"), 403, "role_above_clearance")
    whole = await directory.token("branch", "branch_admin", "north", "north-1", "north-2", "north-3")
    assert (await move(directory, whole, "north-2", "north-1")).status_code == 200


async def test_a_move_needs_a_sign_in_of_late(directory: Directory) -> None:
    problem(await move(directory, await directory.guard(signed_in_ago_s=3600), "south-1", "hq"), 401, "sign_in_too_old")
