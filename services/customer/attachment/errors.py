"""Refusals of attachments."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from shared.edits import etag_of
from shared.errors import Conflict, Fault, Forbidden, Invalid, NotFound, PreconditionFailed, UnsupportedMedia

_FORMATS = "PDF, JPEG, PNG, DOCX or XLSX without macros, or plain text in UTF-8 or GB18030"


def unknown_format(content: bytes) -> UnsupportedMedia:
    """None of the formats that can be kept, whatever the request calls it."""
    seen = f"{len(content)} bytes that begin with {content[:8].hex(' ')}" if content else "0 bytes"
    detail = "Send a document, a picture or plain text; what it is, its content says."
    return UnsupportedMedia("unknown_format", detail, [Fault("", "unknown_format", seen, _FORMATS)])


def unfit_content(code: str, seen: str, expected: str) -> Invalid:
    """A document that does more than being read, or that nobody can look into."""
    return Invalid(
        "unfit_content", "Save the document anew without this, then send it.", [Fault("", code, seen, expected)]
    )


def bad_attachment(faults: Sequence[Fault]) -> Invalid:
    """Kind, name, level and content do not go together."""
    return Invalid("bad_attachment", "Correct what is named in errors; nothing was kept.", faults)


def unknown_kind(kind: str, known: Iterable[str]) -> Fault:
    """No such kind is declared."""
    return Fault("query:kind", "unknown_kind", kind[:80], sorted(known))


def no_such_attachment() -> NotFound:
    """The customer has none such."""
    return NotFound("not_found", "There is no such record, or it is not yours to see.")


def not_cleared(kind: str) -> Forbidden:
    """Its level or its class is beyond what the caller sees of the file; who may not read may not write blindly."""
    fault = Fault("", "not_cleared", kind, "an attachment within your clearance")
    return Forbidden("attachment_not_cleared", "This attachment is above your clearance.", [fault])


def over() -> Conflict:
    """It has ended."""
    return Conflict("attachment_ended", "This attachment has ended; keep a new one.")


def outdated(version: int) -> PreconditionFailed:
    """Somebody changed it meanwhile."""
    detail = "Somebody changed this attachment since you read it. Read it again, then send the new ETag."
    return PreconditionFailed("attachment_changed", detail, headers={"ETag": etag_of(version)})
