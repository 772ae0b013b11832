"""Refusals of the customer file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from services.customer.dictionary.rules import pointer
from shared.errors import Conflict, Fault, Forbidden, Invalid, NotFound
from shared.sealing import WrappedKey


def no_such_customer() -> NotFound:
    """There is none, told as if it were out of reach."""
    return NotFound("not_found", "There is no such record, or it is not yours to see.")


def erased() -> Conflict:
    """The data key is destroyed, so nothing can be sealed for this customer any more."""
    return Conflict("customer_erased", "The personal data of this customer were erased; the file is closed.")


def merged(into: UUID) -> Conflict:
    """The file was merged into another one, which goes on."""
    detail = "This file was merged into another and is closed; go on with that one."
    return Conflict("customer_merged", detail, members={"merged_into": str(into)})


def key_of_open(key: WrappedKey | None, merged_into: UUID | None) -> WrappedKey:
    """The data key of a file that goes on. Raises: Conflict (customer_erased, customer_merged)"""
    if key is None:
        raise erased()
    if merged_into is not None:
        raise merged(merged_into)
    return key


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


def nothing_due() -> Conflict:
    """Of what was asked for, everything is verified already, or there is nothing."""
    return Conflict("nothing_due", "Nothing of this file is due to be verified now.")


def filter_refused(columns: Sequence[str]) -> Forbidden:
    """Filtering by a column tells what it holds, and so does the order of a list; none is named for that alone."""
    faults = [Fault(f"query:{column}", "not_cleared", column, "a column that you may read") for column in columns]
    by_order = "The list is in order of names, which you may not read."
    detail = "You cannot filter by what you may not read." if faults else by_order
    return Forbidden("filter_not_cleared", detail, faults)


def bad_as_of(seen: str) -> Invalid:
    """Neither a day nor an instant."""
    expected = "a day such as 2026-06-30, or an instant with offset (RFC 3339); write + as %2B"
    return Invalid("bad_as_of", "Correct as_of.", [Fault("query:as_of", "bad_as_of", seen[:80], expected)])


def in_the_future(seen: str) -> Invalid:
    """Nobody knows yet."""
    fault = Fault("query:as_of", "in_the_future", seen[:80], "a moment that has passed")
    return Invalid("as_of_in_the_future", "The file as of a moment that has not come yet is not known.", [fault])


def one_of_two() -> Invalid:
    """A moment and a version may say different things."""
    fault = Fault("query:version", "too_many", None, "as_of or version, not both")
    return Invalid("as_of_or_version", "Name a moment or a version, not both.", [fault])


def not_registered_yet() -> NotFound:
    """The file was opened later."""
    return NotFound("not_registered_yet", "The customer was not registered yet at that moment.")


def no_such_version(version: int, current: int) -> NotFound:
    """The file has not come so far."""
    return NotFound("no_such_version", f"The file has no version {version}.", members={"newest": current})


def not_kept(keepers: Mapping[str, str | None]) -> Forbidden:
    """Each item is set by the role that keeps it, or by one that stands above that."""
    faults = [
        Fault(pointer(code), "not_kept", code, f"somebody who holds {role}, or a role above it")
        for code, role in keepers.items()
    ]
    return Forbidden("item_not_kept", "Some items are kept by another role; none was set.", faults)


def not_readable(codes: Sequence[str]) -> Forbidden:
    """Who may not read an item may not write it blindly either."""
    faults = [Fault(pointer(code), "not_cleared", code, "an item within your clearance") for code in codes]
    return Forbidden("item_not_cleared", "Some items are above your clearance, so you cannot set them.", faults)


def not_verifiable(codes: Mapping[str, int]) -> Forbidden:
    """Nor may they say of it that it is right. `codes`: with their places in the request."""
    faults = [Fault(f"/items/{at}", "not_cleared", code, "an item in your sight") for code, at in codes.items()]
    return Forbidden("item_not_cleared", "Some items are above your clearance, so you cannot verify them.", faults)


def bad_verification(faults: Sequence[Fault]) -> Invalid:
    """Some items or particulars of a verification do not hold."""
    return Invalid("bad_verification", "Correct what is named in errors; nothing was verified.", faults)
