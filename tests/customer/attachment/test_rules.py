"""What content is, by its bytes; what does more than being read, and what nobody can look into."""

import struct
import zipfile
from io import BytesIO

import pytest
import xlsxwriter

from services.customer.attachment.rules import examine, name_faults, named, tidy
from shared.errors import KehuError
from shared.regime import Format
from tests.factories.documents import SHEET, external, office, packed, pdf
from tests.factories.pictures import jpeg, png

pytestmark = pytest.mark.req("R5.3")
SCRIPT = b"<< /S /JavaScript /JS (app.alert\\(1\\)) >>"


def workbook() -> bytes:
    target = BytesIO()
    with xlsxwriter.Workbook(target) as book:
        book.add_worksheet().write_url(0, 0, "https://kehu.example/")
    return target.getvalue()


@pytest.mark.parametrize(
    ("content", "form"),
    [
        (pdf(packed(b"<< /Type /Annot >>")), Format.PDF), (jpeg(), Format.JPEG), (png(), Format.PNG),
        (office(relations=external("hyperlink")), Format.DOCX), (workbook(), Format.XLSX),
        ("合同\r\n第一条".encode(), Format.TEXT),
    ],
)  # fmt: skip
def test_content_says_what_it_is_and_is_kept_as_it_came(content: bytes, form: Format) -> None:
    assert examine(content) == (form, content)


@pytest.mark.parametrize("encoding", ["gb18030", "utf-8-sig"])
def test_text_is_kept_in_utf_8(encoding: str) -> None:
    assert examine("此致敬礼".encode(encoding)) == (Format.TEXT, "此致敬礼".encode())


@pytest.mark.parametrize(
    "content",
    [
        b"", b" \r\n", b"MZ\x90\0\3\0", b"\x7fELF\2\1\1\0", b"#!/bin/sh\nrm x", b"  <script>1</script>", b"GIF89a\1\0",
        b"a\0b", b"\xff\xfe\xfd", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), b"text first %PDF-1.7\n",
        b"{\\rtf1 x}", b"PK\x03\x04", office("application/vnd.oasis.opendocument.text"), office()[:-30],
        office() + b"x", b"Rar!\x1a\x07\0", office().replace(b"[Content_Types].xml", b"[Content-Types].xml"),
    ],
    ids=lambda each: each[:8].hex() or "empty",
)  # fmt: skip
def test_what_is_no_document_is_refused_whatever_it_is_called(content: bytes) -> None:
    assert refusal(content) == ("unknown_format", "unknown_format")


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (pdf(SCRIPT), "active_content"), (pdf(packed(SCRIPT)), "active_content"),
        (pdf(SCRIPT.replace(b"JavaScript", b"Jav#61Scri#70t")), "active_content"),
        (pdf(packed(SCRIPT).replace(b"ObjStm", b"O#62jStm")), "active_content"),
        (pdf(b"<< /S /Launch /F (cmd.exe) >>"), "active_content"),
        (pdf(b"<< /EmbeddedFiles 9 0 R >>"), "active_content"),
        (pdf(b"<< /Encrypt 9 0 R >>"), "encrypted"), (pdf()[:-7], "not_whole"), (pdf() + office(), "not_whole"),
        (pdf() + office()[:-2] + struct.pack("<H", 6) + b"\n%%EOF", "polyglot"), (b"%PDF-9", "not_whole"),
        (pdf(packed(SCRIPT).replace(b"x\x9c", b"xx")), "unreadable"), (pdf(packed(bytes(65 << 20))), "unreadable"),
        (office(types='<Override ContentType="application/vnd.ms-office.vbaProject"/>'), "active_content"),
        (office(parts={"word/vbaProject.bin": b"x"}), "active_content"),
        (office(parts={"word/embeddings/a.xlsx": b"x"}), "active_content"),
        (office(SHEET, relations=external("attachedTemplate")), "remote_content"),
        (office(relations=external("oleObject", "&#69;xternal")), "remote_content"),
        (office(parts={"a.bin": bytes(9 << 20)}), "too_large"), (office(parts={"a.rels": bytes(9 << 20)}), "too_large"),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)  # fmt: skip
def test_what_does_more_than_being_read_or_cannot_be_looked_into_is_unfit(content: bytes, code: str) -> None:
    assert refusal(content) == ("unfit_content", code)


def test_a_document_with_a_password_and_one_whose_parts_hide_others_are_unfit() -> None:
    locked = bytearray(office())
    locked[locked.rindex(b"PK\x01\x02") + 8] |= 1
    assert refusal(bytes(locked)) == ("unfit_content", "encrypted")
    target = BytesIO(office())
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(target, "a") as archive:
        archive.writestr("main.xml", "<other/>")
    assert refusal(target.getvalue()) == ("unfit_content", "not_whole")


def test_a_name_follows_the_content_and_shows_all_that_it_is() -> None:
    assert [named(each, Format.PDF) for each in ("合同", "a.PDF", "a.exe", "a.png")] == [
        "合同.pdf", "a.PDF", "a.exe.pdf", "a.pdf",
    ]  # fmt: skip
    assert (named("a.jpg", Format.JPEG), named("a", Format.TEXT), tidy(" a\u0301 ")) == ("a.jpg", "a.txt", "á")
    for bad in ("", "x" * 121, "../a", "a\\b", ".a", "a\tb", "gpj\u202e.exe", 'a"b'):
        assert [each.code for each in name_faults(bad)] == ["bad_name"], bad
    assert list(name_faults("2026 年度 报告（终稿）")) == []


def refusal(content: bytes) -> tuple[str, str]:
    with pytest.raises(KehuError) as refused:
        examine(content)
    return refused.value.code, refused.value.faults[0].code
