"""Filing over HTTP: what partners send, what they get, and that nobody reads what is not theirs."""

import asyncio
import hashlib
from typing import Any

import httpx
import pytest

from shared.db import Database
from shared.sheets import ENCODINGS
from tests.factories.reporting import (
    PERIOD,
    PRIOR,
    REPORT,
    RunningReporting,
    csv_of,
    file_json,
    file_upload,
    loan,
    loans,
    new_unit,
)

Headers = dict[str, str]


async def stored(database: Database, unit: str) -> int:
    async with database.reading() as tx:
        return int(await tx.fetchval("SELECT count(*) FROM submission WHERE org = $1", unit))


def problem(answer: httpx.Response, status: int, code: str) -> list[tuple[str, str]]:
    """Pointers and codes of a refusal."""
    body = answer.json()
    assert (answer.status_code, body["code"]) == (status, code), body
    assert answer.headers["content-type"] == "application/problem+json"
    return [(fault["pointer"], fault["code"]) for fault in body["errors"]]


@pytest.mark.req("R0.4")
@pytest.mark.req("R4.1")
async def test_a_partner_files_json_and_reads_the_verdict(http: httpx.AsyncClient, partner: Headers, unit: str) -> None:
    answer = await file_json(http, partner, unit, [*loans(2), loan(3, amount="4999999.99")])
    body = answer.json()
    assert answer.status_code == 201
    assert answer.headers["location"] == f"/v1/submissions/{body['id']}"
    assert (body["state"], body["verdict"], body["rows"], body["version"]) == ("refused", "rejected", 3, 1)
    assert body["counts"] == {"reject": 0, "error": 1, "query": 0, "notice": 0}
    [finding] = body["findings"]
    assert {name: finding[name] for name in ("rule", "severity", "row", "field", "seen")} == {
        "rule": "large-enough",
        "severity": "error",
        "row": 3,
        "field": "amount",
        "seen": "4999999.99",
    }
    assert finding["key"] == {"loan_no": "L-2026-000003"}
    again = await http.get(answer.headers["location"], headers=partner)
    assert (again.status_code, again.json()) == (200, body)


async def test_messages_come_in_the_readers_language(http: httpx.AsyncClient, partner: Headers, unit: str) -> None:
    answer = await file_json(http, partner | {"Accept-Language": "zh-CN"}, unit, [loan(1, amount="5e6")])
    [finding] = answer.json()["findings"]
    assert answer.headers["content-language"] == "zh-CN"
    assert finding["message"] == "贷款金额：5e6 类型不符，应为十进制数，不用千分位或科学计数法。"
    english = (await http.get(answer.headers["location"], headers=partner)).json()["findings"][0]
    assert english["message"].startswith("Loan amount: 5e6 cannot be read")


@pytest.mark.req("R4.1")
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
async def test_a_csv_file_is_read_in_either_encoding(
    http: httpx.AsyncClient, partner: Headers, unit: str, encoding: str
) -> None:
    content = csv_of(loans(3), encoding, {"customer_name": "客户名称", "amount": "Loan amount"})
    body = (await file_upload(http, partner, unit, content)).json()
    assert (body["verdict"], body["media"], body["rows"], body["findings"]) == ("accepted", "csv", 3, [])
    assert body["content_sha256"] == hashlib.sha256(content).hexdigest()


async def test_numbers_of_json_keep_their_digits(http: httpx.AsyncClient, partner: Headers, unit: str) -> None:
    answer = await http.post(
        "/v1/submissions?dry_run=true",
        content=f'{{"report": "{REPORT}", "period": "{PERIOD}", "org": "{unit}", "rows": [{{"amount": 1e400}},'
        '{"amount": 123456789012345678.91, "loan_no": 1234567}, {"amount": -0.0}, {"amount": 5000000.10}]}',
        headers=partner | {"Content-Type": "application/json"},
    )
    seen = {(each["rule"], each["row"], each["seen"]) for each in answer.json()["findings"]}
    assert ("cell.wrong_type", 1, "1e400") in seen
    assert ("cell.wrong_type", 2, "1234567") in seen
    assert ("cell.negative_zero", 3, "-0.0") in seen
    assert not [each for each in answer.json()["findings"] if each["field"] == "amount" and each["row"] in {2, 4}]


async def test_a_dry_run_says_the_same_and_stores_nothing(
    http: httpx.AsyncClient, partner: Headers, unit: str, database: Database
) -> None:
    rows = [loan(1), loan(2, amount="x"), loan(1)]
    tried = await file_json(http, partner, unit, rows, dry_run="true")
    assert (tried.status_code, tried.json()["state"], tried.json()["id"]) == (200, "checked", None)
    assert "location" not in tried.headers
    assert await stored(database, unit) == 0
    filed = (await file_json(http, partner, unit, rows)).json()
    told = set(filed) - {"id", "version", "state", "submitted_by", "submitted_at"}
    assert {name: tried.json()[name] for name in told} == {name: filed[name] for name in told}


