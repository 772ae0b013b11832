"""Report types: columns, validations and due times of a table that somebody files. Judged by reporting (R4.1, R4.2)."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import time
from enum import StrEnum
from typing import ClassVar

from pydantic import Field

from shared.expressions import Schema, Type
from shared.regime.calendar import Calendar
from shared.regime.codelist import field_flaws, known_lists
from shared.regime.definition import (
    Definition,
    Flaw,
    Json,
    Library,
    Path,
    Secrecy,
    Sentence,
    Shape,
    Slug,
    Snake,
    Text,
    doubled,
)
from shared.regime.field import NUMERIC, ValueField
from shared.regime.message import slot_flaws
from shared.regime.vocabulary import expression_flaws, types_of


class Severity(StrEnum):
    """What a finding means: cannot be read, blocks, needs an explanation, is only said."""

    REJECT = "reject"
    ERROR = "error"
    QUERY = "query"
    NOTICE = "notice"


class Phase(StrEnum):
    """When a rule runs; a phase runs only on what the phases before it let through."""

    CELL = "cell"
    ROW = "row"
    TABLE = "table"
    PRIOR_PERIOD = "prior_period"


class MissingFact(StrEnum):
    """What a rule says when a value that it needs is missing and the answer is therefore unknown."""

    PASS = "pass"  # noqa: S105 - a verdict, not a credential
    FAIL = "fail"


class Column(ValueField):
    """One column of the table."""

    definition: Text
    secrecy: Secrecy = Secrecy.CONFIDENTIAL


class Gathering(StrEnum):
    """How rows become a figure: how many, how many different values of a column, or the sum of a column."""

    COUNT = "count"
    DISTINCT = "distinct"
    SUM = "sum"


class Figure(Shape):
    """A figure of the whole table, kept with the submission for the next period to compare with.

    Rules of a period call it `total.<code>`, and `prior(total.<code>)` its value a period ago. `of` is the column that
    distinct and sum look at; `where` leaves out rows for which it does not hold.
    """

    code: Snake
    label: Text
    gather: Gathering
    of: Snake | None = None
    where: Sentence | None = None


class RuleExample(Shape):
    """What a rule is asked about, and whether it lets it pass: rows, or figures now and a period ago.

    Cells that are not named are empty. With several rows, to pass means that every one of them does.
    """

    rows: tuple[Mapping[Snake, Json], ...] = ()
    figures: Mapping[Snake, Json] = {}
    prior: Mapping[Snake, Json] = {}
    passes: bool


class Rule(Shape):
    """A validation: `expression` must hold wherever `when` does. `field` is what a finding points at.

    Rules of cell, row and table are asked for each row (table rules may look at all of them), rules of a period once,
    about the figures. Messages may use the slots {seen} and {expected}; `expected` fills the latter.
    """

    id: Slug
    phase: Phase
    severity: Severity
    field: Snake | None = None
    when: Sentence | None = None
    expression: Sentence
    missing: MissingFact
    expected: Text
    message: Text
    citation: Sentence
    examples: tuple[RuleExample, ...] = Field(min_length=2)


class Due(Shape):
    """When a step of the report's way is due: so many working days after the period ends, up to `until` inclusive."""

    step: Slug
    title: Text
    working_days: int = Field(ge=0, le=60)
    until: time | None = None


class Period(StrEnum):
    """The period that one submission covers."""

    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


class CellsExample(Shape):
    """A row as filed, and the fault code that each refused cell gets."""

    row: Mapping[Snake, Json]
    faults: Mapping[Snake, Snake] = {}


