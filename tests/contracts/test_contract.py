"""The outside contract, line by line: what scripts, front ends and partners rely on from the first release on."""

import re
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.contracts.test_bad_input import assert_problem
from tests.factories.live import FILE, Live, until
from tests.factories.reporting import REPORT, csv_of, loans

pytestmark = [pytest.mark.slow, pytest.mark.req("R0.4")]
SIGN_INS = {
    "admin": "admin",
    "gm": "general_manager",
    "leader": "responsible_leader",
    "dept": "department_manager",
    "manager1": "customer_manager",
    "manager2": "customer_manager",
    "entry": "report_entry",
    "reviewer": "report_reviewer",
    "auditor": "auditor",
    "security": "security_officer",
    "partner1": "partner_reporter",
}
APIS = ("customer", "reporting", "audit", "notify", "identity")


@pytest.mark.parametrize("name", SIGN_INS)
def test_a_sample_sign_in_has_its_role_and_says_that_it_is_fictional(live: Live, name: str) -> None:
    me = live.as_(name, "identity").get("/v1/me").json()
    assert (me["name"], me["roles"]) == (name, [SIGN_INS[name]])
    assert "虚构" in me["full_name"]


def test_services_stand_at_their_distance_from_the_port_base(live: Live) -> None:
    ports = {name: int(url.rpartition(":")[2]) for name, url in live.urls.items()}
    base = ports["console"]
    names = ("console", "customer", "reporting", "audit", "notify", "identity")
    assert ports == {name: base + distance for distance, name in enumerate(names)}


