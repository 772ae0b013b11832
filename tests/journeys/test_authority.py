"""A role that is given acts everywhere at once, and one that is taken away stops at once; both are in the audit log."""

import json
from datetime import timedelta
from typing import Any

import pytest

from kehu.code_flow import token_of
from kehu.data import DataDirectory
from kehu.plan import Plan
from shared.clock import day_of, now
from tests.factories.live import Live, becomes, until
from tests.factories.suite import Suite

pytestmark = pytest.mark.slow


def bearer_of(live: Live, name: str, password: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token_of(live.urls['identity'], name, password)}"}


def answers(live: Live, customer: str, bearer: dict[str, str]) -> tuple[int, int, int]:
    """What three services answer to one and the same token."""
    asked = (("customer", f"/v1/customers/{customer}"), ("audit", "/v1/entries"), ("reporting", "/v1/submissions"))
    codes = [live.nobody(service).get(path, headers=bearer).status_code for service, path in asked]
    return codes[0], codes[1], codes[2]


@pytest.mark.req("R2.2")
def test_a_role_acts_everywhere_with_the_token_at_hand_and_stops_when_it_is_taken_away(live: Live) -> None:
    live = Live(live.data, live.bus)  # everybody signs in anew: these are sensitive actions
    customer, (name, password) = live.register(unit="east")["id"], live.newcomer(unit="west")
    live.give(name, "customer_manager", unit="west")
    bearer = bearer_of(live, name, password)
    becomes(lambda: answers(live, customer, bearer), (404, 403, 403))
    directory = live.as_("security", "identity")
    given = directory.post(f"/v1/staff/{name}/roles", json={"role": "general_manager", "unit": "company"})
    assert given.status_code == 201, given.text
    becomes(lambda: answers(live, customer, bearer), (200, 200, 200))
    assert directory.delete(f"/v1/staff/{name}/roles/{given.json()['id']}").status_code == 204
    becomes(lambda: answers(live, customer, bearer), (404, 403, 403))

    def changes() -> list[dict[str, Any]]:
        return live.entries(subject=f"staff/{name}", type="staff.changed", actor="staff/security", limit=200)

    entries = until(lambda: found if len(found := changes()) >= 3 else None)
    held = [{each["role"] for each in entry["data"]["standing"]["held"]} for entry in entries]
    assert held == [{"customer_manager"}, {"customer_manager", "general_manager"}, {"customer_manager"}]
    assert all("林一" not in str(entry["data"]) for entry in entries)


@pytest.mark.timed
@pytest.mark.req("R2.6")
@pytest.mark.req("R5.7")
def test_a_leaver_is_out_at_once_with_the_token_at_hand_and_leaves_a_list_to_hand_over(live: Live) -> None:
    live = Live(live.data, live.bus)  # everybody signs in anew: these are sensitive actions
    (name, password), chief = live.newcomer(unit="east"), live.as_("dept", "identity")
    live.give(name, "customer_manager", unit="east")
    customer = live.register(unit="east")["id"]
    bearer = bearer_of(live, name, password)

    def answer() -> int:
        return live.nobody("customer").get(f"/v1/customers/{customer}", headers=bearer).status_code

    becomes(answer, 200)
    body = {"last_day": str(day_of(now()) - timedelta(days=1)), "successor": "manager1"}
    announced = chief.post(f"/v1/staff/{name}/leaving", json=body)
    assert (announced.status_code, announced.json()["state"]) == (200, "left"), announced.text
    becomes(answer, 401, within_s=5)
    listed = chief.get(f"/v1/staff/{name}/hand-over").json()
    assert (listed["reason"], listed["day"], listed["successor"]) == ("leaving", body["last_day"], "manager1")
    held = {(item["kind"], item["what"], item["done"]) for item in listed["items"]}
    assert held == {("successor", "manager1", True), ("post", "业务员", True)}  # the role was none of yesterday's
    told = until(lambda: live.entries(subject=f"staff/{name}", type="staff.left"))
    assert [entry["data"]["standing"]["state"] for entry in told] == ["left"]


@pytest.mark.req("R2.2")
def test_the_command_says_why_or_why_not(live: Live) -> None:
    customer = live.register(unit="east")["id"]
    plan = Plan(DataDirectory(live.data))
    suite = Suite(live.data, plan.services, bus=live.bus)
    yes = suite.kehu("may", "manager1", "read", f"customer/{customer}", "--field", "bank_account")
    assert yes.returncode == 0, yes.stdout + yes.stderr
    assert "cleared for confidential" in yes.stdout
    no = suite.kehu("may", "manager2", "read", f"customer/{customer}", "--json")
    assert (no.returncode, json.loads(no.stdout)["reasons"][-1]["code"]) == (1, "out_of_reach")
    foolish = suite.kehu("may", "manager1", "eat", "customer")
    assert foolish.returncode != 0
    assert "history.read" in foolish.stderr + foolish.stdout
