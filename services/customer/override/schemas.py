"""HTTP shapes of overrides."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]


class NewOverride(BaseModel):
    """Another grade than the reckoned one, in force up to and including a day."""

    model_config = ConfigDict(extra="forbid")

    grade: str = Field(max_length=4)
    expires_on: date
    reason: Reason


class Ending(BaseModel):
    """Why it is refused or lifted."""

    model_config = ConfigDict(extra="forbid")

    reason: Reason


class AgreementView(BaseModel):
    """Who agreed to which step of the approval."""

    step: str
    by: str
    at: datetime


class OverrideView(BaseModel):
    """An override: proposed, in_force, refused, lifted or expired."""

    id: UUID
    customer_id: UUID
    grade: str
    expires_on: date
    state: str
    proposed_by: str
    proposed_at: datetime
    decide_until: datetime
    reason: str | None
    agreed: list[AgreementView]
    ended_by: str | None
    ended_at: datetime | None
    end_reason: str | None
