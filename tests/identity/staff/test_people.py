"""People join, are listed, and change: over HTTP, with every refusal."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from shared.events import StaffJoined
from tests.factories.directory import COMPANY, DAY, TODAY, Directory, problem, running_directory
from tests.factories.identity import PASSWORD_HASH

LIN = {"name": "lin", "full_name": "林一（虚构）", "unit": "north-1", "first_day": str(TODAY), "title": "业务员"}


async def join(directory: Directory, **more: Any) -> httpx.Response:
    return await directory.call(await directory.root(), "POST", "/v1/staff", {**LIN, **more})


async def change(directory: Directory, name: str, version: int, **wanted: Any) -> httpx.Response:
    headers = {"If-Match": f'"{version}"'}
    return await directory.call(await directory.root(), "PATCH", f"/v1/staff/{name}", wanted, **headers)


@pytest.mark.req("R0.2")
async def test_a_person_joins_and_the_suite_is_told_without_their_name(directory: Directory) -> None:
    joined = await join(directory)
    assert (joined.status_code, joined.headers["location"], joined.headers["etag"]) == (201, "/v1/staff/lin", '"1"')
    view = joined.json()
    assert view == (await directory.call(await directory.root(), "GET", "/v1/staff/lin")).json()
    assert (view["state"], view["full_name"], view["unit"], view["roles"]) == ("active", "林一（虚构）", "north-1", [])
    assert [(post["unit"], post["title"], post["main"]) for post in view["posts"]] == [("north-1", "业务员", True)]
    [(envelope, event)] = await directory.events("staff/lin")
    assert isinstance(event, StaffJoined)
    assert (envelope.actor, envelope.sequence, event.items) == ("staff/root", 1, ("full_name", "first_day", "post"))
    assert event.standing.model_dump(mode="json") == {
        "name": "lin", "unit": "north-1", "state": "active", "held": [], "lines": [], "clearance": None,
        "first_day": str(TODAY), "last_day": None, "version": 1,
    }  # fmt: skip
    assert "林" not in event.model_dump_json()


async def test_who_comes_later_is_expected_until_the_first_day(directory: Directory) -> None:
    first_day = TODAY + timedelta(days=10)
    assert (await join(directory, first_day=str(first_day))).json()["state"] == "expected"
    assert await directory.let_pass(first_day - DAY) == 0
    assert await directory.let_pass(first_day) == 1
    assert (await directory.person("lin"))["state"] == "active"
    assert await directory.let_pass(first_day) == 0
    assert await directory.types("staff/lin") == ["staff.joined", "staff.changed"]


@pytest.mark.parametrize(
    ("harm", "status", "code", "faults"),
    [
        ({"name": "clerk"}, 409, "name_taken", [("/name", "taken")]),
        ({"name": "Lin Yi"}, 422, "invalid_request", [("/name", "string_pattern_mismatch")]),
        ({"full_name": " \t "}, 422, "invalid_request", [("/full_name", "value_error")]),
        ({"full_name": "a\u0007b"}, 422, "invalid_request", [("/full_name", "value_error")]),
        ({"unit": "nowhere"}, 422, "bad_staff", [("/unit", "unknown")]),
        ({"first_day": "30.02.2027"}, 422, "invalid_request", [("/first_day", "date_from_datetime_parsing")]),
        ({"state": "active", "roles": ["admin"]}, 422, "invalid_request",
         [("/state", "extra_forbidden"), ("/roles", "extra_forbidden")]),
        ({"name": None, "unit": None}, 422, "invalid_request", [("/name", "string_type"), ("/unit", "string_type")]),
    ],
)  # fmt: skip
async def test_nobody_joins_with_wrong_particulars(
    directory: Directory, harm: dict[str, Any], status: int, code: str, faults: list[tuple[str, str]]
) -> None:
    assert problem(await join(directory, **harm), status, code) == faults
    assert await directory.events("staff/lin") == []


async def test_nobody_joins_by_the_name_of_a_system(identity_dsn: str, tmp_path: Path) -> None:
    desk = {"name": "desk", "kind": "service", "title": "总台", "unit": "hq", "secret_hash": PASSWORD_HASH}
    async with running_directory(identity_dsn, tmp_path, {**COMPANY, "clients": [desk]}) as directory:
        assert problem(await join(directory, name="desk"), 409, "name_taken") == [("/name", "taken")]


async def test_nobody_joins_a_closed_unit(directory: Directory) -> None:
    root = await directory.root()
    east = {"id": "east", "parent": "hq", "kind": "team", "title": {"zh": "东", "en": "East"}}
    await directory.call(root, "POST", "/v1/units", east)
    await directory.call(root, "PATCH", "/v1/units/east", {"closed": True}, **{"If-Match": '"1"'})
    assert problem(await join(directory, unit="east"), 422, "bad_staff") == [("/unit", "closed")]


@pytest.mark.req("R5.5")
async def test_the_list_pages_by_name_and_filters_within_reach(directory: Directory) -> None:
    async def names(who: dict[str, str], query: str = "") -> list[str]:
        answer = await directory.call(who, "GET", f"/v1/staff{query}")
        assert answer.status_code == 200, answer.text
        return [person["name"] for person in answer.json()["items"]]

    root, branch = await directory.root(), await directory.branch()
    assert await names(root) == ["chief", "clerk", "guard", "other", "peer", "root"]
    assert await names(root, "?role=customer_manager") == ["clerk", "other", "peer"]
    assert await names(root, "?unit=north-1&state=active") == ["clerk", "peer"]
    assert await names(root, "?state=left") == []
    assert await names(branch) == ["chief", "clerk", "peer"]
    assert await names(branch, "?unit=south-1") == await names(branch, "?unit=hq") == []
    assert await names(branch, "?role=admin") == []
    first = (await directory.call(root, "GET", "/v1/staff?limit=4")).json()
    assert await names(root, f"?limit=4&cursor={first['next_cursor']}") == ["peer", "root"]
    assert problem(await directory.call(root, "GET", "/v1/staff?cursor=x"), 422, "bad_cursor")
    assert problem(await directory.call(root, "GET", "/v1/staff?state=asleep"), 422, "invalid_request")


async def test_a_role_that_has_not_begun_or_is_over_is_not_found_by_the_filter(directory: Directory) -> None:
    guard, root = await directory.guard(), await directory.root()
    later = {"role": "report_entry", "unit": "north-1", "from_on": str(TODAY + DAY)}
    assert (await directory.call(guard, "POST", "/v1/staff/clerk/roles", later)).status_code == 201
    assert (await directory.call(root, "GET", "/v1/staff?role=report_entry")).json()["items"] == []


async def test_particulars_are_changed_on_the_version_that_was_read(directory: Directory) -> None:
    await join(directory)
    renamed = await change(directory, "lin", 1, full_name=" 林二（虚构） ")
    assert (renamed.json()["full_name"], renamed.headers["etag"]) == ("林二（虚构）", '"2"')
    same = await change(directory, "lin", 2, full_name="林二（虚构）")
    assert same.headers["etag"] == '"2"'
    clash = await change(directory, "lin", 1, full_name="林三（虚构）")
    assert problem(clash, 412, "changed_meanwhile") == [("/full_name", "changed_meanwhile")]
    assert clash.json()["current"] == {"full_name": "林二（虚构）"}
    problem(await change(directory, "lin", 7, full_name="林三"), 412, "version_unknown")
    root = await directory.root()
    problem(await directory.call(root, "PATCH", "/v1/staff/lin", {"full_name": "林三"}), 428, "if_match_required")
    for body in ({}, {"full_name": None}, {"unit": "hq"}, {"clearance": "top_secret"}):
        problem(await change(directory, "lin", 2, **body), 422, "invalid_request")


async def test_a_change_on_an_old_version_merges_with_what_others_did_elsewhere(directory: Directory) -> None:
    await join(directory)
    role = {"role": "customer_manager", "unit": "north-1"}
    await directory.call(await directory.guard(), "POST", "/v1/staff/lin/roles", role)
    merged = await change(directory, "lin", 1, full_name="林二（虚构）")
    assert (merged.status_code, merged.json()["version"], len(merged.json()["roles"])) == (200, 3, 1)


async def test_a_first_day_can_be_moved_until_it_has_come(directory: Directory) -> None:
    first_day = TODAY + timedelta(days=10)
    await join(directory, first_day=str(first_day))
    put_off = await change(directory, "lin", 1, first_day=str(first_day + DAY))
    assert [post["from_on"] for post in put_off.json()["posts"]] == [str(first_day + DAY)]
    past = await change(directory, "lin", 2, first_day=str(TODAY - DAY))
    assert problem(past, 422, "bad_staff") == [("/first_day", "in_the_past")]
    started = await change(directory, "lin", 2, first_day=str(TODAY))
    assert (started.json()["state"], started.json()["version"]) == ("active", 4)
    problem(await change(directory, "lin", 4, first_day=str(first_day)), 409, "staff_started")


@pytest.mark.req("R2.2")
async def test_people_of_others_are_as_if_they_were_not_there(directory: Directory) -> None:
    branch, day = await directory.branch(), str(TODAY)
    role, post = {"role": "report_entry", "unit": "north"}, {"unit": "north", "from_on": day}
    calls: list[tuple[str, str, Any]] = [
        ("GET", "", None), ("GET", "/history", None), ("GET", "/hand-over", None),
        ("PATCH", "", {"full_name": "x"}), ("POST", "/posts", post), ("POST", "/roles", role),
        ("POST", "/deputies", {"deputy": "peer", "from_on": day, "until_on": day}),
        ("POST", "/leaving", {"last_day": day}), ("DELETE", "/leaving", None),
        ("PUT", "/clearance", {"clearance": None}),
    ]  # fmt: skip
    ids = await directory.person("other")
    calls += [
        ("DELETE", f"/posts/{ids['posts'][0]['id']}", None),
        ("DELETE", f"/roles/{ids['roles'][0]['id']}", None),
        ("DELETE", f"/deputies/{ids['roles'][0]['id']}", None),
    ]
    for name in ("other", "nobody"):
        for method, path, body in calls:
            answer = await directory.call(branch, method, f"/v1/staff/{name}{path}", body, **{"If-Match": '"1"'})
            problem(answer, 404, "not_found")
    assert (await directory.person("other")) == ids
    there = await directory.call(branch, "POST", "/v1/staff", {**LIN, "unit": "south-1"})
    assert problem(there, 403, "staff_unit_out_of_reach") == [("/unit", "out_of_reach")]
    for unit in ("south-1", "hq", "nowhere"):
        moved = await directory.call(branch, "POST", "/v1/staff/clerk/posts", {**post, "unit": unit})
        problem(moved, 403, "staff_unit_out_of_reach")
        given = await directory.call(branch, "POST", "/v1/staff/clerk/roles", {**role, "unit": unit})
        problem(given, 403, "staff_unit_out_of_reach")
    for body in ({"last_day": day, "successor": "other"}, {"last_day": day, "successor": "nobody"}):
        announced = await directory.call(branch, "POST", "/v1/staff/clerk/leaving", body)
        assert problem(announced, 422, "bad_staff") == [("/successor", "unknown")]
    deputy = {"deputy": "other", "from_on": day, "until_on": day}
    assert problem(await directory.call(branch, "POST", "/v1/staff/clerk/deputies", deputy), 422, "bad_staff") == [
        ("/deputy", "unknown")
    ]


async def test_people_need_a_token_and_a_role(directory: Directory) -> None:
    problem(await directory.http.get("/v1/staff"), 401, "no_token")
    clerk = await directory.token("clerk", "customer_manager", "north-1")
    for method, path in (
        ("GET", ""),
        ("GET", "/clerk"),
        ("POST", ""),
        ("POST", "/clerk/roles"),
        ("GET", "/clerk/history"),
    ):
        problem(await directory.call(clerk, method, f"/v1/staff{path}", {}), 403, "not_allowed")
    chief = await directory.token("chief", "department_manager", "north", "north-1")
    assert (await directory.call(chief, "GET", "/v1/staff/clerk")).status_code == 200
    problem(await directory.call(chief, "POST", "/v1/staff", LIN), 403, "not_allowed")


async def test_a_name_is_given_once_however_many_ask(directory: Directory) -> None:
    answers = await asyncio.gather(*(join(directory, unit=unit) for unit in ("north", "south", "north-1", "hq")))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    assert len(await directory.events("staff/lin")) == 1


async def test_the_same_request_twice_by_its_key_is_one(directory: Directory) -> None:
    root = await directory.root()
    answers = [await directory.call(root, "POST", "/v1/staff", LIN, **{"Idempotency-Key": "once"}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
