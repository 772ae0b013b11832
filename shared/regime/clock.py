"""Clocks: spans of time and counts that a measure sets, by name. Read by the service that keeps each of them.

A clock says how long and how many; what happens then is the service's business. Requirement R4.5.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import ClassVar

from pydantic import AwareDatetime, Field

from shared.regime.definition import Definition, Flaw, Library, Shape, Snake, Text


class Term(Shape):
    """A span of time, the sum of its parts."""

    title: Text
    days: int = Field(default=0, ge=0)
    hours: int = Field(default=0, ge=0)
    minutes: int = Field(default=0, ge=0)
    seconds: int = Field(default=0, ge=0)

    @property
    def span(self) -> timedelta:
        return timedelta(days=self.days, hours=self.hours, minutes=self.minutes, seconds=self.seconds)


class Count(Shape):
    """How many."""

    title: Text
    count: int = Field(ge=0)


class ClockExample(Shape):
    """When a term that begins at a moment is over."""

    term: Snake
    begins: AwareDatetime
    ends: AwareDatetime


class Clock(Definition):
    """Terms and counts by name."""

    kind_name: ClassVar[str] = "clock"

    terms: Mapping[Snake, Term] = Field(min_length=1)
    counts: Mapping[Snake, Count] = {}
    examples: tuple[ClockExample, ...] = Field(min_length=1)

    def term(self, name: str) -> timedelta:
        """The span called `name`. Raises: KeyError"""
        return self.terms[name].span

    def count(self, name: str) -> int:
        """The count called `name`. Raises: KeyError"""
        return self.counts[name].count

    def ends(self, name: str, begins: datetime) -> datetime:
        """The moment at which a term that begins at another is over."""
        return begins + self.term(name)

    def flaws(self, library: Library) -> Iterator[Flaw]:  # noqa: ARG002 - a clock refers to nothing outside
        """Yield terms of no length, and examples that do not come true."""
        for name, term in self.terms.items():
            if not term.span:
                yield Flaw(
                    ("terms", name), f"{name} is over as soon as it begins", "give days, hours, minutes, seconds"
                )
        for position, example in enumerate(self.examples):
            if example.term not in self.terms:
                yield Flaw(("examples", position, "term"), f"no term {example.term!r}", "name one of `terms`")
            elif self.ends(example.term, example.begins) != example.ends:
                ends = self.ends(example.term, example.begins).isoformat()
                yield Flaw(
                    ("examples", position, "ends"), f"{example.term} ends {ends}", "mend the term or the example"
                )
