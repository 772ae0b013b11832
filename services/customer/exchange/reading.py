"""Reads a file in a process of its own: opens it, knows its columns, and checks its cells step by step.

The process has no key and no connection. It keeps the file that it is at, so that the next step goes on where the last
one ended; whoever asks for another place makes it begin again and pass over what is done already.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import UUID

from services.customer.dictionary.service import Dictionaries
from services.customer.exchange import rules
from services.customer.exchange.rules import CLEAR, CellFault, Cells, Limits, Mode
from shared.clock import day_of
from shared.errors import Fault, KehuError
from shared.regime import BadValue, Codelist, Regimes, Use, load
from shared.sheets import Bounds, check_archive, computed_cells, is_workbook, lines_of, sheet_part, sheets_of

_MANY = 5  # formulas of a file that are named one by one where there are no rows to name


@dataclass(frozen=True, slots=True)
class Task:
    """What to read a file as."""

    import_id: UUID
    kind: str
    mode: Mode
    moment: datetime
    limits: Limits


@dataclass(frozen=True, slots=True)
class Line:
    """A row: the values that it sets (None takes one away), and what is wrong with it."""

    number: int
    key: str | None
    unit: str | None
    values: dict[str, Any]
    faults: list[CellFault]


@dataclass(frozen=True, slots=True)
class Step:
    """The next rows. `refused`: what is wrong with the file as a whole; there are no rows then."""

    lines: list[Line]
    is_last: bool
    refused: list[CellFault] = field(default_factory=list)


class Astray(Exception):
    """The process is not at this place of this file: it must be given the file again."""


_UNKNOWN = object()
_REMEMBERED = 2000
"""Cells of a column whose values are not read again: codes, flags and small numbers come back in most rows."""


class _Column:
    """A column: how its cells are read (none: the unit), and what some of them held."""

    def __init__(self, code: str, cells: Cells | None) -> None:
        self.code = code
        self.cells = cells
        self._texts: dict[object, Any] = {}
        self._numbers: dict[object, Any] = {}

    def known(self, cell: object) -> Any:
        """The value that such a cell held before, or _UNKNOWN."""
        kind = cell.__class__
        if kind is str:
            return self._texts.get(cell, _UNKNOWN)
        return self._numbers.get(cell, _UNKNOWN) if kind is float else _UNKNOWN

    def remember(self, cell: object, value: Any) -> None:
        """Keep it, as long as there are few; true, 1 and "1" are not the same."""
        kept = self._texts if cell.__class__ is str else self._numbers
        if cell.__class__ in (str, float) and len(kept) < _REMEMBERED:
            kept[cell] = value


class Reader:
    """One file, from its heading on."""

    def __init__(self, regimes: Regimes, task: Task, content: bytes) -> None:
        self.task = task
        self.passed = 0
        self._day = day_of(task.moment)
        self._dictionaries = Dictionaries(regimes)
        self._catalogue = self._dictionaries.catalogue(task.kind, task.moment)
        self._words = regimes.get(Codelist, rules.WORDS, on=self._day).codes
        number = self._catalogue.used_as(Use.NUMBER)
        assert number is not None
        self._key = number.code
        self._seen: dict[str, int] = {}
        self._formulas: dict[int, list[str | None]] = {}
        self._columns: list[_Column | None] = []
        self.refused: list[CellFault] = []
        self._lines = self._open(content)

    def _open(self, content: bytes) -> Iterator[tuple[int, Sequence[object]]]:
        try:
            numbered = enumerate(self._sheet(content), 1)
            filled = ((number, line) for number, line in numbered if any(map(_is_filled, line)))
            top, header = next(filled, (0, ()))
        except KehuError as error:
            places = error.faults or ()
            self.refused = [CellFault(0, None, each.code, _text(each.seen), _text(each.expected)) for each in places]
            self.refused = self.refused or [CellFault(0, None, error.code, None, error.detail)]
            return iter(())
        if not self.refused:
            self._head(top, header)
        return iter(()) if self.refused else filled

    def _sheet(self, content: bytes) -> Iterator[Sequence[object]]:
        limits = self.task.limits
        if not is_workbook(content):
            return lines_of(content, most_unpacked=limits.unpacked)
        check_archive(content, Bounds(limits.unpacked, limits.parts, limits.ratio))
        name, position = self._chosen(content)
        if name is None:
            return iter(())
        part = sheet_part(content, position)
        if part.count(b"<row") + part.count(b":row ") > 2 * limits.rows + 1000:
            self.refused.append(CellFault(0, None, "too_many_rows", None, f"at most {limits.rows} rows"))
        if b"mergeCell" in part:
            self.refused.append(CellFault(0, None, "merged_cells", None, "no merged cells"))
        for row, column in computed_cells(part):
            self._formulas.setdefault(row, []).append(column)
        if self.refused:
            return iter(())
        del part
        return lines_of(content, most_unpacked=limits.unpacked, sheet=name)

    def _chosen(self, content: bytes) -> tuple[str | None, int]:
        """The one sheet that people see, or the one that is called as the template calls it; its place among all."""
        sheets = sheets_of(content)
        visible = [name for name, is_visible in sheets.items() if is_visible]
        named = [name for name in visible if rules.is_word(self._words, "sheet", name)]
        chosen = named if len(visible) > 1 else visible
        if len(chosen) != 1:
            seen, expected = ", ".join(visible)[:200], f"one sheet, or one called {rules.both(self._words['sheet'])}"
            self.refused.append(CellFault(0, None, "wrong_sheet", seen, expected))
            return None, 0
        return chosen[0], list(sheets).index(chosen[0])

    def _head(self, top: int, header: Sequence[object]) -> None:
        if not top:
            self.refused.append(CellFault(0, None, "no_rows", None, "a heading and a row"))
            return
        width = max((place for place, cell in enumerate(header, 1) if _is_filled(cell)), default=0)
        if width > self.task.limits.columns:
            expected = f"at most {self.task.limits.columns} columns"
            self.refused.append(CellFault(top, None, "too_many_columns", str(width), expected))
            return
        codes, faults = rules.columns_of(top, header[:width], self._catalogue, self._words)
        if not any(codes):
            expected = f"the headings of the template, in the sheet {rules.both(self._words['sheet'])}"
            faults = [CellFault(top, None, "wrong_sheet", faults[0].seen if faults else None, expected)]
        else:
            faults += rules.missing_columns(top, codes, self._catalogue, self._key, self.task.mode)
        self.refused = faults
        self._columns = [None if code is None else self._column(code) for code in codes]

    def _column(self, code: str) -> _Column:
        item = self._catalogue.items.get(code)
        codes = None if item is None else self._dictionaries.codes(item, self._day)
        return _Column(code, None if item is None else Cells(item, codes, self._words))

    def step(self, count: int) -> Step:
        """The next rows, at most so many."""
        if self.refused:
            return Step([], True, self.refused)
        try:
            lines = [self._line(number, line) for number, line in islice(self._lines, count)]
        except KehuError as error:  # a CSV file that is none further down
            faults = [CellFault(0, None, each.code, _text(each.seen), _text(each.expected)) for each in error.faults]
            return Step([], True, faults or [CellFault(0, None, error.code, None, error.detail)])
        self.passed += len(lines)
        if self.passed > self.task.limits.rows:
            return Step([], True, [CellFault(0, None, "too_many_rows", None, f"at most {self.task.limits.rows} rows")])
        if not self.passed:
            return Step([], True, [CellFault(0, None, "no_rows", None, "a heading and a row")])
        return Step(lines, is_last=len(lines) < count)

    def _line(self, number: int, line: Sequence[object]) -> Line:
        faults = [
            CellFault(number, None, "formula", column, "a plain value") for column in self._formulas.get(number, ())
        ]
        unit, values, fresh = self._values(number, line, faults)
        if any(map(_is_filled, line[len(self._columns) :])):
            faults.append(CellFault(number, None, "ragged_row", str(len(line)), str(len(self._columns))))
        if fresh:
            raw = {column.code: value for column, _, value in fresh}
            read, found = self._dictionaries.read_values(self._catalogue, raw, self.task.moment)
            values |= read
            faults += [
                CellFault(number, _code(each), each.code, _text(each.seen), _text(each.expected)) for each in found
            ]
            for column, cell, _ in fresh:
                if column.code in read:
                    column.remember(cell, read[column.code])
        key = values.get(self._key)
        faults += self._key_faults(number, key, is_told=self._key in {fault.column for fault in faults})
        return Line(number, key, unit, values, faults)

    def _values(
        self, number: int, line: Sequence[object], faults: list[CellFault]
    ) -> tuple[str | None, dict[str, Any], list[tuple[_Column, object, Any]]]:
        """The unit, the values that are known already, and raw values to be read; adds what is wrong with cells."""
        unit: str | None = None
        values: dict[str, Any] = {}
        fresh = []
        for column, cell in zip(self._columns, line, strict=False):
            if column is None or cell is None or cell == "":
                continue
            value = column.known(cell)
            if value is not _UNKNOWN:
                values[column.code] = value
            elif column.cells is None:
                unit = str(cell).strip() or None
            else:
                try:
                    raw = column.cells.read(cell)
                except BadValue as bad:
                    faults.append(CellFault(number, column.code, bad.code, bad.seen, bad.expected))
                    continue
                if raw is not None:
                    fresh.append((column, cell, None if raw is CLEAR else raw))
        return unit, values, fresh

    def _key_faults(self, number: int, key: str | None, *, is_told: bool) -> list[CellFault]:
        if key is None:
            return [] if is_told else [CellFault(number, self._key, "key_missing", None, "a value")]
        first = self._seen.setdefault(key, number)
        if first == number:
            return []
        return [CellFault(number, self._key, "repeated_key", key, f"a key that row {first} does not have")]


class _Process:
    """What the process keeps between steps."""

    regimes: Regimes
    reader: Reader | None = None


def prepare(regimes: Path) -> None:
    """Make the process ready."""
    _Process.regimes = load(regimes)


def begin(task: Task, content: bytes, passed: int) -> None:
    """Open a file and pass over the rows that are done."""
    _Process.reader = None  # before the next one is opened: both would be a lot to hold
    reader = Reader(_Process.regimes, task, content)
    while reader.passed < passed:
        before = reader.passed
        if reader.step(min(task.limits.step, passed - before)).refused or reader.passed == before:
            break
    _Process.reader = reader


def step(import_id: UUID, passed: int) -> Step:
    """The rows after so many. Raises: Astray"""
    reader = _Process.reader
    if reader is None or reader.task.import_id != import_id or reader.passed != passed:
        raise Astray
    found = reader.step(reader.task.limits.step)
    if found.is_last:
        _Process.reader = None
    return found


def _is_filled(cell: object) -> bool:
    return cell is not None and cell != "" and not (isinstance(cell, str) and not cell.strip())


def _code(fault: Fault) -> str:
    """The item that a fault of values is about."""
    return fault.pointer.rpartition("/")[2]


def _text(value: object) -> str | None:
    if value is None:
        return None
    return (", ".join(map(str, value)) if isinstance(value, list) else str(value))[:200]
