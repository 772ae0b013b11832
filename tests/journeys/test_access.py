"""Who may see what, and that trying and reading leave their traces in the audit log."""

import uuid

import pytest

from tests.factories.live import Live, until
from tests.fakes.issuer import Issuer

pytestmark = pytest.mark.slow


@pytest.mark.req("R2.2")
def test_a_refused_action_is_audited(live: Live) -> None:
    trace = uuid.uuid4().hex
    refused = live.as_("manager1").post(
        "/v1/customers",
        json={"kind": "retail", "values": {}},
        headers={"traceparent": f"00-{trace}-00f067aa0ba902b7-01"},
    )
    assert (refused.status_code, refused.json()["code"]) == (403, "not_allowed")
    (entry,) = until(lambda: _entries_of_trace(live, trace))
    expected = {
        "action": "customer.register",
        "code": "not_allowed",
        "method": "POST",
        "route": "/v1/customers",
        "record": None,
    }
    assert live.as_("auditor", "audit").get(f"/v1/entries/{entry}").json()["data"] == expected


@pytest.mark.req("R2.2")
def test_a_read_of_classified_items_is_audited_by_their_codes(live: Live) -> None:
    customer = live.register()["id"]
    live.entry(customer, "customer.registered", 1)
    assert live.as_("gm").get(f"/v1/customers/{customer}").status_code == 200
    (entry,) = until(
        lambda: live.entries(subject=f"customer/{customer}", type="access.read", actor="staff/gm", limit=5)
    )
    assert {"contact_person", "contact_phone"} <= set(entry["items"])
    assert entry["data"]["level"] == "confidential"
    assert "13900000000" not in str(entry)


@pytest.mark.req("R2.2")
def test_a_manager_does_not_see_the_customers_of_another_unit(live: Live) -> None:
    customer = live.register(unit="east", manager="manager1", shop_name="邻区便利店")["id"]
    neighbour = live.as_("manager2")
    tries = [
        neighbour.get(f"/v1/customers/{customer}"),
        neighbour.get(f"/v1/customers/{customer}/history"),
        neighbour.get(f"/v1/customers/{customer}/grade"),
        neighbour.patch(f"/v1/customers/{customer}", json={"values": {"shop_name": "x"}}, headers={"If-Match": '"1"'}),
    ]
    assert [each.status_code for each in tries] == [404] * 4
    unknown = neighbour.get(f"/v1/customers/{uuid.uuid4()}")
    same = {name: value for name, value in unknown.json().items() if name != "instance"}
    assert {name: value for name, value in tries[0].json().items() if name != "instance"} == same
    assert neighbour.get("/v1/customers", params={"name": "邻区便利店"}).json()["items"] == []
    assert live.as_("manager1").get(f"/v1/customers/{customer}").json()["version"] == 1
    traces = [each.headers["traceparent"].split("-")[1] for each in tries]
    for trace in traces:
        until(lambda trace=trace: _entries_of_trace(live, trace))
    found = live.entries(type="access.refused", actor="staff/manager2", order="desc", limit=100)
    facts = [each["data"] for each in found if each["data"]["record"] == customer]
    assert {each["code"] for each in facts} == {"not_found"}
    assert {"/v1/customers/{customer_id}", "/v1/customers/{customer_id}/history"} <= {each["route"] for each in facts}


@pytest.mark.parametrize("service", ["customer", "reporting", "audit", "notify", "identity"])
def test_a_token_of_another_issuer_is_refused_everywhere(live: Live, service: str) -> None:
    path = {"customer": "/v1/customers", "reporting": "/v1/submissions", "audit": "/v1/entries", "notify": "/v1/inbox"}
    with Issuer() as other:
        bearer = other.bearer("gm", ["general_manager"], "company")
        forged = other.bearer("gm", ["general_manager"], "company", iss=live.urls["identity"])
        for headers in (bearer, forged):
            answer = live.nobody(service).get(path.get(service, "/v1/me"), headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (401, "bad_token")
            assert answer.headers["www-authenticate"].startswith("Bearer")


def _entries_of_trace(live: Live, trace: str) -> list[str]:
    """Indexes of the refusals that belong to a trace."""
    payload = "convert_from(payload, 'UTF8')::jsonb ->> 'traceparent'"
    found = live.query(
        "audit", f"SELECT index FROM entry WHERE type = 'access.refused' AND {payload} LIKE '00-{trace}%'"
    )
    return found.split()
