"""Grade policies: how a customer's grade follows from the file. Computed by the customer service (R1.5, R0.3).

score = sum of weight x points / sum of weight, over the indicators that stay in the sum; the rank whose range holds
the rounded score is the grade.
Which changes trigger a re-check is read off the expressions, never declared beside them.
"""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field

from shared.expressions import ExpressionError, Schema, Type
from shared.regime.codelist import allowed_codes, known_lists
from shared.regime.definition import Definition, Flaw, Json, Library, Path, Sentence, Shape, Slug, Snake, Text, doubled
from shared.regime.dictionary import Catalogue, Dictionary
from shared.regime.vocabulary import compiled, expression_flaws

Points = Annotated[int, Field(ge=0, le=100)]


class Missing(StrEnum):
    """What an indicator without a value does: scores no points, leaves the sum, or makes the grade unknown."""

    ZERO = "zero"
    SKIP_AND_REWEIGH = "skip_and_reweigh"
    UNKNOWN = "unknown"


class Band(Shape):
    """Points for values from where the band before ends up to, but not including, `below`; the last has no end.

    Written so, bands can neither overlap nor leave a gap; only their order has to be checked.
    """

    below: Decimal | None = None
    points: Points


class Scale(Shape):
    """Straight line from 0 points at `zero` to 100 points at `full`, flat outside; `zero` may be the larger one."""

    zero: Decimal
    full: Decimal


class Indicator(Shape):
    """One part of the score. Exactly one of `bands`, `scale` (numbers) and `choices` (codes, true, false) scores it.

    A code that `choices` does not name is as good as missing.
    """

    id: Snake
    label: Text
    expression: Sentence
    weight: int = Field(ge=1, le=100)
    missing: Missing
    bands: tuple[Band, ...] | None = None
    scale: Scale | None = None
    choices: Mapping[str, Points] | None = None


class Rank(Shape):
    """A grade for scores from where the rank before ends up to, but not including, `below`; lowest first."""

    grade: Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9+-]{0,3}$")]
    label: Text
    below: Decimal | None = None


class Patience(Shape):
    """What it takes to leave a grade in one direction: all of it. What is not said takes nothing."""

    margin: Decimal = Field(default=Decimal(0), ge=0, le=50, description="Points beyond the border of the rank")
    days: int = Field(default=1, ge=1, le=366, description="Checks that find so, on as many days, none between them")
    quarterly: bool = Field(default=False, description="Only the check of a quarter's round moves it")


class Hysteresis(Shape):
    """A grade stays until the score is clearly beyond its border, so that it does not flap.

    `at_once`: a condition under which a worse score acts without any patience. It never holds a grade against another
    text of the policy: what changes then is the measure, not the customer.
    """

    up: Patience = Patience()
    down: Patience = Patience()
    at_once: Sentence | None = None


class CustomerClass(Shape):
    """A class and the condition for it; the last one has none and takes whoever is left."""

    code: Snake
    when: Sentence | None = None


class Classification(Shape):
    """The class of a customer: the first whose condition holds. Its codes are those of `item`, which shows it."""

    item: Snake
    classes: tuple[CustomerClass, ...] = Field(min_length=2)


class GradeExample(Shape):
    """A file and the grade that it must get: items by code, totals as `total.<code>`; no score means unknown."""

    inputs: Mapping[str, Json]
    score: Decimal | None
    grade: str | None


class GradePolicy(Definition):
    """The grade policy of a kind of customer."""

    kind_name: ClassVar[str] = "grade"

    kind: Slug = Field(description="The kind of customer")
    decimals: int = Field(default=2, ge=0, le=4, description="Digits that the score is rounded to, half up")
    least_weight: int = Field(ge=1, le=100, description="Weight that must stay in the sum; else the grade is unknown")
    indicators: tuple[Indicator, ...] = Field(min_length=1)
    ranks: tuple[Rank, ...] = Field(min_length=2)
    hysteresis: Hysteresis | None = None
    classification: Classification | None = None
    examples: tuple[GradeExample, ...] = Field(min_length=2)

    @property
    def key(self) -> str:
        """A kind of customer has one policy at a time."""
        return self.kind

    def flaws(self, library: Library) -> Iterator[Flaw]:
        """Yield expressions that do not hold, weights that do not add up, bands and ranks that leave a gap."""
        on = self.effective_from
        catalogue = Catalogue(self.kind, library.all(Dictionary, on=on))
        schema = Schema(catalogue.types, known_lists(library, on=on))
        total = sum(indicator.weight for indicator in self.indicators)
        if total != 100:
            yield Flaw(("indicators",), f"the weights add up to {total}", "make it 100")
        yield from doubled([indicator.id for indicator in self.indicators], "indicators", "id")
        yield from doubled([rank.grade for rank in self.ranks], "ranks", "grade")
        yield from _gaps([rank.below for rank in self.ranks], ("ranks",))
        for position, indicator in enumerate(self.indicators):
            yield from _indicator_flaws(indicator, ("indicators", position), schema)
            yield from _personal_flaws(indicator.expression, ("indicators", position, "expression"), catalogue, schema)
            item = catalogue.items.get(indicator.expression)
            if item is not None and indicator.choices is not None:
                codes = allowed_codes(item, library, on=on)
                for code in sorted(indicator.choices.keys() ^ codes):
                    seen = f"no points for {code}" if code in codes else f"{item.code!r} is never {code!r}"
                    yield Flaw(("indicators", position, "choices"), seen, f"give points to {', '.join(sorted(codes))}")
        for text, path in self._conditions():
            yield from _personal_flaws(text, path, catalogue, schema)
        if self.hysteresis is not None:
            yield from _hysteresis_flaws(self.hysteresis, self.ranks, schema)
        if self.classification is not None:
            item = catalogue.items.get(self.classification.item)
            codes = frozenset[str]() if item is None else frozenset(allowed_codes(item, library, on=on))
            yield from _classification_flaws(self.classification, codes, schema)
        for position, example in enumerate(self.examples):
            for name in example.inputs.keys() - schema.fields.keys():
                yield Flaw(("examples", position, "inputs", name), f"no item or total {name!r}", "mend its spelling")

    def _conditions(self) -> Iterator[tuple[str, Path]]:
        """The expressions beside the indicators, and where they stand."""
        if self.hysteresis is not None and self.hysteresis.at_once is not None:
            yield self.hysteresis.at_once, ("hysteresis", "at_once")
        for position, each in enumerate(self.classification.classes if self.classification is not None else ()):
            if each.when is not None:
                yield each.when, ("classification", "classes", position, "when")


