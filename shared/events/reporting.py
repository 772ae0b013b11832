"""Facts that the reporting service publishes."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from shared.events.envelope import Event, RegimeRef


class ReportSubmitted(Event):
    """A submission was received and has its verdict. Findings stay in reporting: they quote the data."""

    type: ClassVar[str] = "report.submitted"
    producers: ClassVar[tuple[str, ...]] = ("reporting",)

    submission_id: str
    report: RegimeRef
    period: str
    org: str
    version: int = Field(ge=1)
    verdict: str
    rows: int
    findings: dict[str, int]
    content_sha256: str
