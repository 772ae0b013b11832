"""Bytes become tables, or are refused with the reason."""

import io
import zipfile
from collections.abc import Sequence

import pytest

from services.reporting.submission.cell import Digits
from services.reporting.submission.rules import Judge
from services.reporting.submission.sheet import Oddity, decode, of_file, parse_json
from shared.errors import Malformed

PARTS = {
    "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/></Types>',
    "_rels/.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship '
    'Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" '
    'Target="xl/workbook.xml"/></Relationships>',
    "xl/workbook.xml": '<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" '
    'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">'
    '<sheets><sheet name="1" sheetId="1" r:id="r1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" '
    'Target="worksheets/sheet1.xml"/></Relationships>',
}


def workbook(*lines: Sequence[str | float | bool]) -> bytes:
    """A small XLSX file."""

    def cell(value: str | float | bool) -> str:
        if isinstance(value, str):
            return f'<c t="inlineStr"><is><t>{value}</t></is></c>'
        return f'<c t="b"><v>{int(value)}</v></c>' if isinstance(value, bool) else f"<c><v>{value!r}</v></c>"

    rows = "".join(f"<row>{''.join(map(cell, line))}</row>" for line in lines)
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    sheet = f'<worksheet xmlns="{main}"><sheetData>{rows}</sheetData></worksheet>'
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in {**PARTS, "xl/worksheets/sheet1.xml": sheet}.items():
            archive.writestr(name, content)
    return packed.getvalue()


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


@pytest.mark.parametrize("text", ["虚构实业有限公司", "a虚b构c", "plain ascii"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_both_encodings_are_told_apart(text: str, encoding: str) -> None:
    assert decode(text.encode(encoding)) == text


@pytest.mark.parametrize("content", [b"\xef\xbb\xbf\xb4\xf3", "虚构实业".encode()[:-1], b"\xff", b"\xfe\xffa"])
def test_damaged_text_is_not_guessed_at(content: bytes) -> None:
    with pytest.raises(Malformed, match="bad_encoding"):
        decode(content)


def test_json_numbers_are_kept_as_written() -> None:
    found = parse_json(b'\xef\xbb\xbf{"a": [1.10, 1e400, -0, 123456789012345678901234567890]}')["a"]
    assert found == ["1.10", "1e400", "-0", "123456789012345678901234567890"]
    assert all(isinstance(each, Digits) for each in found)