@pytest.mark.req("R0.4")
async def test_the_same_content_again_is_the_same_submission_and_another_one_the_next_version(
    http: httpx.AsyncClient, partner: Headers, unit: str
) -> None:
    first = await file_json(http, partner, unit, loans(1))
    again = await file_json(http, partner, unit, loans(1))
    other = await file_json(http, partner, unit, loans(2))
    assert [each.status_code for each in (first, again, other)] == [201, 200, 201]
    assert again.json() == first.json()
    assert again.headers["location"] == first.headers["location"]
    assert [first.json()["version"], other.json()["version"]] == [1, 2]


@pytest.mark.req("R0.4")
async def test_equal_posts_at_once_make_one_submission_and_one_event(
    http: httpx.AsyncClient, partner: Headers, unit: str, database: Database
) -> None:
    answers = await asyncio.gather(*(file_json(http, partner, unit, loans(2)) for _ in range(6)))
    assert sorted(each.status_code for each in answers) == [200] * 5 + [201]
    assert len({each.json()["id"] for each in answers}) == 1
    async with database.reading() as tx:
        key = answers[0].json()["id"].encode()
        assert await tx.fetchval("SELECT count(*) FROM outbox WHERE key = $1", key) == 1


async def test_different_posts_at_once_get_versions_without_a_gap(
    http: httpx.AsyncClient, partner: Headers, unit: str
) -> None:
    answers = await asyncio.gather(*(file_json(http, partner, unit, loans(number)) for number in range(1, 6)))
    assert sorted(each.json()["version"] for each in answers) == [1, 2, 3, 4, 5]


async def test_an_idempotency_key_repeats_the_answer(http: httpx.AsyncClient, partner: Headers, unit: str) -> None:
    keyed = partner | {"Idempotency-Key": f"key-{unit}"}
    first = await file_json(http, keyed, unit, loans(1))
    again = await file_json(http, keyed, unit, loans(1))
    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["idempotency-replayed"] == "true"
    problem(await file_json(http, keyed, unit, loans(2)), 422, "key_reused")


@pytest.mark.req("R4.1")
async def test_a_rejected_file_is_never_what_the_next_period_is_compared_with(
    http: httpx.AsyncClient, partner: Headers, unit: str
) -> None:
    accepted = await file_json(http, partner, unit, loans(20), period=PRIOR)
    rejected = await file_json(http, partner, unit, [*loans(50), loan(51, amount="1")], period=PRIOR)
    assert [each.json()["verdict"] for each in (accepted, rejected)] == ["accepted", "rejected"]
    filed = (await file_json(http, partner, unit, loans(21))).json()
    assert filed["verdict"] == "accepted"
    moved = (await file_json(http, partner, unit, loans(50))).json()
    assert (moved["verdict"], moved["state"]) == ("accepted_with_queries", "filed")
    assert [(each["rule"], each["row"], each["seen"]) for each in moved["findings"]] == [
        ("large-customers-moved", None, "20 → 50")
    ]


@pytest.mark.parametrize(
    ("content", "code", "fault"),
    [
        (b"", "empty_submission", "empty"),
        ("loan_no,客户\n".encode() + b"A\xff\xfe\xe4", "bad_encoding", "bad_encoding"),
        ("客户名称,贷款\n虚构实业,".encode() + b"\xb4\n", "bad_encoding", "bad_encoding"),
        ("loan_no\nA".encode("utf-16"), "bad_encoding", "bad_encoding"),
        (b'loan_no\n"A', "not_csv", "not_csv"),
        (b"PK\x03\x04 no workbook", "not_xlsx", "not_xlsx"),
    ],
)
async def test_a_file_that_cannot_be_read_is_refused(
    http: httpx.AsyncClient, partner: Headers, unit: str, content: bytes, code: str, fault: str, database: Database
) -> None:
    answer = await file_upload(http, partner, unit, content)
    assert [each for _, each in problem(answer, 400, code)] == [fault]
    if code == "bad_encoding":
        assert answer.json()["errors"][0]["expected"] == ENCODINGS
    assert await stored(database, unit) == 0


