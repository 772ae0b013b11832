"""What a picture is, told from its own bytes: pure, and bounded however the bytes are arranged.

Only signature and header are read, before anything is decoded: a picture with too many pixels goes no further.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

from services.customer.photo import errors

JPEG, PNG = "image/jpeg", "image/png"
SIDE = range(16, 12_001)
PIXELS = 50_000_000
"""Unless the service is set up otherwise."""
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PNG_HEADER = struct.Struct(">I4sIIBBBBBI")
_PNG_DEPTHS = {0: {1, 2, 4, 8, 16}, 2: {8, 16}, 3: {1, 2, 4, 8}, 4: {8, 16}, 6: {8, 16}}
_JPEG_SIGNATURE = b"\xff\xd8\xff"
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_ALONE = frozenset({0x01, *range(0xD0, 0xD8)})
_ENDS = frozenset({0xD9, 0xDA})
_STEPS = 1000
"""Most marker segments and fill bytes before the frame header; cameras write a few dozen."""


@dataclass(frozen=True, slots=True)
class Picture:
    """What the bytes say of themselves; sides in pixels."""

    media_type: str
    width: int
    height: int


def examine(content: bytes, most_pixels: int = PIXELS) -> Picture:
    """The picture in `content`, as it was sent. Raises: UnsupportedMedia (not_a_picture), Invalid (bad_picture)."""
    if content.startswith(_PNG_SIGNATURE):
        media_type, sides = PNG, _png_sides(content)
    elif content.startswith(_JPEG_SIGNATURE):
        media_type, sides = JPEG, _jpeg_sides(content)
    else:
        raise errors.not_a_picture(content)
    if sides is None:
        raise errors.bad_picture("unreadable_header", media_type, "a whole picture with a header that can be read")
    width, height = sides
    if width not in SIDE or height not in SIDE or width * height > most_pixels:
        expected = f"sides of {SIDE.start} to {SIDE.stop - 1} pixels, at most {most_pixels} pixels in all"
        raise errors.bad_picture("bad_size", f"{width} x {height}", expected)
    return Picture(media_type, width, height)


def _png_sides(content: bytes) -> tuple[int, int] | None:
    """Width and height of the IHDR chunk, which comes first (ISO/IEC 15948); None if it does not hold together."""
    start = len(_PNG_SIGNATURE)
    if len(content) < start + _PNG_HEADER.size:
        return None
    length, name, width, height, depth, colour, packing, filtering, interlace, crc = _PNG_HEADER.unpack_from(
        content, start
    )
    is_whole = (length, name) == (13, b"IHDR") and zlib.crc32(content[start + 4 : start + 21]) == crc
    is_known = depth in _PNG_DEPTHS.get(colour, ()) and (packing, filtering) == (0, 0) and interlace in (0, 1)
    return (width, height) if is_whole and is_known else None


def _jpeg_sides(content: bytes) -> tuple[int, int] | None:
    """Width and height of the frame header (ITU-T T.81); None if the picture data come first or nothing does."""
    at = 2
    for _ in range(_STEPS):
        if len(content) < at + 4 or content[at] != 0xFF:
            return None
        marker = content[at + 1]
        if marker == 0xFF:
            at += 1
        elif marker in _ALONE:
            at += 2
        elif marker in _FRAMES:
            return _frame_sides(content, at)
        elif marker in _ENDS:
            return None
        else:
            at += 2 + int.from_bytes(content[at + 2 : at + 4])
    return None


def _frame_sides(content: bytes, at: int) -> tuple[int, int] | None:
    if len(content) < at + 10:
        return None
    length, precision, height, width, components = struct.unpack_from(">HBHHB", content, at + 2)
    return (width, height) if length == 8 + 3 * components and precision in (8, 12) and components else None