class Report(Definition):
    """A report type."""

    kind_name: ClassVar[str] = "report"

    period: Period
    secrecy: Secrecy
    calendar: Slug
    due: tuple[Due, ...] = ()
    columns: tuple[Column, ...] = Field(min_length=1)
    row_key: tuple[Snake, ...] = Field(min_length=1, description="Columns that tell rows apart")
    figures: tuple[Figure, ...] = ()
    rules: tuple[Rule, ...] = ()
    examples: tuple[CellsExample, ...] = Field(min_length=2)

    def schema_of(self, phase: Phase, lists: frozenset[str]) -> Schema:
        """Return what the rules of a phase may name: columns, also the table, at last the figures of two periods."""
        if phase is Phase.PRIOR_PERIOD:
            return Schema(self._figure_types(), lists, prior=True)
        return Schema(types_of(self.columns), lists, tables=phase is Phase.TABLE)

    def _figure_types(self) -> dict[str, Type]:
        columns = types_of(self.columns)
        return {
            f"total.{figure.code}": columns[figure.of]
            if figure.gather is Gathering.SUM and figure.of in columns
            else Type.NUMBER
            for figure in self.figures
        }

    def flaws(self, library: Library) -> Iterator[Flaw]:
        """Yield references that lead nowhere, names used twice, and expressions that do not hold."""
        on = self.effective_from
        if library.find(Calendar, self.calendar, on=on) is None:
            yield Flaw(("calendar",), f"no calendar {self.calendar!r}", "see the calendar folders")
        yield from self._doubles()
        for position, column in enumerate(self.columns):
            yield from field_flaws(column, ("columns", position), library, on=on)
        codes = {column.code for column in self.columns}
        for position, code in enumerate(self.row_key):
            if code not in codes:
                yield Flaw(("row_key", position), f"no column {code!r}", "name a column")
        lists = known_lists(library, on=on)
        for position, figure in enumerate(self.figures):
            yield from self._figure_flaws(figure, ("figures", position), lists)
        for position, rule in enumerate(self.rules):
            yield from self._rule_flaws(rule, ("rules", position), lists)

    def _doubles(self) -> Iterator[Flaw]:
        places: tuple[tuple[str, str, Sequence[str]], ...] = (
            ("columns", "code", [column.code for column in self.columns]),
            ("figures", "code", [figure.code for figure in self.figures]),
            ("rules", "id", [rule.id for rule in self.rules]),
            ("due", "step", [due.step for due in self.due]),
        )
        for place, word, names in places:
            yield from doubled(names, place, word)

    def _figure_flaws(self, figure: Figure, path: Path, lists: frozenset[str]) -> Iterator[Flaw]:
        types = {column.code: column.type for column in self.columns}
        if (figure.of is None) is not (figure.gather is Gathering.COUNT):
            yield Flaw(path, f"{figure.gather} of {figure.of}", "count has no `of`; others need it")
        elif figure.of is not None and figure.of not in types:
            yield Flaw((*path, "of"), f"no column {figure.of!r}", "name a column")
        elif figure.gather is Gathering.SUM and types[figure.of or ""] not in NUMERIC:
            yield Flaw((*path, "of"), f"a sum of {figure.of!r}, which is no number", "name a column of numbers")
        if figure.where is not None:
            yield from expression_flaws(figure.where, self.schema_of(Phase.ROW, lists), (*path, "where"), Type.BOOLEAN)

    def _rule_flaws(self, rule: Rule, path: Path, lists: frozenset[str]) -> Iterator[Flaw]:
        schema = self.schema_of(rule.phase, lists)
        for name in ("when", "expression"):
            text = getattr(rule, name)
            if text is not None:
                yield from expression_flaws(text, schema, (*path, name), Type.BOOLEAN)
        names = {figure.code for figure in self.figures} | {column.code for column in self.columns}
        if rule.field is not None and rule.field not in names:
            yield Flaw((*path, "field"), f"no column or figure {rule.field!r}", "mend its spelling")
        yield from slot_flaws(rule.message, ("seen", "expected"), (*path, "message"))
        if {example.passes for example in rule.examples} != {True, False}:
            yield Flaw((*path, "examples"), "the examples all end alike", "show one that passes and one that fails")
