"""A custodian hands over under supervision: nothing before the last confirmation, everything after it."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from shared.events import CustodyChangedOver, CustodyConfirmed, CustodyProposed, PasswordChanged
from tests.factories.custody import CONTENT, FRESH, ROLE, UNIT, Custody
from tests.factories.directory import DAY, TODAY, running_directory
from tests.factories.identity import PASSWORD, RunningIdentity
from tests.factories.waiting import until

pytestmark = pytest.mark.req("R4.5")


async def signs_in(identity: RunningIdentity, name: str, password: str) -> bool:
    return "access_token" in (await identity.sign_in(name, password)).text


async def tokens(identity: RunningIdentity, name: str) -> dict[str, Any]:
    return dict((await identity.sign_in(name)).json())


async def is_let_in(identity: RunningIdentity, given: dict[str, Any]) -> bool:
    headers = {"Authorization": f"Bearer {given['access_token']}"}
    return (await identity.http.get("/v1/me", headers=headers)).status_code == 200


async def renews(identity: RunningIdentity, given: dict[str, Any]) -> bool:
    async with identity.browser() as browser:
        return (await browser.renew(given["refresh_token"])).status_code == 200


@pytest.fixture
async def followed(identity_dsn: str, tmp_path: Path) -> AsyncIterator[Custody]:
    """The same company, by a service that follows its own roster."""
    async with running_directory(identity_dsn, tmp_path, CONTENT, authority="directory") as directory:
        await directory.identity.tell_the_roster()
        yield Custody(directory)


async def test_with_the_last_confirmation_everything_changes_at_once_and_nothing_before(followed: Custody) -> None:
    custody, identity = followed, followed.directory.identity
    open_before = {name: await tokens(identity, name) for name in ("keeper", "heir", "chief")}
    change = await custody.begun()
    await custody.handed_over(change)

    assert await custody.roles("keeper") == [(ROLE, UNIT)]
    assert (ROLE, UNIT) not in await custody.roles("heir")
    assert await signs_in(identity, "keeper", PASSWORD)
    assert not await signs_in(identity, "keeper", FRESH["keeper"])
    assert await renews(identity, open_before["heir"])
    assert not {"identity.password_changed", "identity.access_revoked", "staff.changed"} & {
        envelope.type for envelope, _ in await identity.outbox()
    }

    answer = await custody.confirm(change, "chief", "supervisor")
    assert answer.status_code == 201, answer.text
    assert (answer.json()["state"], answer.json()["outstanding"]) == ("done", [])
    assert (await custody.roles("keeper"), await custody.hashes()) == ([], 0)
    assert set(await custody.roles("heir")) == {("customer_manager", "north-1"), (ROLE, UNIT)}
    for name in FRESH:
        assert not await signs_in(identity, name, PASSWORD)
        assert not await renews(identity, open_before[name])
    assert await signs_in(identity, "heir", FRESH["heir"])
    await identity.tell_the_roster()
    for name, kept in (("keeper", False), ("heir", False), ("chief", True)):
        await until(lambda name=name: is_let_in(identity, open_before[name]), kept)  # type: ignore[misc]
    assert await signs_in(identity, "chief", PASSWORD)


async def test_the_role_goes_on_today_and_the_history_of_both_says_so(custody: Custody) -> None:
    change = await custody.begun()
    await custody.complete(change)
    keeper, heir = [await custody.directory.standing(name) for name in ("keeper", "heir")]
    assert [held for held in keeper.held if held.until_on is None or held.until_on >= TODAY] == []
    assert [(held.role, held.unit, held.from_on, held.until_on) for held in heir.held][-1] == (ROLE, UNIT, TODAY, None)
    async with custody.directory.identity.database.reading() as tx:
        rows = await tx.fetch("SELECT staff, until_on FROM role_grant WHERE role = $1 ORDER BY from_on", ROLE)
        history = await tx.fetch("SELECT staff, actor FROM staff_event WHERE items = '{role}' ORDER BY staff")
    assert [tuple(row) for row in rows] == [("keeper", TODAY - DAY), ("heir", None)]
    assert [tuple(row) for row in history] == [("heir", "staff/chief"), ("keeper", "staff/chief")]


async def test_each_step_is_an_event_and_none_holds_a_secret(custody: Custody) -> None:
    change = await custody.begun()
    await custody.complete(change)
    facts = await custody.events(change)
    assert [(type(event), envelope.actor, envelope.sequence) for envelope, event in facts] == [
        (CustodyProposed, "staff/guard", 1),
        (CustodyConfirmed, "staff/keeper", 2),
        (CustodyConfirmed, "staff/heir", 3),
        (CustodyConfirmed, "staff/chief", 4),
        (CustodyChangedOver, "staff/chief", 5),
    ]
    everything = [event.model_dump_json() for _, event in await custody.directory.identity.outbox()]
    view = json.dumps(await custody.state(change))
    for text in (*everything, view):
        assert "argon2" not in text
        assert not any(password in text for password in (*FRESH.values(), PASSWORD))
    changed = [event for _, event in await custody.directory.identity.outbox() if isinstance(event, PasswordChanged)]
    assert [(event.name, event.occasion) for event in changed] == [("keeper", "change_over"), ("heir", "change_over")]


async def test_a_role_that_was_given_up_to_a_day_goes_on_up_to_that_day(custody: Custody) -> None:
    last_day = TODAY + timedelta(days=40)
    async with custody.directory.identity.database.transaction() as tx:
        await tx.execute("UPDATE role_grant SET until_on = $1 WHERE role = $2", last_day, ROLE)
    assert (await custody.complete(await custody.begun())).json()["state"] == "done"
    assert (await custody.directory.standing("heir")).held[-1].until_on == last_day


async def test_a_leaver_who_has_announced_a_last_day_hands_on_without_it(custody: Custody) -> None:
    body = {"last_day": str(TODAY + DAY), "successor": "heir"}
    left = await custody.directory.call(await custody.who("root"), "POST", "/v1/staff/keeper/leaving", body)
    assert left.status_code == 200, left.text
    assert (await custody.complete(await custody.begun())).json()["state"] == "done"
    assert (await custody.directory.standing("heir")).held[-1].until_on is None


async def test_a_vacancy_is_filled_by_two_confirmations(custody: Custody) -> None:
    (given,) = (await custody.directory.person("keeper"))["roles"]
    guard = await custody.who("guard")
    gone = await custody.directory.call(guard, "DELETE", f"/v1/staff/keeper/roles/{given['id']}")
    assert gone.status_code == 204
    change = await custody.begun(leaver=None)
    assert (await custody.state(change))["outstanding"] == ["successor", "supervisor"]
    assert (await custody.confirm(change, "heir", "successor")).status_code == 201
    assert (await custody.confirm(change, "chief", "supervisor")).json()["state"] == "done"
    assert (ROLE, UNIT) in await custody.roles("heir")
    assert await signs_in(custody.directory.identity, "keeper", PASSWORD)  # whose password was not concerned


async def test_somebody_who_holds_no_role_at_all_can_take_over(custody: Custody) -> None:
    (given,) = (await custody.directory.person("peer"))["roles"]
    await custody.directory.call(await custody.who("guard"), "DELETE", f"/v1/staff/peer/roles/{given['id']}")
    change = await custody.begun(successor="peer")
    bare = await custody.directory.token("peer", "nothing", "north-1")
    listed = await custody.directory.call(bare, "GET", "/v1/custody-changes?state=open")
    assert [each["id"] for each in listed.json()["items"]] == [change]
    body = {"as": "successor", "password": FRESH["heir"]}
    path = f"/v1/custody-changes/{change}/confirmations"
    assert (await custody.directory.call(bare, "POST", path, body)).status_code == 201
    assert (await custody.confirm(change, "keeper", "leaver")).status_code == 201
    assert (await custody.confirm(change, "chief", "supervisor")).json()["state"] == "done"
    assert await custody.roles("peer") == [(ROLE, UNIT)]
