"""Tells DOCX and XLSX (ECMA-376) from other archives, by directory, types and relations: pure, and bounded.

Nothing but the list of types and the relations is unpacked. Macros, controls, embedded objects and content that is
fetched from elsewhere are refused, and so is an archive with anything before, behind or beside its parts.
"""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from xml.etree import ElementTree

from services.customer.attachment import errors
from shared.regime import Format

_END = struct.Struct("<4s4H2LH")
_PARTS, _UNPACKED, _RATIO, _READ = 2_000, 512 << 20, 200, 8 << 20
"""Most parts, bytes unpacked, unpacked bytes for each packed one, bytes of types and relations."""
_TYPES, _RELATIONS = "[Content_Types].xml", ".rels"
_MAIN = {
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml": Format.DOCX,
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml": Format.XLSX,
}
_ACTIVE = ("macro", "vbaproject", "vbadata", "activex", "oleobject")
_ACTIVE_PARTS = ("vbaproject", "vbadata", "activex", "embeddings/", "macrosheets/", "customui")


def office_format(content: bytes) -> Format:
    """DOCX or XLSX. Raises: UnsupportedMedia (unknown_format), Invalid (unfit_content)"""
    if not _is_tight(content):
        raise errors.unknown_format(content)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = archive.infolist()
            _require_bounded(parts, len(content))
            if parts[0].header_offset != 0 or len({each.filename.lower() for each in parts}) != len(parts):
                raise errors.unfit_content(
                    "not_whole", "parts that hide others", "a document as an office suite saves it"
                )
            types = [each.get("ContentType", "").lower() for each in _elements(archive, _TYPES)]
            form = next((_MAIN[each] for each in types if each in _MAIN), None)
            if form is None:
                raise errors.unknown_format(content)
            _require_quiet([each.filename.lower() for each in parts], types)
            for each in parts:
                if each.filename.lower().endswith(_RELATIONS):
                    _require_own(_elements(archive, each.filename))
            return form
    except (zipfile.BadZipFile, zlib.error, ElementTree.ParseError, LookupError, EOFError, RuntimeError, ValueError):
        raise errors.unknown_format(content) from None


def _is_tight(content: bytes) -> bool:
    """Whether the archive ends with its directory and says so: no comment, nothing behind, not too many parts."""
    if len(content) < _END.size:
        return False
    mark, disk, first, here, parts, size, offset, comment = _END.unpack_from(content, len(content) - _END.size)
    is_one = mark == b"PK\x05\x06" and (disk, first, comment) == (0, 0, 0) and here == parts
    return is_one and 0 < parts <= _PARTS and offset + size == len(content) - _END.size


def _require_bounded(parts: list[zipfile.ZipInfo], packed: int) -> None:
    unpacked = sum(each.file_size for each in parts)
    if unpacked > _UNPACKED or unpacked > _RATIO * packed:
        expected = f"at most {_UNPACKED} bytes, packed at most {_RATIO} : 1"
        raise errors.unfit_content("too_large", f"{unpacked} bytes unpacked", expected)
    if any(each.flag_bits & 1 for each in parts):
        raise errors.unfit_content("encrypted", "a document with a password", "a document that anybody can open")
    read = sum(
        each.file_size for each in parts if each.filename == _TYPES or each.filename.lower().endswith(_RELATIONS)
    )
    if read > _READ:
        raise errors.unfit_content("too_large", f"{read} bytes of relations", f"at most {_READ}")


def _elements(archive: zipfile.ZipFile, part: str) -> Iterator[dict[str, str]]:
    """The attributes of each element of a part, as whoever opens the document reads them."""
    for element in ElementTree.fromstring(archive.read(part)).iter():  # noqa: S314 - small, and expat bounds entities
        yield element.attrib


def _require_quiet(names: list[str], types: list[str]) -> None:
    found = [name for name in names if any(mark in name for mark in _ACTIVE_PARTS)]
    found += [each for each in types if any(mark in each for mark in _ACTIVE)]
    if found:
        expected = "a document without macros, controls and embedded objects"
        raise errors.unfit_content("active_content", found[0][:120], expected)


def _require_own(relations: Iterator[dict[str, str]]) -> None:
    """Refuse what is fetched from elsewhere as the document is opened; a link that somebody clicks is no such thing."""
    for each in relations:
        if each.get("TargetMode") == "External" and not each.get("Type", "").endswith("/hyperlink"):
            raise errors.unfit_content("remote_content", each.get("Target", "")[:120], "nothing from elsewhere")
