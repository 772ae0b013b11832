"""Lines over HTTP: assigned, looked up, taken back; one holder at a time, and the number is nowhere in clear."""

import asyncio
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from shared.events.directory import StaffEvent
from tests.factories.directory import DAY, TODAY, Directory, problem

NUMBER = "+8613800000000"
PHONE = {"channel": "phone", "value": "138 0000 0000", "holder": "clerk"}
SOON = TODAY + timedelta(days=7)
pytestmark = pytest.mark.req("R7.1")


async def assign(directory: Directory, **more: Any) -> httpx.Response:
    return await directory.call(await directory.root(), "POST", "/v1/lines", {**PHONE, **more})


async def end(directory: Directory, line: str, until_on: Any) -> httpx.Response:
    return await directory.call(await directory.root(), "PATCH", f"/v1/lines/{line}", {"until_on": str(until_on)})


async def found(directory: Directory, who: dict[str, str], **query: str) -> list[str]:
    answer = await directory.http.get("/v1/lines", params=query, headers=who)
    assert answer.status_code == 200, answer.text
    return [line["holder"] for line in answer.json()["items"]]


async def test_a_number_is_assigned_and_found_however_it_is_spelled(directory: Directory) -> None:
    assigned = await assign(directory)
    assert assigned.status_code == 201
    line = assigned.json()
    assert {key: line[key] for key in ("channel", "value", "holder", "unit", "from_on", "until_on", "assigned_by")} == {
        "channel": "phone", "value": NUMBER, "holder": "clerk", "unit": "north-1", "from_on": str(TODAY),
        "until_on": None, "assigned_by": "staff/root",
    }  # fmt: skip
    root = await directory.root()
    for spelled in ("13800000000", "+86 138-0000-0000", "0086 13800000000"):
        assert await found(directory, root, channel="phone", value=spelled) == ["clerk"]
    assert await found(directory, root, channel="phone", value="13800000001") == []
    assert await found(directory, root, channel="fax", value="13800000000") == []
    assert await found(directory, root, holder="clerk", on=str(TODAY)) == ["clerk"]
    assert await found(directory, root, holder="clerk", on=str(TODAY - DAY)) == []
    assert (await directory.call(root, "GET", f"/v1/lines/{line['id']}")).json() == line


@pytest.mark.req("R15.1")
async def test_the_suite_is_told_that_a_line_changed_but_not_which(directory: Directory) -> None:
    await assign(directory)
    _, event = (await directory.events("staff/clerk"))[-1]
    assert isinstance(event, StaffEvent)
    assert (event.items, event.standing.version) == (("line",), 2)
    assert "138" not in event.model_dump_json(exclude={"sealed"})
    history = (await directory.call(await directory.root(), "GET", "/v1/staff/clerk/history?limit=1")).json()
    assert history["items"][0]["items"][0]["after"]["value"] == NUMBER


async def test_rosters_hear_which_lines_somebody_has_by_their_ids(directory: Directory) -> None:
    line = (await assign(directory)).json()["id"]
    await end(directory, line, SOON)
    _, event = (await directory.events("staff/clerk"))[-1]
    assert isinstance(event, StaffEvent)
    [held] = event.standing.lines
    assert (held.id, held.channel, held.from_on, held.until_on) == (line, "phone", TODAY, SOON)


async def test_a_number_has_one_holder_at_a_time(directory: Directory) -> None:
    line = (await assign(directory)).json()["id"]
    refused = await assign(directory, holder="other", value="0086-138 0000 0000", from_on=str(SOON))
    assert problem(refused, 409, "line_held") == [("/value", "held")]
    assert "clerk" not in refused.text
    problem(await assign(directory), 409, "line_held")
    assert (await assign(directory, channel="wecom", value="13800000000")).status_code == 201
    assert (await end(directory, line, SOON - DAY)).json()["until_on"] == str(SOON - DAY)
    assert (await assign(directory, holder="other", from_on=str(SOON))).status_code == 201
    problem(await end(directory, line, SOON), 409, "line_held")
    root = await directory.root()
    assert await found(directory, root, channel="phone", value=NUMBER, on=str(SOON - DAY)) == ["clerk"]
    assert await found(directory, root, channel="phone", value=NUMBER, on=str(SOON)) == ["other"]
    assert await found(directory, root, channel="phone", value=NUMBER) == ["clerk", "other"]


