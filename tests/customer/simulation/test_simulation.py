"""Policies tried out: who would move, only for who may see it, and never a grade written."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from services.customer.simulation import service as simulating
from services.customer.simulation.service import Simulations
from shared.clock import now
from shared.regime.document import parse
from tests.customer.grading.test_reading import MANAGEMENT, RULE
from tests.factories.customer import OTHER_UNIT, REGIMES, UNIT, RunningCustomer, Served

POLICY = (REGIMES / "retail-customer/grade/quarterly.yaml").read_text("utf-8")
EASIER = POLICY.split("\nexamples:")[0].replace("below: 40,", "below: 10,").replace("2025-01-01", "2027-06-01") + (
    "\nexamples:\n  - {inputs: {compliance_status: clean}, score: \"23.88\", grade: D}\n"
    "  - {inputs: {business_area: 45}, score: null, grade: null}\n"
)  # fmt: skip
"""The declared policy, with a lower border between E and D."""
pytestmark = pytest.mark.req("R1.5")


async def graded(service: RunningCustomer, number: int = 2) -> list[str]:
    """Customers graded E."""
    found = [(await service.register())["id"] for _ in range(number)]
    await service.run_consumers()
    return sorted(found)


async def simulate(service: RunningCustomer, role: str = "department_manager", **body: Any) -> httpx.Response:
    headers = service.as_(role, body.pop("place", UNIT))
    return await service.http.post("/v1/policies/quarterly/simulate", json=body, headers=headers)


async def moves(service: RunningCustomer, simulation: str, **query: Any) -> list[dict[str, Any]]:
    answer = await service.get(f"/v1/simulations/{simulation}/moves", **query)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


def simulations_of(service: RunningCustomer) -> Simulations:
    [job] = [job for job in service.parts.jobs if job.name == "simulations_due"]
    return job.due.__self__


async def run(service: RunningCustomer) -> list[int]:
    """Let the worker do what is left."""
    done = []
    while True:
        async with service.database.transaction() as tx:
            done.append(await simulations_of(service).run_due(tx, now()))
        if not done[-1]:
            return done


@pytest.mark.parametrize("form", ["yaml", "json"])
async def test_a_draft_shows_who_would_move_and_moves_nobody(service: RunningCustomer, form: str) -> None:
    customers = await graded(service)
    before = await service.outbox()
    answer = await simulate(service, policy=EASIER if form == "yaml" else parse(EASIER).data)
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert (found["state"], found["total"], found["checked"], found["movers"]) == ("done", 2, 2, 2)
    assert found["matrix"] == [{"before": "E", "after": "D", "customers": 2}]
    listed = await moves(service, found["id"])
    assert [(each["customer_id"], each["before"], each["after"]) for each in listed] == [
        (customer, "E", "D") for customer in customers
    ]
    assert await moves(service, found["id"], after="A") == []
    assert await service.outbox() == before
    for customer in customers:
        assert (await service.get(f"/v1/customers/{customer}/grade")).json()["grade"] == "E"


async def test_a_version_that_is_declared_and_not_yet_in_force(service: RunningCustomer) -> None:
    await graded(service)
    found = await simulate(service, version="2027-01-01")
    assert (found.status_code, sum(row["customers"] for row in found.json()["matrix"])) == (200, 2)
    unknown = await simulate(service, version="2030-01-01")
    assert (unknown.status_code, unknown.json()["errors"][0]["expected"]) == (422, ["2025-01-01", "2027-01-01"])


async def test_every_flaw_of_a_draft_is_named(service: RunningCustomer) -> None:
    broken = EASIER.replace("weight: 18", "weight: 19").replace("expression: variety_count", "expression: kount")
    refused = await simulate(service, policy=broken)
    assert (refused.status_code, refused.json()["code"]) == (422, "bad_policy")
    assert {each["pointer"] for each in refused.json()["errors"]} == {
        "/policy/indicators", "/policy/indicators/3/expression"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("policy", "code"),
    [
        ("a: [", "not_yaml"),
        ({"id": "quarterly"}, "missing"),
        (EASIER.replace("id: quarterly", "id: other"), "another_id"),
        (EASIER.replace("grade: D}", "grade: E}"), "example_differs"),
        (EASIER.replace("owner: department_manager", "owner: nobody"), "unknown_role"),
    ],
)
async def test_what_is_no_policy_is_refused(service: RunningCustomer, policy: Any, code: str) -> None:
    refused = await simulate(service, policy=policy)
    assert (refused.status_code, refused.json()["code"]) == (422, "bad_policy")
    assert code in {each["code"] for each in refused.json()["errors"]}


async def test_shape_of_the_request(service: RunningCustomer) -> None:
    assert (await simulate(service)).status_code == 422
    assert (await simulate(service, policy=EASIER, version="2027-01-01")).status_code == 422
    headers = service.as_("department_manager")
    body = {"version": "2027-01-01"}
    unknown = await service.http.post("/v1/policies/yearly/simulate", json=body, headers=headers)
    assert (unknown.status_code, unknown.json()["code"]) == (404, "unknown_definition")


async def test_many_customers_are_left_to_the_worker_which_goes_on_where_it_was_stopped(
    service: RunningCustomer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(simulating, "SMALL", 1)
    monkeypatch.setattr(simulating, "_BATCH", 2)
    customers = await graded(service, 5)
    asked = await simulate(service, policy=EASIER)
    assert (asked.status_code, asked.json()["state"], asked.json()["total"]) == (202, "running", 5)
    path = asked.headers["Location"]
    async with service.database.transaction() as tx:
        assert await simulations_of(service).run_due(tx, now()) == 2
    with pytest.raises(RuntimeError):
        async with service.database.transaction() as tx:
            await simulations_of(service).run_due(tx, now())
            raise RuntimeError("stopped before the commit")
    assert (await service.get(path)).json()["checked"] == 2
    assert await run(service) == [2, 1, 0]
    found = (await service.get(path)).json()
    assert (found["state"], found["checked"], found["movers"]) == ("done", 5, 5)
    first = (await service.get(f"{path}/moves", limit=3)).json()
    rest = (await service.get(f"{path}/moves", limit=3, cursor=first["next_cursor"])).json()["items"]
    assert [each["customer_id"] for each in (*first["items"], *rest)] == customers


async def test_a_running_one_can_be_cancelled_once(service: RunningCustomer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulating, "SMALL", 0)
    await graded(service)
    path = (await simulate(service, policy=EASIER)).headers["Location"]
    headers = service.as_("department_manager")
    cancelled = await service.http.post(f"{path}/cancel", headers=headers)
    assert (cancelled.status_code, cancelled.json()["state"]) == (200, "cancelled")
    assert await run(service) == [0]
    assert (await service.http.post(f"{path}/cancel", headers=headers)).json()["code"] == "simulation_over"


async def test_only_customers_within_reach_take_part(service: RunningCustomer) -> None:
    await graded(service)
    elsewhere = await simulate(service, policy=EASIER, place=OTHER_UNIT)
    assert (elsewhere.status_code, elsewhere.json()["total"]) == (200, 0)
    whole = await simulate(service, "general_manager", policy=EASIER)
    assert whole.json()["total"] == 2
    refused = await simulate(service, policy=EASIER, unit=OTHER_UNIT)
    assert (refused.status_code, refused.json()["code"]) == (403, "unit_out_of_reach")
    assert (await simulate(service, policy=EASIER, unit=UNIT)).json()["total"] == 2
    assert (await simulate(service, "customer_manager", policy=EASIER)).json()["code"] == "not_allowed"


async def test_a_simulation_is_for_who_asked_for_it(service: RunningCustomer) -> None:
    await graded(service)
    path = f"/v1/simulations/{(await simulate(service, policy=EASIER)).json()['id']}"
    other = await service.http.get(path, headers=service.as_("department_manager", name="another"))
    assert (other.status_code, other.json()["code"]) == (403, "not_your_simulation")
    beyond = await service.http.get(path, headers=service.as_("department_manager", OTHER_UNIT, name="another"))
    assert beyond.status_code == 404


async def test_nobody_learns_a_hidden_value_from_who_would_move(served: Served) -> None:
    async with served((MANAGEMENT, RULE.format("confidential"), RULE.format("top_secret"))) as service:
        await graded(service)
        refused = await simulate(service, policy=EASIER)
        assert (refused.status_code, refused.json()["items"]) == (403, ["credit_level"])
        assert (await simulate(service, "general_manager", policy=EASIER)).status_code == 200


async def test_a_sample_is_the_same_each_time(service: RunningCustomer) -> None:
    await graded(service, 8)
    first = (await simulate(service, policy=EASIER, sample=50)).json()
    again = (await simulate(service, policy=EASIER, sample=50)).json()
    assert first["total"] == again["total"] < 8
    assert await moves(service, first["id"]) == await moves(service, again["id"])


async def test_an_override_in_force_keeps_its_customer(service: RunningCustomer) -> None:
    [customer, _] = await graded(service)
    path = f"/v1/customers/{customer}/grade/overrides"
    body = {"grade": "A", "expires_on": (now() + timedelta(9)).date().isoformat(), "reason": "x"}
    proposed = await service.http.post(path, json=body, headers=service.as_("customer_manager"))
    approval = f"{path}/{proposed.json()['id']}/approval"
    await service.http.post(approval, headers=service.as_("department_manager"))
    found = (await simulate(service, policy=EASIER)).json()
    assert found["matrix"] == [
        {"before": "A", "after": "A", "customers": 1}, {"before": "E", "after": "D", "customers": 1}
    ]  # fmt: skip
    assert found["movers"] == 1


async def test_results_expire(service: RunningCustomer) -> None:
    await graded(service)
    simulation = (await simulate(service, policy=EASIER)).json()["id"]
    async with service.database.transaction() as tx:
        assert await simulations_of(service).forget_due(tx, now() + timedelta(6)) == 0
        assert await simulations_of(service).forget_due(tx, now() + timedelta(8)) == 1
        assert await tx.fetchval("SELECT count(*) FROM simulated_move") == 0
    assert (await service.get(f"/v1/simulations/{simulation}")).status_code == 404
