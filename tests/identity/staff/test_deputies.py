"""Deputies: the roles of somebody absent, from a day to a day, and what the suite is told of both."""

from datetime import date, timedelta
from typing import Any

import httpx
import pytest

from shared.auth.roster import holdings
from shared.regime import Secrecy
from tests.factories.directory import DAY, TODAY, Directory, problem

UNTIL = TODAY + timedelta(days=5)
pytestmark = pytest.mark.req("R2.2")


async def name(directory: Directory, person: str = "chief", deputy: str = "clerk", **more: Any) -> httpx.Response:
    body = {"deputy": deputy, "from_on": str(TODAY), "until_on": str(UNTIL), **more}
    return await directory.call(await directory.guard(), "POST", f"/v1/staff/{person}/deputies", body)


async def lent(directory: Directory, deputy: str = "clerk") -> list[tuple[str, str, date, date | None]]:
    standing = await directory.standing(deputy)
    return [(held.role, held.unit, held.from_on, held.until_on) for held in standing.held if held.deputy_for]


async def test_a_deputy_holds_the_roles_of_the_person_for_those_days(directory: Directory) -> None:
    named = await name(directory, from_on=str(TODAY + DAY))
    assert (named.status_code, named.json()["staff"], named.json()["deputy"]) == (201, "chief", "clerk")
    assert await lent(directory) == [("department_manager", "north", TODAY + DAY, UNTIL)]
    assert len((await directory.standing("chief")).held) == 1
    assert [await directory.types(f"staff/{each}") for each in ("chief", "clerk")] == [
        ["staff.joined", "staff.changed"]
    ] * 2
    assert [each["deputy"] for each in (await directory.person("chief"))["deputies"]] == ["clerk"]
    assert [each["staff"] for each in (await directory.person("clerk"))["deputy_for"]] == ["chief"]


async def test_what_changes_for_the_person_changes_for_the_deputy(directory: Directory) -> None:
    await name(directory)
    guard, root = await directory.guard(), await directory.root()
    given = await directory.call(guard, "POST", "/v1/staff/chief/roles", {"role": "branch_clerk", "unit": "north"})
    assert [role for role, *_ in await lent(directory)] == ["branch_clerk", "department_manager"]
    await directory.call(guard, "DELETE", f"/v1/staff/chief/roles/{given.json()['id']}")
    assert [role for role, *_ in await lent(directory)] == ["department_manager"]
    await directory.call(root, "POST", "/v1/staff/chief/leaving", {"last_day": str(TODAY + DAY)})
    assert await lent(directory) == [("department_manager", "north", TODAY, TODAY + DAY)]
    await directory.call(root, "DELETE", "/v1/staff/chief/leaving")
    assert await lent(directory) == [("department_manager", "north", TODAY, UNTIL)]
    post = {"unit": "south", "from_on": str(TODAY + 2 * DAY)}
    await directory.call(root, "POST", "/v1/staff/chief/posts", post)
    assert await lent(directory) == [("department_manager", "north", TODAY, TODAY + DAY)]
    versions = [envelope.sequence for envelope, _ in await directory.events("staff/clerk")]
    assert versions == list(range(1, 8))


async def test_the_deputy_of_somebody_who_is_to_begin_on_another_day_is_told(directory: Directory) -> None:
    root, first_day = await directory.root(), TODAY + DAY
    newcomer = {"name": "lin", "full_name": "林一（虚构）", "unit": "north", "first_day": str(first_day)}
    assert (await directory.call(root, "POST", "/v1/staff", newcomer)).status_code == 201
    role = {"role": "branch_clerk", "unit": "north"}
    await directory.call(await directory.guard(), "POST", "/v1/staff/lin/roles", role)
    assert (await name(directory, "lin")).status_code == 201
    assert await lent(directory) == [("branch_clerk", "north", first_day, UNTIL)]
    later = {"first_day": str(first_day + DAY)}
    moved = await directory.call(root, "PATCH", "/v1/staff/lin", later, **{"If-Match": '"3"'})
    assert moved.status_code == 200, moved.text
    assert await lent(directory) == [("branch_clerk", "north", first_day + DAY, UNTIL)]


