"""Credit: on what terms customers buy now and pay later, and what is asked about them before. Read by customer (R7.5).

A bill falls due after as many days as were agreed, and never later than so many calendar months after the supply.
"""

from calendar import monthrange
from collections.abc import Iterator
from datetime import date, timedelta
from typing import ClassVar

from pydantic import Field

from shared.regime.approval import Approval
from shared.regime.codelist import Codelist, field_flaws
from shared.regime.definition import Definition, Flaw, Library, Secrecy, Shape, Slug, Snake, doubled
from shared.regime.field import ValueField
from shared.regime.role import FIELD_CLASSES


class Longest(Shape):
    """The longest term that is agreed to, in `days`; and the calendar `months` beyond which no bill runs anyway."""

    days: int = Field(ge=1, le=366)
    months: int = Field(ge=1, le=12)


class Question(ValueField):
    """What is asked about a customer before there is credit, and who may read the answer."""

    secrecy: Secrecy
    field_class: Snake


class CreditExample(Shape):
    """The last day on which what was `supplied` on a day may fall due by a term of `days`; none: no such term."""

    supplied: date
    days: int
    latest: date | None = None


class Credit(Definition):
    """`approval`: who agrees. `grace_days`: how long after its last day a bill is not overdue yet; `soon_days`: how far
    ahead a list of what is due soon looks. `secrecy`, `field_class`: of limits, amounts, reasons and reports."""

    kind_name: ClassVar[str] = "credit"

    approval: Slug
    longest: Longest
    grace_days: int = Field(ge=0, le=31)
    soon_days: int = Field(ge=0, le=31)
    secrecy: Secrecy
    field_class: Snake
    questions: tuple[Question, ...] = Field(min_length=1)
    examples: tuple[CreditExample, ...] = Field(min_length=2)

    def latest(self, supplied: date, days: int) -> date:
        """The last day on which what was supplied on a day may fall due, by a term of so many days."""
        return min(supplied + timedelta(days), _months_later(supplied, self.longest.months))

    def overdue_before(self, today: date) -> date:
        """Bills whose last day lies before this day are overdue."""
        return today - timedelta(self.grace_days)

    def flaws(self, library: Library) -> Iterator[Flaw]:
        """Yield an approval, lists and classes that are not there, questions asked twice, examples that do not come
        true."""
        on = self.effective_from
        if library.find(Approval, self.approval, on=on) is None:
            yield Flaw(("approval",), f"no approval {self.approval!r}", "see the approval folders")
        yield from doubled([each.code for each in self.questions], "questions", "code")
        listed = library.find(Codelist, FIELD_CLASSES, on=on)
        classes = listed.codes if listed is not None else {}
        for position, question in enumerate(self.questions):
            yield from field_flaws(question, ("questions", position), library, on=on)
        for field_class in sorted({self.field_class, *(each.field_class for each in self.questions)} - classes.keys()):
            yield Flaw(("field_class",), f"no field class {field_class!r}", f"see the code list {FIELD_CLASSES}")
        for position, example in enumerate(self.examples):
            is_possible = 0 < example.days <= self.longest.days
            found = self.latest(example.supplied, example.days) if is_possible else None
            if found != example.latest:
                yield Flaw(("examples", position), f"latest: {found or 'none'}", "mend the terms or the example")


def _months_later(day: date, months: int) -> date:
    """The same day so many months later, or the last of that month if it is shorter."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
