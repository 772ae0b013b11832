"""The forms: calls whose typing needs more than a list of parameter types. One rule a form, by name.

Called by the type checker; `evaluate` gives each its meaning. A form may look at literals (a pattern, a list id, a
number of places), take missing values, or read the context, for which the schema must allow it.

    is_blank(x)  coalesce(x, ...)  round(x, places)  matches(text, 'pattern')
    lookup('list', code)  in_list('list', code)
    count()  sum(x)  count_by(key, ...)  sum_by(x, key, ...)  min_by(x, key, ...)  max_by(x, key, ...)  unique(key, ...)
    prior(field)  workdays(a, b)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Protocol

from shared.expressions.patterns import PatternError, pattern
from shared.expressions.tree import Call, Field, Literal, Node
from shared.expressions.types import Schema, Type


class Checker(Protocol):
    """What a form asks of the type checker."""

    schema: Schema
    grouped: bool
    """Whether the checker is inside a group function."""

    def check(self, node: Node) -> Type | None:
        """The type of `node`, None if it has faults."""

    def want(self, node: Node, kinds: Iterable[Type]) -> Type | None:
        """The first of `kinds` that `node` fits, None with a fault noted."""

    def joined(self, nodes: Iterable[Node], at: int) -> Type | None:
        """The one type that all `nodes` fit."""

    def fault(self, at: int, code: str, seen: str, expected: str) -> None:
        """Notes a fault."""


Form = Callable[[Checker, Call], Type | None]

MOST_PLACES = 12
GROUPED = frozenset({"count", "sum", "count_by", "sum_by", "min_by", "max_by", "unique"})
"""The forms that look at the whole table."""

_KNOWN = (Type.TEXT, Type.CODE, Type.NUMBER, Type.MONEY, Type.DATE, Type.BOOLEAN)
NUMERIC = (Type.NUMBER, Type.MONEY)
ORDERED = (Type.NUMBER, Type.MONEY, Type.DATE)


def _is_blank(checker: Checker, call: Call) -> Type | None:
    return Type.BOOLEAN if _arity(checker, call, "one value", 1) and checker.want(call.arguments[0], _KNOWN) else None


def _coalesce(checker: Checker, call: Call) -> Type | None:
    return checker.joined(call.arguments, call.at) if _arity(checker, call, "two values or more", 2, None) else None


def _round(checker: Checker, call: Call) -> Type | None:
    if not _arity(checker, call, "a number and a number of places", 2):
        return None
    number, places = call.arguments
    kind = checker.want(number, NUMERIC)
    checker.check(places)
    if isinstance(places, Literal) and isinstance(places.value, Decimal) and places.value in range(MOST_PLACES + 1):
        return kind
    checker.fault(places.at, "wrong_arguments", "another expression", f"a whole number from 0 to {MOST_PLACES}")
    return None


def _matches(checker: Checker, call: Call) -> Type | None:
    if not _arity(checker, call, "a text and a pattern", 2):
        return None
    kind = checker.want(call.arguments[0], (Type.TEXT,))
    written = _literal_text(checker, call.arguments[1], "a pattern in quotes")
    if written is None:
        return None
    try:
        pattern(written)
    except PatternError as error:
        seen = f"{written!r} at its character {error.at + 1}"
        checker.fault(call.arguments[1].at, "bad_pattern", seen, str(error))
        return None
    return Type.BOOLEAN if kind else None


def _listed(result: Type) -> Form:
    def rule(checker: Checker, call: Call) -> Type | None:
        if not _arity(checker, call, "the id of a code list and a code", 2):
            return None
        kind = checker.want(call.arguments[1], (Type.TEXT,))
        list_id = _literal_text(checker, call.arguments[0], "the id of a code list in quotes")
        if list_id is not None and list_id not in checker.schema.lists:
            checker.fault(call.arguments[0].at, "unknown_list", list_id, "a code list of the schema")
            return None
        return result if kind and list_id is not None else None

    return rule


def _grouped(takes_value: Callable[[Checker, Node], Type | None] | None, result: Type | None, *, keys: bool) -> Form:
    """A group form: over a value or not, of a fixed result type or the value's own, by keys or over the whole table."""
    values = 0 if takes_value is None else 1
    expected = f"{'a value' if values else 'no value'}{' and one key or more' if keys else ' and no key'}"

    def rule(checker: Checker, call: Call) -> Type | None:
        if not _available(checker, call, allowed=checker.schema.tables, part="table"):
            return None
        if checker.grouped:
            checker.fault(call.at, "not_available", call.name, "no group function inside a group function")
            return None
        if not _arity(checker, call, expected, values + keys, None if keys else values):
            return None
        checker.grouped = True
        value = takes_value(checker, call.arguments[0]) if takes_value else result
        key_types = [checker.want(key, _KNOWN) for key in call.arguments[values:]]
        checker.grouped = False
        return (result or value) if value and all(key_types) else None

    return rule


def _numeric(checker: Checker, node: Node) -> Type | None:
    return checker.want(node, NUMERIC)


def _ordered(checker: Checker, node: Node) -> Type | None:
    return checker.want(node, ORDERED)


def _prior(checker: Checker, call: Call) -> Type | None:
    if not _available(checker, call, allowed=checker.schema.prior, part="prior period"):
        return None
    if len(call.arguments) == 1 and isinstance(call.arguments[0], Field):
        return checker.check(call.arguments[0])
    checker.fault(call.at, "wrong_arguments", f"{call.name} of something else", "one field")
    return None


def _workdays(checker: Checker, call: Call) -> Type | None:
    if not _available(checker, call, allowed=checker.schema.calendar, part="calendar"):
        return None
    if not _arity(checker, call, "two dates", 2):
        return None
    days = [checker.want(day, (Type.DATE,)) for day in call.arguments]
    return Type.NUMBER if all(days) else None


def _arity(checker: Checker, call: Call, expected: str, fewest: int, most: int | None = 0) -> bool:
    """`most` is at least `fewest`; None is no limit."""
    count = len(call.arguments)
    if count >= fewest and (most is None or count <= max(fewest, most)):
        return True
    checker.fault(call.at, "wrong_arguments", f"{call.name} with {count}", expected)
    return False


def _available(checker: Checker, call: Call, *, allowed: bool, part: str) -> bool:
    if not allowed:
        checker.fault(call.at, "not_available", call.name, f"no such call here, since there is no {part}")
    return allowed


def _literal_text(checker: Checker, node: Node, expected: str) -> str | None:
    checker.check(node)
    if isinstance(node, Literal) and isinstance(node.value, str):
        return node.value
    checker.fault(node.at, "wrong_arguments", "another expression", expected)
    return None


FORMS: Mapping[str, Form] = MappingProxyType(
    {
        "is_blank": _is_blank,
        "coalesce": _coalesce,
        "round": _round,
        "matches": _matches,
        "lookup": _listed(Type.TEXT),
        "in_list": _listed(Type.BOOLEAN),
        "count": _grouped(None, Type.NUMBER, keys=False),
        "sum": _grouped(_numeric, None, keys=False),
        "count_by": _grouped(None, Type.NUMBER, keys=True),
        "sum_by": _grouped(_numeric, None, keys=True),
        "min_by": _grouped(_ordered, None, keys=True),
        "max_by": _grouped(_ordered, None, keys=True),
        "unique": _grouped(None, Type.BOOLEAN, keys=True),
        "prior": _prior,
        "workdays": _workdays,
    }
)