async def test_what_does_not_touch_the_deputy_is_not_told_of_them(directory: Directory) -> None:
    await name(directory)
    await directory.call(
        await directory.root(), "PATCH", "/v1/staff/chief", {"full_name": "新名（虚构）"}, **{"If-Match": '"2"'}
    )
    later = {"role": "branch_clerk", "unit": "north", "from_on": str(UNTIL + DAY)}
    await directory.call(await directory.guard(), "POST", "/v1/staff/chief/roles", later)
    assert (await directory.standing("clerk")).version == 2


async def test_who_loses_a_deputy_that_leaves_hears_of_it(directory: Directory) -> None:
    await name(directory)
    await name(directory, "peer")
    await name(directory, "other", from_on=str(TODAY + 2 * DAY))
    root = await directory.root()
    said = await directory.call(root, "POST", "/v1/staff/clerk/leaving", {"last_day": str(TODAY + DAY)})
    assert said.status_code == 200
    assert await directory.let_pass(TODAY + 2 * DAY) == 1
    for person, until in (("chief", str(TODAY + DAY)), ("peer", str(TODAY + DAY)), ("other", None)):
        answer = await directory.call(root, "GET", f"/v1/staff/{person}/history?limit=1")
        [entry] = answer.json()["items"]
        assert (entry["version"], entry["actor"], [item["code"] for item in entry["items"]]) == (
            3,
            "system",
            ["deputy"],
        )
        [item] = entry["items"]
        assert item["before"]["until_on"] == str(UNTIL)
        assert (item["after"] and item["after"]["until_on"]) == until
        assert await directory.types(f"staff/{person}") == ["staff.joined", "staff.changed", "staff.changed"]


async def test_a_deputy_of_a_deputy_gets_nothing_of_the_first(directory: Directory) -> None:
    await name(directory)
    await name(directory, "clerk", "peer")
    assert [role for role, *_ in await lent(directory, "peer")] == ["customer_manager"]


async def test_a_deputy_is_ended_at_once(directory: Directory) -> None:
    running = (await name(directory)).json()["id"]
    guard = await directory.guard()
    assert (await directory.call(guard, "DELETE", f"/v1/staff/chief/deputies/{running}")).status_code == 204
    assert await lent(directory) == []
    problem(await directory.call(guard, "DELETE", f"/v1/staff/chief/deputies/{running}"), 404, "no_such_deputy")
    again = (await name(directory)).json()["id"]
    problem(await directory.call(guard, "DELETE", f"/v1/staff/clerk/deputies/{again}"), 404, "no_such_deputy")


async def test_nobody_makes_or_ends_themselves_a_deputy(directory: Directory) -> None:
    problem(await name(directory, "chief", "guard"), 403, "own_standing")
    other = await directory.token("guard2", "security_officer", "hq")
    body = {"deputy": "guard", "from_on": str(TODAY), "until_on": str(UNTIL)}
    made = (await directory.call(other, "POST", "/v1/staff/chief/deputies", body)).json()["id"]
    own = await directory.call(await directory.guard(), "DELETE", f"/v1/staff/chief/deputies/{made}")
    problem(own, 403, "own_standing")


async def test_a_deputy_does_not_prolong_what_they_hold_in_the_persons_place(directory: Directory) -> None:
    root, other = await directory.root(), await directory.token("root2", "admin", "hq")
    assert (await name(directory, "clerk", "root")).status_code == 201
    post = {"unit": "south", "from_on": str(TODAY + 2 * DAY)}
    moved = await directory.call(root, "POST", "/v1/staff/clerk/posts", post)
    assert moved.status_code == 201
    off = f"/v1/staff/clerk/posts/{moved.json()['id']}"
    problem(await directory.call(root, "DELETE", off), 403, "own_standing")
    assert (await directory.call(other, "DELETE", off)).status_code == 204
    leaving = "/v1/staff/clerk/leaving"
    for last_day in (UNTIL, TODAY + DAY):
        assert (await directory.call(root, "POST", leaving, {"last_day": str(last_day)})).status_code == 200
    problem(await directory.call(root, "POST", leaving, {"last_day": str(UNTIL)}), 403, "own_standing")
    problem(await directory.call(root, "DELETE", leaving), 403, "own_standing")
    assert [until for *_, until in await lent(directory, "root")] == [TODAY + DAY]
    assert (await directory.call(other, "POST", leaving, {"last_day": str(UNTIL)})).status_code == 200
    assert (await directory.call(other, "DELETE", leaving)).status_code == 204


