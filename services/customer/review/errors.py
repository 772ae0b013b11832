"""Refusals of reviews."""

from __future__ import annotations

from collections.abc import Sequence

from shared.errors import Fault, Invalid


def bad_verification(faults: Sequence[Fault]) -> Invalid:
    """Some particulars of a verification do not hold."""
    return Invalid("bad_verification", "Correct what is named in errors; nothing was verified.", faults)


def unknown_cadence(seen: str, known: Sequence[str]) -> Invalid:
    """No such review is declared."""
    fault = Fault("query:cadence", "unknown_cadence", seen[:80], list(known))
    return Invalid("unknown_cadence", "Choose one of the declared reviews.", [fault])
