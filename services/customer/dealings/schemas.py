"""HTTP shapes of the dealings feed."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

SourceId = Annotated[str, Field(min_length=1, max_length=100, description="the feeding system's own id of the row")]
Number = Annotated[int, Field(ge=0, le=2_000_000_000)]
Month = Annotated[str, Field(pattern=r"^20[0-9]{2}-(0[1-9]|1[0-2])$", examples=["2026-10"])]


class Purchase(BaseModel):
    """What a customer bought in a month; money in fen."""

    model_config = ConfigDict(extra="forbid")

    source_id: SourceId
    customer_id: UUID
    month: Month
    quantity: Number
    amount_fen: int = Field(ge=0, le=10**15)
    varieties: Number
    orders: Number
    orders_planned: Number
    payments_late: Number


class Violation(BaseModel):
    """A violation established against a customer; `withdrawn` once it is quashed."""

    model_config = ConfigDict(extra="forbid")

    source_id: SourceId
    customer_id: UUID
    found_on: date
    kind: str = Field(min_length=1, max_length=60)
    severity: Literal["minor", "serious"]
    withdrawn: bool = False


class Feed(BaseModel):
    """Rows to record or to correct: a source id that is known already replaces its row."""

    model_config = ConfigDict(extra="forbid")

    purchases: list[Purchase] = Field(default=[], max_length=5000)
    violations: list[Violation] = Field(default=[], max_length=5000)


class Recorded(BaseModel):
    """How many rows were new or corrected, how many stood so already, and how many customers they concern."""

    recorded: int
    unchanged: int
    customers: int
