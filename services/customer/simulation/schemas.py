"""HTTP shapes of simulations."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator


class NewSimulation(BaseModel):
    """A policy as YAML text or as JSON, or a version that is declared; for a unit or all within reach, all or some."""

    model_config = ConfigDict(extra="forbid")

    policy: str | dict[str, Any] | None = Field(None, description="the whole definition")
    version: date | None = Field(None, description="`effective_from` of a declared version, in force or to come")
    unit: str | None = Field(None, max_length=200)
    sample: int = Field(100, ge=1, le=100, description="percent of the customers, always the same ones")

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if (self.policy is None) is (self.version is None):
            raise ValueError("give either policy or version")
        return self


class MatrixRow(BaseModel):
    """So many customers would go from one grade to another; `unknown` where there is none."""

    before: str
    after: str
    customers: int


class SimulationView(BaseModel):
    """running, done or cancelled; how many customers are checked and how many of them would move."""

    id: UUID
    policy: str
    kind: str
    state: str
    sample: int
    total: int
    checked: int
    movers: int
    matrix: list[MatrixRow]
    made_at: datetime
    done_at: datetime | None
    expires_at: datetime


class MoveView(BaseModel):
    """A customer who would get another grade."""

    customer_id: UUID
    unit: str
    before: str | None
    after: str | None
