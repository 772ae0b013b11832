"""A partner's system files a report, as JSON and as CSV, and learns what is wrong with it."""

from typing import Any

import httpx
import pytest

from tests.factories.live import Live, until
from tests.factories.reporting import REPORT, csv_of, loan, loans

pytestmark = [pytest.mark.slow, pytest.mark.req("R4.1")]
ORG = "partner"


def file_json(live: Live, rows: list[dict[str, Any]], period: str, **query: Any) -> httpx.Response:
    body = {"report": REPORT, "period": period, "org": ORG, "rows": rows}
    return live.as_("partner1", "reporting").post("/v1/submissions", json=body, params=query)


def file_csv(live: Live, content: bytes, period: str) -> httpx.Response:
    form = {"report": REPORT, "period": period, "org": ORG}
    files = {"file": ("table.csv", content, "text/csv")}
    return live.as_("partner1", "reporting").post("/v1/submissions", data=form, files=files)


def audited(live: Live, submission: dict[str, Any]) -> dict[str, Any]:
    """The one entry of a submission."""
    (entry,) = until(lambda: live.entries(subject=f"submission/{submission['id']}", type="report.submitted"))
    found: dict[str, Any] = entry["data"]
    return found


def test_a_clean_report_is_accepted_and_audited(live: Live) -> None:
    answer = file_json(live, loans(3), "2025-01")
    assert answer.status_code == 201, answer.text
    submission = answer.json()
    assert (submission["state"], submission["verdict"], submission["findings"]) == ("filed", "accepted", [])
    assert answer.headers["location"] == f"/v1/submissions/{submission['id']}"
    assert live.as_("partner1", "reporting").get(answer.headers["location"]).json() == submission
    entry = audited(live, submission)
    assert (entry["verdict"], entry["rows"], entry["org"]) == ("accepted", 3, ORG)
    assert entry["content_sha256"] == submission["content_sha256"]
    assert "杭州虚构" not in str(entry)


@pytest.mark.parametrize(("encoding", "period"), [("utf-8-sig", "2025-02"), ("gb18030", "2025-03")])
def test_a_csv_file_with_faults_is_rejected_with_findings(live: Live, encoding: str, period: str) -> None:
    answer = file_csv(
        live, csv_of([loan(1), loan(2, amount="4999999.99"), loan(3, region_code="150203")], encoding), period
    )
    assert answer.status_code == 201, answer.text
    submission = answer.json()
    assert (submission["state"], submission["verdict"]) == ("refused", "rejected")
    found = {(each["rule"], each["row"], each["field"]) for each in submission["findings"]}
    assert found == {("large-enough", 2, "amount"), ("region-matches-place", 3, "region_code")}
    small = next(each for each in submission["findings"] if each["rule"] == "large-enough")
    assert small["seen"] == "4999999.99"
    assert all(small[name] for name in ("severity", "expected", "message"))
    assert audited(live, submission)["findings"] == submission["counts"]


def test_the_same_report_again_is_the_same_submission(live: Live) -> None:
    first, again = (file_json(live, loans(2), "2025-04") for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    audited(live, first.json())


def test_a_dry_run_tells_the_same_and_leaves_nothing(live: Live) -> None:
    rows = [loan(1, amount="1.00")]
    before = live.count("reporting", "submission")
    tried = file_json(live, rows, "2025-05", dry_run=True)
    assert (tried.status_code, tried.json()["state"], tried.json()["id"]) == (200, "checked", None)
    assert live.count("reporting", "submission") == before
    filed = file_json(live, rows, "2025-05")
    assert filed.json()["findings"] == tried.json()["findings"] != []


def test_a_partner_cannot_file_for_another_unit(live: Live) -> None:
    body = {"report": REPORT, "period": "2025-06", "org": "branch", "rows": loans(1)}
    answer = live.as_("partner1", "reporting").post("/v1/submissions", json=body)
    assert (answer.status_code, answer.json()["code"]) == (403, "org_out_of_reach")
    assert answer.headers["content-type"] == "application/problem+json"
