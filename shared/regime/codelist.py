"""Code lists: the allowed codes of an item or column with their texts. Read wherever values are checked or shown."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Annotated, ClassVar

from pydantic import Field

from shared.regime.definition import Definition, Flaw, Library, Path, Shape, Text
from shared.regime.field import FieldType, ValueField

Code = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,40}$")]


class CodeExample(Shape):
    """A code and whether the list has it."""

    code: str
    listed: bool


class Codelist(Definition):
    """Codes and what they mean; `source` names the standard that they come from, if any."""

    kind_name: ClassVar[str] = "codelist"

    source: Text | None = None
    codes: Mapping[Code, Text] = Field(min_length=1)
    examples: tuple[CodeExample, ...] = Field(min_length=2)


def field_flaws(field: ValueField, path: Path, library: Library, *, on: date) -> Iterator[Flaw]:
    """Yield what is wrong with the allowed values of an item or column."""
    if field.codelist is not None and library.find(Codelist, field.codelist, on=on) is None:
        yield Flaw((*path, "codelist"), f"no code list {field.codelist!r}", "see the codelist folders")
    if field.codelist is not None and field.choices is not None:
        yield Flaw((*path, "choices"), "both codelist and choices", "keep one of them")
    if field.type is FieldType.CODE and not (field.codelist or field.choices or field.pattern):
        yield Flaw((*path, "type"), "a code without allowed values", "add a codelist, choices or a pattern")


def known_lists(library: Library, *, on: date) -> frozenset[str]:
    """Return the ids of the code lists that expressions may name on a day."""
    return frozenset(found.id for found in library.all(Codelist, on=on))


def allowed_codes(field: ValueField, library: Library, *, on: date) -> frozenset[str]:
    """Return the codes that a field of few values can have; `true` and `false` for a boolean."""
    if field.type is FieldType.BOOLEAN:
        return frozenset({"true", "false"})
    listed = library.find(Codelist, field.codelist, on=on) if field.codelist is not None else None
    return frozenset(listed.codes if listed is not None else field.choices or ())
