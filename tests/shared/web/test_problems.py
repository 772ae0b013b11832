"""What is wrong is said in one shape, all at once, in the caller's language, and never with more than is theirs."""

import json

import pytest

from tests.shared.web.conftest import Site

THING = {"name": "cup", "amount": 3}
pytestmark = pytest.mark.req("R0.4")


async def test_all_faults_come_at_once_with_pointers(site: Site) -> None:
    body = {"name": "", "amount": "many", "tags": ["ok", 5], "colour": "red"}
    answer = await site.client.post("/v1/things", json=body, headers=site.bearer())
    problem = answer.json()
    assert answer.status_code == 422
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert problem["type"] == "urn:kehu:problem:invalid_request"
    assert problem["status"] == 422
    assert problem["instance"] == "/v1/things"
    assert {each["pointer"] for each in problem["errors"]} == {"/name", "/amount", "/tags/1", "/colour"}
    assert all(set(each) == {"pointer", "code", "seen", "expected"} for each in problem["errors"])


@pytest.mark.parametrize(
    ("accept", "language", "title"),
    [
        ("zh-CN,zh;q=0.9,en;q=0.5", "zh-CN", "请求内容有误"),
        ("en-GB", "en", "Invalid request"),
        ("zh;q=0.2,en;q=0.8", "en", "Invalid request"),
        ("fr", "en", "Invalid request"),
        ("zh;q=x", "en", "Invalid request"),
    ],
)
async def test_the_caller_chooses_the_language(site: Site, accept: str, language: str, title: str) -> None:
    headers = {**site.bearer(), "Accept-Language": accept}
    answer = await site.client.post("/v1/things", json={}, headers=headers)
    assert (answer.headers["Content-Language"], answer.json()["title"]) == (language, title)


@pytest.mark.parametrize("body", [b"{", b"", b"\xff\xfe", b'{"name": "\xed\xa0\x80"}', b'{"name": "\\ud800"}', b"NaN"])
async def test_a_body_that_is_not_json_is_malformed(site: Site, body: bytes) -> None:
    headers = {**site.bearer(), "Content-Type": "application/json"}
    answer = await site.client.post("/v1/things", content=body, headers=headers)
    assert answer.status_code in (400, 422)
    assert answer.json()["code"] in ("not_json", "invalid_request")
    assert await site.rows() == 0


async def test_a_body_that_is_not_called_json_is_told_what_to_be_called(site: Site) -> None:
    headers = {**site.bearer(), "Content-Type": "application/x-www-form-urlencoded"}
    answer = await site.client.post("/v1/things", content=json.dumps(THING), headers=headers)
    assert answer.status_code == 415
    fault = answer.json()["errors"][0]
    assert (fault["pointer"], fault["expected"]) == ("header:Content-Type", "application/json")
    assert await site.rows() == 0


@pytest.mark.parametrize("body", ['{"name": "a\\u0000b", "amount": 1}', '{"a\\u0000": 1}', '{"tags": [["\\u0000"]]}'])
async def test_a_nul_in_the_body_is_refused(site: Site, body: str) -> None:
    headers = {**site.bearer(), "Content-Type": "application/json"}
    answer = await site.client.post("/v1/things", content=body, headers=headers)
    assert answer.status_code == 400
    assert answer.json()["code"] == "nul_character"


async def test_a_backslash_before_u0000_is_no_nul(site: Site) -> None:
    body = json.dumps({"name": "a\\u0000b", "amount": 1})
    headers = {**site.bearer(), "Content-Type": "application/json"}
    answer = await site.client.post("/v1/things", content=body, headers=headers)
    assert answer.status_code == 201


@pytest.mark.parametrize("path", ["/v1/things?cursor=%00", "/v1/things/%00"])
async def test_a_nul_in_the_address_is_refused(site: Site, path: str) -> None:
    answer = await site.client.get(path, headers=site.bearer())
    assert answer.status_code == 400
    assert answer.json()["code"] == "nul_character"


async def test_a_large_body_is_refused_by_its_declared_length(site: Site) -> None:
    body = json.dumps({**THING, "tags": ["x" * 10_000_000]})
    answer = await site.client.post("/v1/things", content=body, headers=site.bearer())
    assert answer.status_code == 413
    assert answer.json()["code"] == "body_too_large"
    assert answer.json()["limit_bytes"] == 1_048_576


