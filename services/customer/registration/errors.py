"""Refusals of registration forms."""

from __future__ import annotations

from collections.abc import Sequence

from services.customer.dictionary.rules import pointer
from shared.edits import etag_of
from shared.errors import Conflict, Fault, Forbidden, Invalid, NotFound, PreconditionFailed


def no_such_form() -> NotFound:
    """There is none, told as if it were out of reach."""
    return NotFound("not_found", "There is no such record, or it is not yours to see.")


def unknown_kind(kind: str, known: Sequence[str]) -> Invalid:
    return Invalid("unknown_kind", "Choose one of the kinds.", [Fault("/kind", "unknown_kind", kind[:80], list(known))])


def unit_missing() -> Invalid:
    fault = Fault("/unit", "required", None, "a unit")
    return Invalid("unit_missing", "Name the unit of the customer.", [fault])


def unit_out_of_reach(unit: str) -> Forbidden:
    fault = Fault("/unit", "out_of_reach", unit[:80], "a unit within your reach")
    return Forbidden("unit_out_of_reach", "You cannot register customers of this unit.", [fault])


def bad_cursor(seen: str) -> Invalid:
    fault = Fault("query:cursor", "bad_cursor", seen[:80], "next_cursor of the page before, unchanged")
    return Invalid("bad_cursor", "Start again without a cursor.", [fault])


def not_items(faults: Sequence[Fault]) -> Invalid:
    """A draft keeps whatever value an item was given, but only those of items that people fill in."""
    return Invalid("bad_form", "Correct what is named in errors; nothing was changed.", faults)


def incomplete(faults: Sequence[Fault]) -> Invalid:
    return Invalid("bad_form", "The form is not complete yet; correct what is named in errors.", faults)


def not_readable(codes: Sequence[str]) -> Forbidden:
    """Who may not read an item may not write it blindly either."""
    faults = [Fault(pointer(code), "not_cleared", code, "an item within your clearance") for code in codes]
    return Forbidden("item_not_cleared", "Some items are above your clearance, so you cannot set them.", faults)


def not_judged(codes: Sequence[str]) -> Forbidden:
    """Nobody approves what they have not seen."""
    faults = [Fault(pointer(code), "not_cleared", code, "an item within your clearance") for code in codes]
    return Forbidden("item_not_cleared", "Some items are above your clearance; somebody else has to approve.", faults)


def decided(state: str, version: int) -> Conflict:
    members = {"state": state, "version": version}
    return Conflict("form_decided", f"The form was decided already: {state}.", members=members)


def changed(state: str, version: int, base: int) -> PreconditionFailed:
    detail = "The form was changed or taken back since you read it. Read it again, then decide."
    members = {"state": state, "version": version, "seen": base}
    return PreconditionFailed("form_changed", detail, members=members, headers={"ETag": etag_of(version)})


def wrong_state(state: str, expected: Sequence[str]) -> Conflict:
    members = {"state": state, "expected": list(expected)}
    return Conflict("form_state", f"This cannot be done with a form that is {state}.", members=members)


def outdated(faults: Sequence[Fault]) -> Conflict:
    """It was complete when it was handed in; something has changed since."""
    return Conflict("form_outdated", "The form does not hold any more; return it with these reasons.", faults)


def doubles(ids: Sequence[str]) -> Conflict:
    faults = [Fault("/acknowledged", "likely_duplicate", each, "acknowledged, or a form returned") for each in ids]
    detail = "Such a customer is on the list already. Return the form, or name each double in `acknowledged`."
    return Conflict("duplicate_not_acknowledged", detail, faults, members={"duplicates": list(ids)})
