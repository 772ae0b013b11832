"""What content is, told from its own bytes, and what an attachment may be called: pure.

A name and a Content-Type are what somebody says; neither decides anything here.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

from services.customer.attachment import errors
from services.customer.attachment.office import office_format
from services.customer.attachment.portable import require_quiet
from shared.errors import Fault
from shared.regime import Attachment, Format, Secrecy

MEDIA: Final = {
    Format.PDF: "application/pdf",
    Format.JPEG: "image/jpeg",
    Format.PNG: "image/png",
    Format.DOCX: "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    Format.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    Format.TEXT: "text/plain; charset=utf-8",
}
PICTURES: Final = frozenset({Format.JPEG, Format.PNG})
_ENDINGS = {form: (f".{form.value}",) for form in Format} | {Format.JPEG: (".jpeg", ".jpg"), Format.TEXT: (".txt",)}
_NAME_LIMIT = 120
_NOT_IN_NAMES = re.compile(r'[/\\:*?"<>|]')
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Categories of characters that do not show, or that turn the others round."""
_CONTROLS = bytes({*range(32), 127} - set(b"\t\n\f\r"))
_CODE = ("<", "#!", "{\\rtf", "%!", "%PDF-")
"""What a text begins with that is no text to be read: markup, scripts, documents of other kinds."""
_HEAD = 1024
"""Where some readers look for the signature of a PDF."""


def examine(content: bytes) -> tuple[Format, bytes]:
    """What content is, and what is kept of it: text in UTF-8, all else as it came; pictures are judged elsewhere.

    Raises: UnsupportedMedia (unknown_format), Invalid (unfit_content)
    """
    if content.startswith(b"\xff\xd8\xff"):
        return Format.JPEG, content
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return Format.PNG, content
    if content.startswith(b"%PDF-"):
        require_quiet(content)
        return Format.PDF, content
    if b"%PDF-" in content[:_HEAD]:
        raise errors.unknown_format(content)
    if content.startswith(b"PK\x03\x04"):
        return office_format(content), content
    return Format.TEXT, _text(content).encode()


def _text(content: bytes) -> str:
    if content and content.translate(None, _CONTROLS) == content:
        for encoding in ("utf-8-sig", "gb18030"):
            try:
                text = content.decode(encoding)
            except UnicodeDecodeError:
                continue
            if text.strip() and not text.lstrip().startswith(_CODE):
                return text
            break
    raise errors.unknown_format(content)


def named(name: str, form: Format) -> str:
    """A name with the ending of what it really is, in place of that of another format."""
    stem, dot, ending = name.rpartition(".")
    if any(f".{ending.lower()}" in each for each in _ENDINGS.values()) and dot:
        return name if f".{ending.lower()}" in _ENDINGS[form] else stem + _ENDINGS[form][-1]
    return name + _ENDINGS[form][-1]


def tidy(name: str) -> str:
    """A name in the form in which names are kept."""
    return unicodedata.normalize("NFC", name).strip()


def name_faults(name: str) -> Iterator[Fault]:
    """What is wrong with a tidy name: empty, too long, a path, hidden or turning characters."""
    is_hidden = any(unicodedata.category(each) in _HIDDEN for each in name)
    if not 1 <= len(name) <= _NAME_LIMIT or is_hidden or _NOT_IN_NAMES.search(name) or name.startswith("."):
        expected = f'1 to {_NAME_LIMIT} visible characters, no path, none of / \\ : * ? " < > |'
        yield Fault("query:name", "bad_name", name[:80], expected)


def kind_faults(kind: Attachment, form: Format, secrecy: Secrecy | None) -> Iterator[Fault]:
    """Why content of this format and level cannot be of a kind."""
    match kind.refuses(form, secrecy):
        case "format_not_allowed":
            yield Fault("", "format_not_allowed", form.value, [each.value for each in kind.formats])
        case "secrecy_too_low" as code:
            yield Fault("query:secrecy", code, secrecy, f"{kind.secrecy} or above")
