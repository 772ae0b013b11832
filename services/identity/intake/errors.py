"""Refusals of a whole file; nothing of it was imported."""

from collections.abc import Sequence

from services.identity.intake.rules import MOST_ROWS, CellFault
from shared.errors import Fault, Forbidden, Invalid, Malformed, TooLarge, UnsupportedMedia


def refused(faults: Sequence[CellFault]) -> Invalid:
    """All that is wrong, cell by cell: as problem documents say it, and by row and column."""
    pointers = (f"/rows/{each.row}/{each.column}" if each.column else f"/rows/{each.row}" for each in faults)
    return Invalid(
        "import_refused",
        "Correct the cells named in errors and send the file again; nothing was imported.",
        [Fault(place, each.code, each.seen, each.expected) for place, each in zip(pointers, faults, strict=True)],
        members={"cells": [each.as_dict() for each in faults]},
    )


def no_grant(roles: Sequence[str]) -> Forbidden:
    fault = Fault("/roles", "not_allowed", ", ".join(roles), "no roles: somebody who may give roles gives them")
    return Forbidden("not_allowed", "None of your roles lets you give roles.", [fault])


def not_a_form(seen: str) -> UnsupportedMedia:
    expected = "multipart/form-data with one file"
    fault = Fault("header:Content-Type", "unsupported_media", seen[:80], expected)
    return UnsupportedMedia("unsupported_media", f"Send {expected}.", [fault])


def no_file() -> Malformed:
    return Malformed("no_file", "The form holds no file.", [Fault("/file", "missing", None, "a CSV or XLSX file")])


def no_rows() -> Invalid:
    return Invalid("no_rows", "The file holds no row.", [Fault("/file", "empty", None, "a header and a row")])


def too_many_rows() -> TooLarge:
    fault = Fault("/file", "too_many_rows", None, f"at most {MOST_ROWS} rows")
    return TooLarge("too_many_rows", "Import the people in parts.", [fault])
