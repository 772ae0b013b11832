"""Leaving: announced, taken back, taking effect on the day after, and what is to be handed over (R2.6, R5.7)."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest

from shared.events.directory import StaffEvent
from tests.factories.directory import DAY, TODAY, Directory, problem

LAST = TODAY + timedelta(days=3)
pytestmark = [pytest.mark.req("R2.6"), pytest.mark.req("R5.7")]


async def announce(directory: Directory, name: str = "clerk", **body: Any) -> httpx.Response:
    return await directory.call(
        await directory.root(), "POST", f"/v1/staff/{name}/leaving", {"last_day": str(LAST), **body}
    )


async def hand_over(directory: Directory, name: str = "clerk") -> dict[tuple[str, str | None], bool]:
    answer = await directory.call(await directory.root(), "GET", f"/v1/staff/{name}/hand-over")
    assert answer.status_code == 200, answer.text
    return {(item["kind"], item["what"]): item["done"] for item in answer.json()["items"]}


async def test_who_was_announced_acts_up_to_the_last_day_and_leaves_on_the_next(directory: Directory) -> None:
    said = await announce(directory, successor="peer")
    assert (said.status_code, said.json()) == (
        200, {"name": "clerk", "state": "leaving", "last_day": str(LAST), "successor": "peer"},
    )  # fmt: skip
    standing = await directory.standing("clerk")
    assert (standing.state, standing.last_day, standing.held[0].until_on) == ("leaving", LAST, LAST)
    assert await directory.let_pass(LAST) == 0
    assert await directory.let_pass(LAST + DAY) == 1
    assert await directory.let_pass(LAST + DAY) == 0
    assert await directory.types("staff/clerk") == ["staff.joined", "staff.leaving", "staff.left"]
    gone = await directory.standing("clerk")
    assert (gone.state, gone.held, gone.last_day) == ("left", (), LAST)
    person = await directory.person("clerk")
    assert [person["state"], person["roles"][0]["until_on"], person["posts"][0]["until_on"]] == [
        "left", str(LAST), str(LAST),
    ]  # fmt: skip


async def test_a_last_day_of_yesterday_ends_everything_at_once(directory: Directory) -> None:
    assert (await announce(directory, last_day=str(TODAY - DAY))).json()["state"] == "left"
    assert await directory.types("staff/clerk") == ["staff.joined", "staff.leaving", "staff.left"]
    root, guard = await directory.root(), await directory.guard()
    for who, method, path, body in (
        (root, "PATCH", "", {"full_name": "x"}),
        (root, "POST", "/posts", {"unit": "hq", "from_on": str(TODAY)}),
        (root, "POST", "/leaving", {"last_day": str(LAST)}),
        (root, "DELETE", "/leaving", None),
        (guard, "POST", "/roles", {"role": "report_entry", "unit": "hq"}),
        (guard, "POST", "/deputies", {"deputy": "peer", "from_on": str(TODAY), "until_on": str(TODAY)}),
        (guard, "PUT", "/clearance", {"clearance": None}),
    ):
        answer = await directory.call(who, method, f"/v1/staff/clerk{path}", body, **{"If-Match": '"3"'})
        problem(answer, 409, "staff_left")


async def test_a_leaving_is_taken_back_and_everything_is_as_it_was(directory: Directory) -> None:
    before = await directory.standing("clerk")
    await announce(directory, successor="peer")
    assert (await directory.call(await directory.root(), "DELETE", "/v1/staff/clerk/leaving")).status_code == 204
    after = await directory.standing("clerk")
    assert after.model_copy(update={"version": 1}) == before
    assert (await directory.person("clerk"))["successor"] is None
    _, event = (await directory.events("staff/clerk"))[-1]
    assert isinstance(event, StaffEvent)
    assert (event.type, set(event.items)) == ("staff.leaving", {"last_day", "successor", "state"})
    again = await directory.call(await directory.root(), "DELETE", "/v1/staff/clerk/leaving")
    problem(again, 409, "not_leaving")
    assert await directory.let_pass(LAST + DAY) == 0


async def test_nobody_comes_back_once_the_last_day_is_over_although_no_job_has_run(directory: Directory) -> None:
    await announce(directory)
    async with directory.identity.database.transaction() as tx:  # as if days had passed without a worker
        await tx.execute("UPDATE staff SET last_day = $1 WHERE name = 'clerk'", TODAY - DAY)
    root = await directory.root()
    problem(await directory.call(root, "DELETE", "/v1/staff/clerk/leaving"), 409, "staff_left")
    problem(await announce(directory), 409, "staff_left")
    assert (await directory.person("clerk"))["last_day"] == str(TODAY - DAY)


async def test_another_day_replaces_the_one_that_was_said(directory: Directory) -> None:
    await announce(directory)
    await announce(directory)
    await announce(directory, last_day=str(LAST + DAY), successor="peer")
    assert (await directory.standing("clerk")).last_day == LAST + DAY
    assert (await directory.standing("clerk")).version == 3


@pytest.mark.parametrize(
    ("body", "code", "faults"),
    [
        ({"last_day": str(TODAY - 2 * DAY)}, "bad_staff", [("/last_day", "in_the_past")]),
        ({"last_day": "2019-01-01"}, "bad_staff", [("/last_day", "in_the_past"), ("/last_day", "before_first_day")]),
        ({"successor": "clerk"}, "bad_staff", [("/successor", "same_person")]),
        ({"successor": "nobody"}, "bad_staff", [("/successor", "unknown")]),
        ({"last_day": None}, "invalid_request", [("/last_day", "date_type")]),
        ({"last_day": "9999-12-31"}, "invalid_request", [("/last_day", "less_than_equal")]),
        ({"state": "left"}, "invalid_request", [("/state", "extra_forbidden")]),
    ],
)
async def test_a_leaving_that_cannot_be_is_refused(
    directory: Directory, body: dict[str, Any], code: str, faults: list[tuple[str, str]]
) -> None:
    assert problem(await announce(directory, **body), 422, code) == faults


async def test_a_department_manager_announces_in_the_department_only(directory: Directory) -> None:
    chief = await directory.token("chief", "department_manager", "north", "north-1")
    body = {"last_day": str(LAST)}
    assert (await directory.call(chief, "POST", "/v1/staff/clerk/leaving", body)).status_code == 200
    problem(await directory.call(chief, "POST", "/v1/staff/other/leaving", body), 404, "not_found")
    clerk = await directory.token("clerk", "customer_manager", "north-1")
    problem(await directory.call(clerk, "POST", "/v1/staff/peer/leaving", body), 403, "not_allowed")


async def test_what_a_leaver_holds_is_listed_and_done_when_somebody_else_has_it(directory: Directory) -> None:
    root, guard = await directory.root(), await directory.guard()
    line = await directory.call(
        root, "POST", "/v1/lines", {"channel": "phone", "value": "13800000000", "holder": "other"}
    )
    days = {"from_on": str(TODAY), "until_on": str(LAST + 9 * DAY)}
    await directory.call(guard, "POST", "/v1/staff/chief/deputies", {"deputy": "other", **days})
    await announce(directory, "other")
    assert await hand_over(directory, "other") == {
        ("successor", None): False, ("post", None): False, ("role", "customer_manager"): False,
        ("deputising", "chief"): False, ("line", "phone"): False,
    }  # fmt: skip
    await announce(directory, "other", successor="peer")
    role = {"role": "customer_manager", "unit": "south-1", "from_on": str(LAST)}
    await directory.call(guard, "POST", "/v1/staff/peer/roles", role)
    await directory.call(guard, "POST", "/v1/staff/chief/deputies", {"deputy": "clerk", **days})
    await directory.call(root, "PATCH", f"/v1/lines/{line.json()['id']}", {"until_on": str(LAST)})
    assert set((await hand_over(directory, "other")).values()) == {True}
    await directory.let_pass(LAST + DAY)
    assert set((await hand_over(directory, "other")).values()) == {True}


async def test_a_successor_who_is_gone_by_then_has_nothing(directory: Directory) -> None:
    await announce(directory, "other", successor="peer")
    assert (await hand_over(directory, "other"))[("post", None)] is True
    await announce(directory, "peer")
    assert await hand_over(directory, "other") == {
        ("successor", "peer"): False, ("post", None): False, ("role", "customer_manager"): False,
    }  # fmt: skip


async def test_who_moves_on_before_they_leave_hands_over_what_ends_with_each(directory: Directory) -> None:
    root = await directory.root()
    await announce(directory, "other")
    post = {"unit": "hq", "from_on": str(LAST), "title": "专员"}
    assert (await directory.call(root, "POST", "/v1/staff/other/posts", post)).status_code == 201
    side = {"unit": "north", "from_on": str(TODAY), "title": "兼职", "main": False}
    assert (await directory.call(root, "POST", "/v1/staff/other/posts", side)).status_code == 201
    answer = (await directory.call(root, "GET", "/v1/staff/other/hand-over")).json()
    assert (answer["reason"], answer["day"]) == ("leaving", str(LAST))
    assert [(item["kind"], item["what"], item["unit"]) for item in answer["items"]] == [
        ("successor", None, "south-1"), ("post", "专员", "hq"), ("post", "兼职", "north"),
        ("post", None, "south-1"), ("role", "customer_manager", "south-1"),
    ]  # fmt: skip


async def test_what_ended_by_itself_stays_open_on_the_list(directory: Directory) -> None:
    root = await directory.root()
    await directory.call(root, "POST", "/v1/lines", {"channel": "phone", "value": "13800000000", "holder": "other"})
    await announce(directory, "other")
    await directory.let_pass(LAST + DAY)
    listed = await hand_over(directory, "other")
    assert (listed[("role", "customer_manager")], listed[("line", "phone")]) == (False, False)
    again = {"channel": "phone", "value": "13800000000", "holder": "peer", "from_on": str(LAST + DAY)}
    assert (await directory.call(root, "POST", "/v1/lines", again)).status_code == 201
    assert (await hand_over(directory, "other"))[("line", "phone")] is True


@pytest.mark.req("R4.5")
async def test_a_reporting_custody_is_named_as_such(directory: Directory) -> None:
    role = {"role": "report_entry", "unit": "north-1"}
    await directory.call(await directory.guard(), "POST", "/v1/staff/clerk/roles", role)
    await announce(directory)
    assert (await hand_over(directory))[("custody", "report_entry")] is False


async def test_who_stays_has_a_list_of_what_they_hold_today(directory: Directory) -> None:
    answer = (await directory.call(await directory.root(), "GET", "/v1/staff/clerk/hand-over")).json()
    assert (answer["reason"], answer["day"], answer["successor"]) == (None, str(TODAY), None)
    assert {item["kind"] for item in answer["items"]} == {"post", "role"}


async def test_who_leaves_before_the_first_day_never_begins(directory: Directory) -> None:
    first = TODAY + timedelta(days=5)
    newcomer = {"name": "lin", "full_name": "林一（虚构）", "unit": "hq", "first_day": str(first)}
    await directory.call(await directory.root(), "POST", "/v1/staff", newcomer)
    assert (await announce(directory, "lin", last_day=str(first))).json()["state"] == "expected"
    await directory.let_pass(first)
    await directory.let_pass(first + DAY)
    states = [e.standing.state for _, e in await directory.events("staff/lin") if isinstance(e, StaffEvent)]
    assert states == ["expected", "expected", "leaving", "left"]


async def test_jobs_of_two_workers_at_once_tell_of_a_leaving_once(directory: Directory) -> None:
    await announce(directory)
    await announce(directory, "peer", last_day=str(LAST))
    assert sum(await asyncio.gather(*(directory.let_pass(LAST + DAY) for _ in range(3)))) == 2
    for name in ("clerk", "peer"):
        assert (await directory.types(f"staff/{name}")).count("staff.left") == 1
