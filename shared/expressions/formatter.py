"""Tree to canonical text: one spelling, one spacing, the fewest brackets. `parse` of the result gives the same tree."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from shared.expressions.parser import ADD, COMPARE, NEGATE, NOT, OR, POWERS
from shared.expressions.tree import Binary, Call, Conditional, Field, Literal, Logic, Member, Node, Unary

_CHOICE = 0
_PRIMARY = NEGATE + 1


def text_of(node: Node) -> str:  # noqa: PLR0911 - one return a kind of node
    """The canonical text of `node`."""
    match node:
        case Literal(value=value):
            return _literal(value)
        case Field(name=name):
            return name
        case Unary(operator="not", operand=operand):
            return f"not {_within(operand, NOT)}"
        case Unary(operand=operand):
            return f"-{_within(operand, NEGATE)}"
        case Binary(operator=operator, left=left, right=right):
            power = POWERS[operator]
            # `-` and `/` group to the left; comparisons do not chain on either side.
            return f"{_within(left, power + (power == COMPARE))} {operator} {_within(right, power + 1)}"
        case Logic(operator=operator, operands=operands):
            return f" {operator} ".join(_within(operand, POWERS[operator] + 1) for operand in operands)
        case Member(item=item, options=options):
            return f"{_within(item, ADD)} in [{', '.join(map(text_of, options))}]"
        case Conditional(test=test, then=then, otherwise=otherwise):
            return f"{_within(test, OR)} ? {text_of(then)} : {text_of(otherwise)}"
        case Call(name=name, arguments=arguments):
            return f"{name}({', '.join(map(text_of, arguments))})"


def _within(node: Node, floor: int) -> str:
    text = text_of(node)
    return text if _power(node) >= floor else f"({text})"


def _power(node: Node) -> int:
    match node:
        case Conditional():
            return _CHOICE
        case Logic(operator=operator) | Binary(operator=operator):
            return POWERS[operator]
        case Member():
            return COMPARE
        case Unary(operator=operator):
            return NOT if operator == "not" else NEGATE
        case _:
            return _PRIMARY


def _literal(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case Decimal():
            return format(value, "f")
        case date():
            return f"date('{value.isoformat()}')"
        case _:
            return "'" + str(value).replace("'", "''") + "'"
