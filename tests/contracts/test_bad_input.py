"""Whatever is sent to a live suite, the answer is a problem with pointers, never a 5xx, and nothing is half-written."""

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.factories.live import FILE, Live
from tests.factories.reporting import PERIOD, REPORT

pytestmark = [pytest.mark.slow, pytest.mark.req("R0.4")]
PROBLEM = "application/problem+json"
HALF_WRITTEN = """
SELECT id FROM customer WHERE version <> (SELECT count(*) FROM customer_event WHERE customer_id = id)
UNION SELECT id FROM customer WHERE NOT EXISTS (SELECT FROM subject_key WHERE customer_id = id)
"""


@pytest.fixture(scope="module")
def customer(live: Live) -> str:
    """One whose events have all left the outbox."""
    found: str = live.register()["id"]
    live.grade(found, 1)
    live.entry(found, "customer.grade_changed", 1)
    return found


@pytest.fixture
def unchanged(live: Live, customer: str) -> Iterator[None]:
    """What the test does leaves the customer as it was, and nobody's file half-written."""
    state = f"""
    SELECT row_to_json(customer), (SELECT count(*) FROM customer_event WHERE customer_id = id),
      (SELECT count(*) FROM outbox WHERE key = convert_to(id::text, 'UTF8'))
    FROM customer WHERE id = '{customer}'
    """
    before = live.query("customer", state)
    yield
    assert live.query("customer", state) == before
    assert live.query("customer", HALF_WRITTEN) == ""


def assert_problem(answer: httpx.Response, *statuses: int, pointer: str | None = None) -> dict[str, Any]:
    """A refusal in the agreed form; its body."""
    assert answer.status_code in statuses, (answer.status_code, answer.text[:500])
    assert answer.headers["content-type"] == PROBLEM
    body: dict[str, Any] = answer.json()
    assert {"type", "title", "status", "code", "detail", "instance", "errors"} <= set(body)
    assert body["status"] == answer.status_code
    assert all(set(each) == {"pointer", "code", "seen", "expected"} for each in body["errors"])
    if pointer is not None:
        assert pointer in [each["pointer"] for each in body["errors"]], body
    return body


BODIES = {
    "nothing": (b"", (422,)),
    "no JSON": (b"{", (400,)),
    "bytes": (bytes(range(128, 256)), (400,)),
    "UTF-16": ('{"values": {}}'.encode("utf-16"), (400,)),
    "a lone surrogate": (b'{"values": {"shop_name": "\\ud800"}}', (400,)),
    "raw surrogate bytes": (b'{"values": {"shop_name": "\xed\xa0\x80"}}', (400,)),
    "NUL": (b'{"values": {"shop_name": "a\\u0000b"}}', (400,)),
    "NUL in a name": (b'{"values": {"shop\\u0000name": "a"}}', (400,)),
    "NaN": (b'{"values": {"business_area": NaN}}', (400,)),
    "a huge number": (b'{"values": {"business_area": 1e999}}', (400, 422)),
    "many digits": (b'{"values": {"business_area": ' + b"9" * 5000 + b"}}", (400, 422)),
    "depth": (b'{"values": {"shop_name": ' + b"[" * 100_000 + b"]" * 100_000 + b"}}", (400, 422)),
    "a list": (b"[]", (422,)),
    "null": (b"null", (422,)),
    "text for values": (b'{"values": "x"}', (422,)),
    "no values": (b'{"values": {}}', (422,)),
    "an unknown member": (b'{"values": {"shop_name": "x"}, "admin": true}', (422,)),
    "an unknown item": (b'{"values": {"no_such_item": 1}}', (422,)),
    "a system item": (b'{"values": {"compliance_status": "clean"}}', (422,)),
    "one good and one bad": (b'{"values": {"shop_name": "x", "business_area": "wide"}}', (422,)),
    "too many items": (json.dumps({"values": {f"item_{n}": n for n in range(501)}}).encode(), (422,)),
    "a long name": (json.dumps({"values": {"x" * 100_000: 1}}).encode(), (422,)),
}


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("what", BODIES)
def test_a_bad_body_changes_nothing(live: Live, customer: str, what: str) -> None:
    body, statuses = BODIES[what]
    headers = {"Content-Type": "application/json", "If-Match": '"1"'}
    assert_problem(live.as_("manager1").patch(f"/v1/customers/{customer}", content=body, headers=headers), *statuses)
    headers = {"Content-Type": "application/json"}
    assert_problem(live.as_("dept").post("/v1/customers", content=body, headers=headers), *statuses, 422)
    assert_problem(live.as_("dept").post("/v1/dealings", content=body, headers=headers), *statuses, 422)
    assert_problem(live.as_("partner1", "reporting").post("/v1/submissions", content=body, headers=headers), 400, 422)
    headers |= live.through("audit-service")
    assert_problem(live.as_("dept").post("/v1/values/open", content=body, headers=headers), *statuses, 422)


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize(
    "media", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "x", "*/*"]
)
def test_another_media_type_is_refused(live: Live, customer: str, media: str) -> None:
    headers = {"Content-Type": media, "If-Match": '"1"'}
    body = b'{"values": {"shop_name": "x"}}'
    assert_problem(live.as_("manager1").patch(f"/v1/customers/{customer}", content=body, headers=headers), 415)
    assert_problem(live.as_("partner1", "reporting").post("/v1/submissions", content=body, headers=headers), 400, 415)


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("size", [1_048_577, 10_000_000])
def test_a_large_body_is_refused(live: Live, customer: str, size: int) -> None:
    body = b'{"values": {"shop_name": "' + b"x" * size + b'"}}'
    headers = {"Content-Type": "application/json", "If-Match": '"1"'}
    assert_problem(live.as_("manager1").patch(f"/v1/customers/{customer}", content=body, headers=headers), 413)
    assert_problem(live.as_("manager1").patch(f"/v1/customers/{customer}", content=iter([body]), headers=headers), 413)
    headers = {"Content-Type": "application/json"}
    assert_problem(live.as_("dept").post("/v1/customers", content=body, headers=headers), 413)
    assert_problem(live.nobody("identity").post("/oauth/token", content=body), 413)


