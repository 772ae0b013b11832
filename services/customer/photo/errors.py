"""Refusals of photographs."""

from __future__ import annotations

from collections.abc import Sequence

from shared.errors import Fault, Forbidden, Invalid, NotFound, Unavailable, UnsupportedMedia


def not_a_photo_item(item: str, items: Sequence[str]) -> Invalid:
    """No picture can be the value of this item."""
    fault = Fault("path:photo", "not_a_photo_item", item[:80], list(items))
    return Invalid("not_a_photo_item", "Name one of the image items of the dictionary.", [fault])


def not_a_picture(content: bytes) -> UnsupportedMedia:
    """Neither JPEG nor PNG, whatever the request calls it."""
    seen = f"{len(content)} bytes that begin with {content[:8].hex(' ')}" if content else "0 bytes"
    fault = Fault("", "not_a_picture", seen, "a JPEG or PNG picture")
    return UnsupportedMedia("not_a_picture", "Send the bytes of a JPEG or PNG picture.", [fault])


def bad_picture(code: str, seen: str, expected: str) -> Invalid:
    """A picture that cannot be read, or that is too small or too large to show."""
    return Invalid("bad_picture", "Send another picture.", [Fault("", code, seen, expected)])


def decoders_busy() -> Unavailable:
    """No decoder was free in time."""
    detail = "Too many pictures are being read. Nothing was kept; try again."
    return Unavailable("decoders_busy", detail, headers={"Retry-After": "5"})


def no_such_photo() -> NotFound:
    """The customer has no such photograph."""
    return NotFound("not_found", "There is no such record, or it is not yours to see.")


def not_cleared(item: str) -> Forbidden:
    """The item that it was taken for is above the reader's clearance."""
    fault = Fault("path:photo", "not_cleared", item, "a photograph within your clearance")
    return Forbidden("photo_not_cleared", "This photograph is above your clearance.", [fault])
