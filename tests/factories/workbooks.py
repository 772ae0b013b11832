"""Makes small XLSX files, byte by byte."""

import io
import zipfile
from collections.abc import Mapping, Sequence

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
    """A small XLSX file; a text that begins with "=" is a formula."""

    def cell(value: str | float | bool) -> str:
        if isinstance(value, str) and value.startswith("="):
            return f"<c><f>{value[1:]}</f><v>1</v></c>"
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


def with_parts(content: bytes, parts: Mapping[str, str]) -> bytes:
    """The same workbook with other parts, some in the place of its own."""
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as before, zipfile.ZipFile(packed, "w") as after:
        kept = {name: before.read(name).decode() for name in before.namelist()}
        for name, part in {**kept, **parts}.items():
            after.writestr(name, part)
    return packed.getvalue()


def after_another(content: bytes, *lines: Sequence[str | float | bool]) -> bytes:
    """The same workbook with a further sheet, whose part has the usual name, while the first sheet's has another."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        first = archive.read("xl/worksheets/sheet1.xml").decode()
    with zipfile.ZipFile(io.BytesIO(workbook(*lines))) as archive:
        second = archive.read("xl/worksheets/sheet1.xml").decode()
    book, links = PARTS["xl/workbook.xml"], PARTS["xl/_rels/workbook.xml.rels"]
    link = links[links.index("<Relationship ") : links.index("</Relationships>")]
    further = link.replace("r1", "r2").replace("worksheets/sheet1.xml", "/xl/data/people.xml")
    return with_parts(
        content,
        {
            "xl/workbook.xml": book.replace("<sheets>", '<sheets><sheet name="0" sheetId="2" r:id="r2"/>'),
            "xl/_rels/workbook.xml.rels": links.replace("</Relationships>", f"{further}</Relationships>"),
            "xl/data/people.xml": first,
            "xl/worksheets/sheet1.xml": second,
        },
    )
