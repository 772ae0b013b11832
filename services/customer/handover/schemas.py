"""HTTP shapes of hand-overs."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, JsonValue

Name = Annotated[str, Field(min_length=1, max_length=64)]
Code = Annotated[str, Field(min_length=1, max_length=60)]
Customers = Annotated[list[UUID], Field(min_length=1, max_length=10_000)]

_EXAMPLE: JsonValue = {"predecessor": "manager1", "successor": "manager2", "unit": "east", "reason": "leaving"}


class _Closed(BaseModel):
    model_config = ConfigDict(extra="forbid")


class NewHandover(_Closed):
    """Whose customers go to whom, and why (a code of the list handover_reason).

    All that the predecessor has in one unit by the time of acceptance, or the named `customers`.
    """

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": _EXAMPLE})

    predecessor: Name
    successor: Name
    reason: Code
    unit: Name | None = None
    customers: Customers | None = None


class Ending(_Closed):
    """Why it is declined, cancelled or undone: a code of the list handover_end."""

    reason: Code


class NewNotice(_Closed):
    """How customers were told of their new contact (a code of verification_channel); all, if none are named."""

    channel: Code
    customers: Customers | None = None


class NoticeView(BaseModel):
    """How many customers are still to be told."""

    untold: int


class AgreementView(BaseModel):
    """Who agreed to which step of the approval."""

    step: str
    by: str
    at: datetime


class HandoverView(BaseModel):
    """A hand-over: proposed, offered, accepted, declined, cancelled, lapsed or undone."""

    id: UUID
    unit: str
    predecessor: str
    successor: str
    reason: str
    whole: bool
    customers: int
    state: str
    proposed_by: str
    proposed_at: datetime
    decide_until: datetime
    agreed: list[AgreementView]
    accepted_by: str | None
    accepted_at: datetime | None
    undo_until: datetime | None
    tell_by: date | None
    ended_by: str | None
    ended_at: datetime | None
    end_reason: str | None


class HandedView(BaseModel):
    """A customer of a hand-over: by which versions of the file it moved, and back; when and how it was told."""

    model_config = ConfigDict(from_attributes=True)

    customer_id: UUID
    version: int | None
    undone_version: int | None
    told_at: datetime | None
    told_by: str | None
    channel: str | None


class OutstandingView(BaseModel):
    """A leaver with customers of a unit that nobody took over; `omitted_at`: that counts as a leak since."""

    person: str
    unit: str
    customers: int
    last_day: date
    found_at: datetime
    omitted_at: datetime | None
