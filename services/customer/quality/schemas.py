"""HTTP shapes of quality. Marks and scores are decimal text from 0 to 100, means rounded to two places."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, Field

from services.customer.quality.rules import Reason
from shared.regime import Part, Text


class PolicyView(BaseModel):
    """The policy that it went by."""

    id: str
    version: str
    hash: str


class FailingView(BaseModel):
    """Something that fails: an item, a rule across items, or the verification of the file as a whole. Never a value."""

    part: Part
    reason: Reason
    code: str
    label: Text
    text: Text


class FailingLine(FailingView):
    """The same, and how many files of a kind fail in it."""

    kind: str
    files: int


class PartView(BaseModel):
    """One part: the mark (none if there is nothing to look at), its weight, at how much was looked, what fails.

    `withheld`: how much fails that is not the reader's to see. `weight` is null once the policy has changed.
    """

    part: Part
    label: Text
    mark: str | None
    weight: int | None
    looked: int
    failing: list[FailingView]
    withheld: int
    text: Text


class QualityView(BaseModel):
    """The quality of a file, and why it is so."""

    customer_id: UUID
    kind: str
    customer_version: int
    score: str
    level: str
    label: Text | None
    text: Text
    parts: list[PartView]
    policy: PolicyView
    assessed_at: datetime


class Means(BaseModel):
    """How many files, their mean score and marks, how many are of each level."""

    files: int
    score: str | None
    completeness: str | None
    accuracy: str | None
    timeliness: str | None
    levels: dict[str, int]


class UnitLine(Means):
    """The files of a unit."""

    unit: str


class ManagerLine(Means):
    """The files that somebody answers for; null: those that nobody does."""

    manager: str | None


class Figures(BaseModel):
    """A page of figures: units, managers, or what fails; `total`: all files that were asked for, together."""

    total: Means
    items: list[UnitLine] | list[ManagerLine] | list[FailingLine]
    next_cursor: str | None


class MonthLine(Means):
    """Files as they stood at the end of a month, or stand."""

    month: str = Field(examples=["2026-11"])


class Trend(BaseModel):
    """One line a month, oldest first."""

    items: list[MonthLine]


class FileLine(BaseModel):
    """A file; name and number are null if they are not the reader's to see. `failing`: in how much it fails."""

    customer_id: UUID
    kind: str
    unit: str
    manager: str | None
    number: str | None
    name: str | None
    level: str
    score: str
    completeness: str | None
    accuracy: str | None
    timeliness: str | None
    failing: int
    assessed_at: datetime
