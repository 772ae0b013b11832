"""One person keeps a role over a unit; the ordinary ways give it to nobody else, and a leaver's list shows it."""

import pytest

from tests.factories.custody import ROLE, UNIT, Custody
from tests.factories.directory import DAY, TODAY, problem

pytestmark = [pytest.mark.req("R4.5"), pytest.mark.req("R2.2")]


async def give(custody: Custody, name: str, **body: str) -> list[tuple[str, str]]:
    answer = await custody.directory.call(
        await custody.who("guard"), "POST", f"/v1/staff/{name}/roles", {"role": ROLE, "unit": UNIT, **body}
    )
    return [] if answer.status_code == 201 else problem(answer, 409, "kept_in_custody")


async def take(custody: Custody, name: str) -> None:
    rows = (await custody.directory.person(name))["roles"]
    (grant,) = (row["id"] for row in rows if row["role"] == ROLE)
    answer = await custody.directory.call(await custody.who("guard"), "DELETE", f"/v1/staff/{name}/roles/{grant}")
    assert answer.status_code == 204


async def test_what_somebody_keeps_is_given_to_nobody_else(custody: Custody) -> None:
    assert await give(custody, "heir") == [("/role", "kept_in_custody")]
    assert await give(custody, "heir", from_on=str(TODAY + 30 * DAY)) == [("/role", "kept_in_custody")]
    assert await give(custody, "heir", unit="south-1") == []
    assert await custody.roles("heir") == [("customer_manager", "north-1"), (ROLE, "south-1")]


async def test_what_somebody_kept_goes_on_under_supervision_only(custody: Custody) -> None:
    await take(custody, "keeper")
    assert await give(custody, "heir") == [("/role", "kept_in_custody")]
    assert await give(custody, "keeper") == []


async def test_what_was_kept_for_less_than_a_day_goes_on_under_supervision_only(custody: Custody) -> None:
    assert await give(custody, "heir", unit="south-1") == []
    await take(custody, "heir")
    assert await give(custody, "peer", unit="south-1") == [("/role", "kept_in_custody")]
    assert await give(custody, "heir", unit="south-1") == []
    root, gone = await custody.who("root"), {"last_day": str(TODAY - DAY)}
    left = await custody.directory.call(root, "POST", "/v1/staff/heir/leaving", gone)
    assert left.status_code == 200, left.text
    assert await give(custody, "peer", unit="south-1") == [("/role", "kept_in_custody")]


async def test_a_deputy_keeps_nothing_for_anybody(custody: Custody) -> None:
    guard, days = await custody.who("guard"), {"from_on": str(TODAY + DAY), "until_on": str(TODAY + 9 * DAY)}
    named = await custody.directory.call(guard, "POST", "/v1/staff/keeper/deputies", {"deputy": "heir", **days})
    assert problem(named, 409, "kept_in_custody") == [("/role", "kept_in_custody")]
    change = await custody.begun()
    await custody.handed_over(change)
    named = await custody.directory.call(guard, "POST", "/v1/staff/heir/deputies", {"deputy": "peer", **days})
    assert named.status_code == 201, named.text
    completed = await custody.confirm(change, "chief", "supervisor")
    assert problem(completed, 409, "change_over_outdated") == [("/successor", "has_deputies")]
    assert await give(custody, "heir", unit="south-1") == [("/role", "kept_in_custody")]


async def test_a_leavers_list_names_what_they_keep_and_the_change_over_that_is_open(custody: Custody) -> None:
    root = await custody.who("root")

    async def listed(name: str) -> list[tuple[str, str | None, bool]]:
        answer = await custody.directory.call(root, "GET", f"/v1/staff/{name}/hand-over")
        items = [item for item in answer.json()["items"] if item["kind"] == "custody"]
        assert {(item["what"], item["unit"]) for item in items} <= {(ROLE, UNIT)}
        return [("custody", item["id"], item["done"]) for item in items]

    body = {"last_day": str(TODAY + 20 * DAY)}
    assert (await custody.directory.call(root, "POST", "/v1/staff/keeper/leaving", body)).status_code == 200
    assert (await listed("keeper"), await listed("peer")) == ([("custody", None, False)], [])
    change = await custody.begun()
    assert await listed("keeper") == [("custody", change, False)]
    await custody.complete(change)
    assert (await listed("keeper"), await listed("heir")) == ([], [("custody", None, False)])


async def test_a_leaver_who_is_gone_leaves_a_vacancy(custody: Custody) -> None:
    change = await custody.begun()
    body = {"last_day": str(TODAY - DAY)}
    gone = await custody.directory.call(await custody.who("root"), "POST", "/v1/staff/keeper/leaving", body)
    assert gone.status_code == 200
    problem(await custody.confirm(change, "heir", "successor"), 409, "change_over_closed")
    vacant = await custody.begun(leaver=None)
    assert ((await custody.state(change))["closed_by"], (await custody.types(change))[-1]) == (
        "system", "custody.expired",
    )  # fmt: skip
    assert (await custody.confirm(vacant, "heir", "successor")).status_code == 201
    assert (await custody.confirm(vacant, "chief", "supervisor")).json()["state"] == "done"


@pytest.mark.parametrize("name", ["heir", "chief"])
async def test_a_change_over_is_over_when_one_of_the_three_is_gone(custody: Custody, name: str) -> None:
    change, other = await custody.begun(), await custody.begun(unit="south-1", leaver=None, supervisor="southern")
    await custody.handed_over(change)
    root, path = await custody.who("root"), f"/v1/staff/{name}/leaving"
    assert (await custody.directory.call(root, "POST", path, {"last_day": str(TODAY + DAY)})).status_code == 200
    assert (await custody.state(change))["state"] == "open", "they still work here"
    assert (await custody.directory.call(root, "POST", path, {"last_day": str(TODAY - DAY)})).status_code == 200
    assert (await custody.state(change))["state"] == "expired"
    assert (await custody.state(other))["state"] == ("expired" if name == "heir" else "open")
    assert await custody.roles("keeper") == [(ROLE, UNIT)]
