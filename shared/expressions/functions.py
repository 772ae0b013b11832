"""Functions over known values: the record that describes one, and the standard set.

`check` resolves calls by it, `evaluate` calls it. A service adds its own (check digits, say) with `extend`; this
package holds no measure. What looks at types, missing values, the table or the calendar is no function: see `forms`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from types import MappingProxyType

from shared.expressions.types import Type, Value


@dataclass(frozen=True, slots=True)
class Function:
    """A pure, total function. `call` gets known values of the parameter types only (an unknown argument makes the
    result unknown) and may answer None for unknown; numbers are finite Decimals. `variadic`: the last parameter may
    repeat. `cost` counts in plain nodes, about 0.1 µs each."""

    name: str
    parameters: tuple[Type, ...]
    result: Type
    call: Callable[..., Value | None]
    cost: int = 1
    variadic: bool = False


Functions = Mapping[str, tuple[Function, ...]]
"""Overloads by name, tried in order."""


def extend(functions: Functions, *added: Function) -> Functions:
    """`functions` and the added ones; a name that is taken gets a further overload."""
    found = dict(functions)
    for function in added:
        found[function.name] = (*found.get(function.name, ()), function)
    return MappingProxyType(found)


def _ordered(name: str, call: Callable[..., Value | None]) -> tuple[Function, ...]:
    kinds = (Type.NUMBER, Type.MONEY, Type.DATE)
    return tuple(Function(name, (kind, kind), kind, call, cost=2, variadic=True) for kind in kinds)


def _days(start: date, end: date) -> Decimal:
    return Decimal((end - start).days)


STANDARD: Functions = extend(
    {},
    Function("size", (Type.TEXT,), Type.NUMBER, lambda text: Decimal(len(text))),
    Function("starts_with", (Type.TEXT, Type.TEXT), Type.BOOLEAN, str.startswith),
    Function("ends_with", (Type.TEXT, Type.TEXT), Type.BOOLEAN, str.endswith),
    Function("contains", (Type.TEXT, Type.TEXT), Type.BOOLEAN, str.__contains__, cost=2),
    Function("abs", (Type.NUMBER,), Type.NUMBER, Decimal.copy_abs),
    Function("abs", (Type.MONEY,), Type.MONEY, Decimal.copy_abs),
    *_ordered("min", min),
    *_ordered("max", max),
    Function("days", (Type.DATE, Type.DATE), Type.NUMBER, _days),
    Function("year", (Type.DATE,), Type.NUMBER, lambda day: Decimal(day.year)),
    Function("quarter", (Type.DATE,), Type.NUMBER, lambda day: Decimal((day.month + 2) // 3)),
    Function("month", (Type.DATE,), Type.NUMBER, lambda day: Decimal(day.month)),
)
"""`days(a, b)` counts from `a` to `b`, negative when `b` comes first; `size` counts characters."""
