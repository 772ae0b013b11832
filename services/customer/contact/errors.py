"""Refusals of contacts."""

from __future__ import annotations

from collections.abc import Sequence

from shared.edits import etag_of
from shared.errors import Conflict, Fault, Invalid, NotFound, PreconditionFailed


def no_such_contact() -> NotFound:
    """There is none of this customer."""
    return NotFound("not_found", "There is no such record, or it is not yours to see.")


def unknown_kind(kind: str, known: Sequence[str]) -> Invalid:
    """No such way of contact is declared."""
    fault = Fault("/kind", "unknown_kind", kind[:80], list(known))
    return Invalid("bad_contact", "Correct what is named in errors; nothing was stored.", [fault])


def bad_contact(faults: Sequence[Fault]) -> Invalid:
    """Some of it cannot be so, or is not enough."""
    return Invalid("bad_contact", "Correct what is named in errors; nothing was stored.", faults)


def withdrawn() -> Conflict:
    """It was said that there was no such contact."""
    return Conflict("contact_withdrawn", "This contact was withdrawn; record it anew.")


def outdated(version: int) -> PreconditionFailed:
    """Somebody corrected it meanwhile."""
    detail = "Somebody corrected this contact since you read it. Read it again, then send the new ETag."
    return PreconditionFailed("contact_changed", detail, headers={"ETag": etag_of(version)})