async def test_the_persons_own_clearance_caps_their_deputy_too(directory: Directory) -> None:
    assert (await name(directory)).status_code == 201
    capped = {"clearance": "internal"}
    path = "/v1/staff/chief/clearance"
    assert (await directory.call(await directory.guard(), "PUT", path, capped)).status_code == 204
    standing = await directory.standing("clerk")
    assert [(held.role, held.clearance) for held in standing.held] == [
        ("customer_manager", None), ("department_manager", "internal"),
    ]  # fmt: skip
    levels = {held.deputy_for: held.clearance for held in holdings(standing, TODAY)}
    assert levels == {None: None, "chief": Secrecy.INTERNAL}
    assert (await name(directory, deputy="guard")).status_code == 403  # nobody names themself
    other = await directory.token("guard2", "security_officer", "hq")
    body = {"deputy": "guard", "from_on": str(TODAY), "until_on": str(UNTIL)}
    assert (await directory.call(other, "POST", "/v1/staff/chief/deputies", body)).status_code == 201
    problem(await directory.call(await directory.guard(), "PUT", path, {"clearance": None}), 403, "own_standing")
    assert (await directory.call(other, "PUT", path, {"clearance": None})).status_code == 204
    assert {held.clearance for held in (await directory.standing("clerk")).held} == {None}


async def test_a_deputy_does_not_let_the_person_begin_earlier(directory: Directory) -> None:
    root, first_day = await directory.root(), str(TODAY + 2 * DAY)
    newcomer = {"name": "lin", "full_name": "林一（虚构）", "unit": "north", "first_day": first_day}
    await directory.call(root, "POST", "/v1/staff", newcomer)
    assert (await name(directory, "lin", "root")).status_code == 201
    earlier = {"first_day": str(TODAY)}
    refused = await directory.call(root, "PATCH", "/v1/staff/lin", earlier, **{"If-Match": '"2"'})
    problem(refused, 403, "own_standing")
    name_only = {"full_name": "林二（虚构）", "first_day": first_day}
    changed = await directory.call(root, "PATCH", "/v1/staff/lin", name_only, **{"If-Match": '"2"'})
    assert changed.status_code == 200


async def test_to_name_a_deputy_is_to_give_roles(directory: Directory) -> None:
    body = {"deputy": "clerk", "from_on": str(TODAY), "until_on": str(UNTIL)}
    root = await directory.root()
    problem(await directory.call(root, "POST", "/v1/staff/chief/deputies", body), 403, "role_above_clearance")


@pytest.mark.parametrize(
    ("body", "status", "code", "faults"),
    [
        ({"deputy": "chief"}, 422, "bad_staff", [("/deputy", "same_person")]),
        ({"deputy": "nobody"}, 422, "bad_staff", [("/deputy", "unknown")]),
        ({"from_on": str(TODAY - DAY)}, 422, "bad_staff", [("/from_on", "in_the_past")]),
        ({"until_on": str(TODAY - DAY)}, 422, "bad_staff", [("/until_on", "before_from_on")]),
        ({"until_on": None}, 422, "invalid_request", [("/until_on", "date_type")]),
        ({"staff": "clerk"}, 422, "invalid_request", [("/staff", "extra_forbidden")]),
    ],
)
async def test_a_deputy_who_cannot_be_is_refused(
    directory: Directory, body: dict[str, Any], status: int, code: str, faults: list[tuple[str, str]]
) -> None:
    assert problem(await name(directory, **body), status, code) == faults


async def test_a_deputy_stands_in_once_at_a_time(directory: Directory) -> None:
    assert (await name(directory)).status_code == 201
    problem(await name(directory, from_on=str(UNTIL), until_on=str(UNTIL + DAY)), 409, "deputy_named")
    assert (await name(directory, from_on=str(UNTIL + DAY), until_on=str(UNTIL + DAY))).status_code == 201
    assert (await name(directory, deputy="peer")).status_code == 201


async def test_a_role_that_is_declared_no_longer_is_in_no_deputys_way(directory: Directory) -> None:
    async with directory.identity.database.transaction() as tx:
        await tx.execute("UPDATE role_grant SET role = 'emperor' WHERE staff = 'chief'")
    named = await name(directory)
    assert named.status_code == 201, named.text


async def test_who_has_left_stands_in_for_nobody(directory: Directory) -> None:
    root = await directory.root()
    await directory.call(root, "POST", "/v1/staff/clerk/leaving", {"last_day": str(TODAY - DAY)})
    assert problem(await name(directory), 422, "bad_staff") == [("/deputy", "left")]
