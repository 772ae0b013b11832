"""Why a result is what it is: every sub-expression that took part, with its value.

Called by `Program.explain`. Reads closures and values only, so evaluation itself keeps no notes. Values may be
personal: whoever shows steps applies the same permissions as to the fields.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from shared.expressions.context import Context
from shared.expressions.formatter import text_of
from shared.expressions.forms import GROUPED
from shared.expressions.groups import Closure
from shared.expressions.tree import Binary, Call, Conditional, Field, Literal, Member, Node, children
from shared.expressions.types import Row, Value


class Note(StrEnum):
    """Where an unknown begins."""

    MISSING = "missing"
    DIVISION_BY_ZERO = "division_by_zero"
    OUT_OF_RANGE = "out_of_range"
    NOT_FOUND = "not_found"  # no such code, group, prior row, calendar year; or a text too long to match


@dataclass(frozen=True, slots=True)
class Step:
    """One sub-expression: its canonical text, its offset in the source, its depth (the whole is 1), its value, and, if
    it is where an unknown begins, why."""

    text: str
    at: int
    depth: int
    value: Value | None
    note: Note | None


def steps(root: Node, closures: Mapping[Node, Closure], row: Row, context: Context) -> Iterator[Step]:
    """The steps of `root`, operands before what is made of them; constants and branches not taken are left out."""

    def value_of(node: Node) -> Any:
        return closures[node](row, context)

    def visit(node: Node, depth: int) -> Iterator[Step]:
        operands = _operands(node, value_of)
        for operand in operands:
            yield from visit(operand, depth + 1)
        if not isinstance(node, Literal) or depth == 1:
            value = value_of(node)
            note = _note(node, [value_of(operand) for operand in operands], value_of) if value is None else None
            yield Step(text_of(node), node.at, depth, value, note)

    return visit(root, 1)


def _operands(node: Node, value_of: Any) -> tuple[Node, ...]:
    """The sub-expressions that this row's value of `node` is made of."""
    if isinstance(node, Conditional):
        test = value_of(node.test)
        return (node.test,) if test is None else (node.test, node.then if test else node.otherwise)
    if isinstance(node, Call) and (node.name in GROUPED or node.name == "prior"):
        return ()
    return (node.item,) if isinstance(node, Member) else children(node)


def _note(node: Node, operands: list[Value | None], value_of: Any) -> Note | None:
    match node:
        case Field():
            return Note.MISSING
        case Binary(operator="/", right=right) if None not in operands and value_of(right) == 0:
            return Note.DIVISION_BY_ZERO
        case Binary() | Call(name="round") if None not in operands:
            return Note.OUT_OF_RANGE
        case Call() if None not in operands:
            return Note.NOT_FOUND
        case _:
            return None
