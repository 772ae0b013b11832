"""Takes out of a picture whatever is not needed to show it; the picture itself is not touched: pure.

What stays is named, so everything else goes: EXIF and XMP (places, times, devices, people), embedded previews,
comments, colour profiles, private parts, and bytes behind the end.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_JPEG_START, _JPEG_END, _SCAN = b"\xff\xd8", 0xD9, 0xDA
_TEMPORARY = 0x01
"""Of the markers that stand alone, restarts belong into scans only."""
_APP0, _APP14 = 0xE0, 0xEE
_TOLD = frozenset({*range(0xE0, 0x100)})
"""Application data, extensions and comments."""
_JFIF = re.compile(rb"JFIF\0.{7}\0\0", re.DOTALL)
"""Version, density, and a preview of no size."""
_ADOBE = re.compile(rb"Adobe.{7}", re.DOTALL)
"""Which colours the components are; without it some pictures show as negatives."""
_MARKER = re.compile(rb"\xff+[^\x00\xff\xd0-\xd7]", re.DOTALL)
"""What ends the data of a scan; bytes of value 255 within it are followed by 0, restarts by one of eight numbers."""
_PNG_START = 8
_PNG_SHOWN = frozenset((b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"sBIT", b"bKGD"))


class Damaged(ValueError):
    """The parts of a picture do not hold together."""


def strip_jpeg(content: bytes) -> bytes:
    """A JPEG (ITU-T T.81) with the segments that decoding needs. Raises: Damaged"""
    return _JPEG_START + b"".join(_segments(content))


def strip_png(content: bytes) -> bytes:
    """A PNG (ISO/IEC 15948) with the chunks that decoding needs. Raises: Damaged"""
    return content[:_PNG_START] + b"".join(_chunks(content))


def _segments(content: bytes) -> Iterator[bytes]:
    at = len(_JPEG_START)
    while True:
        found = _MARKER.match(content, at)
        if found is None:
            raise Damaged("a marker is missing")
        marker, at = content[found.end() - 1], found.end()
        if marker == _JPEG_END:
            yield bytes((0xFF, marker))
            return
        if marker == _TEMPORARY:
            continue
        end = at + int.from_bytes(content[at : at + 2])
        if end < at + 2 or end > len(content):
            raise Damaged("a segment is cut off")
        if _is_needed(marker, content[at + 2 : end]):
            yield bytes((0xFF, marker)) + content[at:end]
        at = end
        if marker == _SCAN:
            after = _MARKER.search(content, at)
            if after is None:
                raise Damaged("the end is missing")
            yield content[at : after.start()]
            at = after.start()


def _is_needed(marker: int, data: bytes) -> bool:
    if marker == _APP0:
        return _JFIF.fullmatch(data) is not None
    if marker == _APP14:
        return _ADOBE.fullmatch(data) is not None
    return marker not in _TOLD


def _chunks(content: bytes) -> Iterator[bytes]:
    at = _PNG_START
    while True:
        length, name = int.from_bytes(content[at : at + 4]), content[at + 4 : at + 8]
        end = at + 12 + length
        if len(name) < 4 or end > len(content):
            raise Damaged("a chunk is cut off")
        if name in _PNG_SHOWN:
            yield content[at:end]
        if name == b"IEND":
            return
        at = end
