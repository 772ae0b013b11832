"""Code lists: the allowed codes of an item or column with their texts. Read wherever values are checked or shown."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Annotated, ClassVar

from pydantic import Field, model_validator

from shared.regime.definition import Definition, Flaw, Json, Library, Path, Shape, Text
from shared.regime.field import FieldType, ValueField

Code = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,40}$")]


class CodeExample(Shape):
    """A code and whether the list has it."""

    code: str
    listed: bool


class Codelist(Definition):
    """Codes and what they mean; `source` names the standard that they come from, if any.

    `names` is for thousands of proper names, which read the same in both languages: one a line, after its code. They
    join `codes`.
    """

    kind_name: ClassVar[str] = "codelist"

    source: Text | None = None
    codes: Mapping[Code, Text] = Field(default={}, description="Codes with their texts")
    names: str | None = Field(default=None, exclude=True, description="Lines of a code and a proper name")
    examples: tuple[CodeExample, ...] = Field(min_length=2)

    @model_validator(mode="before")
    @classmethod
    def _with_names(cls, data: Json) -> Json:
        if not isinstance(data, Mapping):
            return data
        codes, names = data.get("codes") or {}, data.get("names") or ""
        if not isinstance(codes, Mapping) or not isinstance(names, str):
            return data
        if not codes and not names.strip():
            raise ValueError("a code list has codes")
        return {**data, "codes": {**codes, **_named(names, codes)}}


def _named(lines: str, taken: Mapping[str, Json]) -> dict[str, Json]:
    """The codes of `names`; each stands once."""
    found: dict[str, Json] = {}
    for line in filter(None, map(str.strip, lines.splitlines())):
        code, _, name = line.partition(" ")
        if not name or code in found or code in taken:
            raise ValueError(f"{line!r} in names: {'stands twice' if name else 'wanted is a code, a space and a name'}")
        found[code] = {"zh": name, "en": name}
    return found


def field_flaws(field: ValueField, path: Path, library: Library, *, on: date) -> Iterator[Flaw]:
    """Yield what is wrong with the allowed values of an item or column."""
    if field.codelist is not None and library.find(Codelist, field.codelist, on=on) is None:
        yield Flaw((*path, "codelist"), f"no code list {field.codelist!r}", "see the codelist folders")
    if field.codelist is not None and field.choices is not None:
        yield Flaw((*path, "choices"), "both codelist and choices", "keep one of them")
    if field.check is not None and field.type not in (FieldType.CODE, FieldType.TEXT):
        yield Flaw((*path, "check"), f"a check of a {field.type}", "only texts and codes have one")
    if field.type is FieldType.CODE and not (field.codelist or field.choices or field.pattern or field.check):
        yield Flaw((*path, "type"), "a code without allowed values", "add a codelist, choices, a pattern or a check")


def known_lists(library: Library, *, on: date) -> frozenset[str]:
    """Return the ids of the code lists that expressions may name on a day."""
    return frozenset(found.id for found in library.all(Codelist, on=on))


def allowed_codes(field: ValueField, library: Library, *, on: date) -> frozenset[str]:
    """Return the codes that a field of few values can have; `true` and `false` for a boolean."""
    if field.type is FieldType.BOOLEAN:
        return frozenset({"true", "false"})
    listed = library.find(Codelist, field.codelist, on=on) if field.codelist is not None else None
    return frozenset(listed.codes if listed is not None else field.choices or ())
