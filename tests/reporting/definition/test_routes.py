"""What partners read about reports, and that a report is data alone."""

import shutil
from datetime import date
from pathlib import Path

import httpx
import orjson
import pytest

from services.reporting.submission.filing import Examiner, Filing
from shared.regime import load
from tests.factories.reporting import REGIMES, REPORT, RunningReporting, broken

NEW_REPORT = """
id: visits
title: {zh: 走访统计表, en: Statistics of visits}
requirement: R4.1
effective_from: 2025-01-01
owner: report_reviewer
period: quarter
secrecy: internal
calendar: cn
columns:
  - {code: place, label: {zh: 地点, en: Place}, definition: {zh: 走访地点, en: Where}, type: text, required: true}
  - {code: visits, label: {zh: 次数, en: Visits}, definition: {zh: 走访次数, en: How often}, type: integer}
row_key: [place]
rules:
  - id: often-enough
    phase: row
    severity: query
    field: visits
    expression: visits >= 3
    missing: fail
    expected: {zh: 至少三次, en: three or more}
    message: {zh: "{seen} 次，应{expected}", en: "{seen} visits; expected {expected}"}
    citation: R4.1
    examples:
      - {rows: [{visits: 3}], passes: true}
      - {rows: [{visits: 2}], passes: false}
examples:
  - row: {place: here}
  - row: {place: here, visits: many}
    faults: {visits: wrong_type}
"""


async def test_the_list_names_each_report_and_its_text(http: httpx.AsyncClient, partner: dict[str, str]) -> None:
    items = (await http.get("/v1/reports", headers=partner)).json()["items"]
    [found] = [item for item in items if item["id"] == REPORT]
    assert found["title"]["zh"] == "客户大额授信统计表"
    assert set(found["definition"]) == {"id", "version", "hash"}


@pytest.mark.req("R4.2")
async def test_a_report_shows_columns_rules_texts_and_due_times(
    http: httpx.AsyncClient, partner: dict[str, str]
) -> None:
    found = (await http.get(f"/v1/reports/{REPORT}", headers=partner)).json()
    assert [column["code"] for column in found["columns"]][:2] == ["loan_no", "customer_name"]
    assert all(rule["message"]["zh"] and rule["message"]["en"] for rule in found["rules"])
    assert [(due["working_days"], due["until"]) for due in found["due"]] == [(4, None), (5, "12:00"), (7, None)]


async def test_what_is_not_in_force_is_not_found(http: httpx.AsyncClient, partner: dict[str, str]) -> None:
    for path, query in ((REPORT, {"on": "2001-01-01"}), ("no-such", {})):
        answer = await http.get(f"/v1/reports/{path}", headers=partner, params=query)
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown_definition")


async def test_the_document_names_both_ways_to_file(http: httpx.AsyncClient, service: RunningReporting) -> None:
    document = (await http.get("/openapi.json")).json()
    operation = document["paths"]["/v1/submissions"]["post"]
    assert operation["operationId"] == "create_submission"
    assert set(operation["requestBody"]["content"]) == {"application/json", "multipart/form-data"}


@pytest.mark.req("R4.1")
def test_a_new_report_type_needs_no_line_of_python(tmp_path: Path) -> None:
    regimes = tmp_path / "regimes"
    shutil.copytree(REGIMES, regimes)
    (regimes / "bank-risk" / "report" / "visits.yaml").write_text(NEW_REPORT)
    rows = [{"place": "东", "visits": 3}, {"place": "西", "visits": 2}, {"place": "南"}]
    document = {"report": "visits", "period": "2026-Q3", "org": "unit-1", "rows": rows}
    examined = Examiner(load(regimes)).examine(Filing(orjson.dumps(document)), date(2026, 11, 24))
    assert broken(examined.judgement) == {"often-enough": [2, 3]}
