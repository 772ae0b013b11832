"""HTTP shapes of reviews and verifications."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal, TypeAlias
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from services.customer.file.schemas import Code
from services.customer.review.rules import State
from shared.regime import Text

Said = Annotated[str, Field(min_length=1, max_length=2_000, pattern=r"\S")]
Items: TypeAlias = Annotated[list[Code], Field(min_length=1, max_length=500)] | Literal["all_due", "all"]
_EXAMPLES: list[JsonValue] = [{"items": "all_due", "channel": "phone", "answer": "店主确认无变化", "on": "2026-11-24"}]


class Answered(BaseModel):
    """What the customer said, by which channel (code list `verification_channel`), on which day; today unless said."""

    model_config = ConfigDict(extra="forbid")

    channel: str = Field(max_length=60)
    answer: Said
    answered_by: str | None = Field(None, min_length=1, max_length=200, description="who spoke for the customer")
    on: date | None = None


class VerificationRequest(Answered):
    """Items of one file. `all_due`: those that are due or overdue; `all`: the file as a whole."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": _EXAMPLES})

    items: Items


class Named(BaseModel):
    """A customer, and the version that was read, if it matters that nobody changed it since."""

    model_config = ConfigDict(extra="forbid")

    id: UUID
    version: int | None = Field(None, ge=1, le=999_999_999)


class TasksOf(BaseModel):
    """The customers of a manager who have something due or overdue; of one review, if one is named."""

    model_config = ConfigDict(extra="forbid")

    manager: str = Field(min_length=1, max_length=100)
    cadence: str | None = Field(None, max_length=60)


class BulkVerification(Answered):
    """The same answer for many: those listed, or those of a manager that are due."""

    items: Literal["all_due", "all"] = "all_due"
    customers: Annotated[list[Named], Field(min_length=1, max_length=200)] | TasksOf


class VerificationView(BaseModel):
    """A verification; answer and who gave it are null if they are not the reader's to see."""

    id: UUID
    version: int
    at: datetime
    actor: str
    items: list[str]
    whole: bool
    channel: str
    on: date
    answer: str | None
    answered_by: str | None
    withheld: bool


class VerifiedView(BaseModel):
    """What was verified, in which version; `withheld`: items that are not the caller's to verify."""

    id: UUID
    customer: UUID
    version: int
    items: list[str]
    withheld: list[str]
    whole: bool
    verified_at: datetime


class Refused(BaseModel):
    """A customer of whom nothing was verified, and why."""

    customer: UUID
    status: int
    code: str
    detail: str


class BulkView(BaseModel):
    """What became of each; `unchanged`: nothing was due. `more`: there is more of the manager's, ask again."""

    verified: list[VerifiedView]
    unchanged: list[UUID]
    refused: list[Refused]
    more: bool


class TaskView(BaseModel):
    """One review of one customer; name and number are null if they are not the reader's to see."""

    customer: UUID
    kind: str
    unit: str
    manager: str | None
    number: str | None
    name: str | None
    cadence: str
    title: Text
    state: State
    since: date
    due_on: date
    days_overdue: int
    items: list[str]


class Tally(BaseModel):
    """How many reviews are in each state."""

    overdue: int
    due: int
    upcoming: int


class SummaryRow(Tally):
    """The reviews of a manager's customers in a unit, in all and by cadence."""

    unit: str
    manager: str | None
    cadences: dict[str, Tally]


class Summary(Tally):
    """The reviews within reach, in all, and by unit and manager."""

    items: list[SummaryRow]
