"""Facts about how well customer files are kept up."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field

from shared.events.envelope import Event


class CustomerVerified(Event):
    """Items of a file were found to be right still: a version without a change. `on` is the day of the answer.

    `whole`: the file as a whole was verified. `sealed` holds {"answer": text, "answered_by": text or null} under the
    subject's key; no values are in it.
    """

    type: ClassVar[str] = "customer.verified"
    producers: ClassVar[tuple[str, ...]] = ("customer",)

    customer_id: str
    kind: str
    unit: str
    manager: str | None = None
    version: int = Field(ge=2)
    items: tuple[str, ...]
    whole: bool
    channel: str
    on: date
    sealed: str


class Late(BaseModel):
    """When a change was learnt of, how many working days later it was made, and within how many it should have been."""

    model_config = ConfigDict(frozen=True)

    learnt_at: datetime
    working_days: int
    within: int


class CustomerChangedLate(Event):
    """A version of a file holds changes that were made later than the declared term after they were learnt of."""

    type: ClassVar[str] = "customer.changed_late"
    producers: ClassVar[tuple[str, ...]] = ("customer",)

    customer_id: str
    kind: str
    unit: str
    manager: str | None = None
    version: int = Field(ge=2)
    items: Mapping[str, Late]


class ReviewOverdue(Event):
    """Reviews of a customer's file were not made by their last day; told once for each such day.

    `cadences` names them, `reviews` says how many they are, `due_on` is the earliest of their last days.
    """

    type: ClassVar[str] = "review.overdue"
    producers: ClassVar[tuple[str, ...]] = ("customer",)

    customer_id: str
    kind: str
    unit: str
    manager: str | None = None
    cadences: tuple[str, ...]
    reviews: int = Field(ge=1)
    due_on: date


class ReviewOverdueCounted(Event):
    """How many reviews of a unit's files were overdue once all that were due on a day had been told of."""

    type: ClassVar[str] = "review.overdue_counted"
    producers: ClassVar[tuple[str, ...]] = ("customer",)

    unit: str
    due_on: date
    reviews: int = Field(ge=1)
    managers: int = Field(ge=1)
