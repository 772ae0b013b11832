"""The organisation tree over HTTP: what can be done with units, and what is refused."""

import asyncio
from typing import Any

import httpx
import pytest

from shared.events import OrgChanged
from tests.factories.directory import Directory, problem

TITLE = {"zh": "东区（虚构）", "en": "East (fictional)"}
EAST = {"id": "east", "parent": "hq", "kind": "branch", "title": TITLE}
pytestmark = pytest.mark.req("R5.5")


async def change(directory: Directory, unit: str, version: int, **wanted: Any) -> httpx.Response:
    who = await directory.root()
    return await directory.call(who, "PATCH", f"/v1/units/{unit}", wanted, **{"If-Match": f'"{version}"'})


async def move(
    directory: Directory, unit: str, version: int, parent: str | None, who: dict[str, str] | None = None
) -> httpx.Response:
    path, etag = f"/v1/units/{unit}/parent", {"If-Match": f'"{version}"'}
    return await directory.call(who or await directory.guard(), "PUT", path, {"parent": parent}, **etag)


async def test_a_unit_is_opened_read_and_listed(directory: Directory) -> None:
    root = await directory.root()
    opened = await directory.call(root, "POST", "/v1/units", EAST)
    assert (opened.status_code, opened.headers["location"], opened.headers["etag"]) == (201, "/v1/units/east", '"1"')
    read = await directory.call(root, "GET", "/v1/units/east")
    assert read.json() == opened.json() == {**EAST, "version": 1, "closed_at": None}
    listed = (await directory.call(root, "GET", "/v1/units")).json()
    assert [unit["id"] for unit in listed["items"]] == ["east", "hq", "north", "north-1", "south", "south-1"]
    assert listed["next_cursor"] is None
    first = (await directory.call(root, "GET", "/v1/units?limit=4")).json()
    rest = (await directory.call(root, "GET", f"/v1/units?limit=4&cursor={first['next_cursor']}")).json()
    assert [unit["id"] for unit in first["items"] + rest["items"]] == [unit["id"] for unit in listed["items"]]


@pytest.mark.req("R0.2")
async def test_each_change_is_a_version_with_its_event(directory: Directory) -> None:
    await change(directory, "north-1", 1, title=TITLE, kind="department")
    moved = await move(directory, "north-1", 2, "south")
    assert (moved.json()["parent"], moved.headers["etag"]) == ("south", '"3"')
    same = await move(directory, "north-1", 3, "south")
    assert (same.status_code, same.headers["etag"]) == (200, '"3"')
    facts = await directory.events("unit/north-1")
    assert [(envelope.sequence, envelope.actor) for envelope, _ in facts] == [
        (1, "system"), (2, "staff/root"), (3, "staff/guard"),
    ]  # fmt: skip
    _, last = facts[-1]
    assert isinstance(last, OrgChanged)
    assert (last.parent, last.kind, last.title, last.closed, last.version) == ("south", "department", TITLE, False, 3)
    history = (await directory.call(await directory.root(), "GET", "/v1/units/north-1/history?limit=2")).json()
    assert [entry["version"] for entry in history["items"]] == [3, 2]
    assert history["items"][0]["changes"] == {"parent": {"before": "north", "after": "south"}}
    assert history["items"][1]["changes"]["kind"] == {"before": "team", "after": "department"}
    path = f"/v1/units/north-1/history?cursor={history['next_cursor']}"
    rest = (await directory.call(await directory.root(), "GET", path)).json()
    assert [entry["version"] for entry in rest["items"]] == [1]


@pytest.mark.parametrize(
    ("body", "status", "code", "faults"),
    [
        ({**EAST, "kind": "galaxy"}, 422, "bad_unit", [("/kind", "not_listed")]),
        ({**EAST, "parent": "nowhere"}, 422, "bad_unit", [("/parent", "unknown")]),
        ({**EAST, "id": "north"}, 409, "unit_taken", [("/id", "taken")]),
        ({**EAST, "id": "Upper case"}, 422, "invalid_request", [("/id", "string_pattern_mismatch")]),
        ({**EAST, "version": 7}, 422, "invalid_request", [("/version", "extra_forbidden")]),
        ({"id": "east", "kind": "branch"}, 422, "invalid_request", [("/parent", "missing"), ("/title", "missing")]),
    ],
)
async def test_a_unit_that_cannot_be_is_refused(
    directory: Directory, body: dict[str, Any], status: int, code: str, faults: list[tuple[str, str]]
) -> None:
    assert problem(await directory.call(await directory.root(), "POST", "/v1/units", body), status, code) == faults


async def test_edits_of_different_items_are_merged_and_of_the_same_item_clash(directory: Directory) -> None:
    await change(directory, "north", 1, kind="department")
    merged = await change(directory, "north", 1, title=TITLE)
    assert (merged.status_code, merged.json()["kind"], merged.json()["title"]) == (200, "department", TITLE)
    clash = await change(directory, "north", 1, kind="team")
    assert problem(clash, 412, "changed_meanwhile") == [("/kind", "changed_meanwhile")]
    told = clash.json()
    assert (told["yours"], told["current"], told["original"]) == (
        {"kind": "team"}, {"kind": "department"}, {"kind": "branch"},
    )  # fmt: skip
    assert clash.headers["etag"] == '"3"'


async def test_a_change_says_what_it_was_made_on(directory: Directory) -> None:
    root = await directory.root()
    problem(await directory.call(root, "PATCH", "/v1/units/north", {"kind": "team"}), 428, "if_match_required")
    spelled = await directory.call(root, "PATCH", "/v1/units/north", {"kind": "team"}, **{"If-Match": "1"})
    assert problem(spelled, 422, "bad_if_match") == [("header:If-Match", "bad_etag")]
    problem(await change(directory, "north", 9, kind="team"), 412, "version_unknown")


