"""Tables that people send as files: CSV and workbooks. From bytes to lines of raw cells.

Pure; knows no columns and casts nothing. What makes a whole file unreadable is refused here, for every service in the
same words; what stands in the cells is for the caller to judge.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, repeat

from shared.errors import Fault, Malformed, TooLarge

ENCODINGS = "UTF-8 (with or without BOM) or GB18030"
UTF8_BOM, UTF16_BOMS, ZIP = b"\xef\xbb\xbf", (b"\xff\xfe", b"\xfe\xff"), b"PK\x03\x04"
_SHEET, _LINK = (re.compile(rb"<(?:\w+:)?" + tag + rb"\s[^<>]*>") for tag in (b"sheet", b"Relationship"))
_REFERENCE, _ID, _TARGET = (re.compile(name + rb"=[\"']([^\"']+)") for name in (rb":id", rb"\sId", rb"\sTarget"))


def is_workbook(content: bytes) -> bool:
    """Whether it is an XLSX workbook rather than a CSV file, by its first bytes."""
    return content.startswith(ZIP)


def lines_of(content: bytes, *, most_unpacked: int) -> Iterator[Sequence[object]]:
    """The lines of a CSV file as text, or of a workbook's first sheet: text, numbers, days, moments, booleans.

    The n-th line is the n-th row, as a spreadsheet counts them: empty ones come, too, as blank cells or none.
    Raises: Malformed, TooLarge (a workbook that unpacks to more than `most_unpacked` bytes)
    """
    return iter(_workbook(content, most_unpacked) if is_workbook(content) else _csv(content))


def _csv(content: bytes) -> Iterator[Sequence[object]]:
    reader = csv.reader(io.StringIO(decode(content), newline=""), strict=True)
    try:
        yield from reader
    except csv.Error as error:
        fault = Fault(
            "/file",
            "not_csv",
            f"line {reader.line_num}: {error}",
            "comma separated, quoted by double quotes (RFC 4180)",
        )
        raise Malformed("not_csv", "The file is not CSV.", [fault]) from None


def decode(content: bytes) -> str:
    """The text of a CSV file: UTF-8, with or without BOM, else GB18030. Raises: Malformed"""
    if content.startswith(UTF16_BOMS):
        raise _bad_encoding("UTF-16")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        place = f"byte {error.start} is neither"
    if content.startswith(UTF8_BOM) or _is_broken_utf8(content):
        raise _bad_encoding(f"{place}; the rest is UTF-8")
    try:
        return content.decode("gb18030")
    except UnicodeDecodeError as error:
        raise _bad_encoding(f"byte {error.start} is neither") from None


def _bad_encoding(seen: str) -> Malformed:
    fault = Fault("/file", "bad_encoding", seen, ENCODINGS)
    return Malformed("bad_encoding", f"Save the file as {ENCODINGS}.", [fault])


def _is_broken_utf8(content: bytes) -> bool:
    """GB18030 text is hardly ever UTF-8 by chance: more good sequences than bad ones mean damaged UTF-8."""
    text = content.decode("utf-8", "replace")
    bad = text.count("�")
    return sum(not character.isascii() for character in text) - bad > bad


def first_sheet(content: bytes) -> bytes:
    """The XML of a workbook's first sheet, for what its values do not tell. Raises: Malformed"""
    with _as_workbook(), zipfile.ZipFile(io.BytesIO(content)) as archive:
        first = _REFERENCE.findall(_SHEET.findall(archive.read("xl/workbook.xml"))[0])[0]
        links = _LINK.findall(archive.read("xl/_rels/workbook.xml.rels"))
        target = {_ID.findall(link)[0]: _TARGET.findall(link)[0] for link in links}[first].decode("utf-8", "replace")
        return archive.read(f"xl/{target.removeprefix('/').removeprefix('xl/')}")


def _workbook(content: bytes, most: int) -> Iterator[Sequence[object]]:
    """The first sheet; formulas as their last computed value."""
    from python_calamine import CalamineWorkbook  # noqa: PLC0415 - 10 ms that only workbooks need

    with _as_workbook():
        unpacked = sum(entry.file_size for entry in zipfile.ZipFile(io.BytesIO(content)).infolist())
        if unpacked > most:
            fault = Fault("/file", "workbook_too_large", unpacked, f"at most {most} bytes unpacked")
            raise TooLarge("workbook_too_large", "The workbook unpacks to more than is read here.", [fault])
        sheet = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0)
        above, _ = sheet.start or (0, 0)
        return chain(repeat((), above), sheet.to_python())


@contextmanager
def _as_workbook() -> Iterator[None]:
    """Tells whatever goes wrong with a broken, encrypted or foreign archive as what it is. Raises: Malformed"""
    from python_calamine import CalamineError  # noqa: PLC0415

    try:
        yield
    except (zipfile.BadZipFile, zlib.error, CalamineError, LookupError, EOFError, RuntimeError) as error:
        fault = Fault("/file", "not_xlsx", type(error).__name__, "an XLSX workbook")
        raise Malformed("not_xlsx", "The file is not a workbook.", [fault]) from None
