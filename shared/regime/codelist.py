"""Code lists: the allowed codes of an item or column with their texts. Read wherever values are checked or shown."""

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import Field

from shared.regime.definition import Definition, Shape, Text

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
