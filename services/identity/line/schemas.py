"""Lines over HTTP."""

from datetime import date
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.identity.line.rules import LONGEST
from services.identity.staff.schemas import Day

Channel = Annotated[str, Field(min_length=1, max_length=40, description="code of the list line_channel")]


class NewLine(BaseModel):
    """A number or account for a person, from today on if no day is said."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"channel": "phone", "value": "0571-8888 0000", "holder": "lin"}}
    )

    channel: Channel
    value: str = Field(min_length=1, max_length=LONGEST)
    holder: str = Field(min_length=1, max_length=64)
    from_on: Day | None = None
    until_on: Day | None = None


class LineEnd(BaseModel):
    """The last day; yesterday ends it at once, and one that has not begun, or began today, never was."""

    model_config = ConfigDict(extra="forbid")

    until_on: Day


class LineView(BaseModel):
    """A line; `unit` is the one of its holder."""

    id: UUID
    channel: str
    value: str
    holder: str
    unit: str
    from_on: date
    until_on: date | None
    assigned_by: str
