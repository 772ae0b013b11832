"""Kehu's expression language: closed, typed, three-valued, exact in decimals, bounded in cost.

    grade = expressions.compile("total.purchase_amount_12m >= 500000 ? 100 : 60", Schema({...}))
    grade.evaluate(row, Context())

Used wherever a regime states a rule: grade policies, validations of reports. It loads nothing and knows no measure.
Stages, each its own module: lexer, parser, tree, check (forms, functions, patterns), evaluate (calls, groups), explain;
`program` ties them together. Decision record 0010 says why it is our own.
"""

from shared.expressions.context import Context
from shared.expressions.errors import ContextError, ExpressionError, Problem, RowError
from shared.expressions.explain import Note, Step
from shared.expressions.functions import STANDARD, Function, Functions, extend
from shared.expressions.program import Budget, Program, compile, format, names
from shared.expressions.types import Row, Schema, Type, Value

__all__ = [
    "STANDARD",
    "Budget",
    "Context",
    "ContextError",
    "ExpressionError",
    "Function",
    "Functions",
    "Note",
    "Problem",
    "Program",
    "Row",
    "RowError",
    "Schema",
    "Step",
    "Type",
    "Value",
    "compile",
    "extend",
    "format",
    "names",
]