async def test_many_who_want_the_same_number_at_once_make_one_holder(directory: Directory) -> None:
    holders = ("clerk", "other", "peer", "chief", "guard")
    answers = await asyncio.gather(*(assign(directory, holder=holder) for holder in holders))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409]


async def test_the_database_itself_refuses_a_second_holder(directory: Directory) -> None:
    await assign(directory)
    with pytest.raises(Exception, match="line_held_by_one"):
        async with directory.identity.database.transaction() as tx:
            await tx.execute(
                "INSERT INTO line (id, channel, value, holder, from_on, assigned_by, assigned_at) "
                "VALUES (uuidv7(), 'phone', $1, 'other', $2, 'x', now())",
                NUMBER,
                SOON,
            )


@pytest.mark.parametrize(
    ("body", "status", "code", "faults"),
    [
        ({"channel": "pigeon"}, 422, "bad_line", [("/channel", "not_listed")]),
        ({"value": "call me"}, 422, "bad_line", [("/value", "not_of_the_channel")]),
        ({"holder": "nobody"}, 404, "not_found", []),
        ({"from_on": str(TODAY - DAY)}, 422, "bad_line", [("/from_on", "in_the_past")]),
        ({"from_on": str(SOON), "until_on": str(TODAY)}, 422, "bad_line", [("/until_on", "before_from_on")]),
        ({"assigned_by": "x"}, 422, "invalid_request", [("/assigned_by", "extra_forbidden")]),
    ],
)
async def test_a_line_that_cannot_be_is_refused(
    directory: Directory, body: dict[str, Any], status: int, code: str, faults: list[tuple[str, str]]
) -> None:
    refused = await assign(directory, **body)
    assert problem(refused, status, code) == faults
    assert "call me" not in refused.text


async def test_a_line_is_taken_back_once(directory: Directory) -> None:
    line = (await assign(directory, until_on=str(SOON))).json()["id"]
    early = await end(directory, line, TODAY - 2 * DAY)
    assert problem(early, 422, "bad_line") == [("/until_on", "too_early")]
    assert (await end(directory, line, TODAY)).json()["until_on"] == str(TODAY)
    async with directory.identity.database.transaction() as tx:
        await tx.execute("UPDATE line SET from_on = $1, until_on = $1", TODAY - DAY)
    problem(await end(directory, line, SOON), 409, "line_over")
    problem(await end(directory, str(uuid4()), SOON), 404, "not_found")


@pytest.mark.parametrize("from_on", [TODAY, SOON], ids=["today", "to come"])
async def test_a_line_of_today_or_to_come_is_called_off_at_once(directory: Directory, from_on: date) -> None:
    line = (await assign(directory, from_on=str(from_on))).json()
    early = await end(directory, line["id"], from_on - 2 * DAY)
    assert problem(early, 422, "bad_line") == [("/until_on", "too_early")]
    ended = await end(directory, line["id"], TODAY - DAY)
    assert (ended.status_code, ended.json()) == (200, {**line, "until_on": str(TODAY - DAY)})
    problem(await directory.call(await directory.root(), "GET", f"/v1/lines/{line['id']}"), 404, "not_found")
    assert (await assign(directory, holder="other")).status_code == 201
    history = (await directory.call(await directory.root(), "GET", "/v1/staff/clerk/history?limit=1")).json()
    (item,) = history["items"][0]["items"]
    assert (item["before"]["from_on"], item["after"]) == (str(from_on), None)


