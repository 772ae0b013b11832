"""Quality of files: what counts how much in completeness, accuracy and timeliness, and what is good. R1.4.

Computed by the customer service: the mark of a part is 100 x the weight of what is right / the weight of what is
looked at, the score the mean of the marks by the weights of the parts; a part in which there is nothing to look at
leaves the mean. Items are looked at for a value, for fitting the dictionary and for being kept in time; rules across
items, where it can be told, for holding; the file as a whole for being verified.
"""

from collections.abc import Iterable, Iterator, Mapping, Set
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field

from shared.regime.definition import Definition, Flaw, Json, Library, Shape, Slug, Snake, Text, doubled
from shared.regime.dictionary import Catalogue, Dictionary
from shared.regime.item import Item, Maintenance

Weight = Annotated[int, Field(ge=0, le=1000)]


class Part(StrEnum):
    """What makes up the quality of a file."""

    COMPLETENESS = "completeness"
    ACCURACY = "accuracy"
    TIMELINESS = "timeliness"


class ItemWeights(Shape):
    """What an item counts: what `items` says of it; else what its class does, or `required` if that is more.

    What counts nothing is not looked at.
    """

    classes: Mapping[Maintenance, Weight]
    required: Weight
    items: Mapping[Snake, Weight] = {}

    def of(self, item: Item) -> int:
        """The weight of an item; none for what the system computes."""
        if item.maintenance is Maintenance.SYSTEM:
            return 0
        by_class = self.classes.get(item.maintenance, 0)
        return self.items.get(item.code, max(by_class, self.required) if item.required else by_class)


class RuleWeights(Shape):
    """What a rule across items counts: what `rules` says of it, else `each`."""

    each: Weight
    rules: Mapping[Slug, Weight] = {}

    def of(self, rule: str) -> int:
        """The weight of a rule."""
        return self.rules.get(rule, self.each)


class Level(Shape):
    """How good scores are from where the level before ends up to, but not including, `below`; lowest first."""

    id: Snake
    title: Text
    below: Decimal | None = None


class QualityExample(Shape):
    """A file of a kind on a day, and what is found of it; parts in which there is nothing to look at are not named.

    `verified`: when its items were, but for those in `verified_else`; `checked`: when the file as a whole was; `late`:
    items whose present value was set on `verified`, later than the term.
    """

    kind: Slug
    values: Mapping[Snake, Json]
    today: date
    verified: date
    verified_else: Mapping[Snake, date] = {}
    checked: date
    late: frozenset[Snake] = frozenset()
    parts: Mapping[Part, Decimal]
    score: Decimal
    level: Snake


class QualityPolicy(Definition):
    """How the quality of files is found, of some kinds of customers, or of all those that no other policy names."""

    kind_name: ClassVar[str] = "quality"

    kinds: frozenset[Slug] = frozenset()
    exempt: frozenset[Snake] = Field(default=frozenset(), description="No file is judged while its status is of these")
    parts: Mapping[Part, Annotated[int, Field(ge=1, le=100)]]
    items: ItemWeights
    rules: RuleWeights
    whole: Weight = Field(description="Weight of the verification of the file as a whole")
    late_days: int = Field(ge=0, le=3660, description="For so many days after it was made a late change counts")
    decimals: int = Field(default=1, ge=0, le=4, description="Digits that marks and score are rounded to, half up")
    levels: tuple[Level, ...] = Field(min_length=2)
    examples: tuple[QualityExample, ...] = Field(min_length=2)

    def level_of(self, score: Decimal) -> Level:
        """The level of a score."""
        return next(level for level in self.levels if level.below is None or score < level.below)

    def flaws(self, library: Library) -> Iterator[Flaw]:
        """Yield weights that do not add up, levels that leave a gap, what is not there, policies that meet."""
        known = library.all(Dictionary, on=self.effective_from)
        kinds = {group.kind for group in known}
        for kind in sorted(self.kinds - kinds):
            yield Flaw(("kinds",), f"no dictionary of kind {kind!r}", "see the dictionary folders")
        for other in library.all(QualityPolicy, on=self.effective_from):
            if other.id != self.id and (self.kinds & other.kinds or not (self.kinds or other.kinds)):
                yield Flaw(("kinds",), f"{other.id} is about them too", "name different kinds")
        if set(self.parts) != set(Part) or sum(self.parts.values()) != 100:
            yield Flaw(
                ("parts",), f"the weights add up to {sum(self.parts.values())}", "name all parts, and make it 100"
            )
        if Maintenance.SYSTEM in self.items.classes:
            yield Flaw(("items", "classes"), "the system keeps its items itself", "leave `system` out")
        catalogues = [Catalogue(kind, known) for kind in sorted(self.kinds & kinds or kinds)]
        codes = {code for catalogue in catalogues for code in catalogue.items}
        for code in sorted(self.items.items.keys() - codes):
            yield Flaw(("items", "items", code), f"no item {code!r}", "mend its spelling")
        for rule in sorted(self.rules.rules.keys() - {rule for each in catalogues for rule in each.rules}):
            yield Flaw(("rules", "rules", rule), f"no rule {rule!r}", "mend its spelling")
        yield from self._level_flaws(kinds)

    def _level_flaws(self, kinds: Set[str]) -> Iterator[Flaw]:
        yield from doubled([level.id for level in self.levels], "levels", "id")
        ends = [level.below for level in self.levels]
        if None in ends[:-1] or ends[-1] is not None or ends[:-1] != sorted(set(filter(None, ends[:-1]))):
            yield Flaw(("levels",), "the levels leave a gap or overlap", "lowest first; only the last has no `below`")
        for position, example in enumerate(self.examples):
            if example.kind not in (self.kinds or kinds):
                yield Flaw(("examples", position, "kind"), f"it is not about {example.kind!r}", "name one of its kinds")
            if example.level not in {level.id for level in self.levels}:
                yield Flaw(("examples", position, "level"), f"no level {example.level!r}", "name one of `levels`")


def policy_for(kind: str, policies: Iterable[QualityPolicy]) -> QualityPolicy | None:
    """The policy of a kind of customer: the one that names it, else the one that names none."""
    found = {kind in each.kinds: each for each in policies if not each.kinds or kind in each.kinds}
    return found.get(True, found.get(False))
