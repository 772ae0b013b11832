"""Refusals of duplicates."""

from __future__ import annotations

from collections.abc import Sequence

from services.customer.dictionary.rules import pointer
from shared.errors import Conflict, Fault, Forbidden, Invalid, NotFound


def no_such_pair() -> NotFound:
    """There is none, told as if it were out of reach."""
    return NotFound("not_found", "There is no such record, or it is not yours to see.")


def unknown_kind(kind: str, known: Sequence[str]) -> Invalid:
    """No dictionary describes such customers."""
    return Invalid("unknown_kind", "Choose one of the kinds.", [Fault("/kind", "unknown_kind", kind[:80], list(known))])


def bad_values(faults: Sequence[Fault]) -> Invalid:
    """Some values do not fit the dictionary."""
    return Invalid("bad_values", "Correct the values named in errors; none was compared.", faults)


def not_readable(codes: Sequence[str]) -> Forbidden:
    """Whether a value is known tells what it is, so nobody asks about items that they may not read."""
    faults = [Fault(pointer(code), "not_cleared", code, "an item within your clearance") for code in codes]
    return Forbidden("item_not_cleared", "Some items are above your clearance, so you cannot ask about them.", faults)


def beyond_reach() -> Forbidden:
    """Only one of the two files is the caller's to judge."""
    return Forbidden("other_file_beyond_reach", "Who dismisses a pair has both files within reach.")


def dismissed_already() -> Conflict:
    """Somebody was quicker."""
    return Conflict("duplicate_dismissed", "Somebody has dismissed this pair already.")
