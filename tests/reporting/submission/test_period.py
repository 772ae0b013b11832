"""Periods: spelling, days, and the one before."""

from datetime import date

import pytest

from services.reporting.submission.period import Span
from shared.regime.report import Period


@pytest.mark.parametrize(
    ("kind", "text", "first", "last", "before"),
    [
        (Period.MONTH, "2026-10", date(2026, 10, 1), date(2026, 10, 31), "2026-09"),
        (Period.MONTH, "2028-02", date(2028, 2, 1), date(2028, 2, 29), "2028-01"),
        (Period.MONTH, "2026-01", date(2026, 1, 1), date(2026, 1, 31), "2025-12"),
        (Period.QUARTER, "2026-Q1", date(2026, 1, 1), date(2026, 3, 31), "2025-Q4"),
        (Period.QUARTER, "2026-Q4", date(2026, 10, 1), date(2026, 12, 31), "2026-Q3"),
        (Period.YEAR, "2026", date(2026, 1, 1), date(2026, 12, 31), "2025"),
    ],
)
def test_a_period_has_days_and_one_before_it(kind: Period, text: str, first: date, last: date, before: str) -> None:
    span = Span.parse(kind, text)
    assert span is not None
    assert (str(span), span.first, span.last, str(span.before())) == (text, first, last, before)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (Period.MONTH, "2026-13"),
        (Period.MONTH, "2026-1"),
        (Period.MONTH, "2026-10 "),
        (Period.MONTH, "٢٠٢٦-10"),
        (Period.MONTH, "2026"),
        (Period.QUARTER, "2026-Q5"),
        (Period.YEAR, "0000"),
        (Period.YEAR, "9999"),
    ],
)
def test_other_spellings_name_no_period(kind: Period, text: str) -> None:
    assert Span.parse(kind, text) is None
