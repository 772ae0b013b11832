"""Which reports may be filed, and how: read by partners' programs and by people."""

from datetime import date
from typing import Annotated

from fastapi import Query

from services.reporting.definition.schemas import ReportDefinition, ReportSummary, definition_of, summary_of
from shared.auth import Principal, may
from shared.clock import day_of, now
from shared.regime import Regimes, Report
from shared.web import Page, Router, problem_responses

Reader = Annotated[Principal, may("report.read")]
On = Annotated[date | None, Query(description="a day; the definitions in force on it, today's by default")]


def build(regimes: Regimes) -> Router:
    """The routes of report types."""
    router = Router(prefix="/v1/reports", tags=["reports"])

    @router.get("", summary="Report types in force", responses=problem_responses(400, 422))
    async def list_reports(_who: Reader, on: On = None) -> Page[ReportSummary]:
        return Page(items=[summary_of(each) for each in regimes.all(Report, on=on or _today())], next_cursor=None)

    @router.get(
        "/{report_id}", summary="One report: columns, rules, due times", responses=problem_responses(400, 404, 422)
    )
    async def get_report(report_id: str, _who: Reader, on: On = None) -> ReportDefinition:
        return definition_of(regimes.report(report_id, on=on or _today()))

    return router


def _today() -> date:
    return day_of(now())
