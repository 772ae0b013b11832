"""Bytes become tables, or are refused with the reason."""

import pytest

from services.reporting.submission.cell import Digits
from services.reporting.submission.rules import Judge
from services.reporting.submission.sheet import Oddity, of_file, parse_json
from shared.errors import Malformed
from tests.factories.workbooks import workbook


def test_a_workbook_keeps_texts_and_tells_numbers_from_them(judge: Judge) -> None:
    content = workbook(
        ["loan_no", "贷款金额", "syndicated"], ["L-1", 5000000.5, False], ["L-2", 7e6, True], [330106.0, "5", ""]
    )
    sheet = of_file(content, judge.report.columns)
    assert sheet.rows[1] == {"loan_no": "L-1", "amount": "5000000.5", "syndicated": False}
    assert (sheet.rows[2]["amount"], sheet.rows[3]["loan_no"]) == ("7000000", "330106")
    assert isinstance(sheet.rows[3]["loan_no"], Digits)


@pytest.mark.parametrize("content", [b"PK\x03\x04", workbook(["loan_no"])[:400]])
def test_a_damaged_workbook_is_refused(judge: Judge, content: bytes) -> None:
    with pytest.raises(Malformed, match="not_xlsx"):
        of_file(content, judge.report.columns)


def test_a_workbook_of_an_archive_version_that_nobody_reads_is_refused(judge: Judge) -> None:
    content = bytearray(workbook(["loan_no"]))
    content[content.index(b"PK\x01\x02") + 6] = 99  # version needed to read the first entry
    with pytest.raises(Malformed, match="not_xlsx"):
        of_file(bytes(content), judge.report.columns)


def test_blank_lines_of_a_csv_file_are_no_rows(judge: Judge) -> None:
    sheet = of_file(b"loan_no,amount\r\nL-1,1\r\n,\r\n\r\nL-2,2\r\n", judge.report.columns)
    assert {number: row["loan_no"] for number, row in sheet.rows.items()} == {1: "L-1", 2: "L-2"}


def test_cells_of_unknown_and_repeated_columns_are_left_out(judge: Judge) -> None:
    sheet = of_file(b"loan_no,colour,loan_no\nL-1,red,L-2\n", judge.report.columns)
    assert sheet.rows == {1: {"loan_no": "L-1"}}
    assert {Oddity.UNKNOWN_COLUMN, Oddity.REPEATED_COLUMN} <= sheet.oddities.keys()


def test_json_numbers_are_kept_as_written() -> None:
    found = parse_json(b'\xef\xbb\xbf{"a": [1.10, 1e400, -0, 123456789012345678901234567890]}')["a"]
    assert found == ["1.10", "1e400", "-0", "123456789012345678901234567890"]
    assert all(isinstance(each, Digits) for each in found)
