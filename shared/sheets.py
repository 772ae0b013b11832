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
from dataclasses import dataclass

from shared.errors import Fault, Invalid, Malformed, TooLarge

ENCODINGS = "UTF-8 (with or without BOM) or GB18030"
UTF8_BOM, UTF16_BOMS, ZIP = b"\xef\xbb\xbf", (b"\xff\xfe", b"\xfe\xff"), b"PK\x03\x04"
_MACROS = ("vbaproject.bin", "vbadata.xml")
_BINARY = (b"xlsb", b"macrosheet", b"vnd.ms-excel.sheet.macroenabled", b"vnd.ms-excel.template.macroenabled")
_TYPES = "[Content_Types].xml"
_FORMULAS = (b"<f>", b"<f ", b"<f/", b":f>", b":f ", b":f/")
_FORMULA = re.compile(rb"<(?:\w+:)?f[\s/>]")
_PLACE = re.compile(rb"\br=[\"']([A-Z]{1,3})([0-9]{1,7})[\"']")
_SHEET, _LINK = (re.compile(rb"<(?:\w+:)?" + tag + rb"\s[^<>]*>") for tag in (b"sheet", b"Relationship"))
_REFERENCE, _ID, _TARGET = (re.compile(name + rb"=[\"']([^\"']+)") for name in (rb":id", rb"\sId", rb"\sTarget"))


@dataclass(frozen=True, slots=True)
class Bounds:
    """What an archive may claim before it is unpacked: bytes in all, parts, and unpacked bytes for each packed one."""

    unpacked: int
    parts: int
    ratio: int


def is_workbook(content: bytes) -> bool:
    """Whether it is an XLSX workbook rather than a CSV file, by its first bytes."""
    return content.startswith(ZIP)


def check_archive(content: bytes, bounds: Bounds) -> None:
    """Refuse a workbook by what its directory says: a bomb, macros, another kind of archive.

    Raises: Malformed (not_xlsx), TooLarge (workbook_too_large), Invalid (macros)
    """
    with _as_workbook(), zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = archive.infolist()
        _require_bounded(parts, len(content), bounds)
        if archive.getinfo(_TYPES).file_size > bounds.unpacked // bounds.ratio:
            raise _too_large(archive.getinfo(_TYPES).file_size, "a short list of content types")
        types = archive.read(_TYPES).lower()
        names = [part.filename.lower() for part in parts]
    found = [name for name in names if name.rpartition("/")[2] in _MACROS]
    found += [each.decode() for each in _BINARY if each in types]
    if found:
        fault = Fault("/file", "macros", found[0], "an XLSX workbook without macros")
        raise Invalid("macros", "Save the workbook as XLSX, without macros.", [fault])


def _require_bounded(parts: Sequence[zipfile.ZipInfo], packed: int, bounds: Bounds) -> None:
    unpacked = sum(part.file_size for part in parts)
    if len(parts) > bounds.parts:
        raise _too_large(len(parts), f"at most {bounds.parts} parts")
    if unpacked > bounds.unpacked:
        raise _too_large(unpacked, f"at most {bounds.unpacked} bytes unpacked")
    if unpacked > bounds.ratio * packed:
        raise _too_large(f"{unpacked / packed:.0f} : 1", f"packed at most {bounds.ratio} : 1")


def _too_large(seen: object, expected: str) -> TooLarge:
    fault = Fault("/file", "workbook_too_large", seen, expected)
    return TooLarge("workbook_too_large", "The workbook unpacks to more than is read here.", [fault])


def sheets_of(content: bytes) -> dict[str, bool]:
    """The sheets of a workbook in order, and whether a person sees each. Raises: Malformed"""
    from python_calamine import CalamineWorkbook, SheetVisibleEnum  # noqa: PLC0415

    with _as_workbook():
        sheets = CalamineWorkbook.from_filelike(io.BytesIO(content)).sheets_metadata
        return {each.name: each.visible is SheetVisibleEnum.Visible for each in sheets}


def lines_of(content: bytes, *, most_unpacked: int, sheet: str | None = None) -> Iterator[Sequence[object]]:
    """The lines of a CSV file as text, or of a workbook's first sheet: text, numbers, days, moments, booleans.

    The n-th line is the n-th row, as a spreadsheet counts them: empty ones come, too, as blank cells or none.
    `sheet` names another one than the first. Raises: Malformed, TooLarge (more than `most_unpacked` bytes unpacked)
    """
    return iter(_workbook(content, most_unpacked, sheet) if is_workbook(content) else _csv(content))


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
    return sheet_part(content, 0)


def sheet_part(content: bytes, position: int) -> bytes:
    """The same of another sheet, by its place among all. Raises: Malformed"""
    with _as_workbook(), zipfile.ZipFile(io.BytesIO(content)) as archive:
        return archive.read(part_of(archive, position))


def part_of(archive: zipfile.ZipFile, position: int) -> str:
    """The name of the part that holds a sheet, by its place among all sheets. Raises: LookupError"""
    wanted = _REFERENCE.findall(_SHEET.findall(archive.read("xl/workbook.xml"))[position])[0]
    links = _LINK.findall(archive.read("xl/_rels/workbook.xml.rels"))
    target = {_ID.findall(link)[0]: _TARGET.findall(link)[0] for link in links}[wanted].decode("utf-8", "replace")
    return f"xl/{target.removeprefix('/').removeprefix('xl/')}"


def computed_cells(part: bytes) -> Iterator[tuple[int, str | None]]:
    """Row and column letters of every cell of a sheet that is computed; the reader of values does not tell.

    By its tags: the one before a formula is its cell's, `<c r="B3">`; without a place it is told as row 1.
    """
    if not any(each in part for each in _FORMULAS):
        return
    for found in _FORMULA.finditer(part):
        place = _PLACE.search(part, part.rfind(b"<", 0, found.start()), found.start())
        yield (int(place[2]), place[1].decode()) if place else (1, None)


def _workbook(content: bytes, most: int, name: str | None) -> Iterator[Sequence[object]]:
    """One sheet; formulas as their last computed value."""
    from python_calamine import CalamineWorkbook  # noqa: PLC0415 - 10 ms that only workbooks need

    with _as_workbook():
        unpacked = sum(entry.file_size for entry in zipfile.ZipFile(io.BytesIO(content)).infolist())
        if unpacked > most:
            raise _too_large(unpacked, f"at most {most} bytes unpacked")
        book = CalamineWorkbook.from_filelike(io.BytesIO(content))
        sheet = book.get_sheet_by_index(0) if name is None else book.get_sheet_by_name(name)
        return sheet.iter_rows()


@contextmanager
def _as_workbook() -> Iterator[None]:
    """Tells whatever goes wrong with a broken, encrypted or foreign archive as what it is. Raises: Malformed"""
    from python_calamine import CalamineError  # noqa: PLC0415

    try:
        yield
    except (zipfile.BadZipFile, zlib.error, CalamineError, LookupError, EOFError, RuntimeError) as error:
        fault = Fault("/file", "not_xlsx", type(error).__name__, "an XLSX workbook")
        raise Malformed("not_xlsx", "The file is not a workbook.", [fault]) from None
