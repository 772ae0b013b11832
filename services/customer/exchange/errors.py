"""Refusals of exchange."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from shared.errors import Conflict, Fault, Forbidden, Invalid, Malformed, NotFound, TooManyRequests, UnsupportedMedia


def no_such_job() -> NotFound:
    """There is none, told as if it were somebody else's."""
    return NotFound("not_found", "There is no such record, or it is not yours to see.")


def not_a_form(seen: str) -> UnsupportedMedia:
    """A file comes in a form."""
    expected = "multipart/form-data with one file"
    fault = Fault("header:Content-Type", "unsupported_media", seen[:80], expected)
    return UnsupportedMedia("unsupported_media", f"Send {expected}.", [fault])


def no_file() -> Malformed:
    """The form is broken, or holds none."""
    return Malformed("no_file", "The form holds no file.", [Fault("/file", "missing", None, "a CSV or XLSX file")])


def bad_import(faults: Sequence[Fault]) -> Invalid:
    """Members of the form that cannot be."""
    return Invalid("bad_import", "Correct the members named in errors; nothing was kept.", faults)


def bad_export(faults: Sequence[Fault]) -> Invalid:
    """Members of the request that cannot be."""
    return Invalid("bad_export", "Correct the members named in errors.", faults)


def needs_approval() -> Forbidden:
    """Who may not register customers at once may not do so by a file either."""
    detail = "You may register customers with an approval only, so an import of yours may change customers alone."
    fault = Fault("/mode", "needs_approval", "create", "update; new customers go by a registration form")
    return Forbidden("needs_approval", detail, [fault])


def too_many_open(most: int) -> TooManyRequests:
    """One after the other."""
    detail = f"{most} of yours are under way; wait until one is done, or cancel it."
    return TooManyRequests("too_many_open", detail, headers={"Retry-After": "5"})


def wrong_state(state: str, expected: Sequence[str]) -> Conflict:
    """It is past that, or not there yet."""
    detail = f"It is {state}; this can be done while it is {' or '.join(expected)}."
    return Conflict("wrong_state", detail, members={"state": state})


def has_faults(refused: int) -> Conflict:
    """The good rows alone are applied only for who says so."""
    detail = "Some rows were refused. Correct the file and send it again, or apply the others with on_fault=skip."
    return Conflict("has_faults", detail, members={"refused": refused})


def over() -> Conflict:
    """Its parts are gone, and the key to them."""
    return Conflict("exchange_over", "The file was kept for its term and is gone; its record stays.")


def grant_needed(items: Mapping[str, str]) -> Forbidden:
    """Items from a declared level on leave in bulk by a grant only."""
    faults = [
        Fault(f"/items/{code}", "grant_needed", level, "a grant for this export") for code, level in items.items()
    ]
    return Forbidden("grant_needed", "These items leave in bulk by a grant only; leave them out, or get one.", faults)


def authority_changed(actions: Sequence[str]) -> Forbidden:
    """What somebody may do is not what it was when they asked."""
    detail = "Your authority changed while this ran, so nothing more was done. Ask again."
    return Forbidden("authority_changed", detail, members={"actions": list(actions)})
