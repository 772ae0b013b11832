"""Kinds of attachments to the file of a customer: contracts, copies of licences, letters, reports. Read by the customer
service (R5.3, R5.5).
"""

from collections.abc import Iterator
from enum import StrEnum
from typing import ClassVar

from pydantic import Field

from shared.regime.codelist import Codelist
from shared.regime.definition import Definition, Flaw, Library, Secrecy, Shape, Snake
from shared.regime.role import FIELD_CLASSES


class Format(StrEnum):
    """What content can be; its bytes say which."""

    PDF = "pdf"
    JPEG = "jpeg"
    PNG = "png"
    DOCX = "docx"
    XLSX = "xlsx"
    TEXT = "text"


class AttachmentExample(Shape):
    """An attachment of a format, of the level of its kind unless said, and why it is refused; nothing: it is not."""

    format: Format
    secrecy: Secrecy | None = None
    refused: Snake | None = None


class Attachment(Definition):
    """One kind. `secrecy` is the lowest level of such attachments, `field_class` the class of what they say."""

    kind_name: ClassVar[str] = "attachment"

    formats: tuple[Format, ...] = Field(min_length=1)
    secrecy: Secrecy
    field_class: Snake
    examples: tuple[AttachmentExample, ...] = Field(min_length=2)

    def refuses(self, form: Format, secrecy: Secrecy | None) -> str | None:
        """Why there cannot be such an attachment: format_not_allowed, secrecy_too_low; None: there can."""
        if form not in self.formats:
            return "format_not_allowed"
        return "secrecy_too_low" if secrecy is not None and not secrecy.covers(self.secrecy) else None

    def flaws(self, library: Library) -> Iterator[Flaw]:
        """Yield a class that is not there, and examples that do not come true."""
        listed = library.find(Codelist, FIELD_CLASSES, on=self.effective_from)
        if listed is None or self.field_class not in listed.codes:
            yield Flaw(("field_class",), f"no field class {self.field_class!r}", f"see the code list {FIELD_CLASSES}")
        for position, example in enumerate(self.examples):
            found = self.refuses(example.format, example.secrecy)
            if found != example.refused:
                yield Flaw(("examples", position), f"refused: {found or 'nothing'}", "mend the kind or the example")
