"""Files that are refused as a whole, before a row of them is stored, with what to do about it."""

import io
import zipfile

import pytest
import xlsxwriter

from tests.factories.customer import MINIMAL, RunningCustomer
from tests.factories.exchange import faults, imported, line, outcome, send, sheet
from tests.factories.workbooks import PARTS, after_another, with_parts, workbook

pytestmark = pytest.mark.req("R15.2")
HEAD = ["customer_code", *MINIMAL]
ROW = ["X-1", *MINIMAL.values()]


async def refusal(service: RunningCustomer, content: bytes, **fields: str) -> tuple[int, str]:
    answer = await send(service, content, **fields)
    return answer.status_code, answer.json()["code"]


async def told(service: RunningCustomer, content: bytes) -> list[str]:
    """Codes of what is wrong with the file as a whole."""
    found = await imported(service, content)
    assert (found["state"], found["verdict"], found["rows"]) == ("refused", "refused", 0)
    assert await service.outbox("customer.registered") == []
    return [code for _, _, code in faults(found)]


def macro_book() -> bytes:
    return with_parts(workbook(HEAD, ROW), {"xl/vbaProject.bin": "macros"})


def xlsm() -> bytes:
    types = PARTS["[Content_Types].xml"].replace(
        "</Types>",
        '<Override PartName="/xl/workbook.xml" '
        'ContentType="application/vnd.ms-excel.sheet.macroEnabled.main+xml"/></Types>',
    )
    return with_parts(workbook(HEAD, ROW), {"[Content_Types].xml": types})


def packed(parts: int, size: int) -> bytes:
    """A workbook with more parts, each of so many bytes that pack to nothing."""
    content = io.BytesIO(workbook(HEAD, ROW))
    with zipfile.ZipFile(content, "a", zipfile.ZIP_DEFLATED) as archive:
        for number in range(parts):
            archive.writestr(f"xl/media/{number}.bin", b"0" * size)
    return content.getvalue()


async def test_macros_are_refused_when_the_file_is_sent(service: RunningCustomer) -> None:
    assert await refusal(service, macro_book()) == (422, "macros")
    assert await refusal(service, xlsm()) == (422, "macros")


async def test_bombs_are_refused_by_their_directory(service: RunningCustomer) -> None:
    assert await refusal(service, packed(1, 30_000_000)) == (413, "workbook_too_large")  # the ratio
    assert await refusal(service, packed(2001, 0)) == (413, "workbook_too_large")  # the parts
    assert await refusal(service, b"PK\x03\x04nonsense") == (400, "not_xlsx")


async def test_what_is_no_file_or_no_form_is_refused(service: RunningCustomer) -> None:
    headers = service.as_("department_manager")
    answer = await service.http.post("/v1/imports", json={}, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media")
    form = {"kind": "retail", "mode": "create"}
    answer = await service.http.post("/v1/imports", data=form, files={"other": (None, "x")}, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "no_file")
    assert await refusal(service, sheet(line("X-1")), mode="replace") == (422, "bad_import")
    assert await refusal(service, sheet(line("X-1")), kind="nobody") == (422, "bad_import")
    assert await refusal(service, sheet(line("X-1")), key="shop_name") == (422, "bad_import")


async def test_a_wrong_sheet_is_told_by_its_headings_and_names(service: RunningCustomer) -> None:
    assert await told(service, workbook(["a", "b"], [1, 2])) == ["wrong_sheet"]
    assert await told(service, after_another(workbook(HEAD, ROW), ["x"])) == ["wrong_sheet"]
    assert await told(service, b"") == ["no_rows"]
    assert await told(service, sheet(columns=HEAD)) == ["no_rows"]


async def test_unknown_repeated_and_missing_columns_are_told_at_once(service: RunningCustomer) -> None:
    content = sheet({"customer_code": "X-1", "shop_name": "x", "colour": "red", "店铺名称": "y"})
    found = await imported(service, content)
    assert set(faults(found)) == {
        (1, None, "unknown_column"), (1, "shop_name", "repeated_column"), (1, "address", "missing_column"),
        (1, "contact_person", "missing_column"), (1, "contact_phone", "missing_column"),
    }  # fmt: skip


async def test_merged_cells_and_formulas_are_refused(service: RunningCustomer) -> None:
    made = io.BytesIO()
    with xlsxwriter.Workbook(made, {"in_memory": True}) as book:
        page = book.add_worksheet()
        page.write_row(0, 0, HEAD)
        page.write_row(1, 0, ROW)
        page.merge_range(2, 0, 3, 0, "X-2")
    assert await told(service, made.getvalue()) == ["merged_cells"]
    made = io.BytesIO()
    with xlsxwriter.Workbook(made, {"in_memory": True}) as book:
        page = book.add_worksheet()
        page.write_row(0, 0, HEAD)
        page.write_row(1, 0, ROW)
        page.write_formula(1, 1, "=1+1", value="店")
    assert (2, None, "formula") in faults(await imported(service, made.getvalue()))


async def test_more_rows_than_may_be_are_told_before_one_is_stored(service: RunningCustomer) -> None:
    page = "<row/>" * 1_000_000
    part = f'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{page}</sheetData></worksheet>'
    content = with_parts(workbook(HEAD, ROW), {"xl/worksheets/sheet1.xml": part})
    assert await told(service, content) == ["too_many_rows"]
    async with service.database.reading() as tx:
        assert await tx.fetchval("SELECT count(*) FROM exchange_part WHERE part = 'rows'") == 0


async def test_wrong_encodings_and_broken_csv_are_told(service: RunningCustomer) -> None:
    assert await told(service, sheet(line("X-1"), encoding="utf-16")) == ["bad_encoding"]
    head = ",".join(HEAD).encode()
    assert await told(service, head + b'\n"X-1,x\n') == ["not_csv"]


async def test_long_numbers_that_lost_digits_and_dates_as_numbers_are_told(service: RunningCustomer) -> None:
    content = workbook([*HEAD, "taxpayer_number", "valid_until"], [*ROW, 91330100123456789.0, 46024.0])
    found = await imported(service, content)
    assert set(faults(found)) == {(2, "taxpayer_number", "digits_lost"), (2, "valid_until", "wrong_type")}


async def test_photographs_and_ragged_rows_are_told(service: RunningCustomer) -> None:
    photo = "00000000-0000-4000-8000-000000000000"
    content = sheet(line("X-1", shop_photo=photo)) + b"X-2,a,b,c,13900000000,,more\r\n"
    found = await outcome(service, await send(service, content, dry_run="true"))
    assert (3, None, "ragged_row") in faults(found)
