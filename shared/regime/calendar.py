"""Calendars: days off and made-up working days by year, with the notice that says so. Read by shared.workdays' callers.

A year without a notice yet is provisional: what is reckoned from it may move and has to say so.
"""

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from enum import StrEnum
from typing import ClassVar

from pydantic import Field

from shared.regime.definition import Definition, Shape, Text


class Status(StrEnum):
    """Whether the notice for the year is out."""

    FIRM = "firm"
    PROVISIONAL = "provisional"


class Holiday(Shape):
    """Days off, both ends included, and the weekend days that are worked for them."""

    title: Text
    first: date
    last: date
    worked: tuple[date, ...] = ()

    def days(self) -> Iterator[date]:
        """Yield every day off."""
        for number in range((self.last - self.first).days + 1):
            yield self.first + timedelta(days=number)


class Year(Shape):
    """One year of holidays; `notice` names the document that fixes them."""

    status: Status
    notice: Text | None = None
    holidays: tuple[Holiday, ...]


class DayExample(Shape):
    """A day and whether people work on it."""

    day: date
    works: bool


class Calendar(Definition):
    """Which days are worked."""

    kind_name: ClassVar[str] = "calendar"

    weekend: tuple[int, ...] = Field(description="Days of the week that are off; Monday is 0")
    years: Mapping[int, Year] = Field(min_length=1)
    examples: tuple[DayExample, ...] = Field(min_length=2)

    def days_off(self) -> frozenset[date]:
        """Return all holidays of all years."""
        return frozenset(day for year in self.years.values() for holiday in year.holidays for day in holiday.days())

    def days_worked(self) -> frozenset[date]:
        """Return the weekend days that are worked."""
        return frozenset(day for year in self.years.values() for holiday in year.holidays for day in holiday.worked)

    def works(self, day: date) -> bool:
        """Tell whether `day` is a working day; a year that is not declared knows only weekends."""
        if day in self.days_worked():
            return True
        return day.weekday() not in self.weekend and day not in self.days_off()