async def test_a_large_body_of_undeclared_length_is_refused_while_it_comes(site: Site) -> None:
    async def pieces():
        for _ in range(100):
            yield b"x" * 100_000

    answer = await site.client.post("/v1/things", content=pieces(), headers=site.bearer())
    assert answer.status_code == 413


@pytest.mark.parametrize(
    "cursor", ["x", "W10", "eyJhIjoxfQ", "WyJhIiwiYiJd", "WyJcdTAwMDAiLDFd", "WyJhIiwxODQ0Njc0NDA3MzcwOTU1MTYxNV0", "é"]
)
async def test_a_foreign_cursor_is_refused(site: Site, cursor: str) -> None:
    answer = await site.client.get("/v1/things", params={"cursor": cursor}, headers=site.bearer())
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "query:cursor"


@pytest.mark.parametrize("limit", ["0", "201", "9" * 400, "-1", "1e3", ""])
async def test_a_foolish_limit_is_refused(site: Site, limit: str) -> None:
    answer = await site.client.get("/v1/things", params={"limit": limit}, headers=site.bearer())
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "query:limit"


async def test_pages_follow_each_other_to_the_end(site: Site) -> None:
    for number in range(7):
        await site.client.post("/v1/things", json={"name": f"n{number}", "amount": 1}, headers=site.bearer())
    seen: list[str] = []
    cursor = None
    for _ in range(4):
        parameters = {"limit": 3, **({"cursor": cursor} if cursor else {})}
        page = (await site.client.get("/v1/things", params=parameters, headers=site.bearer())).json()
        seen += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == [f"n{number}" for number in range(7)]


async def test_an_unexpected_error_tells_nothing_but_that_it_happened(site: Site) -> None:
    answer = await site.client.get("/v1/broken", headers=site.bearer())
    assert answer.status_code == 500
    assert answer.json()["code"] == "internal_error"
    assert "4711" not in answer.text
    assert "张三" not in answer.text
    assert answer.headers["traceparent"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [("GET", "/v1/none", 404, "no_such_route"), ("PUT", "/v1/things", 405, "method_not_allowed")],
)
async def test_the_frameworks_own_refusals_have_the_same_shape(
    site: Site, method: str, path: str, status: int, code: str
) -> None:
    answer = await site.client.request(method, path, headers=site.bearer())
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["Content-Type"] == "application/problem+json"


async def test_who_may_not_is_told_so_and_the_refusal_is_an_event(site: Site) -> None:
    answer = await site.client.delete("/v1/things", headers=site.bearer())
    assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed")
    async with site.database.reading() as tx:
        value = json.loads(await tx.fetchval("SELECT value FROM outbox"))
    told = {"action": "thing.destroy", "code": "not_allowed", "method": "DELETE", "route": "/v1/things", "record": None}
    assert value == told


@pytest.mark.req("R2.2")
async def test_what_is_out_of_reach_and_what_is_not_there_are_one_and_both_are_recorded_by_their_ids(
    site: Site,
) -> None:
    answers = [
        await site.client.get(f"/v1/parcels/{each}", headers=site.bearer())
        for each in ("elsewhere", "nowhere", "19900000001", "张三", "a b")
    ]
    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(404, "not_found")}
    assert len({str({**answer.json(), "instance": ""}) for answer in answers}) == 1
    async with site.database.reading() as tx:
        told = [json.loads(row["value"]) for row in await tx.fetch("SELECT value FROM outbox ORDER BY id")]
    assert [each["record"] for each in told] == ["elsewhere", "nowhere", None, None, None], "no personal value"
    known = {"action": "thing.read", "code": "not_found", "method": "GET", "route": "/v1/parcels/{parcel}"}
    assert [{**each, "record": None} for each in told] == [{**known, "record": None}] * 5


async def test_without_a_token_everything_is_closed_and_nothing_is_recorded(site: Site) -> None:
    for method, path in (("GET", "/v1/things"), ("POST", "/v1/things"), ("GET", "/v1/dead-letters")):
        answer = await site.client.request(method, path)
        assert answer.status_code == 401, path
    assert await site.rows("outbox") == 0
