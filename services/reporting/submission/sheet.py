"""From bytes to a table of raw cells: JSON rows, CSV, workbooks. Pure; knows columns, casts nothing.

What makes a whole body unreadable is refused (errors); what is wrong with the shape of the table is kept for the
envelope phase: `oddities`, by kind and row.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from services.reporting.submission import errors
from services.reporting.submission.cell import Digits
from services.reporting.submission.finding import Tally, shown
from shared.regime import Column
from shared.sheets import lines_of

MOST_ROWS = 1_000_000
MOST_UNPACKED = 512 * 1024 * 1024

Cells = Mapping[str, object]


class Oddity(StrEnum):
    """What can be wrong with the shape of a table that can be read."""

    NO_ROWS = "no_rows"
    NO_OBJECT = "no_object"
    RAGGED_ROW = "ragged_row"
    REPEATED_COLUMN = "repeated_column"
    REPEATED_MEMBER = "repeated_member"
    UNKNOWN_COLUMN = "unknown_column"
    MISSING_COLUMN = "missing_column"


@dataclass(slots=True)
class Sheet:
    """Rows by number (from 1) as raw cells by column; rows whose cells cannot be told apart are left out.

    `absent` are required columns that the header lacks.
    """

    rows: dict[int, Cells] = field(default_factory=dict)
    count: int = 0
    oddities: dict[Oddity, Tally] = field(default_factory=dict)
    absent: frozenset[str] = frozenset()

    def note(self, oddity: Oddity, row: int | None, seen: str) -> None:
        """Count something odd."""
        self.oddities.setdefault(oddity, Tally()).add(row, {}, seen)


class Repeated(dict[str, Any]):
    """A JSON object in which a member stands more than once."""

    name = ""


def parse_json(body: bytes) -> Any:
    """The document, numbers as `Digits`. Raises: Malformed"""
    try:
        return json.loads(
            body.decode("utf-8-sig"),
            object_pairs_hook=_members,
            parse_int=Digits,
            parse_float=Digits,
            parse_constant=_refuse,
        )
    except UnicodeDecodeError as error:
        raise errors.not_json(f"byte {error.start} is not UTF-8") from None
    except json.JSONDecodeError as error:
        raise errors.not_json(f"line {error.lineno}, column {error.colno}: {error.msg}") from None
    except RecursionError:
        raise errors.not_json("nested too deeply") from None


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    names = [name for name, _ in pairs]
    repeated = Repeated(found)
    repeated.name = next(name for name in names if names.count(name) > 1)
    return repeated


def _refuse(constant: str) -> Any:
    raise errors.not_json(f"{constant} is no JSON number")


def of_json(rows: Sequence[Any], columns: Sequence[Column]) -> Sheet:
    """The table of a JSON submission's `rows`: one object a row, members named by column code."""
    _bounded(len(rows))
    sheet = Sheet(count=len(rows))
    known = {column.code for column in columns}
    for number, row in enumerate(rows, 1):
        if not isinstance(row, dict):
            sheet.note(Oddity.NO_OBJECT, number, shown(row))
            continue
        if isinstance(row, Repeated):
            sheet.note(Oddity.REPEATED_MEMBER, number, shown(row.name))
            continue
        if not row.keys() <= known:
            for name in sorted(row.keys() - known):
                sheet.note(Oddity.UNKNOWN_COLUMN, number, shown(name))
        sheet.rows[number] = row
    return _counted(sheet)


def of_file(content: bytes, columns: Sequence[Column]) -> Sheet:
    """The table of a CSV file or workbook: a header of codes or labels, then one line a row. Raises: Malformed"""
    lines = ([_raw(cell) for cell in line] for line in lines_of(content, most_unpacked=MOST_UNPACKED))
    filled = (line for line in lines if any(cell not in {None, ""} for cell in line))
    header = next(filled, None)
    if header is None:
        raise errors.empty()
    sheet = Sheet()
    codes = _header(header, columns, sheet)
    for number, line in enumerate(filled, 1):
        sheet.count = _bounded(number)
        if len(line) == len(codes):
            sheet.rows[number] = {code: cell for code, cell in zip(codes, line, strict=True) if code is not None}
        else:
            sheet.note(Oddity.RAGGED_ROW, number, f"{len(line)} / {len(codes)}")
    return _counted(sheet)


def _header(header: Sequence[object], columns: Sequence[Column], sheet: Sheet) -> list[str | None]:
    """The column code of each position, None where the column is unknown or stands a second time."""
    names = {name: column.code for column in columns for name in (column.label.en, column.label.zh, column.code)}
    codes: list[str | None] = []
    for cell in header:
        name = str(cell or "").strip()
        code = names.get(name)
        if code is None or code in codes:
            sheet.note(Oddity.UNKNOWN_COLUMN if code is None else Oddity.REPEATED_COLUMN, None, shown(name))
        codes.append(None if code in codes else code)
    absent = [column.code for column in columns if column.required and column.code not in codes]
    for code in absent:
        sheet.note(Oddity.MISSING_COLUMN, None, code)
    sheet.absent = frozenset(absent)
    return codes


def _bounded(rows: int) -> int:
    if rows > MOST_ROWS:
        raise errors.too_many_rows(rows, MOST_ROWS)
    return rows


def _counted(sheet: Sheet) -> Sheet:
    if not sheet.count:
        sheet.note(Oddity.NO_ROWS, None, "")
    return sheet


def _raw(cell: object) -> object:
    """Numbers as Digits, days as ISO text."""
    match cell:
        case bool():
            return cell
        case int() | float():
            return Digits(int(cell) if cell == int(cell) else cell)
        case datetime():
            return cell.date().isoformat() if cell.time() == cell.time().min else cell.isoformat()
        case date():
            return cell.isoformat()
        case str() | None:
            return cell
        case _:
            return str(cell)
