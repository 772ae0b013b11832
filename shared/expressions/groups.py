"""Group functions of the record back end: one pass over the table at the first use, then a look-up by key for each row.

Called by `calls`. As in polars, a missing value does not count and a sum of nothing is 0; a row with a missing key
belongs to no group, so that its group functions are unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from shared.expressions.arithmetic import add
from shared.expressions.context import Context, Groups
from shared.expressions.tree import Call
from shared.expressions.types import Row

Closure = Callable[[Row, Context], Any]
Build = Callable[[Call, list[Closure]], Closure]
Fold = Callable[[Sequence[Row], Context, Closure, Closure], Groups]
"""From table, context, key and value to the results by key."""

_ZERO, _ONE = Decimal(0), Decimal(1)


def _sums(rows: Sequence[Row], context: Context, key: Closure, value: Closure) -> Groups:
    found: dict[Hashable, Decimal | None] = {}
    for row in rows:
        group = key(row, context)
        if group is None:
            continue
        total = found.setdefault(group, _ZERO)
        amount = value(row, context)
        if amount is not None and total is not None:
            found[group] = add(total, amount)
    return found


def _extremes(choose: Callable[[Any, Any], Any]) -> Fold:
    def fold(rows: Sequence[Row], context: Context, key: Closure, value: Closure) -> Groups:
        found: dict[Hashable, Any] = {}
        for row in rows:
            group, candidate = key(row, context), value(row, context)
            if group is not None and candidate is not None:
                found[group] = choose(found[group], candidate) if group in found else candidate
        return found

    return fold


def _one(_row: Row, _context: Context) -> Decimal:
    return _ONE


def _key(keys: Sequence[Closure]) -> Closure:
    """The group of a row: one value, or a tuple; None if a part is missing. Without keys all rows are one group."""
    if len(keys) == 1:
        return keys[0]

    def key(row: Row, context: Context) -> tuple[Any, ...] | None:
        parts = tuple([part(row, context) for part in keys])
        return None if None in parts else parts

    return key


def _group(fold: Fold, empty: Decimal | None, *, counted: bool) -> Build:
    """A group form; `counted`: over rows, so that every argument is a key, else over the first argument's values."""

    def build(call: Call, arguments: list[Closure]) -> Closure:
        value, key = (_one, _key(arguments)) if counted else (arguments[0], _key(arguments[1:]))

        def run(row: Row, context: Context) -> Any:
            group = key(row, context)
            if group is None:
                return None
            groups = context.groups(call, lambda rows: fold(rows, context, key, value))
            return groups.get(group, empty)

        return run

    return build


_counts = _group(_sums, _ZERO, counted=True)
_totals = _group(_sums, _ZERO, counted=False)


def _unique(call: Call, arguments: list[Closure]) -> Closure:
    count = _counts(call, arguments)

    def run(row: Row, context: Context) -> bool | None:
        rows = count(row, context)
        return None if rows is None else rows == 1

    return run


GROUP_FORMS: Mapping[str, Build] = MappingProxyType(
    {
        "count": _counts,
        "sum": _totals,
        "count_by": _counts,
        "sum_by": _totals,
        "min_by": _group(_extremes(min), None, counted=False),
        "max_by": _group(_extremes(max), None, counted=False),
        "unique": _unique,
    }
)
