"""Report types: columns, validations and due times of a table that somebody files. Judged by reporting (R4.1, R4.2)."""

from collections.abc import Mapping
from datetime import time
from enum import StrEnum
from typing import ClassVar

from pydantic import Field

from shared.regime.definition import Definition, Json, Secrecy, Sentence, Shape, Slug, Snake, Text
from shared.regime.field import ValueField


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
    CROSS_REPORT = "cross_report"
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
    """A validation: `expression` must hold wherever `when` does. `field` is the column that a finding points at.

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
