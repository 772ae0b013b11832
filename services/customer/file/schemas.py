"""HTTP shapes of customer files. Answers are written by orjson; these shapes describe them in the OpenAPI document."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

Code = Annotated[str, Field(max_length=80)]
Values = Annotated[dict[Code, Any], Field(max_length=500, description="Value by item code; null takes one away")]


class Registration(BaseModel):
    """A new customer."""

    model_config = ConfigDict(extra="forbid")

    kind: str = Field(max_length=60)
    values: Values
    unit: str | None = Field(None, min_length=1, max_length=80, description="the registrar's own, if not given")


class Change(BaseModel):
    """New values of some items."""

    model_config = ConfigDict(extra="forbid")

    values: Values = Field(min_length=1)
    learnt_at: AwareDatetime | dict[Code, AwareDatetime] | None = Field(
        None, description="when these changes were learnt of, or each by item code: how late they are is recorded"
    )


class Restoration(BaseModel):
    """Items whose values shall be again what they were at a version; one that had none loses its value."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"version": 3, "items": ["shop_name"]}]})

    version: int = Field(ge=1, le=2**31 - 1)
    items: list[Code] = Field(min_length=1, max_length=500)


class Erasure(BaseModel):
    """Why the personal data of a customer are erased."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Field(min_length=3, max_length=500, pattern=r"\S")


class LearntView(BaseModel):
    """When the change was learnt of, how many working days later it was made, and whether that was beyond the term."""

    learnt_at: datetime
    working_days: int
    late: bool


class ValueView(BaseModel):
    """A value, who set it, when, and when it was last verified; `set_by` is "system" for computed items.

    `learnt` is there if it was said when the change was learnt of, and the item is one that is changed at once.
    """

    value: Any
    set_by: str
    set_at: datetime
    verified_at: datetime
    learnt: LearntView | None = None


class ChangedView(BaseModel):
    """Every item that differs from the version named in If-Match."""

    id: UUID
    kind: str
    version: int
    values: dict[str, ValueView]


class CustomerRow(BaseModel):
    """A customer in a list; columns that the reader may not see are null. `merged_into`: the file that goes on."""

    id: UUID
    kind: str
    unit: str
    number: str | None
    name: str | None
    manager: str | None
    status: str | None
    grade: str | None
    version: int
    created_at: datetime
    updated_at: datetime
    merged_into: UUID | None


class CustomerView(CustomerRow):
    """A customer file; `withheld` names the items above the reader's clearance that have a value."""

    erased_at: datetime | None
    values: dict[str, ValueView]
    withheld: list[str]


class PastView(CustomerView):
    """A file as it stood at `as_of`: `version`, columns and values of then; unit of today.

    System items are reckoned on the day `computed_on`, from dealings as they stand recorded now; null: they could not.
    """

    as_of: datetime
    computed_on: date | None


class Then(BaseModel):
    """Which state of a file: at a moment or at a version."""

    as_of: str | None = Field(None, max_length=40, description="a day, or an instant with offset (RFC 3339)")
    version: int | None = Field(None, ge=1, le=2**31 - 1)


class ItemChange(BaseModel):
    """What one version did to one item; both null if withheld or erased."""

    code: str
    before: Any
    after: Any


class HistoryEntry(BaseModel):
    """One version; `state` is "open" or, once the data key is destroyed, "erased"."""

    version: int
    event_id: UUID
    type: str
    at: datetime
    actor: str
    state: str
    items: list[ItemChange]
    withheld: list[str]
