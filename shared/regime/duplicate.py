"""Duplicates: which items of two customers are compared, in what form, and what likeness says. Requirement R5.2.

Read by the customer service, which finds and shows them. A rule speaks of items that a kind of customer may or may not
have, so that customers of several kinds can be compared by those that they share.
"""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field

from shared.regime.definition import Definition, Flaw, Json, Library, Shape, Slug, Snake, Text, doubled
from shared.regime.dictionary import Catalogue, Dictionary
from shared.regime.field import FieldType
from shared.regime.item import Item

Piece = Annotated[str, Field(min_length=1, max_length=30)]
COMPARABLE = frozenset({FieldType.TEXT, FieldType.CODE, FieldType.PHONE})


class FormStep(StrEnum):
    """One step of bringing a text into the form that is compared."""

    WIDTH = "width"  # full-width and half-width characters become one (NFKC)
    CASE = "case"  # capital and small letters become one
    BRACKETS = "brackets"  # what stands in brackets goes, with them
    SIGNS = "signs"  # only letters and digits stay
    DIGITS = "digits"  # only digits stay


class Form(Shape):
    """How a text is brought into the form that is compared: the steps, then `replace`, then what is taken off its ends.

    Nothing is taken off that would leave less than `shortest` characters; a shorter form is not compared at all.
    """

    steps: tuple[FormStep, ...] = Field(min_length=1)
    replace: Mapping[Piece, Annotated[str, Field(max_length=30)]] = {}
    beginnings: tuple[Piece, ...] = ()
    endings: tuple[Piece, ...] = ()
    shortest: int = Field(ge=1, le=40)


class Alike(Shape):
    """Two forms that are not the same count as well if their similarity in percent is at least this."""

    least: int = Field(ge=50, le=99)
    weight: int = Field(ge=1, le=1000)


class Comparison(Shape):
    """One rule: any of these items of the one customer against any of them of the other. `weight`: if they agree."""

    id: Snake
    title: Text
    items: tuple[Snake, ...] = Field(min_length=1)
    form: Snake
    weight: int = Field(ge=1, le=1000)
    alike: Alike | None = None


class Verdict(StrEnum):
    """What the weights of the rules that hold add up to."""

    CERTAIN = "certain"
    POSSIBLE = "possible"


class PairExample(Shape):
    """Two customers' values, the verdict about them, and the rules that hold."""

    one: Mapping[Snake, Json]
    other: Mapping[Snake, Json]
    verdict: Verdict | None = None
    rules: frozenset[Snake] = frozenset()


class DuplicateRules(Definition):
    """How duplicates among the customers of these kinds (of all, if none is named) are found."""

    kind_name: ClassVar[str] = "duplicate"

    kinds: tuple[Slug, ...] = ()
    forms: Mapping[Snake, Form] = Field(min_length=1)
    rules: tuple[Comparison, ...] = Field(min_length=1)
    certain: int = Field(ge=1, description="The least sum of weights of a certain duplicate")
    possible: int = Field(ge=1, description="The least sum of weights of a possible one")
    names_beyond_reach: bool = Field(description="Whether the name of a file out of the asker's reach is told")
    most: int = Field(ge=1, le=200, description="How many customers of one compared form are looked at")
    examples: tuple[PairExample, ...] = Field(min_length=2)

    def covers(self, kind: str) -> bool:
        """Whether customers of a kind are compared by it."""
        return not self.kinds or kind in self.kinds

    def flaws(self, library: Library) -> Iterator[Flaw]:
        """Yield forms and items that are not there, verdicts that nothing reaches, figures in the wrong order."""
        yield from doubled([rule.id for rule in self.rules], "rules", "id")
        known = library.all(Dictionary, on=self.effective_from)
        kinds = {group.kind for group in known}
        for position, kind in enumerate(self.kinds):
            if kind not in kinds:
                yield Flaw(("kinds", position), f"no dictionary of kind {kind!r}", "see the dictionary folders")
        covered = [Catalogue(kind, known) for kind in sorted(kinds) if self.covers(kind)]
        items = {code: item for catalogue in covered for code, item in catalogue.items.items()}
        for position, rule in enumerate(self.rules):
            yield from self._rule_flaws(position, rule, items)
        if self.certain < self.possible:
            yield Flaw(("certain",), "a certain duplicate needs less than a possible one", "exchange the figures")
        if sum(rule.weight for rule in self.rules) < self.certain:
            yield Flaw(("certain",), "all rules together do not reach it", "lower it, or raise the weights")
        yield from self._example_flaws(items)

    def _rule_flaws(self, position: int, rule: Comparison, items: Mapping[str, Item]) -> Iterator[Flaw]:
        path = ("rules", position)
        if rule.form not in self.forms:
            yield Flaw((*path, "form"), f"no form {rule.form!r}", "name one of `forms`")
        for place, code in enumerate(rule.items):
            if code not in items:
                yield Flaw((*path, "items", place), f"no item {code!r}", "name items of these kinds of customers")
            elif items[code].type not in COMPARABLE:
                yield Flaw(
                    (*path, "items", place), f"{code!r} is no text", "compare texts, codes and telephone numbers"
                )
        if rule.alike is not None and rule.alike.weight > rule.weight:
            yield Flaw((*path, "alike", "weight"), "likeness weighs more than sameness", "lower it")

    def _example_flaws(self, items: Mapping[str, Item]) -> Iterator[Flaw]:
        known = {rule.id for rule in self.rules}
        for position, example in enumerate(self.examples):
            for code in sorted({*example.one, *example.other} - items.keys()):
                yield Flaw(("examples", position), f"no item {code!r}", "name items of these kinds of customers")
            for name in sorted(example.rules - known):
                yield Flaw(("examples", position, "rules"), f"no rule {name!r}", "name one of `rules`")