UGLY = [
    True,
    0,
    -1,
    2**31,
    2**63,
    2**64,
    -(2**63),
    1.5,
    1e308,
    -0.0,
    "",
    " ",
    "x" * 10_000,
    "\u202e\u200b",
    "💥" * 200,
    "ｅ１２",
    "１２３",
    "1e9",
    "-0",
    "0x10",
    "٣",
    "2026-02-30",
    "0000-00-00",
    "9999-12-31",
    "2026-10-01T00:00:00Z",
    "+86 139",
    [],
    {},
    [1],
    {"a": {"b": []}},
    "'; DROP TABLE customer; --",
    "{{7*7}}",
    "../../etc/passwd",
    "\ufeff",
    "\r\n",
    "null",
]


@pytest.mark.parametrize("value", UGLY, ids=[repr(each)[:20] for each in UGLY])
def test_no_item_of_the_dictionary_breaks_on_an_ugly_value(live: Live, customer: str, value: Any) -> None:
    dictionary = live.as_("dept").get("/v1/dictionary", params={"kind": "retail"}).json()["items"]
    codes = [each["code"] for each in dictionary]
    headers = {"If-Match": '"1"'}
    answer = live.as_("dept").patch(
        f"/v1/customers/{customer}", json={"values": dict.fromkeys(codes, value)}, headers=headers
    )
    named = {each["pointer"] for each in assert_problem(answer, 422)["errors"]}
    taken = [code for code in codes if f"/values/{code}" not in named]
    assert len(taken) < len(codes) / 2
    number = f"U-{uuid4().hex[:12]}"
    fine = {**FILE, **dict.fromkeys(taken, value), "customer_code": number}
    fine |= {code: FILE[code] for code in FILE if code in fine and not fine[code]}
    registered = live.as_("dept").post("/v1/customers", json={"kind": "retail", "unit": "west", "values": fine})
    assert registered.status_code == 201, registered.text
    shown = live.as_("dept").get(registered.headers["location"]).json()["values"]
    assert {code for code in taken if fine.get(code) is not None} <= set(shown) | {"customer_code"}


BAD_ETAGS = ["", "1", "*", 'W/"1"', '"0"', '"01"', '"-1"', '"x"', '"1", "2"', '"99999999999999999999"', '"１"', "\xff"]


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("etag", BAD_ETAGS)
def test_an_if_match_that_is_no_etag_of_ours_is_refused(live: Live, customer: str, etag: str) -> None:
    answer = live.as_("manager1").patch(
        f"/v1/customers/{customer}", json={"values": {"shop_name": "x"}}, headers=[("If-Match", etag.encode("utf-8"))]
    )
    assert_problem(answer, 422, 428)


@pytest.mark.usefixtures("unchanged")
def test_a_version_of_the_future_and_none_at_all_are_refused(live: Live, customer: str) -> None:
    address, body = f"/v1/customers/{customer}", {"values": {"shop_name": "x"}}
    assert_problem(live.as_("manager1").patch(address, json=body, headers={"If-Match": '"999999999"'}), 412)
    assert_problem(live.as_("manager1").patch(address, json=body), 428)


@pytest.mark.usefixtures("unchanged")
def test_doubled_headers_do_no_harm(live: Live, customer: str) -> None:
    doubled = [("If-Match", '"7"'), ("If-Match", '"8"'), ("Idempotency-Key", "a"), ("Idempotency-Key", "b")]
    doubled += [("Accept-Language", "zh"), ("Accept-Language", "en;q=x"), ("traceparent", "x"), ("traceparent", "y")]
    answer = live.as_("manager1").patch(
        f"/v1/customers/{customer}", json={"values": {"shop_name": "x"}}, headers=doubled
    )
    assert_problem(answer, 412, 422)


