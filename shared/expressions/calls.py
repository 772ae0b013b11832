"""The meaning of calls in the record back end: functions over known values, and one builder a form.

Called by `evaluate`; the typing of the same forms is in `forms`, and a test holds the two tables together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from shared.expressions.arithmetic import rounded
from shared.expressions.context import Context
from shared.expressions.groups import GROUP_FORMS, Build, Closure
from shared.expressions.patterns import LONGEST_TEXT, pattern
from shared.expressions.tree import Call, Literal
from shared.expressions.types import Row


def apply(call: Callable[..., Any], arguments: Sequence[Closure]) -> Closure:
    """`call` over the arguments, unknown as soon as one of them is."""
    if len(arguments) == 1:
        return _apply_one(call, *arguments)
    if len(arguments) == 2:
        return _apply_two(call, *arguments)

    def run(row: Row, context: Context) -> Any:
        values = []
        for argument in arguments:
            value = argument(row, context)
            if value is None:
                return None
            values.append(value)
        return call(*values)

    return run


def _apply_one(call: Callable[..., Any], argument: Closure) -> Closure:
    def run(row: Row, context: Context) -> Any:
        value = argument(row, context)
        return None if value is None else call(value)

    return run


def _apply_two(call: Callable[..., Any], left: Closure, right: Closure) -> Closure:
    def run(row: Row, context: Context) -> Any:
        first = left(row, context)
        if first is None:
            return None
        second = right(row, context)
        return None if second is None else call(first, second)

    return run


def _is_blank(_call: Call, arguments: list[Closure]) -> Closure:
    argument = arguments[0]

    def run(row: Row, context: Context) -> bool:
        value = argument(row, context)
        return value is None or (isinstance(value, str) and not value.strip())

    return run


def _coalesce(_call: Call, arguments: list[Closure]) -> Closure:
    def run(row: Row, context: Context) -> Any:
        for argument in arguments:
            value = argument(row, context)
            if value is not None:
                return value
        return None

    return run


def _round(call: Call, arguments: list[Closure]) -> Closure:
    places = int(str(_constant(call, 1)))
    return _apply_one(lambda number: rounded(number, places), arguments[0])


def _matches(call: Call, arguments: list[Closure]) -> Closure:
    bounded = pattern(str(_constant(call, 1)))
    fullmatch = bounded.matcher().fullmatch
    too_long = False if bounded.longest <= LONGEST_TEXT else None

    def matches(text: str) -> bool | None:
        return fullmatch(text) is not None if len(text) <= LONGEST_TEXT else too_long

    return _apply_one(matches, arguments[0])


def _lookup(call: Call, arguments: list[Closure]) -> Closure:
    list_id, code = str(_constant(call, 0)), arguments[1]

    def run(row: Row, context: Context) -> str | None:
        value = code(row, context)
        return None if value is None else context.code_list(list_id).get(value)

    return run


def _in_list(call: Call, arguments: list[Closure]) -> Closure:
    list_id, code = str(_constant(call, 0)), arguments[1]

    def run(row: Row, context: Context) -> bool | None:
        value = code(row, context)
        return None if value is None else value in context.code_list(list_id)

    return run


def _prior(_call: Call, arguments: list[Closure]) -> Closure:
    field = arguments[0]

    def run(row: Row, context: Context) -> Any:
        before = context.prior_row(row)
        return None if before is None else field(before, context)

    return run


def _workdays(_call: Call, arguments: list[Closure]) -> Closure:
    start, end = arguments

    def run(row: Row, context: Context) -> Decimal | None:
        first, last = start(row, context), end(row, context)
        if first is None or last is None:
            return None
        days = context.workdays_between(first, last)
        return None if days is None else Decimal(days)

    return run


def _constant(call: Call, index: int) -> object:
    argument = call.arguments[index]
    assert isinstance(argument, Literal), "the type checker lets nothing else through"
    return argument.value


FORMS: Mapping[str, Build] = MappingProxyType(
    {
        "is_blank": _is_blank,
        "coalesce": _coalesce,
        "round": _round,
        "matches": _matches,
        "lookup": _lookup,
        "in_list": _in_list,
        "prior": _prior,
        "workdays": _workdays,
        **GROUP_FORMS,
    }
)