@pytest.mark.parametrize("service", APIS)
def test_each_service_is_described_and_watched(live: Live, service: str) -> None:
    door = live.nobody(service)
    assert door.get("/healthz").status_code == door.get("/readyz").status_code == 200
    assert door.get("/docs").headers["content-type"].startswith("text/html")
    assert "kehu_http_seconds" in door.get("/metrics").text
    document = door.get("/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    operations = [each for path in document["paths"].values() for each in path.values()]
    names = [each["operationId"] for each in operations]
    assert len(names) == len(set(names))
    assert all(re.fullmatch(r"[a-z_]+", name) for name in names)


def test_the_dictionary_lists_the_items(live: Live) -> None:
    items = live.as_("dept").get("/v1/dictionary", params={"kind": "retail"}).json()["items"]
    assert len(items) == 102
    wanted = {"code", "label", "group", "maintenance", "secrecy", "required", "type"}
    assert all(wanted <= set(each) and each["label"]["zh"] and each["label"]["en"] for each in items)


def test_registering_reading_and_listing(live: Live) -> None:
    body = {"kind": "retail", "unit": "east", "values": {**FILE, "customer_code": f"C-{uuid4().hex[:12]}"}}
    answer = live.as_("dept").post("/v1/customers", json=body)
    made = answer.json()
    assert (answer.status_code, answer.headers["etag"]) == (201, '"1"')
    assert answer.headers["location"] == f"/v1/customers/{made['id']}"
    assert (UUID(made["id"]).version, made["kind"], made["version"]) == (7, "retail", 1)
    assert {"value", "set_by", "set_at", "verified_at"} == set(made["values"]["shop_name"])
    read = live.as_("dept").get(answer.headers["location"])
    assert (read.status_code, read.headers["etag"], read.json()["values"]["shop_name"]) == (
        200,
        '"1"',
        made["values"]["shop_name"],
    )
    first = live.as_("dept").get("/v1/customers", params={"limit": 1}).json()
    assert len(first["items"]) == 1
    second = live.as_("dept").get("/v1/customers", params={"limit": 1, "cursor": first["next_cursor"]}).json()
    assert second["items"][0]["id"] != first["items"][0]["id"]


def test_changing_with_if_match(live: Live) -> None:
    customer = live.register()["id"]
    address = f"/v1/customers/{customer}"
    changed = live.change(customer, 1, shop_name="甲", business_area=None)
    assert changed.headers["etag"] == '"2"'
    assert "business_area" not in live.as_("dept").get(address).json()["values"]
    assert live.change(customer, 1, who="dept", contact_phone="13900000002").headers["etag"] == '"3"'  # merged
    clash = live.as_("dept").patch(address, json={"values": {"shop_name": "乙"}}, headers={"If-Match": '"1"'})
    problem = assert_problem(clash, 412, pointer="/values/shop_name")
    assert (problem["yours"], problem["current"], problem["original"]) == (
        {"shop_name": "乙"},
        {"shop_name": "甲"},
        {"shop_name": FILE["shop_name"]},
    )
    assert_problem(live.as_("dept").patch(address, json={"values": {"shop_name": "乙"}}), 428)


def test_history_and_grades(live: Live) -> None:
    customer = live.register(credit_level="D")["id"]
    live.grade(customer, 1)
    live.change(customer, 1, credit_level="A")
    grade = live.grade(customer, 2)
    assert {"grade", "indicators", "policy", "customer_version"} <= set(grade)
    assert set(grade["policy"]) == {"id", "version", "hash"}
    assert all({"value", "weight", "points"} <= set(each) for each in grade["indicators"])
    grades = live.as_("dept").get(f"/v1/customers/{customer}/grades").json()["items"]
    assert [each["customer_version"] for each in grades] == [2, 1]
    history = live.as_("dept").get(f"/v1/customers/{customer}/history").json()["items"]
    assert [each["version"] for each in history] == [2, 1]


ENTRY = {
    "index", "event_id", "type", "subject", "sequence", "actor", "occurred_at", "received_at", "items", "data",
    "leaf_hash",
}  # fmt: skip


def test_entries_are_searched_proved_and_mirrored(live: Live) -> None:
    customer = live.register()["id"]
    live.change(customer, 1, shop_name="丙")
    entry = live.entry(customer, "customer.changed", 2)
    auditor = live.as_("auditor", "audit")
    assert set(entry) >= ENTRY
    about = {"subject": f"customer/{customer}"}
    forth, back = (live.entries(**about, order=order) for order in ("asc", "desc"))
    assert [each["index"] for each in forth] == sorted(each["index"] for each in forth)
    assert back[0]["index"] >= forth[-1]["index"]
    narrow = {**about, "type": "customer.changed", "actor": "staff/manager1", "from": entry["occurred_at"]}
    assert [each["index"] for each in live.entries(**narrow)] == [entry["index"]]
    assert live.entries(**about, to=forth[0]["occurred_at"]) == []
    page = auditor.get("/v1/entries", params={**about, "limit": 1}).json()
    assert page["items"] == forth[:1]
    again = auditor.get("/v1/entries", params={**about, "limit": 1, "cursor": page["next_cursor"]}).json()
    assert again["items"] == forth[1:2]
    assert auditor.get(f"/v1/entries/{entry['index']}").json() == entry
    proof = until(lambda: _proof(live, entry["index"]))
    assert set(proof) == {"index", "size", "leaf_hash", "path", "root"}
    assert auditor.get("/log/tile/entries/000.p/1").headers["content-type"] == "application/octet-stream"
    assert auditor.get("/log/tile/0/000.p/1").content
    assert len(auditor.get("/log/checkpoint").text.split("\n")) >= 5


def _proof(live: Live, index: int) -> dict[str, Any] | None:
    answer = live.as_("auditor", "audit").get(f"/v1/entries/{index}/proof")
    return answer.json() if answer.is_success else None


def test_a_submission_is_found_where_its_location_says(live: Live) -> None:
    partner = live.as_("partner1", "reporting")
    form = {"report": REPORT, "period": "2025-07", "org": "partner"}
    answer = partner.post("/v1/submissions", data=form, files={"file": ("t.csv", csv_of(loans(2, amount="1.00")))})
    assert answer.status_code in (201, 202)
    found = partner.get(answer.headers["location"]).json()
    assert {"id", "state", "verdict", "findings"} <= set(found)
    wanted = {"rule", "severity", "row", "field", "seen", "expected", "message"}
    assert len(found["findings"]) == 2
    assert all(wanted <= set(each) for each in found["findings"])


def test_the_inbox_is_newest_first(live: Live) -> None:
    customer = live.register()["id"]
    until(lambda: live.inbox("manager1", f"customer/{customer}"))
    items = live.as_("manager1", "notify").get("/v1/inbox").json()["items"]
    assert [each["delivered_at"] for each in items] == sorted((each["delivered_at"] for each in items), reverse=True)
    assert {each["recipient"] for each in items} <= {"staff/manager1", "unit/east"}


def test_a_post_with_a_key_is_done_once(live: Live) -> None:
    body = {"kind": "retail", "unit": "east", "values": {**FILE, "customer_code": f"K-{uuid4().hex[:12]}"}}
    key = {"Idempotency-Key": str(uuid4())}
    first, again = (live.as_("dept").post("/v1/customers", json=body, headers=key) for _ in range(2))
    assert (first.status_code, first.json()) == (again.status_code, again.json())
    assert again.headers["idempotency-replayed"] == "true"
    assert again.headers["location"] == first.headers["location"]
    other = {**body, "values": {**body["values"], "shop_name": "丁"}}
    assert_problem(live.as_("dept").post("/v1/customers", json=other, headers=key), 422)


@pytest.mark.parametrize(("language", "title"), [("zh-CN", "请求内容有误"), ("en", "Invalid request")])
def test_problems_speak_the_callers_language_and_tell_all_faults_at_once(live: Live, language: str, title: str) -> None:
    answer = live.as_("dept").post("/v1/customers", json={"values": 1, "x": 2}, headers={"Accept-Language": language})
    problem = assert_problem(answer, 422)
    assert {each["pointer"] for each in problem["errors"]} == {"/kind", "/values", "/x"}
    assert (problem["title"], problem["code"]) == (title, "invalid_request")


def test_without_a_token_401_and_without_the_right_403(live: Live) -> None:
    assert_problem(live.nobody("customer").get("/v1/customers"), 401)
    assert_problem(live.as_("partner1").get("/v1/customers"), 403)
    assert_problem(live.as_("dept", "audit").get("/v1/entries"), 403)
