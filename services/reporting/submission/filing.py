"""A filing on its way to a submission: what was sent, read and judged in one go. Pure; the judges run it.

What is wrong with the envelope (report, period, org) is refused; what is wrong with the table is found.
"""

import hashlib
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import lru_cache
from typing import Any, TypeGuard

from services.reporting.submission import errors, sheet
from services.reporting.submission.cell import Digits
from services.reporting.submission.finding import shown
from services.reporting.submission.period import FORMS, Span
from services.reporting.submission.rules import Judge, Judgement
from shared.errors import Fault
from shared.regime import Codelist, Ref, Regimes, Report
from shared.sheets import is_workbook

MEMBERS = ("report", "period", "org")
MOST_CHARACTERS = 64
JUDGES_KEPT = 64
QUICK = 1  # of zlib: a table of text shrinks to a fifth, in a third of the time of the default


class Media(StrEnum):
    """What a filing was sent as."""

    JSON = "json"
    CSV = "csv"
    XLSX = "xlsx"


@dataclass(frozen=True, slots=True)
class Filing:
    """A body as it was sent; `fields` are those of a form with a file, None for a JSON document."""

    content: bytes
    fields: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Examined:
    """A filing with its judgement, the last phase excepted."""

    report: str
    period: str
    prior_period: str
    org: str
    definition: Ref
    in_force_on: date
    media: Media
    sha256: bytes
    compressed: bytes
    judgement: Judgement


class Examiner:
    """Examines filings by the declared reports; keeps the judges that it has made."""

    def __init__(self, regimes: Regimes) -> None:
        self._regimes = regimes
        self.judge = lru_cache(maxsize=JUDGES_KEPT)(self._judge)

    def _judge(self, report_id: str, on: date) -> Judge:
        lists = {found.id: found.codes for found in self._regimes.all(Codelist, on=on)}
        return Judge(self._regimes.report(report_id, on=on), lists)

    def examine(self, filing: Filing, today: date) -> Examined:
        """Read and judge a filing. Raises: Malformed, TooLarge, Invalid (bad_envelope, with all faults)"""
        if not filing.content:
            raise errors.empty()
        document = sheet.parse_json(filing.content) if filing.fields is None else filing.fields
        faults = list(_member_faults(document, is_json=filing.fields is None))
        known = self._known(document, today, faults)
        placed = known and self._placed(known, document, today, faults)
        if faults or not placed:
            raise errors.bad_envelope(faults)
        report, span = placed
        if filing.fields is None:
            table, media = sheet.of_json(document["rows"], report.columns), Media.JSON
        else:
            table = sheet.of_file(filing.content, report.columns)
            media = Media.XLSX if is_workbook(filing.content) else Media.CSV
        return Examined(
            report=report.id,
            period=str(span),
            prior_period=str(span.before()),
            org=document["org"],
            definition=report.ref,
            in_force_on=span.last,
            media=media,
            sha256=hashlib.sha256(filing.content).digest(),
            compressed=zlib.compress(filing.content, QUICK),
            judgement=self.judge(report.id, span.last).judge(table),
        )

    def _known(self, document: Any, today: date, faults: list[Fault]) -> Report | None:
        """The report that an envelope names, as it is in force today."""
        name = document.get("report") if isinstance(document, Mapping) else None
        if not _is_name(name):
            return None
        report = self._regimes.find(Report, name, on=today)
        if report is None:
            faults.append(Fault("/report", "unknown_report", shown(name), "an id of GET /v1/reports"))
        return report

    def _placed(
        self, known: Report, document: Mapping[str, Any], today: date, faults: list[Fault]
    ) -> tuple[Report, Span] | None:
        """The period that an envelope names, and the text of the report that was in force when it ended."""
        period = document.get("period")
        if not _is_name(period):
            return None
        span = Span.parse(known.period, period)
        if span is None:
            faults.append(Fault("/period", "bad_period", shown(period), FORMS[known.period]))
            return None
        report = self._regimes.find(Report, known.id, on=span.last)
        if report is None:
            faults.append(Fault("/period", "report_not_in_force", period, f"from {known.effective_from} on"))
        if span.first > today:
            faults.append(Fault("/period", "period_not_begun", period, "a period that has begun"))
        return None if report is None else (report, span)


def _is_name(value: object) -> TypeGuard[str]:
    return isinstance(value, str) and not isinstance(value, Digits) and 0 < len(value) <= MOST_CHARACTERS


def _member_faults(document: Any, *, is_json: bool) -> Iterator[Fault]:
    if not isinstance(document, Mapping):
        yield Fault("", "wrong_type", shown(document), "an object with report, period, org and rows")
        return
    if isinstance(document, sheet.Repeated):
        yield Fault(f"/{shown(document.name)}", "repeated_member", shown(document.name), "each member once")
    known = {*MEMBERS, "rows"} if is_json else {*MEMBERS}
    for name in sorted(document.keys() - known):
        yield Fault(f"/{shown(name)}", "unknown_member", shown(name), ", ".join(sorted(known)))
    for name in MEMBERS:
        value = document.get(name)
        if value is None:
            yield Fault(f"/{name}", "missing", None, "text")
        elif not _is_name(value) or not value.isprintable():
            yield Fault(f"/{name}", "wrong_type", shown(value), f"text of 1 to {MOST_CHARACTERS} characters")
    if is_json and not isinstance(document.get("rows"), list):
        seen = None if document.get("rows") is None else shown(document["rows"])
        yield Fault("/rows", "missing" if seen is None else "wrong_type", seen, "an array of rows")