@pytest.mark.parametrize(
    ("content", "rules"),
    [
        (csv_of([loan(1), loan(2)]) + b"a,b\n", {"envelope.ragged_row": 3}),
        (csv_of([loan(1, nickname="x")]), {"envelope.unknown_column": None}),
        (csv_of([loan(1)], header={"syndicated": "defaulted"}), {"envelope.repeated_column": None}),
        (csv_of([loan(1, amount=None)]), {"envelope.missing_column": None}),
        (csv_of([loan(1)]).splitlines()[0], {"envelope.no_rows": None}),
    ],
)
async def test_a_table_of_another_shape_is_rejected_with_the_place(
    http: httpx.AsyncClient, partner: Headers, unit: str, content: bytes, rules: dict[str, int | None]
) -> None:
    body = (await file_upload(http, partner, unit, content)).json()
    found = {each["rule"]: each["row"] for each in body["findings"]}
    assert found.items() >= rules.items()
    assert body["verdict"] == "rejected"
    assert body["counts"]["reject"] >= 1


async def test_rows_of_json_that_are_no_rows_are_found(http: httpx.AsyncClient, partner: Headers, unit: str) -> None:
    answer = await http.post(
        "/v1/submissions?dry_run=true",
        content=f'{{"report": "{REPORT}", "period": "{PERIOD}", "org": "{unit}",'
        '"rows": [[], {"loan_no": "L-1", "loan_no": "L-2"}, {"colour": "red"}]}',
        headers=partner | {"Content-Type": "application/json"},
    )
    found = {each["rule"]: each["row"] for each in answer.json()["findings"] if each["phase"] == "envelope"}
    assert found == {"envelope.no_object": 1, "envelope.repeated_member": 2, "envelope.unknown_column": 3}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "empty_submission"),
        (b"{", "not_json"),
        (b"\xff\xfe", "not_json"),
        (b'{"rows": [NaN]}', "not_json"),
        (b"[" * 100_000, "not_json"),
    ],
)
async def test_a_body_that_is_not_json_is_refused(
    http: httpx.AsyncClient, partner: Headers, body: bytes, code: str
) -> None:
    answer = await http.post("/v1/submissions", content=body, headers=partner | {"Content-Type": "application/json"})
    problem(answer, 400, code)


@pytest.mark.parametrize(
    ("changed", "faults"),
    [
        ({"report": "no-such"}, [("/report", "unknown_report")]),
        ({"report": None, "org": None}, [("/report", "missing"), ("/org", "missing")]),
        ({"period": "2026-13"}, [("/period", "bad_period")]),
        ({"period": "2026/10"}, [("/period", "bad_period")]),
        ({"period": "２０２６-10"}, [("/period", "bad_period")]),
        ({"period": "2999-01"}, [("/period", "period_not_begun")]),
        ({"period": "2001-01"}, [("/period", "report_not_in_force")]),
        ({"period": 202610, "rows": "x"}, [("/period", "wrong_type"), ("/rows", "wrong_type")]),
        ({"org": "x" * 65}, [("/org", "wrong_type")]),
        ({"org": "\ud800"}, [("/org", "wrong_type")]),
        ({"rows": None, "colour": 1}, [("/colour", "unknown_member"), ("/rows", "missing")]),
    ],
)
async def test_all_faults_of_the_envelope_are_told_at_once(
    http: httpx.AsyncClient, partner: Headers, unit: str, changed: dict[str, Any], faults: list[tuple[str, str]]
) -> None:
    body = {"report": REPORT, "period": PERIOD, "org": unit, "rows": [], **changed}
    assert problem(await post_raw(http, partner, body), 422, "bad_envelope") == faults


async def post_raw(http: httpx.AsyncClient, headers: Headers, body: dict[str, Any]) -> httpx.Response:
    import json  # httpx would not encode a lone surrogate

    content = json.dumps(body).encode()
    return await http.post("/v1/submissions", content=content, headers=headers | {"Content-Type": "application/json"})


async def test_other_media_and_broken_forms_are_refused(http: httpx.AsyncClient, partner: Headers) -> None:
    text = await http.post("/v1/submissions", content=b"x", headers=partner | {"Content-Type": "text/plain"})
    problem(text, 415, "unsupported_media")
    form = partner | {"Content-Type": "multipart/form-data"}
    problem(await http.post("/v1/submissions", content=b"x", headers=form), 400, "not_multipart")
    cut = partner | {"Content-Type": "multipart/form-data; boundary=b"}
    answer = await http.post("/v1/submissions", content=b"--b\r\nbroken", headers=cut)
    assert 400 <= answer.status_code < 500
    for charset in ("undefined", "utf-7"):
        body = b'--b\r\nContent-Disposition: form-data; name="report"\r\n\r\n+2AA-\r\n--b--\r\n'
        coded = partner | {"Content-Type": f"multipart/form-data; boundary=b; charset={charset}"}
        problem(await http.post("/v1/submissions", content=body, headers=coded), 400, "bad_charset")


