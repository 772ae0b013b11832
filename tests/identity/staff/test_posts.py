"""Transfers: another main post, told when it takes effect, and the roles over the unit that is left (R5.7)."""

import asyncio
from datetime import date, timedelta
from typing import Any

import httpx
import pytest

from shared.events import StaffMoved
from tests.factories.directory import DAY, TODAY, Directory, problem

SOON = TODAY + timedelta(days=7)
pytestmark = pytest.mark.req("R5.7")


async def take_up(directory: Directory, name: str, **body: Any) -> httpx.Response:
    post = {"unit": "south", "from_on": str(TODAY), **body}
    return await directory.call(await directory.root(), "POST", f"/v1/staff/{name}/posts", post)


async def end(directory: Directory, name: str, post: str) -> httpx.Response:
    return await directory.call(await directory.root(), "DELETE", f"/v1/staff/{name}/posts/{post}")


async def test_a_transfer_of_today_moves_at_once_and_takes_the_roles_of_the_former_unit(directory: Directory) -> None:
    moved = await take_up(directory, "clerk", title="主管")
    assert (moved.status_code, moved.json()["main"], moved.json()["until_on"]) == (201, True, None)
    person = await directory.person("clerk")
    assert (person["unit"], person["roles"]) == ("south", [])
    assert [post["title"] for post in person["posts"]] == ["主管"]
    _, event = (await directory.events("staff/clerk"))[-1]
    assert isinstance(event, StaffMoved)
    assert (event.from_unit, event.standing.unit, event.standing.held, event.items) == (
        "north-1", "south", (), ("unit",),
    )  # fmt: skip
    assert await directory.types("staff/clerk") == ["staff.joined", "staff.changed", "staff.moved"]
    assert await directory.let_pass(TODAY) == 0


async def test_a_transfer_to_come_is_told_now_and_takes_effect_once_on_its_day(directory: Directory) -> None:
    assert (await take_up(directory, "clerk", from_on=str(SOON))).status_code == 201
    before = await directory.standing("clerk")
    assert (before.unit, [(held.unit, held.until_on) for held in before.held]) == ("north-1", [("north-1", SOON - DAY)])
    assert await directory.let_pass(SOON - DAY) == 0
    assert await directory.let_pass(SOON + 3 * DAY) == 1
    assert await directory.let_pass(SOON + 3 * DAY) == 0
    assert (await directory.standing("clerk")).unit == "south"
    assert await directory.types("staff/clerk") == ["staff.joined", "staff.changed", "staff.moved"]


async def test_roles_stay_where_the_transfer_says_so_and_where_they_are_over_another_unit(directory: Directory) -> None:
    elsewhere = {"role": "report_entry", "unit": "hq"}
    await directory.call(await directory.guard(), "POST", "/v1/staff/peer/roles", elsewhere)
    await take_up(directory, "clerk", keep_roles=True)
    await take_up(directory, "peer")
    assert [held.unit for held in (await directory.standing("clerk")).held] == ["north-1"]
    assert [held.unit for held in (await directory.standing("peer")).held] == ["hq"]


@pytest.mark.parametrize("role_from", [TODAY, SOON])
@pytest.mark.parametrize("moved_on", [TODAY, TODAY - 9 * DAY])
async def test_a_role_over_the_former_unit_that_was_given_before_the_transfer_does_not_outlast_it(
    directory: Directory, role_from: date, moved_on: date
) -> None:
    guard = await directory.guard()
    role = {"role": "report_entry", "unit": "north-1", "from_on": str(role_from)}
    assert (await directory.call(guard, "POST", "/v1/staff/clerk/roles", role)).status_code == 201
    assert (await take_up(directory, "clerk", from_on=str(moved_on))).status_code == 201
    assert (await directory.standing("clerk")).held == ()
    assert (await directory.person("clerk"))["roles"] == []
    holders = await directory.call(guard, "GET", "/v1/staff?role=report_entry")
    assert holders.json()["items"] == []
    await directory.let_pass(SOON)
    assert (await directory.person("clerk"))["roles"] == []


async def test_a_role_to_come_goes_with_a_transfer_to_come_and_comes_back_when_that_is_called_off(
    directory: Directory,
) -> None:
    guard = await directory.guard()
    role = {"role": "report_entry", "unit": "north-1", "from_on": str(SOON + DAY)}
    assert (await directory.call(guard, "POST", "/v1/staff/clerk/roles", role)).status_code == 201
    post = (await take_up(directory, "clerk", from_on=str(SOON))).json()["id"]
    assert [held.role for held in (await directory.standing("clerk")).held] == ["customer_manager"]
    assert (await end(directory, "clerk", post)).status_code == 204
    assert [held.role for held in (await directory.standing("clerk")).held] == ["customer_manager", "report_entry"]


async def test_a_role_over_the_former_unit_can_be_given_for_the_time_after_a_transfer(directory: Directory) -> None:
    await take_up(directory, "clerk", from_on=str(SOON))
    role = {"role": "customer_manager", "unit": "north-1", "from_on": str(SOON)}
    assert (await directory.call(await directory.guard(), "POST", "/v1/staff/clerk/roles", role)).status_code == 201
    await directory.let_pass(SOON)
    held = (await directory.standing("clerk")).held
    assert [(each.unit, each.from_on, each.until_on) for each in held] == [("north-1", SOON, None)]