def _indicator_flaws(indicator: Indicator, path: Path, schema: Schema) -> Iterator[Flaw]:
    scorings = [name for name in ("bands", "scale", "choices") if getattr(indicator, name) is not None]
    if len(scorings) != 1:
        yield Flaw(path, f"{indicator.id!r} is scored by {' and '.join(scorings) or 'nothing'}", "exactly one of three")
    numeric = indicator.choices is None
    wanted = (Type.NUMBER, Type.MONEY) if numeric else (Type.CODE, Type.TEXT, Type.BOOLEAN)
    yield from expression_flaws(indicator.expression, schema, (*path, "expression"), *wanted)
    if indicator.bands is not None:
        yield from _gaps([band.below for band in indicator.bands], (*path, "bands"))
    if indicator.scale is not None and indicator.scale.zero == indicator.scale.full:
        yield Flaw((*path, "scale"), "a scale without length", "give zero and full different values")


def _personal_flaws(text: str, path: Path, catalogue: Catalogue, schema: Schema) -> Iterator[Flaw]:
    """Explanations are kept for good, so that what must be erased one day may not get into them (R15.1)."""
    try:
        names = compiled(text, schema).fields
    except ExpressionError:
        return  # told already
    for name in sorted(names):
        if name in catalogue.items and catalogue.items[name].personal:
            yield Flaw(path, f"{name!r} is personal", "grade by items that are not")


def _hysteresis_flaws(declared: Hysteresis, ranks: Sequence[Rank], schema: Schema) -> Iterator[Flaw]:
    ends = [rank.below for rank in ranks if rank.below is not None]
    if ends and max(ends) + declared.up.margin > 100:
        seen = f"nobody gets {ranks[-1].grade}: it would take {max(ends) + declared.up.margin} points"
        yield Flaw(("hysteresis", "up", "margin"), seen, "make it smaller")
    if ends and min(ends) - declared.down.margin <= 0:
        yield Flaw(("hysteresis", "down", "margin"), f"nobody falls to {ranks[0].grade}", "make it smaller")
    if declared.at_once is not None:
        yield from expression_flaws(declared.at_once, schema, ("hysteresis", "at_once"), Type.BOOLEAN)


def _classification_flaws(declared: Classification, codes: frozenset[str], schema: Schema) -> Iterator[Flaw]:
    if not codes:
        yield Flaw(("classification", "item"), f"no item {declared.item!r} with codes", "name an item with codes")
    named = [each.code for each in declared.classes]
    for code in sorted({code for code in named if named.count(code) > 1}):
        yield Flaw(("classification", "classes"), f"{code!r} stands twice", "join its conditions with `or`")
    for position, each in enumerate(declared.classes):
        path: Path = ("classification", "classes", position)
        last = position == len(declared.classes) - 1
        if codes and each.code not in codes:
            yield Flaw(
                (*path, "code"), f"{declared.item!r} is never {each.code!r}", f"one of {', '.join(sorted(codes))}"
            )
        if last is not (each.when is None):
            yield Flaw(path, "only the last class has no condition", "take `when` away" if last else "add `when`")
        if each.when is not None:
            yield from expression_flaws(each.when, schema, (*path, "when"), Type.BOOLEAN)


def _gaps(ends: Sequence[Decimal | None], path: Path) -> Iterator[Flaw]:
    """Yield where a list of upper ends does not cover everything once: they rise, and only the last is open."""
    for position, end in enumerate(ends):
        last = position == len(ends) - 1
        if last is not (end is None):
            yield Flaw(
                (*path, position), "only the last one is open", "take its `below` away" if last else "add `below`"
            )
        before = ends[position - 1] if position else None
        if end is not None and before is not None and end <= before:
            yield Flaw((*path, position, "below"), f"{end} is not above {before}", "put them in rising order")