async def test_a_form_names_its_report_period_and_org(http: httpx.AsyncClient, partner: Headers, unit: str) -> None:
    files = {"file": ("t.csv", csv_of(loans(1)))}
    answer = await http.post("/v1/submissions", data={"org": unit, "colour": "red"}, files=files, headers=partner)
    faults = [("/colour", "unknown_member"), ("/report", "missing"), ("/period", "missing")]
    assert problem(answer, 422, "bad_envelope") == faults


@pytest.mark.req("R0.4")
async def test_nobody_files_or_reads_for_a_unit_out_of_reach(
    http: httpx.AsyncClient, service: RunningReporting, partner: Headers, unit: str, database: Database
) -> None:
    foreign = await file_json(http, partner, new_unit(), loans(1))
    assert problem(foreign, 403, "org_out_of_reach") == [("/org", "out_of_reach")]
    mine = (await file_json(http, partner, unit, [loan(1, amount="1")])).json()
    other = service.partner(new_unit())
    for path in ("", "/findings"):
        problem(await http.get(f"/v1/submissions/{mine['id']}{path}", headers=other), 404, "not_found")
    assert (await http.get("/v1/submissions", headers=other)).json()["items"] == []
    assert (await http.get("/v1/submissions", headers=other, params={"org": unit})).json()["items"] == []
    read = await http.get(f"/v1/submissions/{mine['id']}", headers=service.reviewer())
    assert read.json()["findings"] == mine["findings"]
    async with database.reading() as tx:
        refused = await tx.fetch("SELECT value FROM outbox WHERE key = $1", b"partner1")
        assert any(b"org_out_of_reach" in row["value"] for row in refused)
        assert any(b"not_found" in row["value"] and mine["id"].encode() in row["value"] for row in refused)
        reads = await tx.fetch("SELECT value FROM outbox WHERE key = $1 ORDER BY id", mine["id"].encode())
    assert [b'"level":"confidential"' in row["value"] for row in reads] == [False, True]


async def test_without_a_role_that_may_nothing_is_read_or_filed(
    http: httpx.AsyncClient, service: RunningReporting
) -> None:
    problem(await http.post("/v1/submissions", json={}), 401, "no_token")
    auditor = service.issuer.bearer("auditor", ["auditor"])
    problem(await http.post("/v1/submissions", json={}, headers=auditor), 403, "not_allowed")
    problem(await http.get("/v1/reports", headers=auditor), 403, "not_allowed")


async def test_findings_come_in_pages_of_one_rule_or_all(http: httpx.AsyncClient, partner: Headers, unit: str) -> None:
    rows = [*loans(230, amount="1"), *loans(30, amount="x")]
    body = (await file_json(http, partner, unit, rows)).json()
    address = f"/v1/submissions/{body['id']}/findings"
    everything: list[dict[str, Any]] = []
    query: dict[str, Any] = {"limit": 90}
    while True:
        page = (await http.get(address, headers=partner, params=query)).json()
        everything += page["items"]
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]
    assert len(everything) == sum(rule["listed"] for rule in body["rules"])
    assert everything[:200] == body["findings"]
    rest = (await http.get(address, headers=partner, params={"cursor": body["next_cursor"]})).json()
    assert rest["items"][0] == everything[200]
    some = (await http.get(address, headers=partner, params={"rule": "loan-once", "limit": 10})).json()
    assert some["items"] == [each for each in everything if each["rule"] == "loan-once"][:10]
    problem(await http.get(address, headers=partner, params={"rule": "nonesuch"}), 422, "no_such_rule")
    problem(await http.get(address, headers=partner, params={"cursor": "x"}), 422, "bad_cursor")


async def test_the_list_is_newest_first_filtered_and_paged(
    http: httpx.AsyncClient, partner: Headers, unit: str
) -> None:
    for number in (1, 2, 3):
        await file_json(http, partner, unit, loans(number))
    await file_json(http, partner, unit, [loan(1, amount="1")])
    first = (await http.get("/v1/submissions", headers=partner, params={"limit": 3})).json()
    rest = (await http.get("/v1/submissions", headers=partner, params={"cursor": first["next_cursor"]})).json()
    assert [each["version"] for each in [*first["items"], *rest["items"]]] == [4, 3, 2, 1]
    assert rest["next_cursor"] is None
    accepted = (await http.get("/v1/submissions", headers=partner, params={"verdict": "accepted"})).json()
    assert [each["version"] for each in accepted["items"]] == [3, 2, 1]
    problem(await http.get("/v1/submissions", headers=partner, params={"cursor": "MQ"}), 422, "bad_cursor")
