"""Makes documents as people send them, and as attackers do."""

import io
import zipfile
import zlib

WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
SHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"
_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def pdf(*objects: bytes, text: str = "") -> bytes:
    """A PDF of one page with further objects."""
    kept = [b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Kids [] /Count 0 >>", *objects, text.encode()]
    body = b"".join(b"%d 0 obj\n%s\nendobj\n" % (number, each) for number, each in enumerate(kept, 1))
    return b"%PDF-1.7\n" + body + b"trailer << /Root 1 0 R >>\nstartxref\n9\n%%EOF\n"


def packed(content: bytes) -> bytes:
    """An object stream of a PDF."""
    data = zlib.compress(content)
    return b"<< /Type /ObjStm /N 1 /First 4 /Filter /FlateDecode /Length %d >>\nstream\r\n%s\nendstream" % (
        len(data), data,
    )  # fmt: skip


def office(main: str = WORD, *, types: str = "", relations: str = "", parts: dict[str, bytes] | None = None) -> bytes:
    """A DOCX, or XLSX, of few parts; more types, relations and parts if they are given."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        override = f'<Override PartName="/main.xml" ContentType="{main}"/>{types}'
        archive.writestr("[Content_Types].xml", f"<?xml version='1.0'?><Types>{override}</Types>")
        archive.writestr("_rels/.rels", f"<Relationships>{relations}</Relationships>")
        archive.writestr("main.xml", "<document/>")
        for name, content in (parts or {}).items():
            archive.writestr(name, content)
    return target.getvalue()


def external(kind: str, mode: str = "External") -> str:
    """A relation of a document to something elsewhere."""
    return f'<Relationship Id="r1" Type="{_RELATIONS}/{kind}" Target="http://elsewhere.example/x" TargetMode="{mode}"/>'
