"""The sender's own workbook with a column of results and the wrong cells in colour; runs in a process of its own.

The workbook stays as it is: only the sheet gets one cell more in each row and another style for wrong cells, and the
styles get those. A CSV file is made a workbook first.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from xml.sax.saxutils import escape

import xlsxwriter

from services.customer.exchange import rules
from services.customer.exchange.rules import CellFault, Limits
from shared.regime import Text
from shared.sheets import is_workbook, lines_of, part_of, sheets_of

_STYLES = "xl/styles.xml"
_ROW = re.compile(rb"<((?:\w+:)?)row\b([^>]*?)(?:/>|>(.*?)</(?:\w+:)?row>)", re.S)
_CELL = re.compile(rb"<((?:\w+:)?)c\b([^>]*?)(/?)>")
_REF = re.compile(rb"\br=[\"']([A-Z]+)?([0-9]+)[\"']")
_STYLE = re.compile(rb"\s+s=[\"']([0-9]+)[\"']")
_SPANS = re.compile(rb"\s+spans=[\"'][^\"']*[\"']")
_FORMATS = re.compile(rb"(<(?:\w+:)?cellXfs\b)([^>]*)>(.*?)(</(?:\w+:)?cellXfs>)", re.S)
_FORMAT = re.compile(rb"<(?:\w+:)?xf\b[^>]*?(?:/>|>.*?</(?:\w+:)?xf>)", re.S)
_FILLS = re.compile(rb"(<(?:\w+:)?fills\b)([^>]*)>(.*?)(</(?:\w+:)?fills>)", re.S)
_FILL = re.compile(rb"<(?:\w+:)?fill>|<(?:\w+:)?fill/>|<(?:\w+:)?fill\s")
_COUNT = re.compile(rb"\s+count=[\"'][0-9]+[\"']")
_FILL_ID = re.compile(rb"\s+(?:fillId|applyFill)=[\"'][0-9a-z]+[\"']")
_RED = b'<fill><patternFill patternType="solid"><fgColor rgb="FFFFC7CE"/><bgColor indexed="64"/></patternFill></fill>'
_LONGEST = 2000


@dataclass(frozen=True, slots=True)
class Marks:
    """What is wrong, and the words for it: faults by their code, columns by theirs."""

    faults: list[CellFault]
    words: Mapping[str, Text]
    names: Mapping[str, Text]
    labels: Mapping[str, Text] = field(default_factory=dict)

    def told(self, fault: CellFault) -> str:
        """A fault in words."""
        name = self.names.get(fault.code)
        text = fault.code if name is None else rules.both(name)
        label = self.labels.get(fault.column or "")
        place = "" if fault.column is None else f"{rules.both(label) if label else fault.column}: "
        seen = "" if fault.seen is None else f" ({fault.seen})"
        expected = "" if fault.expected is None else f" → {fault.expected}"
        return f"{place}{text}{seen}{expected}"

    @property
    def results(self) -> dict[int, str]:
        """What stands in the column of results, by row."""
        found: dict[int, list[str]] = {}
        for fault in self.faults:
            found.setdefault(max(fault.row, 1), []).append(self.told(fault))
        return {row: "; ".join(texts)[:_LONGEST] for row, texts in found.items()}


def annotated(content: bytes, marks: Marks, limits: Limits) -> bytes:
    """The workbook with results. Raises: Malformed"""
    if not is_workbook(content):
        content = _of_csv(content, limits)
    sheets = sheets_of(content)
    visible = [name for name, is_visible in sheets.items() if is_visible]
    named = [name for name in visible if rules.is_word(marks.words, "sheet", name)]
    name = (named or visible or list(sheets))[0]
    top, columns = _heading(content, name)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        part = part_of(archive, list(sheets).index(name))
        styles = archive.read(_STYLES) if _STYLES in archive.namelist() else b""
        sheet = _Sheet(marks, top, columns, _Styles(styles))
        parts = {part: sheet.marked(archive.read(part))}
        if styles:
            parts[_STYLES] = sheet.styles.extended()
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as made:
            for each in archive.infolist():
                made.writestr(each.filename, parts.get(each.filename) or archive.read(each.filename))
    return packed.getvalue()


def _of_csv(content: bytes, limits: Limits) -> bytes:
    """The same lines, all as text."""
    packed = io.BytesIO()
    with xlsxwriter.Workbook(packed, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        for row, line in enumerate(lines_of(content, most_unpacked=limits.unpacked)):
            for place, cell in enumerate(line):
                if cell:
                    sheet.write_string(row, place, str(cell))
    return packed.getvalue()


def _heading(content: bytes, name: str) -> tuple[int, dict[str, int]]:
    """The row of the heading, and where each column stands, as far as its heading tells."""
    from python_calamine import CalamineWorkbook  # noqa: PLC0415

    sheet = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_name(name)
    left = (sheet.start or (0, 0))[1]
    for number, line in enumerate(sheet.iter_rows(), 1):
        if any(cell not in (None, "") for cell in line):
            return number, {str(cell).strip(): place for place, cell in enumerate(line, left)}
    return 1, {}


class _Styles:
    """The styles of a workbook, and a coloured one beside each that a wrong cell has."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        formats = _FORMATS.search(content)
        self._formats = _FORMAT.findall(formats[3]) if formats else []
        fills = _FILLS.search(content)
        self._fill = len(_FILL.findall(fills[3])) if fills else 0
        self._added: dict[int, bytes] = {}

    def coloured(self, style: int) -> int | None:
        """The number of the style that is like another, in colour; None if there are no styles."""
        if style >= len(self._formats):
            return None
        if style not in self._added:
            like = _FILL_ID.sub(b"", self._formats[style])
            head = re.compile(rb"(<(?:\w+:)?xf\b)")
            self._added[style] = head.sub(rb'\1 fillId="%d" applyFill="1"' % self._fill, like, count=1)
        return len(self._formats) + list(self._added).index(style)

    def extended(self) -> bytes:
        """The styles with those."""
        content = _with(self._content, _FORMATS, b"".join(self._added.values()), len(self._formats) + len(self._added))
        return _with(content, _FILLS, _RED, self._fill + 1)


