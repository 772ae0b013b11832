"""Change-overs over HTTP. A password comes in and never goes out."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from services.identity.custody.rules import Change, Part, State, Wish

_Name = Annotated[str, Field(min_length=1, max_length=64)]
_Reason = Annotated[str, Field(min_length=1, max_length=500, pattern=r"\S")]
_EXAMPLE: dict[str, Any] = {
    "role": "report_entry", "unit": "branch", "leaver": "entry", "successor": "he.lin", "supervisor": "reviewer",
}  # fmt: skip


class NewChange(BaseModel):
    """Who is to hand a role over to whom, and who supervises. No leaver: nobody keeps the role at present."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": _EXAMPLE})

    role: str = Field(min_length=1, max_length=80, description="a role that is kept in custody")
    unit: _Name
    leaver: _Name | None = None
    successor: _Name
    supervisor: _Name

    @property
    def wish(self) -> Wish:
        return Wish(self.role, self.unit, self.leaver, self.successor, self.supervisor)


class NewConfirmation(BaseModel):
    """As whom one confirms. The leaver and the successor give the password that each will have afterwards."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"as": "supervisor"}})

    part: Part = Field(alias="as")
    password: SecretStr | None = Field(None, min_length=1, max_length=1000)


class Withdrawal(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: _Reason | None = None


class Refusal(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"reason": "材料尚未移交"}})

    reason: _Reason


class ConfirmationView(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    part: Part = Field(alias="as", validation_alias="part")
    at: datetime


class ChangeView(BaseModel):
    """A change-over. `outstanding`: who has yet to confirm, in this order as far as the supervisor goes."""

    id: UUID
    role: str
    unit: str
    leaver: str | None
    successor: str
    supervisor: str
    state: State
    proposed_by: str
    proposed_at: datetime
    expires_at: datetime
    confirmations: list[ConfirmationView]
    outstanding: list[Part]
    closed_at: datetime | None
    closed_by: str | None
    reason: str | None
    version: int


def shown(change: Change, now: datetime) -> ChangeView:
    """What those see who may see it."""
    wish = {name: getattr(change.wish, name) for name in ("role", "unit", "leaver", "successor", "supervisor")}
    names = ("id", "proposed_by", "proposed_at", "expires_at", "closed_at", "closed_by", "reason", "version")
    plain = {name: getattr(change, name) for name in names}
    state = change.state_at(now)
    outstanding = list(change.outstanding) if state is State.OPEN else []
    confirmations = [ConfirmationView.model_validate(each) for each in change.confirmations]
    return ChangeView(**wish, **plain, state=state, outstanding=outstanding, confirmations=confirmations)
