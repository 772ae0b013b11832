"""Decimal arithmetic that is exact or unknown, whatever decimal context the calling thread has.

`+ - *` and sums are exact in up to MOST_DIGITS significant digits; what does not fit is unknown (None), never rounded
in silence. Only `/` and `round` round, half away from zero. Called by the closures of `evaluate` on finite numbers;
never raises.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import ROUND_HALF_UP, Context, Decimal, DivisionByZero, Inexact, InvalidOperation, Overflow

from shared.expressions.types import MOST_DIGITS

Operation = Callable[..., Decimal | None]

_EXACT = Context(prec=MOST_DIGITS, traps=[Inexact, InvalidOperation, Overflow])
_ROUNDED = Context(prec=MOST_DIGITS, rounding=ROUND_HALF_UP, traps=[DivisionByZero, InvalidOperation, Overflow])


def _known_or_none(operation: Callable[..., Decimal]) -> Operation:
    def run(*numbers: Decimal) -> Decimal | None:
        try:
            return operation(*numbers)
        except ArithmeticError:
            return None

    return run


negated = _known_or_none(_EXACT.minus)
add = _known_or_none(_EXACT.add)
OPERATIONS: dict[str, Operation] = {
    "+": add,
    "-": _known_or_none(_EXACT.subtract),
    "*": _known_or_none(_EXACT.multiply),
    "/": _known_or_none(_ROUNDED.divide),
}


def rounded(number: Decimal, places: int) -> Decimal | None:
    """`number` with `places` decimals, halves away from zero; never a negative zero."""
    try:
        return _ROUNDED.plus(_ROUNDED.quantize(number, Decimal((0, (1,), -places))))
    except InvalidOperation:
        return None
