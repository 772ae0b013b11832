"""What an expression may speak of: types, values, and the schema of the record it reads.

Used by every other module of the language and by whoever compiles an expression. Holds no rule of the language itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from shared.expressions.lexer import is_name

MOST_DIGITS = 38
"""What a decimal of every back end holds."""

Value = str | Decimal | date | bool
"""A known value. Unknown (missing, undefined, out of range) is `None`, always."""

Row = Mapping[str, object]
"""One record by field name: `Decimal` or `int` for numbers and money, `date` for dates; a missing field is unknown."""


class Type(StrEnum):
    """The closed set of types. A code is a text of a code list: it goes wherever a text goes."""

    TEXT = "text"
    CODE = "code"
    NUMBER = "number"
    MONEY = "money"  # yuan as Decimal, so that a rule reads like the measure that it comes from
    DATE = "date"
    BOOLEAN = "boolean"
    NULL = "null"  # of the literal `null` alone; no field has it


@dataclass(frozen=True, slots=True)
class Schema:
    """What the text may name: fields with their types, code lists, and which parts of the context will be given.

    `tables`: group functions (`sum_by`, `unique`, ...). `prior`: `prior(field)`. `calendar`: `workdays(a, b)`.
    What a schema promises, the `Context` of every evaluation must hold.
    """

    fields: Mapping[str, Type]
    lists: frozenset[str] = frozenset()
    tables: bool = False
    prior: bool = False
    calendar: bool = False

    def __post_init__(self) -> None:
        for name, kind in self.fields.items():
            if not is_name(name) or kind is Type.NULL:
                raise ValueError(f"{name!r} of type {kind} cannot be a field of an expression")
