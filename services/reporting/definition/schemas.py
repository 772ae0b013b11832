"""Declared reports as partners read them."""

from pydantic import BaseModel

from shared.regime import Column, Due, Figure, Report, Rule, Secrecy, Text
from shared.regime.report import Period


class DueTime(BaseModel):
    """When a step is due: so many working days after the period ends, up to `until` (HH:MM, Chinese time) inclusive."""

    step: str
    title: Text
    working_days: int
    until: str | None


class ReportSummary(BaseModel):
    """A report type in force, and which text of it."""

    id: str
    title: Text
    definition: dict[str, str]
    period: Period
    secrecy: Secrecy


class ReportDefinition(ReportSummary):
    """All that a filer must know of a report: columns in order, rules with their texts, when it is due."""

    calendar: str
    due: list[DueTime]
    columns: tuple[Column, ...]
    row_key: tuple[str, ...]
    figures: tuple[Figure, ...]
    rules: tuple[Rule, ...]


def summary_of(report: Report) -> ReportSummary:
    """A report in a list."""
    return ReportSummary(
        id=report.id,
        title=report.title,
        definition=report.ref.as_json(),
        period=report.period,
        secrecy=report.secrecy,
    )


def definition_of(report: Report) -> ReportDefinition:
    """A report in full."""
    return ReportDefinition(
        **summary_of(report).model_dump(),
        calendar=report.calendar,
        due=[_due_time(due) for due in report.due],
        columns=report.columns,
        row_key=report.row_key,
        figures=report.figures,
        rules=report.rules,
    )


def _due_time(due: Due) -> DueTime:
    until = None if due.until is None else due.until.isoformat("minutes")
    return DueTime(step=due.step, title=due.title, working_days=due.working_days, until=until)
