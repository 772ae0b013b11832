"""Why somebody may do something with a person or a line: reach goes by where the person, or the holder, stands."""

from typing import Any

import pytest

from tests.factories.directory import Directory, problem

pytestmark = pytest.mark.req("R2.2")


def stand(directory: Directory, name: str, role: str, unit: str) -> None:
    """As if the roster had heard of somebody who holds a role over a unit."""
    roster = directory.identity.parts.authenticator.roster
    held = [{"role": role, "unit": unit, "from_on": "2020-01-01"}]
    standing = {"name": name, "unit": unit, "state": "active", "held": held, "first_day": "2020-01-01", "version": 1}
    roster.take([{"kind": "person", "id": name, "data": standing, "serial": roster.serial + 1}])


async def why(directory: Directory, name: str, action: str, subject: str) -> Any:
    asked = f"/v1/decisions?name={name}&action={action}&subject={subject}"
    return await directory.call(await directory.guard(), "GET", asked)


async def test_a_decision_about_a_person_goes_by_the_unit_where_they_stand(directory: Directory) -> None:
    stand(directory, "chief", "branch_admin", "north-1")
    found = {who: (await why(directory, "chief", "staff.change", f"staff/{who}")).json() for who in ("clerk", "other")}
    assert (found["clerk"]["allowed"], found["other"]["allowed"]) == (True, False)
    assert found["other"]["reasons"][-1]["code"] == "out_of_reach"
    account = (await why(directory, "chief", "account.lock", "account/clerk")).json()
    assert (account["allowed"], account["reasons"][-1]["code"]) == (False, "not_granted")
    for nobody in ("staff/nobody", "account/nobody", "client/nobody"):
        problem(await why(directory, "chief", "staff.change", nobody), 404, "not_found")


async def test_a_decision_about_a_client_goes_by_its_unit(directory: Directory) -> None:
    body = {"name": "system", "kind": "partner", "title": {"zh": "系统", "en": "System"}, "unit": "north"}
    made = await directory.call(await directory.guard(), "POST", "/v1/clients", {**body, "roles": ["partner_reporter"]})
    assert made.status_code == 201, made.text
    stand(directory, "keeper", "admin", "south")
    found = (await why(directory, "keeper", "client.change", "client/system")).json()
    reached = next(each for each in found["reasons"] if each["code"] == "reached")
    assert "unit north" in reached["text"]["en"]


async def test_a_decision_about_a_line_goes_by_its_holder(directory: Directory) -> None:
    body = {"channel": "email", "value": "clerk@kehu.example", "holder": "clerk"}
    line = (await directory.call(await directory.root(), "POST", "/v1/lines", body)).json()["id"]
    for name in ("clerk", "peer"):
        stand(directory, name, "customer_manager", "north-1")
    found = {name: (await why(directory, name, "line.read", f"line/{line}")).json() for name in ("clerk", "peer")}
    assert (found["clerk"]["allowed"], found["peer"]["allowed"]) == (True, False)
    for unknown in ("019aaaaa-0000-7000-8000-000000000000", "none"):
        problem(await why(directory, "clerk", "line.read", f"line/{unknown}"), 404, "not_found")
