"""The columns of a staff table, and what can be wrong with a cell before anybody looks into the directory. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

MOST_ROWS = 1_000
_SHOWN = 80
_FORMULA = ("=", "+", "-", "@")
"""How a cell begins that a spreadsheet would compute; no name, unit or day begins so."""
_PLAIN = "a plain value"


@dataclass(frozen=True, slots=True)
class Column:
    """A column by its code; the header may say the code or either label."""

    code: str
    zh: str
    en: str
    required: bool = False


COLUMNS = (
    Column("name", "登录名", "Sign-in name", required=True),
    Column("full_name", "姓名", "Full name", required=True),
    Column("unit", "机构", "Unit", required=True),
    Column("first_day", "入职日期", "First day"),
    Column("title", "职务", "Title"),
    Column("roles", "角色", "Roles"),
)


@dataclass(frozen=True, slots=True)
class CellFault:
    """What is wrong, where: `row` as a spreadsheet counts it; no column: the whole row."""

    row: int
    column: str | None
    code: str
    seen: Any = None
    expected: Any = None

    def as_dict(self) -> dict[str, Any]:
        place = {"row": self.row, "column": self.column}
        return {**place, "code": self.code, "seen": self.seen, "expected": self.expected}


def header_of(row: int, line: Sequence[object]) -> tuple[list[str], list[CellFault]]:
    """The column code of each position, and what is wrong with the header."""
    names = {name: column.code for column in COLUMNS for name in (column.code, column.zh, column.en)}
    codes, faults = list[str](), []
    for cell in line:
        label = text_of(cell) or ""
        code = names.get(label, "")
        if not code or code in codes:
            fault = "repeated_column" if code else "unknown_column"
            faults.append(CellFault(row, label[:_SHOWN], fault, label[:_SHOWN], sorted(each.code for each in COLUMNS)))
        codes.append(code)
    missing = (column.code for column in COLUMNS if column.required and column.code not in codes)
    return codes, [*faults, *(CellFault(row, code, "missing_column", None, code) for code in missing)]


def cells_of(row: int, line: Sequence[object], codes: Sequence[str]) -> tuple[dict[str, str], list[CellFault]]:
    """The filled cells of a line by column, none if it cannot be read, and what is wrong with them."""
    if len(line) != len(codes):
        return {}, [CellFault(row, None, "ragged_row", len(line), len(codes))]
    filled = {code: text for code, cell in zip(codes, line, strict=True) if (text := text_of(cell))}
    unreadable = [CellFault(row, code, "unprintable", None, _PLAIN) for code, text in filled.items() if "\0" in text]
    return {} if unreadable else filled, [*unreadable, *_formulas(row, filled)]


def _formulas(row: int, cells: Mapping[str, str]) -> Iterator[CellFault]:
    for code, text in cells.items():
        if text.startswith(_FORMULA):
            yield CellFault(row, code, "formula", text[:_SHOWN], _PLAIN)


def text_of(cell: object) -> str | None:
    """A cell as text: days in ISO form, whole numbers without a point; None if it is empty."""
    match cell:
        case None:
            return None
        case datetime():
            return (cell.date() if cell.time() == cell.time().min else cell).isoformat()
        case date():
            return cell.isoformat()
        case float() if cell.is_integer():
            return str(int(cell))
        case _:
            return str(cell).strip() or None


def shown(value: Any) -> Any:
    """A value as a fault repeats it to whoever sent it."""
    return str(value)[:_SHOWN] if value is not None else None
