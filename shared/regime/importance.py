"""Importance: which customers of a kind are important, and how many staff are in contact with a new one (R5.6, R5.5).

Read by the customer service. An expression over the items of a file decides; where it is not known, `missing` does.
"""

from collections.abc import Iterator, Mapping
from typing import ClassVar

from pydantic import Field

from shared.expressions import Schema, Type
from shared.regime.codelist import known_lists
from shared.regime.definition import Definition, Flaw, Json, Library, Sentence, Shape, Slug, Snake
from shared.regime.dictionary import Catalogue, Dictionary
from shared.regime.vocabulary import expression_flaws


class ImportanceExample(Shape):
    """Items of a file by code, and whether the customer is important; items that are not named have no value."""

    values: Mapping[Snake, Json]
    important: bool


class Importance(Definition):
    """What makes a customer important. `staff`: how many are in contact with an important one before it is registered.

    `missing`: whether a customer of whom too little is known counts as important. `new_days`: how long one is new, from
    the day on which its file was opened.
    """

    kind_name: ClassVar[str] = "importance"

    kind: Slug = Field(description="The kind of customer")
    expression: Sentence
    missing: bool
    staff: int = Field(ge=1, le=9)
    new_days: int = Field(ge=1, le=3660)
    examples: tuple[ImportanceExample, ...] = Field(min_length=2)

    @property
    def key(self) -> str:
        """A kind of customer has one definition at a time."""
        return self.kind

    def flaws(self, library: Library) -> Iterator[Flaw]:
        """Yield an expression that does not hold over the items of a file, and examples of items that are not there."""
        on = self.effective_from
        catalogue = Catalogue(self.kind, library.all(Dictionary, on=on))
        own = {name: kind for name, kind in catalogue.types.items() if name in catalogue.items}
        system = {item.code for item in catalogue.system_items}
        schema = Schema({name: kind for name, kind in own.items() if name not in system}, known_lists(library, on=on))
        yield from expression_flaws(self.expression, schema, ("expression",), Type.BOOLEAN)
        for position, example in enumerate(self.examples):
            for name in sorted(example.values.keys() - schema.fields.keys()):
                yield Flaw(("examples", position, "values", name), f"no item {name!r}", "mend its spelling")
