"""Refusals of the customer file."""

from __future__ import annotations

from collections.abc import Sequence

from services.customer.dictionary.rules import pointer
from shared.errors import Conflict, Fault, Forbidden, Invalid, NotFound


def no_such_customer() -> NotFound:
    """There is none, told as if it were out of reach."""
    return NotFound("not_found", "There is no such record, or it is not yours to see.")


def erased() -> Conflict:
    """The data key is destroyed, so nothing can be sealed for this customer any more."""
    return Conflict("customer_erased", "The personal data of this customer were erased; the file is closed.")


def bad_values(faults: Sequence[Fault]) -> Invalid:
    """Some values do not fit the dictionary."""
    return Invalid("bad_values", "Correct the values named in errors; none was stored.", faults)


def number_taken(code: str) -> Conflict:
    """Numbers are unique among the customers of a kind."""
    fault = Fault(pointer(code), "taken", code, "a number that no other customer has")
    return Conflict("number_taken", "Another customer has this number.", [fault])


def unknown_kind(kind: str, known: Sequence[str]) -> Invalid:
    """No dictionary describes such customers."""
    return Invalid("unknown_kind", "Choose one of the kinds.", [Fault("/kind", "unknown_kind", kind[:80], list(known))])


def unit_missing() -> Invalid:
    """The registrar has no unit of their own."""
    return Invalid("unit_missing", "Name the unit of the customer.", [Fault("/unit", "required", None, "a unit")])


def unit_out_of_reach(unit: str) -> Forbidden:
    """The registrar's role does not reach the unit."""
    fault = Fault("/unit", "out_of_reach", unit[:80], "a unit within your reach")
    return Forbidden("unit_out_of_reach", "You cannot register customers of this unit.", [fault])


def bad_cursor(seen: str) -> Invalid:
    """Not a cursor of this list."""
    fault = Fault("query:cursor", "bad_cursor", seen[:80], "next_cursor of the page before, unchanged")
    return Invalid("bad_cursor", "Start again without a cursor.", [fault])


def filter_refused(columns: Sequence[str]) -> Forbidden:
    """Filtering by a column tells what it holds, and so does the order of a list; none is named for that alone."""
    faults = [Fault(f"query:{column}", "not_cleared", column, "a column that you may read") for column in columns]
    by_order = "The list is in order of names, which you may not read."
    detail = "You cannot filter by what you may not read." if faults else by_order
    return Forbidden("filter_not_cleared", detail, faults)


def not_readable(codes: Sequence[str]) -> Forbidden:
    """Who may not read an item may not write it blindly either."""
    faults = [Fault(pointer(code), "not_cleared", code, "an item within your clearance") for code in codes]
    return Forbidden("item_not_cleared", "Some items are above your clearance, so you cannot set them.", faults)