QUERIES = [
    ("customer", "dept", "/v1/customers"),
    ("customer", "dept", "/v1/customers/{customer}/history"),
    ("customer", "dept", "/v1/customers/{customer}/grades"),
    ("audit", "auditor", "/v1/entries"),
    ("reporting", "partner1", "/v1/submissions"),
    ("notify", "manager1", "/v1/inbox"),
    ("customer", "admin", "/v1/dead-letters"),
]
CURSORS = [
    "x",
    "",
    "%00",
    "W10",
    "bnVsbA",
    "WzFd",
    "WyJ4Il0",
    "W251bGxd",
    "WzEsMiwzXQ",
    "WzFlOTk5XQ",
    "=" * 400,
    "A" * 501,
    "[1]",
    "ÿ",
]
LIMITS = ["0", "-1", "201", "99999999999999999999", "1.5", "x", "", "1e1", "０"]


@pytest.mark.parametrize(("service", "who", "path"), QUERIES)
@pytest.mark.parametrize("cursor", CURSORS)
def test_a_cursor_that_is_none_is_refused(
    live: Live, customer: str, service: str, who: str, path: str, cursor: str
) -> None:
    answer = live.as_(who, service).get(path.format(customer=customer), params={"cursor": cursor})
    if answer.status_code == 200:  # a number is a cursor wherever a list is in order of numbers
        assert cursor == "WzFd" or not cursor
        return
    assert_problem(answer, 400, 422)


@pytest.mark.parametrize(("service", "who", "path"), QUERIES)
def test_a_foolish_limit_is_refused(live: Live, customer: str, service: str, who: str, path: str) -> None:
    for limit in LIMITS:
        answer = live.as_(who, service).get(path.format(customer=customer), params={"limit": limit})
        assert_problem(answer, 422, pointer="query:limit")


STRANGE = [
    "/v1/customers/..%2f..%2fetc%2fpasswd",
    "/v1/customers/%00",
    "/v1/customers/x",
    "/v1/customers/%ff",
    "//v1/customers//",
    "/v1/customers/",
    "/v1/customers/%2e%2e/%2e%2e",
    "/%c0%ae%c0%ae/etc/passwd",
    "/log/tile/../../etc/passwd",
    "/log/tile/entries/..%2f",
    "/log/tile/0/000.p/0",
    "/log/tile/0/000.p/257",
    "/log/tile/99/000",
    "/log/tile/0/x999/999",
    "/log/tile/-1/000",
    "/log/tile/0/" + "x123/" * 900 + "000",
    "/log/tile/0/%ef%bc%90%ef%bc%90%ef%bc%90",
    "/v1/entries/-1",
    "/v1/entries/x",
    "/v1/entries/99999999999999999999",
    "/v1/entries/9223372036854775807",
    "/v1/entries/0/proof?size=0",
    "/v1/entries/1/proof?size=1",
    "/v1/entries/0/proof?size=9223372036854775807",
    "/v1/consistency?from=0&to=1",
    "/v1/consistency?from=2&to=1",
    "/v1/consistency?from=1&to=9223372036854775807",
    "/v1/entries?from=yesterday",
    "/v1/entries?from=2026-13-01T00:00:00Z",
    "/v1/entries?from=2026-01-01T00:00:00",
    "/v1/entries?to=-1",
    "/v1/entries?order=up",
    "/v1/entries?subject=%00",
    "/v1/entries?actor=",
    "/v1/dictionary?kind=../retail",
    "/v1/dictionary",
    "/v1/reports/..%2f..%2fREADME",
    "/v1/reports/%2e%2e",
    "/v1/submissions/x",
    "/v1/inbox/x/read",
    "/.env",
    "/v1",
    "/",
]


@pytest.mark.parametrize("address", STRANGE, ids=[each[:40] for each in STRANGE])
def test_a_strange_address_is_a_problem_everywhere(live: Live, address: str) -> None:
    for service, who in (("customer", "gm"), ("audit", "auditor"), ("reporting", "reviewer"), ("notify", "gm")):
        client = live.as_(who, service)
        url = client.base_url.copy_with(raw_path=address.encode())
        for method in ("GET", "DELETE", "POST"):
            assert_problem(client.request(method, url), 400, 403, 404, 405, 422)


def test_hidden_methods_and_odd_ones_are_refused(live: Live) -> None:
    for method in ("TRACE", "PUT", "PROPFIND"):
        assert_problem(live.as_("dept").request(method, "/v1/customers"), 405)


@pytest.mark.usefixtures("unchanged")
def test_an_unknown_or_foreign_record_is_not_there(live: Live, customer: str) -> None:
    body, headers = {"values": {"shop_name": "x"}}, {"If-Match": '"1"'}
    nil, most = "00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"
    for who, address in (("manager1", str(uuid4())), ("manager1", nil), ("manager1", most), ("manager2", customer)):
        assert_problem(live.as_(who).get(f"/v1/customers/{address}"), 404)
        assert_problem(live.as_(who).patch(f"/v1/customers/{address}", json=body, headers=headers), 404)
    foreign = {"kind": "retail", "unit": "risk", "values": {**FILE, "customer_code": "B-1"}}
    assert_problem(live.as_("dept").post("/v1/customers", json=foreign), 403, pointer="/unit")
    filing = {"report": REPORT, "period": PERIOD, "org": "branch", "rows": []}
    assert_problem(live.as_("partner1", "reporting").post("/v1/submissions", json=filing), 403, pointer="/org")
