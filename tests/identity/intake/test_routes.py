"""Bulk import: all people of a file or none, all faults at once, the same code for a dry run."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from services.identity.intake import rules
from tests.factories.directory import TODAY, Directory, problem, running_directory
from tests.factories.workbooks import workbook

HEADER = "name,full_name,unit,first_day,title,roles"
PEOPLE = ("lin,林一（虚构）,north-1,2026-01-05,业务员,", "wu,吴二（虚构）,south-1,,,")
pytestmark = pytest.mark.req("R0.4")


async def send(
    directory: Directory, *rows: str, who: dict[str, str] | None = None, content: bytes | None = None,
    encoding: str = "utf-8", **query: Any,
) -> httpx.Response:  # fmt: skip
    body = content if content is not None else "\r\n".join([HEADER, *rows]).encode(encoding)
    return await directory.http.post(
        "/v1/staff-imports", params=query, files={"file": ("staff.csv", body)}, headers=who or await directory.root()
    )


def cells(answer: httpx.Response) -> list[tuple[int, str | None, str]]:
    problem(answer, 422, "import_refused")
    return [(cell["row"], cell["column"], cell["code"]) for cell in answer.json()["cells"]]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
async def test_people_of_a_csv_file_join(directory: Directory, encoding: str) -> None:
    answer = await send(directory, *PEOPLE, encoding=encoding)
    assert (answer.status_code, answer.json()) == (
        200, {"dry_run": False, "rows": 2, "joined": 2, "changed": 0, "unchanged": 0},
    )  # fmt: skip
    lin, wu = await directory.person("lin"), await directory.person("wu")
    assert (lin["full_name"], lin["first_day"], lin["posts"][0]["title"]) == ("林一（虚构）", "2026-01-05", "业务员")
    assert (wu["unit"], wu["first_day"], wu["state"]) == ("south-1", str(TODAY), "active")
    assert await directory.types("staff/lin") == ["staff.joined"]


async def test_a_workbook_is_as_good(directory: Directory) -> None:
    content = workbook(["登录名", "姓名", "机构"], ["lin", "林一（虚构）", "north-1"])
    assert (await send(directory, content=content)).json()["joined"] == 1


async def test_known_people_are_brought_in_line_and_the_same_file_again_changes_nothing(directory: Directory) -> None:
    rows = ("clerk,新名（虚构）,south-1,,组长,", "peer,peer（虚构）,north-1,,业务员,", "lin,林一（虚构）,hq,,,")
    answer = await send(directory, *rows)
    assert {key: answer.json()[key] for key in ("joined", "changed", "unchanged")} == {
        "joined": 1, "changed": 1, "unchanged": 1,
    }  # fmt: skip
    clerk = await directory.person("clerk")
    assert (clerk["full_name"], clerk["unit"], clerk["posts"][0]["title"]) == ("新名（虚构）", "south-1", "组长")
    assert await directory.types("staff/clerk") == ["staff.joined", "staff.changed", "staff.changed", "staff.moved"]
    assert (await send(directory, *rows)).json()["unchanged"] == 3


async def test_a_dry_run_tells_the_same_and_leaves_nothing(directory: Directory) -> None:
    before = await directory.identity.outbox()
    answer = await send(directory, *PEOPLE, dry_run=True)
    assert answer.json() == {"dry_run": True, "rows": 2, "joined": 2, "changed": 0, "unchanged": 0}
    assert await directory.identity.outbox() == before
    wrong = "lin,林一,nowhere,,,"
    assert (
        cells(await send(directory, wrong, dry_run=True))
        == cells(await send(directory, wrong))
        == [(2, "unit", "unknown")]
    )


async def test_one_wrong_row_keeps_all_out_and_all_faults_come_at_once(directory: Directory) -> None:
    before = await directory.identity.outbox()
    rows = (
        PEOPLE[0],
        "Wu Er,吴二,north-1,,,",
        "li,,north-1,30.02.2027,,",
        "he,何三,nowhere,,,",
        "=cmd,何四,north-1,,,",
        "lin,林二,north-1,,,",
        "clerk,新名,north-1,2030-01-01,,",
        "root,root（虚构）,south,,,",
    )
    assert cells(await send(directory, *rows)) == [
        (3, "name", "string_pattern_mismatch"),
        (4, "full_name", "missing"),
        (4, "first_day", "date_from_datetime_parsing"),
        (5, "unit", "unknown"),
        (6, "name", "formula"),
        (6, "name", "string_pattern_mismatch"),
        (7, "name", "repeated"),
        (8, "first_day", "started"),
        (9, None, "own_standing"),
    ]
    assert await directory.identity.outbox() == before
    answer = await send(directory, "he,何三,nowhere,,,")
    assert answer.json()["errors"] == [
        {"pointer": "/rows/2/unit", "code": "unknown", "seen": "nowhere", "expected": "the id of a unit"}
    ]
    assert answer.json()["cells"] == [
        {"row": 2, "column": "unit", "code": "unknown", "seen": "nowhere", "expected": "the id of a unit"}
    ]


@pytest.mark.req("R2.2")
async def test_roles_of_a_file_are_given_by_the_same_rules(directory: Directory) -> None:
    rows = ("lin,林一,north-1,,,report_entry; customer_manager", "wu,吴二,north-1,,,admin", "li,李三,north-1,,,emperor")
    assert cells(await send(directory, *rows)) == [
        (2, "roles", "above_clearance"), (4, "roles", "unknown"),
    ]  # fmt: skip
    branch = await directory.branch()
    good = "lin,林一,north-1,,,branch_admin； branch_clerk"
    sent = await send(directory, good, who=branch)
    assert (sent.status_code, sent.json().get("joined")) == (200, 1), sent.text
    assert [role["role"] for role in (await directory.person("lin"))["roles"]] == ["branch_admin", "branch_clerk"]
    assert (await send(directory, good, who=branch)).json()["unchanged"] == 1


@pytest.mark.req("R2.2")
async def test_an_import_reaches_no_further_than_its_sender(directory: Directory) -> None:
    branch = await directory.branch()
    rows = ("lin,林一,south-1,,,", "other,别人,north-1,,,", "clerk,clerk（虚构）,south-1,,,")
    assert cells(await send(directory, *rows, who=branch)) == [
        (2, "unit", "out_of_reach"), (3, None, "not_found"), (4, "unit", "out_of_reach"),
    ]  # fmt: skip
    guard = await directory.guard()
    problem(await send(directory, *PEOPLE, who=guard), 403, "not_allowed")
    problem(await send(directory, *PEOPLE, who={"Authorization": ""}), 401, "no_token")
    problem(await send(directory, *PEOPLE, who=await directory.root(signed_in_ago_s=3600)), 401, "sign_in_too_old")


async def test_what_is_no_file_of_people_is_refused(directory: Directory) -> None:
    root = await directory.root()
    problem(await directory.call(root, "POST", "/v1/staff-imports", {}), 415, "unsupported_media")
    form = await directory.http.post("/v1/staff-imports", files={"a": b"1", "b": b"2"}, headers=root)
    problem(form, 400, "no_file")
    text = await directory.http.post(
        "/v1/staff-imports", content=b"x", headers={**root, "Content-Type": "multipart/form-data; boundary=b"}
    )
    problem(text, 400, "no_file")
    for charset in ("undefined", "utf-7"):
        headers = {**root, "Content-Type": f"multipart/form-data; boundary=b; charset={charset}"}
        body = b'--b\r\nContent-Disposition: form-data; name="file"; filename="t.csv"\r\n\r\nx\r\n--b--\r\n'
        coded = await directory.http.post("/v1/staff-imports", content=body, headers=headers)
        problem(coded, 400, "bad_charset")
    problem(await send(directory, content=b""), 422, "no_rows")
    problem(await send(directory, content=b"\xff\xfea"), 400, "bad_encoding")
    problem(await send(directory, content=b'name,full_name,unit\n"a'), 400, "not_csv")
    problem(await send(directory, content=b"PK\x03\x04junk"), 400, "not_xlsx")
    assert cells(await send(directory, content=b"name,unit\na,b\n"))[0] == (1, "full_name", "missing_column")


async def test_a_cell_that_cannot_be_stored_is_refused_like_any_other_fault(directory: Directory) -> None:
    rows = ("lin,林一（虚构）,nor\0th,,,", "wu,吴二,nowhere,,,", "li,李三")
    assert cells(await send(directory, *rows)) == [
        (2, "unit", "unprintable"), (3, "unit", "unknown"), (4, None, "ragged_row"),
    ]  # fmt: skip


async def test_too_many_rows_are_refused(directory: Directory) -> None:
    many = [f"n{number},x,hq,,," for number in range(rules.MOST_ROWS + 1)]
    problem(await send(directory, *many), 413, "too_many_rows")


async def test_too_many_bytes_are_not_read(identity_dsn: str, tmp_path: Path) -> None:
    async with running_directory(identity_dsn, tmp_path, body_limit_bytes=2048) as directory:
        problem(await send(directory, content=b"a" * 4096), 413, "body_too_large")


async def test_the_template_has_every_column(directory: Directory) -> None:
    answer = await directory.call(await directory.root(), "GET", "/v1/staff-imports/template.csv")
    assert answer.content.decode("utf-8-sig") == f"{HEADER}\r\n"
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    filled = answer.content + "lin,林一（虚构）,hq,,,\r\n".encode()
    assert (await send(directory, content=filled)).json()["joined"] == 1
    clerk = await directory.token("clerk", "customer_manager", "north-1")
    problem(await directory.call(clerk, "GET", "/v1/staff-imports/template.csv"), 403, "not_allowed")


async def test_the_same_import_twice_by_its_key_is_one(directory: Directory) -> None:
    who = {**await directory.root(), "Idempotency-Key": "once"}
    answers = [await send(directory, *PEOPLE, who=who) for _ in range(2)]
    assert [answer.json()["joined"] for answer in answers] == [2, 2]
    assert len(await directory.events("staff/lin")) == 1
