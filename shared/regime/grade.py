"""Grade policies: how a customer's grade follows from the file. Computed by the customer service (R1.5, R0.3).

score = sum of weight x points / 100 over the indicators; the standing whose range holds the score is the grade.
Which changes trigger a re-check is read off the expressions, never declared beside them.
"""

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field

from shared.regime.definition import Definition, Json, Sentence, Shape, Slug, Snake, Text

Points = Annotated[int, Field(ge=0, le=100)]


class Missing(StrEnum):
    """What an indicator without a value does: counts as nothing, leaves the sum, or makes the grade unknown."""

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
    """One part of the score. Exactly one of `bands`, `scale` (numbers) and `choices` (codes, true, false) scores it."""

    id: Snake
    label: Text
    expression: Sentence
    weight: int = Field(ge=1, le=100)
    missing: Missing
    bands: tuple[Band, ...] | None = None
    scale: Scale | None = None
    choices: Mapping[str, Points] | None = None


class Standing(Shape):
    """A grade for scores from where the standing before ends up to, but not including, `below`; lowest first."""

    grade: Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9+-]{0,3}$")]
    label: Text
    below: Decimal | None = None


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
    least_known_weight: int = Field(ge=1, le=100, description="Weight that must be known; else the grade is unknown")
    indicators: tuple[Indicator, ...] = Field(min_length=1)
    standings: tuple[Standing, ...] = Field(min_length=2)
    examples: tuple[GradeExample, ...] = Field(min_length=2)

    @property
    def key(self) -> str:
        """A kind of customer has one policy at a time."""
        return self.kind
