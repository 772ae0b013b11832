"""Templates: the items that somebody may set, with drop-downs, notes and marks, and they come in again."""

import io
import re
import zipfile

import pytest
from python_calamine import CalamineWorkbook

from tests.factories.customer import MINIMAL, RunningCustomer
from tests.factories.exchange import faults, imported
from tests.factories.workbooks import workbook

pytestmark = pytest.mark.req("R15.2")


async def template(service: RunningCustomer, role: str = "department_manager") -> bytes:
    answer = await service.get("/v1/templates/retail.xlsx", role)
    assert answer.status_code == 200, answer.text
    return answer.content


def codes(content: bytes) -> list[str]:
    head = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()[0]
    return [re.search(r"\[([a-z_]+)\]", cell)[1] for cell in head]  # type: ignore[index]


async def test_it_has_the_items_that_its_reader_may_set(service: RunningCustomer) -> None:
    mine, theirs = codes(await template(service)), codes(await template(service, "customer_manager"))
    assert mine[:2] == ["unit", "customer_code"]
    items = {item["code"]: item for item in (await service.get("/v1/dictionary", kind="retail")).json()["items"]}
    assert "watchlisted" in set(mine) - set(theirs)
    assert {items[code]["maintained_by"] for code in theirs[2:]} == {"customer_manager"}
    assert {items[code]["maintenance"] for code in mine[1:]}.isdisjoint({"system"})
    assert {items[code]["type"] for code in mine[1:]}.isdisjoint({"photo"})
    assert len(mine) == 1 + sum(item["maintenance"] != "system" and item["type"] != "photo" for item in items.values())


async def test_lists_are_drop_downs_from_a_hidden_sheet_and_definitions_are_notes(service: RunningCustomer) -> None:
    content = await template(service)
    book = CalamineWorkbook.from_filelike(io.BytesIO(content))
    assert book.sheet_names == ["客户资料", "代码表"]
    listed = {cell for row in book.get_sheet_by_index(1).to_python() for cell in row}
    assert "convenience_store 便利店 Convenience store" in listed
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        page, notes = (archive.read(f"xl/{name}").decode() for name in ("worksheets/sheet1.xml", "comments1.xml"))
        assert 'state="hidden"' in archive.read("xl/workbook.xml").decode()
    assert "'代码表'!$" in page or "代码表!$" in page
    assert "店铺对外经营使用的名称" in notes
    head = book.get_sheet_by_index(0).to_python()[0]
    assert {cell for cell in head if cell.endswith("*")} >= {cell for cell in head if "[shop_name]" in cell}


async def test_what_is_filled_in_comes_in(service: RunningCustomer) -> None:
    head = CalamineWorkbook.from_filelike(io.BytesIO(await template(service))).get_sheet_by_index(0).to_python()[0]
    row = {
        "customer_code": "X-1",
        **MINIMAL,
        "retail_format": "convenience_store 便利店 Convenience store",
        "model_shop": "是",
    }
    filled = [row.get(re.search(r"\[([a-z_]+)\]", cell)[1], "") for cell in head]  # type: ignore[index]
    found = await imported(service, workbook([cell.replace("&", "&amp;") for cell in head], filled))
    assert (faults(found), found["applied"]) == ([], 1)


async def test_a_kind_that_is_not_there_has_none(service: RunningCustomer) -> None:
    answer = await service.get("/v1/templates/nobody.xlsx")
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_kind")
