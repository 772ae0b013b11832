"""Refusals of the dealings feed."""

from __future__ import annotations

from collections.abc import Sequence

from shared.errors import Conflict, Fault, Invalid


def bad_dealings(faults: Sequence[Fault]) -> Invalid:
    """Some rows cannot be recorded; none was."""
    return Invalid("bad_dealings", "Correct the rows named in errors; none was recorded.", faults)


def month_taken() -> Conflict:
    """Two feeds recorded the same month of a customer at once."""
    return Conflict("month_taken", "Another source recorded the month of one of these customers just now.")
