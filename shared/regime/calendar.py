"""Calendars: days off and made-up working days by year, with the notice that says so. Read by shared.workdays' callers.

A year without a notice yet is provisional: what is reckoned from it may move and has to say so.
"""

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from enum import StrEnum
from functools import cached_property
from typing import ClassVar

from pydantic import Field

from shared.regime.definition import Definition, Flaw, Library, Shape, Text


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

    @cached_property
    def days_off(self) -> frozenset[date]:
        """All holidays of all years."""
        return frozenset(day for year in self.years.values() for holiday in year.holidays for day in holiday.days())

    @cached_property
    def days_worked(self) -> frozenset[date]:
        """The weekend days that are worked."""
        return frozenset(day for year in self.years.values() for holiday in year.holidays for day in holiday.worked)

    def works(self, day: date) -> bool:
        """Tell whether `day` is a working day; a year that is not declared knows only weekends."""
        if day in self.days_worked:
            return True
        return day.weekday() not in self.weekend and day not in self.days_off

    def workdays(self, start: date, end: date) -> int:
        """Count the working days after `start`, up to and including `end`; 0 if it does not come later."""
        days = (start + timedelta(days=number) for number in range(1, (end - start).days + 1))
        return sum(map(self.works, days))

    def last_workday(self, day: date) -> date:
        """Return `day`, or the nearest working day before it."""
        while not self.works(day):
            day -= timedelta(days=1)
        return day

    def is_firm(self, year: int) -> bool:
        """Tell whether the notice for a year is out; without it, days of that year may still move."""
        return year in self.years and self.years[year].status is Status.FIRM

    def flaws(self, library: Library) -> Iterator[Flaw]:  # noqa: ARG002 - a calendar refers to nothing
        """Yield years without their notice, holidays that end before they begin, working days that are no weekend."""
        for number, year in self.years.items():
            path = ("years", str(number))
            if (year.status is Status.FIRM) is not (year.notice is not None):
                yield Flaw((*path, "status"), f"{year.status} {number}", "a firm year names its notice, others cannot")
            for position, holiday in enumerate(year.holidays):
                where = (*path, "holidays", position)
                if holiday.last < holiday.first:
                    yield Flaw((*where, "last"), f"{holiday.last} is before {holiday.first}", "put them in order")
                for day in holiday.worked:
                    if day.weekday() not in self.weekend or day in self.days_off:
                        yield Flaw((*where, "worked"), f"{day} is no weekend day to be worked", "see the notice")
