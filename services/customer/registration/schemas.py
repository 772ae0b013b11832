"""HTTP shapes of registration forms. Answers are written by orjson; these shapes describe them in OpenAPI."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from services.customer.registration.rules import Outcome, State

Code = Annotated[str, Field(max_length=80)]
Name = Annotated[str, Field(min_length=1, max_length=64)]
Reason = Annotated[str, Field(min_length=1, max_length=500, pattern=r"\S")]
Values = Annotated[dict[Code, Any], Field(max_length=500, description="Value by item code; null takes one away")]
Staff = Annotated[list[Name], Field(max_length=20, description="who is in contact with the customer")]
_FORM: list[JsonValue] = [
    {"kind": "retail", "values": {"shop_name": "示例便利店", "address": "示例路 1 号"}, "staff": ["manager1"]}
]


class NewForm(BaseModel):
    """A draft. It may be incomplete, and values may be wrong; the answer says what is."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": _FORM})

    kind: str = Field(max_length=60)
    values: Values = {}
    staff: Staff = []
    unit: str | None = Field(None, min_length=1, max_length=80, description="the proposer's own, if not given")


class FormChange(BaseModel):
    """New values of some items; `staff` replaces the list of people."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"values": {"shop_name": "新名店"}}]})

    values: Values = {}
    staff: Staff | None = None


class NewApproval(BaseModel):
    """The likely doubles that the approver knows of."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"acknowledged": []}]})

    acknowledged: list[Code] = Field(default=[], max_length=200)


class NewReturn(BaseModel):
    """Why the form goes back: as a whole, and by item."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"reason": "地址不全", "items": {"address": "请写到门牌号"}}]}
    )

    reason: Reason
    items: dict[Code, Reason] = Field(default={}, max_length=500)


class FormRow(BaseModel):
    """A form in a list; `number` and `name` are null if the reader may not see them or they are not filled in."""

    id: UUID
    kind: str
    unit: str
    state: State
    version: int
    proposer: str
    created_by: str
    created_at: datetime
    updated_at: datetime
    round: int
    submitted_at: datetime | None
    expires_at: datetime | None
    customer_id: UUID | None
    number: Any
    name: Any


class FaultView(BaseModel):
    """One thing that is wrong."""

    pointer: str
    code: str
    seen: Any
    expected: Any


class LikenessView(BaseModel):
    """A customer who is likely the same; a certain one has to be acknowledged by the approver, by this `id`.

    Of one out of the reader's reach there is no customer_id.
    """

    id: str
    customer_id: UUID | None
    name: str | None
    certain: bool
    rules: list[str]


class AgreementView(BaseModel):
    """Who agreed to which step."""

    step: str
    by: str
    at: datetime


class RoundView(BaseModel):
    """One time that the form was handed in, and what came of it."""

    round: int
    submitted_by: str
    submitted_at: datetime
    expires_at: datetime | None
    outcome: Outcome | None
    closed_at: datetime | None
    closed_by: str | None
    reason: str | None
    items: dict[str, str]
    approvals: list[AgreementView]


class FormView(BaseModel):
    """A form. `withheld`: items above the reader's clearance; `important`, `staff_needed`: null if those decide it."""

    id: UUID
    kind: str
    unit: str
    state: State
    version: int
    proposer: str
    created_by: str
    created_at: datetime
    updated_at: datetime
    round: int
    submitted_at: datetime | None
    expires_at: datetime | None
    customer_id: UUID | None
    staff: list[str]
    values: dict[str, Any]
    withheld: list[str]
    important: bool | None
    staff_needed: int | None
    faults: list[FaultView]
    duplicates: list[LikenessView]
    rounds: list[RoundView]