@pytest.mark.parametrize(
    "wanted", [{}, {"kind": None}, {"parent": "south"}, {"id": "x"}, {"closed_at": None}, {"title": {"zh": "只有中文"}}]
)
async def test_a_change_that_says_nothing_or_too_much_is_refused(directory: Directory, wanted: dict[str, Any]) -> None:
    assert problem(await change(directory, "north", 1, **wanted), 422, "invalid_request")


@pytest.mark.parametrize("parent", ["north", "north-1"])
async def test_a_unit_cannot_stand_below_itself(directory: Directory, parent: str) -> None:
    assert problem(await move(directory, "north", 1, parent), 409, "unit_circle") == [("/parent", "circle")]


async def test_a_unit_is_closed_when_nobody_and_nothing_is_in_it(directory: Directory) -> None:
    refused = await change(directory, "south", 1, closed=True)
    problem(refused, 409, "unit_in_use")
    assert (refused.json()["open_units"], refused.json()["people"]) == (1, 0)
    assert (await change(directory, "south-1", 1, closed=True)).json()["people"] == 1
    await directory.call(await directory.root(), "POST", "/v1/units", EAST)
    closed = await change(directory, "east", 1, closed=True)
    assert closed.json()["closed_at"] is not None
    _, event = (await directory.events("unit/east"))[-1]
    assert isinstance(event, OrgChanged)
    assert event.closed
    problem(await change(directory, "east", 2, kind="team"), 409, "unit_closed")
    below = await directory.call(await directory.root(), "POST", "/v1/units", {**EAST, "id": "e-1", "parent": "east"})
    assert problem(below, 409, "parent_closed") == [("/parent", "closed")]
    problem(await move(directory, "north", 1, "east"), 409, "parent_closed")
    opened = await change(directory, "east", 2, closed=False, kind="team")
    assert (opened.json()["closed_at"], opened.json()["kind"]) == (None, "team")


async def test_a_unit_is_not_opened_again_below_a_closed_one(directory: Directory) -> None:
    root = await directory.root()
    await directory.call(root, "POST", "/v1/units", EAST)
    await directory.call(root, "POST", "/v1/units", {**EAST, "id": "e-1", "parent": "east"})
    await change(directory, "e-1", 1, closed=True)
    await change(directory, "east", 1, closed=True)
    problem(await change(directory, "e-1", 2, closed=False), 409, "parent_closed")


@pytest.mark.req("R2.2")
async def test_units_of_others_are_as_if_they_were_not_there(directory: Directory) -> None:
    branch, etag = await directory.branch(), {"If-Match": '"1"'}
    for path in ("/v1/units/south", "/v1/units/south/history", "/v1/units/nowhere"):
        problem(await directory.call(branch, "GET", path), 404, "not_found")
    problem(await directory.call(branch, "PATCH", "/v1/units/south", {"kind": "team"}, **etag), 404, "not_found")
    problem(await move(directory, "south", 1, "north", branch), 404, "not_found")
    assert [unit["id"] for unit in (await directory.call(branch, "GET", "/v1/units")).json()["items"]] == [
        "north", "north-1",
    ]  # fmt: skip
    for parent in ("south", None, "nowhere"):
        there = await directory.call(branch, "POST", "/v1/units", {**EAST, "parent": parent})
        assert problem(there, 403, "parent_out_of_reach") == [("/parent", "out_of_reach")]
        problem(await move(directory, "north-1", 1, parent, branch), 403, "parent_out_of_reach")
    assert (await directory.call(branch, "POST", "/v1/units", {**EAST, "parent": "north"})).status_code == 201


async def test_units_need_a_token_and_a_role(directory: Directory) -> None:
    problem(await directory.http.get("/v1/units"), 401, "no_token")
    clerk = await directory.token("clerk", "customer_manager", "north-1")
    assert len((await directory.call(clerk, "GET", "/v1/units")).json()["items"]) == 5
    problem(await directory.call(clerk, "POST", "/v1/units", EAST), 403, "not_allowed")
    problem(await directory.call(clerk, "PATCH", "/v1/units/north", {"kind": "team"}), 403, "not_allowed")
    problem(await move(directory, "north", 1, "south", clerk), 403, "not_allowed")
    partner = await directory.token("shop", "partner_reporter", "hq")
    problem(await directory.call(partner, "GET", "/v1/units"), 403, "not_allowed")


async def test_two_moves_at_once_never_make_a_circle(directory: Directory) -> None:
    answers = await asyncio.gather(move(directory, "north", 1, "south-1"), move(directory, "south", 1, "north-1"))
    assert sorted(answer.status_code for answer in answers) == [200, 409]


async def test_nobody_joins_a_unit_while_it_is_being_closed(directory: Directory) -> None:
    root = await directory.root()
    for name in ("a", "b", "c", "d"):
        await directory.call(root, "POST", "/v1/units", {**EAST, "id": name})
    newcomer = {"full_name": "新人（虚构）", "first_day": "2027-01-04"}
    answers = await asyncio.gather(
        *(change(directory, name, 1, closed=True) for name in ("a", "b", "c", "d")),
        *(
            directory.call(root, "POST", "/v1/staff", {**newcomer, "name": f"new-{name}", "unit": name})
            for name in ("a", "b", "c", "d")
        ),
    )
    for closed, joined in zip(answers[:4], answers[4:], strict=True):
        assert sorted((closed.is_success, joined.is_success)) == [False, True], (closed.text, joined.text)
