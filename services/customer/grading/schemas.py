"""HTTP shapes of grades."""

from __future__ import annotations

from datetime import datetime
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


class GradeView(BaseModel):
    """A check with its explanation: the policy text and the version of the file that it was made with.

    The score is null while unknown, and where an indicator is withheld, whose points it would tell.
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


class GradeChangeView(GradeView):
    """A change of grade."""

    before: str | None
