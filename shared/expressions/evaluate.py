"""The record back end: a checked tree to nested closures over Decimal, one a node.

Called by `compile`; the closures are called by `Program`. Unknown is None: it goes through every operation, except
that `and` and `or` decide without it where they can (Kleene). A closure never raises for data, only for a row or a
context that breaks the schema's promise.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

from shared.expressions.arithmetic import OPERATIONS, negated
from shared.expressions.calls import FORMS, apply
from shared.expressions.context import Context
from shared.expressions.errors import RowError
from shared.expressions.functions import Function
from shared.expressions.groups import Build, Closure
from shared.expressions.tree import Binary, Call, Conditional, Field, Literal, Logic, Member, Node, Unary
from shared.expressions.types import Row, Type

_COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class Closures:
    """Builds the closure of every node of one tree, children first; `of` keeps them for whoever explains a result."""

    def __init__(self, types: dict[Node, Type], overloads: dict[Call, Function]) -> None:
        self.of: dict[Node, Closure] = {}
        self._types = types
        self._overloads = overloads

    def build(self, node: Node) -> Closure:
        """The closure of `node`."""
        built = self.of[node] = self._build(node)
        return built

    def _build(self, node: Node) -> Closure:  # noqa: PLR0911 - one return a kind of node
        match node:
            case Literal(value=value):
                return lambda _row, _context: value
            case Field(name=name):
                return _reader(name, self._types[node])
            case Unary(operator="not", operand=operand):
                return apply(operator.not_, [self.build(operand)])
            case Unary(operand=operand):
                return apply(negated, [self.build(operand)])
            case Logic(operator=word, operands=operands):
                return _logic(word == "or", [self.build(operand) for operand in operands])
            case Binary(operator=sign, left=left, right=right):
                return apply(OPERATIONS.get(sign) or _COMPARISONS[sign], [self.build(left), self.build(right)])
            case Member(item=item, options=options):
                return apply(frozenset(option.value for option in options).__contains__, [self.build(item)])
            case Conditional(test=test, then=then, otherwise=otherwise):
                return _choice(self.build(test), self.build(then), self.build(otherwise))
            case Call():
                return self._call(node)

    def _call(self, node: Call) -> Closure:
        form: Build | None = FORMS.get(node.name)
        arguments = [self.build(argument) for argument in node.arguments]
        return form(node, arguments) if form else apply(self._overloads[node].call, arguments)


def _reader(name: str, kind: Type) -> Closure:
    def wrong(value: object) -> RowError:
        return RowError(f"field {name!r} must be a {kind}, not {type(value).__name__}")

    def number(row: Row, _context: Context) -> Decimal | None:
        value = row.get(name)
        if type(value) is Decimal and value.is_finite():
            return value
        if value is None:
            return None
        if type(value) is int:
            return Decimal(value)
        raise wrong(value)

    def text(row: Row, _context: Context) -> str | None:
        value = row.get(name)
        if value is None or isinstance(value, str):
            return value
        raise wrong(value)

    def day(row: Row, _context: Context) -> date | None:
        value = row.get(name)
        if value is None or type(value) is date:  # a datetime is a date to isinstance, and does not compare with one
            return value
        raise wrong(value)

    def truth(row: Row, _context: Context) -> bool | None:
        value = row.get(name)
        if value is None or isinstance(value, bool):
            return value
        raise wrong(value)

    readers: dict[Type, Closure] = {Type.DATE: day, Type.BOOLEAN: truth, Type.NUMBER: number, Type.MONEY: number}
    return readers.get(kind, text)


def _logic(decisive: bool, operands: list[Closure]) -> Closure:
    """`or` is decided by one true, `and` by one false; short of that, one unknown makes it unknown."""

    def run(row: Row, context: Context) -> bool | None:
        result: bool | None = not decisive
        for operand in operands:
            value: bool | None = operand(row, context)
            if value is decisive:
                return value
            if value is None:
                result = None
        return result

    return run


def _choice(test: Closure, then: Closure, otherwise: Closure) -> Closure:
    def run(row: Row, context: Context) -> Any:
        chosen = test(row, context)
        if chosen is None:
            return None
        return then(row, context) if chosen else otherwise(row, context)

    return run