def _with(content: bytes, list_of: re.Pattern[bytes], more: bytes, count_of: int) -> bytes:
    def longer(found: re.Match[bytes]) -> bytes:
        head = _COUNT.sub(b"", found[2])
        return b'%s%s count="%d">%s%s%s' % (found[1], head, count_of, found[3], more, found[4])

    return list_of.sub(longer, content, count=1)


class _Sheet:
    """The XML of the sheet."""

    def __init__(self, marks: Marks, top: int, columns: Mapping[str, int], styles: _Styles) -> None:
        self.styles = styles
        self._top = top
        self._results = marks.results
        self._heading = rules.both(marks.words["result"])
        self._after = max(columns.values(), default=0) + 1
        self._wrong = set(_places(marks, columns))
        self._wrong_rows = {row for row, _ in self._wrong}

    def marked(self, sheet: bytes) -> bytes:
        """The sheet with results."""
        numbers = count(1)
        return _ROW.sub(lambda found: self._row(found, numbers), sheet)

    def _row(self, found: re.Match[bytes], numbers: Iterator[int]) -> bytes:
        prefix, attributes, cells = found[1], _SPANS.sub(b"", found[2]), found[3] or b""
        by_order, told = next(numbers), _REF.search(attributes)
        number = int(told[2]) if told else by_order
        text = self._heading if number == self._top else self._results.get(number, "")
        if number in self._wrong_rows:
            places = count(0)
            cells = _CELL.sub(lambda cell: self._cell(cell, number, places), cells)
        result = b'<%sc r="%s%d" t="inlineStr"><%sis><%st xml:space="preserve">%s</%st></%sis></%sc>' % (
            prefix, _letters(self._after), number, prefix, prefix, escape(_printable(text)).encode(), prefix, prefix,
            prefix,
        )  # fmt: skip
        return b"<%srow%s>%s%s</%srow>" % (prefix, attributes, cells, result if text else b"", prefix)

    def _cell(self, found: re.Match[bytes], row: int, places: Iterator[int]) -> bytes:
        by_order, told = next(places), _REF.search(found[2])
        place = _place(told[1]) if told and told[1] else by_order
        if (row, place) not in self._wrong:
            return found[0]
        style = _STYLE.search(found[2])
        number = self.styles.coloured(int(style[1]) if style else 0)
        if number is None:
            return found[0]
        return b'<%sc%s s="%d"%s>' % (found[1], _STYLE.sub(b"", found[2]), number, found[3])


def _places(marks: Marks, columns: Mapping[str, int]) -> Iterator[tuple[int, int]]:
    """Row and column of the wrong cells."""
    by_code: dict[str, int] = {}
    for text, place in columns.items():
        found = rules.CODE.search(text)
        by_code[found[1] if found else text.removesuffix("*").strip()] = place
    names = {code: (label.zh, label.en, rules.both(label), code) for code, label in marks.labels.items()}
    names["unit"] = (marks.words["unit"].zh, marks.words["unit"].en, "unit", "unit")
    for fault in marks.faults:
        for name in names.get(fault.column or "", ()):
            if name in by_code:
                yield fault.row, by_code[name]


def _letters(place: int) -> bytes:
    letters, rest = "", place + 1
    while rest:
        rest, digit = divmod(rest - 1, 26)
        letters = chr(65 + digit) + letters
    return letters.encode()


def _place(letters: bytes) -> int:
    place = 0
    for letter in letters:
        place = place * 26 + letter - 64
    return place - 1


def _printable(text: str) -> str:
    """XML takes no control characters."""
    return "".join(character if character.isprintable() else " " for character in text)
