"""HTTP shapes of tasks."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, Field


class TaskView(BaseModel):
    """Something to do. `address`: where it is seen and done; `number` and `name` as far as the reader sees them."""

    type: str = Field(examples=["review.overdue", "registration.decide"])
    record: str
    address: str
    unit: str
    since: datetime
    due: datetime | None = Field(description="when it has to be done by; null if nothing says so")
    overdue: bool
    customer_id: UUID | None
    number: str | None
    name: str | None


class TasksView(BaseModel):
    """The most pressing tasks first; how many there are of each type, where 200 stands for more."""

    items: list[TaskView]
    counts: dict[str, int]
