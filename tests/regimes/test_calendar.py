"""The declared working days agree with an independent source, day by day."""

from datetime import date, timedelta
from pathlib import Path

import holidays
import pytest

from shared.regime import load

CALENDAR = load(Path(__file__).parents[2] / "regimes").calendar("cn", on=date(2026, 11, 1))


@pytest.mark.req("R4.2")
@pytest.mark.parametrize("year", [2025, 2026])
def test_every_day_of_a_firm_year_is_worked_or_not_as_the_holidays_package_says(year: int) -> None:
    china = holidays.country_holidays("CN", years=year)
    days = [date(year, 1, 1) + timedelta(days=number) for number in range(365)]
    assert [day for day in days if CALENDAR.works(day) != china.is_working_day(day)] == []


@pytest.mark.req("R4.2")
def test_a_year_without_a_notice_is_not_firm() -> None:
    assert [year for year in range(2024, 2030) if CALENDAR.is_firm(year)] == [2025, 2026]