async def test_a_line_that_began_earlier_ends_at_once_and_was_its_holders(directory: Directory) -> None:
    line = (await assign(directory)).json()["id"]
    async with directory.identity.database.transaction() as tx:
        await tx.execute("UPDATE line SET from_on = $1", TODAY - DAY)
    assert (await end(directory, line, TODAY - DAY)).status_code == 200
    assert (await assign(directory, holder="other")).status_code == 201
    root = await directory.root()
    assert await found(directory, root, channel="phone", value=NUMBER, on=str(TODAY - DAY)) == ["clerk"]
    assert await found(directory, root, channel="phone", value=NUMBER, on=str(TODAY)) == ["other"]


@pytest.mark.req("R2.6")
async def test_lines_end_with_their_holders_leaving(directory: Directory) -> None:
    await assign(directory)
    await assign(directory, channel="wecom", value="clerk", from_on=str(SOON))
    last_day = {"last_day": str(TODAY - DAY)}
    async with directory.identity.database.transaction() as tx:
        await tx.execute("UPDATE line SET from_on = $1 WHERE channel = 'phone'", TODAY - 3 * DAY)
    await directory.call(await directory.root(), "POST", "/v1/staff/clerk/leaving", last_day)
    async with directory.identity.database.reading() as tx:
        rows = await tx.fetch("SELECT channel, until_on, ended_by FROM line")
    assert [tuple(row) for row in rows] == [("phone", TODAY - DAY, None)]
    assert (await assign(directory, holder="other")).status_code == 201
    problem(await assign(directory, value="13800000009"), 409, "staff_left")


async def test_no_line_is_assigned_for_after_the_last_day(directory: Directory) -> None:
    leaving = {"last_day": str(SOON)}
    await directory.call(await directory.root(), "POST", "/v1/staff/clerk/leaving", leaving)
    late = await assign(directory, from_on=str(SOON + DAY))
    assert problem(late, 422, "bad_line") == [("/from_on", "after_last_day")]


@pytest.mark.req("R2.2")
async def test_lines_of_others_are_as_if_they_were_not_there(directory: Directory) -> None:
    foreign = (await assign(directory, holder="other")).json()["id"]
    await assign(directory, value="13800000001")
    branch = await directory.branch()
    problem(await directory.call(branch, "GET", f"/v1/lines/{foreign}"), 404, "not_found")
    problem(await directory.call(branch, "PATCH", f"/v1/lines/{foreign}", {"until_on": str(SOON)}), 404, "not_found")
    problem(await directory.call(branch, "POST", "/v1/lines", {**PHONE, "holder": "other"}), 404, "not_found")
    assert await found(directory, branch) == ["clerk"]
    assert await found(directory, branch, channel="phone", value=NUMBER) == []
    own = await directory.token("clerk", "customer_manager", "north-1")
    assert await found(directory, own) == ["clerk"]
    problem(await directory.call(own, "POST", "/v1/lines", PHONE), 403, "not_allowed")
    problem(await directory.http.get("/v1/lines"), 401, "no_token")


async def test_a_value_is_looked_for_within_a_channel(directory: Directory) -> None:
    root = await directory.root()
    problem(await directory.call(root, "GET", "/v1/lines?value=13800000000"), 422, "bad_line")
    problem(await directory.call(root, "GET", "/v1/lines?channel=pigeon&value=x"), 422, "bad_line")
    problem(await directory.call(root, "GET", "/v1/lines?cursor=abc"), 422, "bad_cursor")


async def test_the_list_pages_in_order_of_assignment(directory: Directory) -> None:
    for number in range(3):
        await assign(directory, value=f"1380000000{number}", holder=("clerk", "other", "peer")[number])
    first = await directory.call(await directory.root(), "GET", "/v1/lines?limit=2")
    assert [line["holder"] for line in first.json()["items"]] == ["clerk", "other"]
    assert await found(directory, await directory.root(), cursor=first.json()["next_cursor"]) == ["peer"]
