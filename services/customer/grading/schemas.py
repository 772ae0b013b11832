"""HTTP shapes of grades."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from services.customer.dictionary.schemas import Reference
from shared.regime import Text


class IndicatorView(BaseModel):
    """One indicator: its value and points (null if unknown or withheld), weight and words."""

    id: str
    label: Text | None
    value: Any
    withheld: bool
    weight: int
    points: str | None
    text: Text | None


class OverrideView(BaseModel):
    """The override that is in force in place of the reckoned grade."""

    id: UUID
    text: Text


class ClassView(BaseModel):
    """The class that follows from the policy."""

    code: str
    label: Text
    text: Text


class WayView(BaseModel):
    """One indicator that could bring the missing points alone."""

    indicator: str
    text: Text


class NextView(BaseModel):
    """What the next better grade would take."""

    grade: str
    score: str
    missing: str
    text: Text
    ways: list[WayView]


class GradeView(BaseModel):
    """A check with its explanation: the policy text and the version of the file that it was made with.

    The score is null while unknown, and where an indicator is withheld, whose points it would tell; so is what would
    tell of the score (`by_score`, `course`, `next`). `settled`: the reckoned grade, which an override leaves as it is.
    """

    customer_id: UUID
    serial: int
    grade: str | None
    label: Text | None
    score: str | None
    policy: Reference
    customer_version: int
    checked_at: datetime
    text: Text | None
    indicators: list[IndicatorView]
    settled: str | None
    by_score: str | None
    course: Text | None
    override: OverrideView | None
    customer_class: ClassView | None
    next: NextView | None
    sentences: list[str]


class GradeChangeView(GradeView):
    """A change of grade."""

    before: str | None


class QuarterView(BaseModel):
    """The grade of a quarter."""

    quarter: str
    grade: str | None
    serial: int
    policy_version: date
    customer_version: int
    checked_at: datetime


class ReproductionView(BaseModel):
    """A grade reckoned anew from what was kept: whether it came out the same, and what did not.

    `declared`: the text of the policy is still among the measures in force or to come.
    """

    customer_id: UUID
    serial: int
    grade: str | None
    reproduced: bool
    differences: list[str]
    policy: Reference
    declared: bool
    basis: str
    digest: str
