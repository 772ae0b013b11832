"""Submissions as callers see them: findings in one language, what is not theirs to read withheld."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field

from services.reporting.submission.record import Listed, View
from services.reporting.submission.wording import filled
from shared.web.pages import write_cursor


class Finding(BaseModel):
    """One thing that is wrong. `row` counts data rows from 1; null means the table as a whole."""

    rule: str
    phase: str
    severity: str
    row: int | None
    field: str | None
    key: dict[str, str] = Field(description="the row's own key, as filed")
    seen: str | None
    expected: str
    message: str
    withheld: bool = Field(False, description="your roles do not clear what was seen")


class RuleCount(BaseModel):
    """How often a rule was broken in a field: exactly, and how many of these are listed."""

    rule: str
    phase: str
    severity: str
    field: str | None
    count: int
    listed: int


class PhaseRun(BaseModel):
    """Whether a phase ran, and what it left out since earlier phases had refused it."""

    phase: str
    ran: bool
    why_not: str | None
    rows_left_out: int
    rules_not_run: list[str]


class Definition(BaseModel):
    """Which text of the declared report a verdict was made with."""

    id: str
    version: str
    hash: str


class Summary(BaseModel):
    """A submission without its findings. `id`, `version` and what follows from storing are null for a dry run."""

    id: UUID | None
    report: str
    period: str
    org: str
    version: int | None
    definition: Definition
    media: str
    content_sha256: str
    state: str = Field(description="filed (accepted), refused (rejected), checked (dry run)")
    verdict: str
    rows: int
    counts: dict[str, int] = Field(description="findings by severity")
    submitted_by: str | None
    submitted_at: datetime | None


class Submission(Summary):
    """A submission with its verdict; the first findings, and the cursor of GET .../findings for the rest."""

    phases: list[PhaseRun]
    rules: list[RuleCount]
    findings: list[Finding]
    next_cursor: str | None


def summary_members(row: Mapping[str, Any]) -> dict[str, Any]:
    """The members of a Summary from a row of the submission table."""
    return {
        "id": row["id"],
        "report": row["report"],
        "period": row["period"],
        "org": row["org"],
        "version": row["version"],
        "definition": row["definition"],
        "media": row["media"],
        "content_sha256": bytes(row["content_sha256"]).hex(),
        "state": row["state"],
        "verdict": row["verdict"],
        "rows": row["row_count"],
        "counts": row["counts"],
        "submitted_by": row["submitted_by"],
        "submitted_at": row["submitted_at"],
    }


def finding_of(group: Mapping[str, Any], listed: Listed, language: str) -> Finding:
    """A listed finding in a language ("zh" or "en")."""
    expected = group["expected"][language]
    seen = "***" if listed.withheld else listed.seen
    empty = "（空）" if language == "zh" else "(empty)"
    return Finding(
        rule=group["rule"],
        phase=group["stage"],
        severity=group["severity"],
        row=listed.row,
        field=group["field"],
        key=listed.key,
        seen=listed.seen,
        expected=expected,
        message=filled(group["message"][language], seen, expected, empty=empty),
        withheld=listed.withheld,
    )


def submission_of(view: View, language: str) -> Submission:
    """A submission with its first findings."""
    record = view.record
    return Submission(
        **summary_members(record),
        phases=[PhaseRun(phase=each.pop("stage"), **each) for each in map(dict, record["stages"])],
        rules=[RuleCount(phase=group["stage"], **_counted(group)) for group in record["groups"]],
        findings=[finding_of(record["groups"][listed.group], listed, language) for listed in view.listed],
        next_cursor=cursor_of(view),
    )


def cursor_of(view: View) -> str | None:
    """Where the findings go on after a page of them."""
    return None if view.next is None else write_cursor(view.next)


def _counted(group: Mapping[str, Any]) -> dict[str, Any]:
    return {name: group[name] for name in ("rule", "severity", "field", "count", "listed")}
