"""Looks through a PDF (ISO 32000) for what does more than being read: pure, and bounded however the bytes are arranged.

Names are read as a reader of PDF reads them, escapes included, in the file and in its compressed object streams.
"""

from __future__ import annotations

import re
import zlib

from services.customer.attachment import errors

_END, _ARCHIVE = b"%%EOF", b"PK\x05\x06"
_ARCHIVE_TAIL = 65_557
"""The longest end of a ZIP archive: its record and its comment."""
_INFLATED = 64 << 20
"""Most bytes of all object streams of a file, unpacked."""


def _spelled(*names: str) -> bytes:
    """A pattern for names of PDF, of which any character may be written as # and two digits."""
    letters = ("".join(f"(?:{each}|#(?i:{ord(each):02x}))" for each in name) for name in names)
    return f"/({'|'.join(letters)})(?![A-Za-z0-9#])".encode()


_ACTIVE = re.compile(_spelled("JavaScript", "Launch", "EmbeddedFile", "EmbeddedFiles", "RichMedia", "Rendition", "XFA"))
_LOCKED = re.compile(_spelled("Encrypt"))
_PACKED = re.compile(_spelled("ObjStm"))
_STREAM = re.compile(rb"stream\r?\n")
_VERSION = re.compile(rb"%PDF-[12]\.[0-9]")


def require_quiet(content: bytes) -> None:
    """Raises: Invalid (unfit_content: not_whole, polyglot, encrypted, active_content, unreadable)"""
    if not _VERSION.match(content) or not content.rstrip(b"\0\t\n\f\r ").endswith(_END):
        raise errors.unfit_content("not_whole", f"{len(content)} bytes", "a whole PDF with nothing behind its end")
    if _ARCHIVE in content[-_ARCHIVE_TAIL:]:
        raise errors.unfit_content("polyglot", "a PDF that is an archive too", "one document")
    if _LOCKED.search(content):
        raise errors.unfit_content("encrypted", "a PDF with a password or rights", "a PDF that anybody can open")
    _require_none(content)
    left = _INFLATED
    for found in _PACKED.finditer(content):
        unpacked = _inflated(content, found.end(), left)
        left -= len(unpacked)
        _require_none(unpacked)


def _require_none(part: bytes) -> None:
    if active := _ACTIVE.search(part):
        seen = active[1].decode("ascii")
        raise errors.unfit_content("active_content", seen, "a PDF without scripts, forms of XFA, media or files within")


def _inflated(content: bytes, at: int, most: int) -> bytes:
    """The object stream whose dictionary holds the name before `at`."""
    stream, reader = _STREAM.search(content, at), zlib.decompressobj()
    try:
        if stream is None:
            raise zlib.error
        end = content.find(b"endstream", stream.end())
        unpacked = reader.decompress(content[stream.end() : end], most)
    except zlib.error:
        raise _unreadable() from None
    if not reader.eof:
        raise _unreadable()
    return unpacked


def _unreadable() -> Exception:
    return errors.unfit_content(
        "unreadable", "an object stream that does not unpack", "a PDF that can be looked through"
    )
