"""Declared reports as partners read them."""

from pydantic import BaseModel

from shared.regime import Column, Due, Figure, Report, Rule, Secrecy, Text
from shared.regime.report import Period


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
    due: tuple[Due, ...]
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
        due=report.due,
        columns=report.columns,
        row_key=report.row_key,
        figures=report.figures,
        rules=report.rules,
    )