async def test_a_transfer_within_a_unit_changes_the_title_and_takes_nothing(directory: Directory) -> None:
    await take_up(directory, "clerk", unit="north-1", title="组长")
    person = await directory.person("clerk")
    assert ([post["title"] for post in person["posts"]], len(person["roles"])) == (["组长"], 1)
    assert await directory.types("staff/clerk") == ["staff.joined", "staff.changed"]


async def test_a_transfer_to_come_can_be_called_off(directory: Directory) -> None:
    post = (await take_up(directory, "clerk", from_on=str(SOON))).json()["id"]
    assert (await end(directory, "clerk", post)).status_code == 204
    standing = await directory.standing("clerk")
    assert [held.until_on for held in standing.held] == [None]
    assert [post["until_on"] for post in (await directory.person("clerk"))["posts"]] == [None]
    assert await directory.let_pass(SOON) == 0
    problem(await end(directory, "clerk", post), 404, "no_such_post")


async def test_a_main_post_in_force_ends_by_the_next_only(directory: Directory) -> None:
    present = (await directory.person("clerk"))["posts"][0]["id"]
    problem(await end(directory, "clerk", present), 409, "main_post")
    first = (await take_up(directory, "clerk", from_on=str(SOON))).json()["id"]
    await take_up(directory, "clerk", unit="hq", from_on=str(SOON + DAY))
    problem(await end(directory, "clerk", first), 409, "post_overlaps")
    foreign = (await directory.person("peer"))["posts"][0]["id"]
    problem(await end(directory, "clerk", foreign), 404, "no_such_post")


async def test_a_post_beside_the_main_one_moves_nobody(directory: Directory) -> None:
    side = await take_up(directory, "clerk", main=False, until_on=str(SOON), title="兼职")
    assert (side.status_code, side.json()["until_on"]) == (201, str(SOON))
    person = await directory.person("clerk")
    assert (person["unit"], len(person["posts"]), len(person["roles"])) == ("north-1", 2, 1)
    assert (await end(directory, "clerk", side.json()["id"])).status_code == 204
    assert len((await directory.person("clerk"))["posts"]) == 1


@pytest.mark.parametrize(
    ("body", "status", "code", "faults"),
    [
        ({"unit": "nowhere"}, 422, "bad_staff", [("/unit", "unknown")]),
        ({"from_on": "2019-12-31"}, 422, "bad_staff", [("/from_on", "before_first_day")]),
        ({"from_on": "2020-01-01"}, 409, "post_overlaps", [("/from_on", "overlaps")]),
        ({"until_on": str(SOON)}, 422, "bad_staff", [("/until_on", "main_post")]),
        ({"main": False, "until_on": str(TODAY - DAY)}, 422, "bad_staff", [("/until_on", "before_from_on")]),
        ({"releases": "hq"}, 422, "invalid_request", [("/releases", "extra_forbidden")]),
    ],
)
async def test_a_post_that_cannot_be_is_refused(
    directory: Directory, body: dict[str, Any], status: int, code: str, faults: list[tuple[str, str]]
) -> None:
    assert problem(await take_up(directory, "clerk", **body), status, code) == faults


async def test_two_transfers_at_once_are_one(directory: Directory) -> None:
    answers = await asyncio.gather(*(take_up(directory, "clerk", unit=unit) for unit in ("south", "hq", "north")))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409]
    moved = [event for _, event in await directory.events("staff/clerk") if isinstance(event, StaffMoved)]
    assert len(moved) == 1
    assert [post["until_on"] for post in (await directory.person("clerk"))["posts"]] == [None]


async def test_who_is_transferred_has_a_list_to_hand_over(directory: Directory) -> None:
    root, guard = await directory.root(), await directory.guard()
    for role, unit in (("report_entry", "north-1"), ("report_entry", "hq"), ("report_reviewer", "north-1")):
        given = await directory.call(guard, "POST", "/v1/staff/clerk/roles", {"role": role, "unit": unit})
        assert given.status_code == 201
    await directory.call(root, "POST", "/v1/lines", {"channel": "phone", "value": "13800000000", "holder": "clerk"})
    await take_up(directory, "clerk", from_on=str(SOON))
    listed = (await directory.call(root, "GET", "/v1/staff/clerk/hand-over")).json()
    assert (listed["reason"], listed["day"]) == ("transfer", str(SOON - DAY))
    assert {(item["kind"], item["what"], item["unit"], item["done"]) for item in listed["items"]} == {
        ("post", "业务员", "north-1", True),  # a colleague of the same unit has both
        ("role", "customer_manager", "north-1", True),
        ("role", "report_reviewer", "north-1", False),
        ("custody", "report_entry", "north-1", False),  # it goes on by a change-over; what is not of the unit stays
    }


async def test_who_keeps_their_roles_hands_over_the_post(directory: Directory) -> None:
    await take_up(directory, "other", from_on=str(SOON), unit="hq", keep_roles=True)
    listed = (await directory.call(await directory.root(), "GET", "/v1/staff/other/hand-over")).json()
    assert [(item["kind"], item["unit"], item["done"]) for item in listed["items"]] == [("post", "south-1", False)]
