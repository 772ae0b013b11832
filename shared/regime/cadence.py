"""Cadences: how often what a file says is looked through, and how soon a change has to be in it. Read by customer.

A review comes round once a period of the calendar: what was verified in one is due by the end of the next. A class of
items that is changed at once has no review; its changes are measured in working days since they were learnt of.
Requirements R1.2, R7.3, R7.4.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from enum import StrEnum
from typing import ClassVar, NamedTuple

from pydantic import Field

from shared.regime.calendar import Calendar
from shared.regime.codelist import Codelist
from shared.regime.definition import Definition, Flaw, Library, Secrecy, Shape, Slug, Snake
from shared.regime.role import FIELD_CLASSES


class Covers(StrEnum):
    """What a cadence is about: the items of a maintenance class, the file as a whole, or visits to the customer."""

    STATIC = "static"
    QUARTERLY = "quarterly"
    REALTIME = "realtime"
    FILE = "file"
    VISIT = "visit"


class Period(StrEnum):
    """Spans of the calendar."""

    MONTH = "month"
    QUARTER = "quarter"
    HALF_YEAR = "half_year"
    YEAR = "year"


_MONTHS = {Period.MONTH: 1, Period.QUARTER: 3, Period.HALF_YEAR: 6, Period.YEAR: 12}


class DayOff(StrEnum):
    """When a review is due whose last day is no working day."""

    STAYS = "stays"
    WORKING_DAY_BEFORE = "working_day_before"


class Window(NamedTuple):
    """The days on which a review is to be made, both included."""

    opens_on: date
    due_on: date


class Answers(Shape):
    """What customers answer when they are asked: who may read it, and within how many working days it is recorded."""

    secrecy: Secrecy
    field_class: Snake
    working_days: int = Field(ge=0, le=60)


class ReviewExample(Shape):
    """When what was verified on a day is to be verified next."""

    verified: date
    opens: date
    due: date


class ChangeExample(Shape):
    """How many working days lie between learning of a change and making it, and whether it is late."""

    learnt: date
    changed: date
    working_days: int
    late: bool


class Cadence(Definition):
    """`period` of a review, or the `working_days` within which a change is made.

    `kinds`: of customers, all unless said. `exempt`: while the item that serves as status says one of these, nothing is
    reviewed. `answers`: only where the file as a whole is verified.
    """

    kind_name: ClassVar[str] = "cadence"

    covers: Covers
    kinds: frozenset[Slug] = frozenset()
    calendar: Slug
    period: Period | None = None
    day_off: DayOff = DayOff.STAYS
    exempt: frozenset[Snake] = frozenset()
    working_days: int | None = Field(default=None, ge=0, le=60)
    answers: Answers | None = None
    examples: tuple[ReviewExample | ChangeExample, ...] = Field(min_length=2)

    def concerns(self, kind: str) -> bool:
        """Whether it is about customers of a kind."""
        return not self.kinds or kind in self.kinds

    def current(self, day: date, calendar: Calendar) -> Window:
        """The window of the period that a day lies in."""
        assert self.period is not None
        return self._window(_index(day) // _MONTHS[self.period], calendar)

    def following(self, verified: date, calendar: Calendar) -> Window:
        """The window in which what was verified on a day is to be verified next."""
        assert self.period is not None
        return self._window(_index(verified) // _MONTHS[self.period] + 1, calendar)

    def _window(self, number: int, calendar: Calendar) -> Window:
        assert self.period is not None
        months = _MONTHS[self.period]
        last = _first_of(months * (number + 1)) - timedelta(days=1)
        due = calendar.last_workday(last) if self.day_off is DayOff.WORKING_DAY_BEFORE else last
        return Window(_first_of(months * number), due)

    def is_late(self, working_days: int) -> bool:
        """Whether a change was made too many working days after it was learnt of."""
        return self.working_days is not None and working_days > self.working_days

    def flaws(self, library: Library) -> Iterator[Flaw]:
        """Yield cadences without their measure of time, what is not there, examples that do not come true."""
        on = self.effective_from
        is_review = self.covers is not Covers.REALTIME
        if (self.period is not None) is not is_review or (self.working_days is None) is not is_review:
            yield Flaw(("covers",), f"{self.covers} items", "realtime: working_days; all others: period")
        if (self.answers is not None) is not (self.covers is Covers.FILE):
            yield Flaw(("answers",), f"answers of {self.covers}", "say it for the file, and for nothing else")
        others = (each for each in library.all(Cadence, on=on) if each.covers is self.covers and each.id != self.id)
        for other in others:
            if not self.kinds or not other.kinds or self.kinds & other.kinds:
                yield Flaw(("covers",), f"{other.id} covers {self.covers} too", "give them different `kinds`")
        if self.answers is not None:
            classes = library.find(Codelist, FIELD_CLASSES, on=on)
            if classes is None or self.answers.field_class not in classes.codes:
                yield Flaw(("answers", "field_class"), f"no field class {self.answers.field_class!r}", "see the list")
        calendar = library.find(Calendar, self.calendar, on=on)
        if calendar is None:
            yield Flaw(("calendar",), f"no calendar {self.calendar!r}", "see the calendar folders")
        else:
            yield from self._untrue(calendar)

    def _untrue(self, calendar: Calendar) -> Iterator[Flaw]:
        for position, example in enumerate(self.examples):
            path = ("examples", position)
            if isinstance(example, ReviewExample):
                if self.period is None:
                    yield Flaw(path, "there is no review", "say learnt, changed, working_days, late")
                elif (found := self.following(example.verified, calendar)) != (example.opens, example.due):
                    yield Flaw(path, f"opens {found.opens_on}, due {found.due_on}", "mend the cadence or the example")
            elif self.working_days is None:
                yield Flaw(path, "there is no term", "say verified, opens, due")
            else:
                days = calendar.workdays(example.learnt, example.changed)
                if (days, self.is_late(days)) != (example.working_days, example.late):
                    yield Flaw(path, f"{days} working days", "mend the cadence or the example")


def _index(day: date) -> int:
    return day.year * 12 + day.month - 1


def _first_of(index: int) -> date:
    return date(index // 12, index % 12 + 1, 1)
