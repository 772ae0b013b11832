"""Authority that is taken away while a request waits for another writer of the directory, whatever the roster says."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.identity.org import repository as units
from services.identity.staff.recheck import keeps
from shared.auth import Power, Scope
from shared.regime import Secrecy
from tests.factories.directory import COMPANY, TODAY, Directory, problem, running_directory
from tests.factories.waiting import until_query

pytestmark = pytest.mark.req("R2.2")
_GUARD = next(person for person in COMPANY["people"] if person["name"] == "guard")
WITH_SECOND_GUARD = {**COMPANY, "people": [*COMPANY["people"], {**_GUARD, "name": "guard2"}]}
WAITING = """
SELECT count(*)::int FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
ENTRY = {"role": "report_entry", "unit": "north-1"}


@pytest.fixture
async def placed(identity_dsn: str, tmp_path: Path) -> AsyncIterator[Directory]:
    """The company with two security officers; who may what is known from the roster, which hears of nothing new."""
    async with running_directory(identity_dsn, tmp_path, WITH_SECOND_GUARD, authority="directory") as service:
        await service.identity.tell_the_roster()
        yield service


async def ask_in_turn(directory: Directory, *calls: Coroutine[Any, Any, httpx.Response]) -> list[httpx.Response]:
    """The answers to requests that have all come in, in this order, while somebody else was writing."""
    tasks = []
    async with directory.identity.database.transaction() as tx:
        await units.hold(tx)
        for place, call in enumerate(calls, 1):
            tasks.append(asyncio.create_task(call))
            await until_query(directory.identity.database, WAITING, place)
    return await asyncio.gather(*tasks)


async def take_role(directory: Directory, taker: str, name: str) -> Coroutine[Any, Any, httpx.Response]:
    who = await directory.token(taker, "security_officer", "hq")
    role = (await directory.person(name))["roles"][0]["id"]
    return directory.call(who, "DELETE", f"/v1/staff/{name}/roles/{role}")


async def test_of_two_who_take_each_others_role_at_once_one_comes_too_late(placed: Directory) -> None:
    calls = await take_role(placed, "guard", "guard2"), await take_role(placed, "guard2", "guard")
    first, second = await ask_in_turn(placed, *calls)
    assert first.status_code == 204
    problem(second, 403, "authority_changed")
    assert [len((await placed.person(name))["roles"]) for name in ("guard", "guard2")] == [1, 0]


async def test_a_role_is_not_given_by_who_lost_their_own_while_they_waited(placed: Directory) -> None:
    guard2 = await placed.token("guard2", "security_officer", "hq")
    give = placed.call(guard2, "POST", "/v1/staff/clerk/roles", ENTRY)
    taken, given = await ask_in_turn(placed, await take_role(placed, "guard", "guard2"), give)
    assert taken.status_code == 204
    problem(given, 403, "authority_changed")
    assert [role["role"] for role in (await placed.person("clerk"))["roles"]] == ["customer_manager"]


async def test_less_clearance_is_less_authority(placed: Directory) -> None:
    guard, guard2 = await placed.guard(), await placed.token("guard2", "security_officer", "hq")
    cap = placed.call(guard, "PUT", "/v1/staff/guard2/clearance", {"clearance": "internal"})
    give = placed.call(guard2, "POST", "/v1/staff/clerk/roles", ENTRY)
    capped, given = await ask_in_turn(placed, cap, give)
    assert capped.status_code == 204
    problem(given, 403, "authority_changed")


async def test_an_import_under_authority_that_ended_brings_nobody_in(placed: Directory) -> None:
    root = await placed.root()
    file = "name,full_name,unit\nlin,林一（虚构）,hq\n".encode()
    bring = placed.http.post("/v1/staff-imports", files={"file": ("people.csv", file)}, headers=root)
    taken, brought = await ask_in_turn(placed, await take_role(placed, "guard", "root"), bring)
    assert taken.status_code == 204
    problem(brought, 403, "authority_changed")
    assert await placed.events("staff/lin") == []


async def test_a_unit_is_not_changed_under_authority_that_ended(placed: Directory) -> None:
    root = await placed.root()
    rename = placed.call(root, "PATCH", "/v1/units/south", {"closed": True}, **{"If-Match": '"1"'})
    taken, renamed = await ask_in_turn(placed, await take_role(placed, "guard", "root"), rename)
    assert taken.status_code == 204
    problem(renamed, 403, "authority_changed")


@pytest.mark.req("R4.5")
async def test_a_step_that_needs_no_role_is_not_taken_under_authority_that_ended(placed: Directory) -> None:
    guard2 = await placed.token("guard2", "security_officer", "hq")
    wish = {**ENTRY, "leaver": None, "successor": "clerk", "supervisor": "chief"}
    proposed = await placed.call(guard2, "POST", "/v1/custody-changes", wish)
    assert proposed.status_code == 201, proposed.text
    path = f"/v1/custody-changes/{proposed.json()['id']}"
    withdraw = placed.call(guard2, "POST", f"{path}/withdrawal")
    taken, withdrawn = await ask_in_turn(placed, await take_role(placed, "guard", "guard2"), withdraw)
    assert taken.status_code == 204
    problem(withdrawn, 403, "authority_changed")
    assert (await placed.call(await placed.guard(), "GET", path)).json()["state"] == "open"


async def test_more_authority_than_the_roster_knows_is_no_hindrance(placed: Directory) -> None:
    unit = {"id": "north-2", "parent": "north", "kind": "team", "title": {"zh": "北二", "en": "North 2"}}
    assert (await placed.call(await placed.root(), "POST", "/v1/units", unit)).status_code == 201
    given = await placed.call(await placed.guard(), "POST", "/v1/staff/chief/roles", ENTRY)
    assert given.status_code == 201
    chief = await placed.token("chief", "department_manager", "north")
    announced = await placed.call(chief, "POST", "/v1/staff/clerk/leaving", {"last_day": str(TODAY)})
    assert announced.status_code == 200, announced.text


def power(**given: Any) -> Power:
    known = {"role": "clerk", "scope": Scope(units=frozenset("ab")), "clearance": Secrecy.CONFIDENTIAL}
    return Power(**{**known, **given})


@pytest.mark.parametrize(
    ("after", "kept"),
    [
        ([power()], True),
        ([power(role="other"), power(scope=Scope(everything=True), clearance=Secrecy.SECRET)], True),
        ([], False),
        ([power(role="other")], False),
        ([power(scope=Scope(units=frozenset("a")))], False),
        ([power(clearance=Secrecy.INTERNAL)], False),
        ([power(fields=frozenset({"general"}))], False),
        ([power(purpose="audit")], False),
    ],
)
def test_authority_is_kept_if_the_same_role_still_reaches_and_shows_as_much(after: list[Power], kept: bool) -> None:
    assert keeps({"staff.read": (power(),)}, {"staff.read": tuple(after)}) is kept
