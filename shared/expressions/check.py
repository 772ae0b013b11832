"""The type checker: a tree and a schema to the type of every node, with all faults at once.

Called by `compile` after parsing. Money is not a number: they mix only where the result has a meaning, save that a
constant such as `1000` reads as money where money is wanted. Texts and codes have no order: '12' < '2' helps nobody.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from itertools import repeat

from shared.expressions.errors import Problem, problem
from shared.expressions.forms import FORMS, NUMERIC, ORDERED
from shared.expressions.functions import Function, Functions
from shared.expressions.tree import Binary, Call, Conditional, Field, Literal, Logic, Member, Node, Unary
from shared.expressions.types import Schema, Type

_ORDERINGS = ("<", "<=", ">", ">=")


class Checker:
    """One pass over one tree. `types` and `overloads` hold what was found; a node with a fault in or under it has no
    type and causes no further faults."""

    def __init__(self, source: str, schema: Schema, functions: Functions) -> None:
        self.schema = schema
        self.types: dict[Node, Type] = {}
        self.overloads: dict[Call, Function] = {}
        self.problems: list[Problem] = []
        self.grouped = False
        self._source = source
        self._functions = functions

    def check(self, node: Node) -> Type | None:
        """The type of `node`, None if it has faults."""
        kind = self._type(node)
        if kind is not None:
            self.types[node] = kind
        return kind

    def fault(self, at: int, code: str, seen: str, expected: str) -> None:
        """Notes a fault; checking goes on."""
        self.problems.append(problem(self._source, at, code, seen, expected))

    def want(self, node: Node, kinds: Iterable[Type]) -> Type | None:
        """The first of `kinds` that `node` fits, None with a fault noted."""
        found = self.check(node)
        wanted = tuple(kinds)
        for kind in wanted:
            if found is not None and fits(node, found, kind):
                return kind
        if found is not None:
            self.fault(node.at, "wrong_type", found, " or ".join(wanted))
        return None

    def joined(self, nodes: Iterable[Node], at: int) -> Type | None:
        """The one type that all `nodes` fit."""
        together = tuple(nodes)
        known = [kind for kind in map(self.check, together) if kind is not None]
        if len(known) < len(together):
            return None
        for wanted in (*dict.fromkeys(known), Type.TEXT):
            if all(map(fits, together, known, repeat(wanted))):
                return wanted
        self.fault(at, "wrong_type", " and ".join(dict.fromkeys(known)), "values of one type")
        return None

    def _type(self, node: Node) -> Type | None:  # noqa: PLR0911 - one return a kind of node
        match node:
            case Literal(value=value):
                return literal_type(value)
            case Field():
                return self._field(node)
            case Unary(operator=operator, operand=operand):
                return self.want(operand, (Type.BOOLEAN,) if operator == "not" else NUMERIC)
            case Logic(operands=operands):
                kinds = [self.want(operand, (Type.BOOLEAN,)) for operand in operands]
                return Type.BOOLEAN if all(kinds) else None
            case Binary(operator=operator) if operator in "+-*/":
                return self._arithmetic(node)
            case Binary():
                return self._comparison(node)
            case Member():
                return self._member(node)
            case Conditional(test=test, then=then, otherwise=otherwise):
                tested = self.want(test, (Type.BOOLEAN,))
                chosen = self.joined((then, otherwise), node.at)
                return chosen if tested else None
            case Call():
                return self._call(node)

    def _field(self, node: Field) -> Type | None:
        kind = self.schema.fields.get(node.name)
        if kind is None:
            self.fault(
                node.at, "unknown_field", node.name, _nearest(node.name, self.schema.fields, "a field of the schema")
            )
        return kind

    def _arithmetic(self, node: Binary) -> Type | None:
        if node.operator in "+-":
            return self._one_of(self.joined((node.left, node.right), node.at), NUMERIC, node)
        left, right = self.want(node.left, NUMERIC), self.want(node.right, NUMERIC)
        if left is None or right is None:
            return None
        money = (left is Type.MONEY, right is Type.MONEY)
        if money == (True, True) and node.operator == "/":
            return Type.NUMBER
        if money == (True, True) or (money == (False, True) and node.operator == "/"):
            self.fault(node.at, "wrong_type", f"{left} {node.operator} {right}", "an operation that has a meaning")
            return None
        return Type.MONEY if any(money) else Type.NUMBER

    def _comparison(self, node: Binary) -> Type | None:
        kind = self.joined((node.left, node.right), node.at)
        if Type.NULL in (self.types.get(node.left), self.types.get(node.right)):
            self.fault(node.at, "null_comparison", "null", "is_blank(x), since a comparison with null is never known")
            return None
        wanted = ORDERED if node.operator in _ORDERINGS else tuple(Type)
        return Type.BOOLEAN if self._one_of(kind, wanted, node) else None

    def _one_of(self, kind: Type | None, wanted: tuple[Type, ...], node: Binary) -> Type | None:
        if kind is None or kind in wanted:
            return kind
        self.fault(node.at, "wrong_type", f"{kind} {node.operator} {kind}", " or ".join(wanted))
        return None

    def _member(self, node: Member) -> Type | None:
        kind = self.joined((node.item, *node.options), node.at)
        if self.types.get(node.item) is Type.NULL or kind is Type.BOOLEAN:
            self.fault(node.item.at, "wrong_type", self.types[node.item], "text, code, number, money or date")
            return None
        return Type.BOOLEAN if kind else None

    def _call(self, node: Call) -> Type | None:
        form = FORMS.get(node.name)
        if form is not None:
            return form(self, node)
        overloads = self._functions.get(node.name)
        if overloads is None:
            expected = _nearest(node.name, (*FORMS, *self._functions), "a function")
            self.fault(node.at, "unknown_function", node.name, expected)
            return None
        kinds = [self.check(argument) for argument in node.arguments]
        known = [kind for kind in kinds if kind is not None]
        if len(known) < len(kinds):
            return None
        for function in overloads:
            if _accepts(function, node.arguments, known):
                self.overloads[node] = function
                return function.result
        seen = f"{node.name}({', '.join(known)})"
        self.fault(node.at, "wrong_arguments", seen, " or ".join(map(_signature, overloads)))
        return None


def fits(node: Node, kind: Type, wanted: Type) -> bool:
    """Whether a node of type `kind` may stand where `wanted` is expected."""
    return (
        kind is wanted
        or kind is Type.NULL
        or (kind is Type.CODE and wanted is Type.TEXT)
        or (kind is Type.TEXT and wanted is Type.CODE and isinstance(node, Literal))
        or (kind is Type.NUMBER and wanted is Type.MONEY and is_constant(node))
    )


def is_constant(node: Node) -> bool:
    """Whether `node` is arithmetic over written numbers alone, such as `500 * 10000`."""
    match node:
        case Literal(value=value):
            return isinstance(value, Decimal)
        case Unary(operand=operand):
            return is_constant(operand)
        case Binary(left=left, right=right):
            return is_constant(left) and is_constant(right)
        case _:
            return False


def literal_type(value: object) -> Type:
    """The type of a constant."""
    match value:
        case None:
            return Type.NULL
        case bool():
            return Type.BOOLEAN
        case Decimal():
            return Type.NUMBER
        case date():
            return Type.DATE
        case _:
            return Type.TEXT


def _accepts(function: Function, arguments: tuple[Node, ...], kinds: list[Type]) -> bool:
    parameters = function.parameters
    if function.variadic and len(arguments) > len(parameters):
        parameters += parameters[-1:] * (len(arguments) - len(parameters))
    return len(parameters) == len(arguments) and all(map(fits, arguments, kinds, parameters))


def _signature(function: Function) -> str:
    return f"{function.name}({', '.join(function.parameters)}{', ...' if function.variadic else ''})"


def _nearest(name: str, known: Iterable[str], otherwise: str) -> str:
    close = difflib.get_close_matches(name, list(known), n=1)
    return f"{otherwise}, perhaps {close[0]}" if close else otherwise
