"""From a file to rows of cells: what is read, and what is wrong with a table before anybody is looked up."""

from datetime import UTC, date, datetime

import pytest

from services.identity.intake import rules, sheet
from shared.errors import Invalid, Malformed, TooLarge
from shared.sheets import first_sheet
from tests.factories.workbooks import after_another, with_parts, workbook

COLUMNS = ["name", "full_name", "unit"]
HEADER = "name,full_name,unit,first_day,title,roles"


def codes(table: sheet.Sheet) -> list[tuple[int, str | None, str]]:
    return [(fault.row, fault.column, fault.code) for fault in table.faults]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_rows_are_counted_as_a_spreadsheet_does_and_empty_ones_left_out(encoding: str) -> None:
    table = sheet.read("登录名,Full name,unit\r\nlin,林一,north\r\n\r\n,,\r\nwu,吴二,south\r\n".encode(encoding))
    assert table.rows == {
        2: {"name": "lin", "full_name": "林一", "unit": "north"},
        5: {"name": "wu", "full_name": "吴二", "unit": "south"},
    }
    assert table.faults == []


def test_a_header_says_each_required_column_once_and_no_other() -> None:
    table = sheet.read(b"name,name,colour,unit\na,b,c,d\n")
    assert codes(table) == [
        (1, "name", "repeated_column"), (1, "colour", "unknown_column"), (1, "full_name", "missing_column"),
    ]  # fmt: skip


@pytest.mark.parametrize("cell", ["=1+1", "+HYPERLINK()", "-2", "@SUM(A1)", "\t=1", " =1"])
def test_cells_that_a_spreadsheet_would_compute_are_refused(cell: str) -> None:
    table = sheet.read(f'{HEADER}\nlin,"{cell}",north,,,\n'.encode())
    assert codes(table) == [(2, "full_name", "formula")]


def test_formulas_of_a_workbook_are_refused_whatever_they_show() -> None:
    table = sheet.read(workbook(["name", "full_name", "unit"], ["lin", "=A1+1", "north"]))
    assert [fault.code for fault in table.faults] == ["formula"]
    assert sheet.read(workbook(["name", "full_name", "unit"], ["lin", "林一", "north"])).faults == []


def test_only_the_sheet_that_is_read_is_searched_for_formulas_wherever_its_part_lies() -> None:
    lin = {2: {"name": "lin", "full_name": "林一", "unit": "north"}}
    table = sheet.read(after_another(workbook(COLUMNS, ["lin", "林一", "north"]), ["total", "=SUM(A1)"]))
    assert (table.rows, table.faults) == (lin, [])
    table = sheet.read(after_another(workbook(COLUMNS, ["lin", "=A1+1", "north"]), ["total"]))
    assert [fault.code for fault in table.faults] == ["formula"]


def test_rows_of_a_workbook_are_counted_from_its_first_row_though_it_is_blank() -> None:
    cells = "".join(
        f'<row r="{row}">' + "".join(
            f'<c r="{letter}{row}" t="inlineStr"><is><t>{text}</t></is></c>'
            for letter, text in zip("BCDE", line, strict=False)
        ) + "</row>"
        for row, line in ((3, [*COLUMNS, "colour"]), (5, ["lin", "-1", "north", "red"]))
    )  # fmt: skip
    part = (
        f'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{cells}</sheetData>'
    )
    table = sheet.read(with_parts(workbook(["x"]), {"xl/worksheets/sheet1.xml": f"{part}</worksheet>"}))
    assert codes(table) == [(3, "colour", "unknown_column"), (5, "full_name", "formula")]
    assert list(table.rows) == [5]
    assert codes(sheet.read(f"\n,,,,,\n{HEADER},colour\nlin,-1,x,,,,red\n".encode())) == [
        (3, "colour", "unknown_column"), (4, "full_name", "formula"),
    ]  # fmt: skip


def test_a_cell_with_a_character_that_no_text_has_keeps_its_row_out() -> None:
    table = sheet.read(f"{HEADER}\nlin,林一,nor\0th,,,\nwu,=1,\0,,,\nli,李三,north,,,\n".encode())
    assert codes(table) == [(2, "unit", "unprintable"), (3, "unit", "unprintable"), (3, "full_name", "formula")]
    assert [number for number, cells in table.rows.items() if cells] == [4]
    assert all("\0" not in str(fault.as_dict()) for fault in table.faults)


def damaged(content: bytes, offset: int, value: bytes) -> bytes:
    """The workbook with other bytes in each entry of its directory, at an offset of the entry (APPNOTE 4.3.12)."""
    found = bytearray(content)
    entry = content.find(b"PK\x01\x02")
    while entry >= 0:
        found[entry + offset : entry + offset + len(value)] = value
        entry = content.find(b"PK\x01\x02", entry + 1)
    return bytes(found)


@pytest.mark.parametrize(
    "content",
    [
        damaged(workbook(COLUMNS, ["lin", "林一", "north"]), 16, b"\0\0\0\0"),
        damaged(workbook(COLUMNS, ["lin", "林一", "north"]), 8, b"\1"),
        damaged(workbook(COLUMNS, ["lin", "林一", "north"]), 10, b"\x63"),
        with_parts(workbook(COLUMNS), {"xl/workbook.xml": "<workbook/>"}),
        with_parts(workbook(COLUMNS), {"xl/_rels/workbook.xml.rels": "<Relationships/>"}),
    ],
    ids=["sum", "encrypted", "method", "no-sheet", "no-link"],
)
def test_a_workbook_that_cannot_be_unpacked_is_refused(content: bytes) -> None:
    with pytest.raises(Malformed, match="not_xlsx"):
        sheet.read(content)
    with pytest.raises(Malformed, match="not_xlsx"):
        first_sheet(content)


def test_a_line_of_another_width_is_told() -> None:
    assert codes(sheet.read(f"{HEADER}\nlin,x\n".encode())) == [(2, None, "ragged_row")]


@pytest.mark.parametrize("content", [b"", b"\r\n", HEADER.encode(), f"{HEADER}\r\n,,,,,\r\n".encode()])
def test_a_table_without_a_row_is_refused(content: bytes) -> None:
    with pytest.raises(Invalid, match="no_rows"):
        sheet.read(content)


def test_no_more_rows_are_read_than_one_import_may_hold() -> None:
    most = HEADER + "".join(f"\nn{number},x,y,,," for number in range(rules.MOST_ROWS))
    assert len(sheet.read(most.encode()).rows) == rules.MOST_ROWS
    with pytest.raises(TooLarge, match="too_many_rows"):
        sheet.read(f"{most}\none-more,x,y,,,".encode())


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (None, None), ("  ", None), (" a ", "a"), (5.0, "5"), (5.5, "5.5"), (True, "True"),
        (date(2027, 1, 4), "2027-01-04"), (datetime(2027, 1, 4, tzinfo=UTC), "2027-01-04"),
        (datetime(2027, 1, 4, 9, 30, tzinfo=UTC), "2027-01-04T09:30:00+00:00"),
    ],
)  # fmt: skip
def test_cells_are_read_as_text(cell: object, text: str | None) -> None:
    assert rules.text_of(cell) == text
