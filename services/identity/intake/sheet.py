"""From a file to rows of filled cells. Formulas are refused: what they show depends on whoever opens the file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from services.identity.intake import errors, rules
from services.identity.intake.rules import CellFault
from shared.sheets import computed_cells, first_sheet, is_workbook, lines_of

MOST_UNPACKED = 32 * 1024 * 1024


@dataclass(slots=True)
class Sheet:
    """Filled cells by row, as a spreadsheet counts rows, and all that is wrong with the table itself."""

    rows: dict[int, dict[str, str]] = field(default_factory=dict)
    faults: list[CellFault] = field(default_factory=list)


def read(content: bytes) -> Sheet:
    """The table. Raises: Malformed, TooLarge, Invalid (no_rows)"""
    numbered = enumerate(lines_of(content, most_unpacked=MOST_UNPACKED), 1)
    filled = ((number, line) for number, line in numbered if any(rules.text_of(cell) for cell in line))
    top, header = next(filled, (0, ()))
    if not top:
        raise errors.no_rows()
    codes, faults = rules.header_of(top, header)
    sheet = Sheet(faults=faults)
    if is_workbook(content):
        sheet.faults += _formulas(first_sheet(content))
    for number, line in filled:
        if len(sheet.rows) == rules.MOST_ROWS:
            raise errors.too_many_rows()
        sheet.rows[number], found = rules.cells_of(number, line, codes)
        sheet.faults += found
    if not sheet.rows:
        raise errors.no_rows()
    return sheet


def _formulas(part: bytes) -> Iterator[CellFault]:
    for row, column in computed_cells(part):
        yield CellFault(row, column, "formula", None, "a plain value")
