"""HTTP shapes of contacts. Answers are written by orjson; these shapes describe them in OpenAPI."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from services.customer.contact.rules import Direction, LineState, Said
from shared.regime import Text

Code = Annotated[str, Field(max_length=80)]
Name = Annotated[str, Field(min_length=1, max_length=64)]
Moment = Annotated[
    AwareDatetime,
    Field(ge=datetime(1900, 1, 1, tzinfo=UTC), lt=datetime(9000, 1, 1, tzinfo=UTC), description="with its offset"),
]
Words = Annotated[str, Field(max_length=10_000)]
Staff = Annotated[list[Name], Field(min_length=1, max_length=20, description="who of the staff took part")]
Reason = Annotated[str, Field(min_length=1, max_length=2000, pattern=r"\S")]


class LineIn(BaseModel):
    """What a contact went through: a line of the company by its id (`GET /v1/lines` of identity finds it by its
    number), or the number or account that it was, if that is no line of the company."""

    model_config = ConfigDict(extra="forbid")

    id: UUID | None = None
    number: str | None = Field(None, min_length=1, max_length=120)

    @property
    def given(self) -> dict[str, Any]:
        return {"line": None if self.id is None else str(self.id), "number": self.number}


class NewContact(BaseModel):
    """A contact. Which kinds there are, and what each has to say, `GET …/contacts/demands` tells."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "kind": "visit", "at": "2026-11-24T10:00:00+08:00", "staff": ["manager1", "manager2"],
                    "record": {"purpose": "首次拜访", "preparation": "查阅档案", "summary": "介绍订货方式"},
                }
            ]
        },
    )  # fmt: skip

    kind: str = Field(max_length=60)
    at: Moment
    staff: Staff
    record: dict[Code, Words] = Field(max_length=20, description="text by particular")
    direction: Direction = Direction.OUT
    line: LineIn | None = None
    care: Code | None = Field(None, description="how the customer was received")

    @property
    def said(self) -> Said:
        line = (self.line or LineIn()).given
        return Said(self.kind, self.at, tuple(self.staff), self.direction, self.record, care=self.care, **line)


class ContactChange(BaseModel):
    """What was wrong, as it should be, and why; of the record by particular, null takes one away.

    `withdrawn`: there was no such contact. It then says nothing else.
    """

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"reason": "记错时间", "at": "2026-11-24T15:00:00+08:00"}]}
    )

    reason: Reason
    at: Moment | None = None
    staff: Staff | None = None
    record: dict[Code, Words | None] = Field(default={}, max_length=20)
    direction: Direction | None = None
    line: LineIn | None = None
    care: Code | None = None
    withdrawn: bool = False

    @property
    def given(self) -> dict[str, Any]:
        """What is named, as members of what is said of a contact."""
        named = {"at": self.at, "direction": self.direction, "care": self.care}
        found: dict[str, Any] = {name: value for name, value in named.items() if value is not None}
        found |= {"staff": tuple(self.staff)} if self.staff is not None else {}
        found |= self.line.given if self.line is not None else {}
        return {**found, "record": self.record}


class LineView(BaseModel):
    """The line, by its id. `unassigned`: none that the company had assigned to somebody who took part."""

    id: UUID | None
    state: LineState


class ContactRow(BaseModel):
    """A contact in a list. `first`: the first one of its kind; `flags`: what was not as the rules say."""

    id: UUID
    customer_id: UUID
    unit: str
    manager: str | None
    kind: str
    at: datetime
    staff: list[str]
    direction: Direction
    first: bool
    line: LineView | None
    care: str | None
    flags: list[str]
    withdrawn: bool
    by_unit: str
    recorded_by: str
    recorded_at: datetime
    version: int


class WordsView(BaseModel):
    """The record by particular; `withheld` names those that the reader may not see, null once the customer is erased.

    `number` (what it went through, if no line of the company) is for whoever sees all of the record.
    """

    record: dict[str, str]
    number: str | None
    withheld: list[str] | None


class VersionView(WordsView):
    """What was said of a contact at one time, and why it was corrected."""

    version: int
    type: str
    actor: str
    noted_at: datetime
    at: datetime
    staff: list[str]
    direction: Direction
    first: bool
    line: LineView | None
    care: str | None
    flags: list[str]
    withdrawn: bool
    reason: str | None


class ContactView(ContactRow, WordsView):
    """A contact as it stands, and every version of it, the first one first."""

    versions: list[VersionView]


class DemandView(BaseModel):
    """What a contact of one kind would need: so many staff, these particulars, a line of these channels, this care."""

    kind: str
    title: Text
    first: bool
    staff: int
    record: list[str]
    may_say: list[str]
    lines: list[str]
    care: str | None


class DemandsView(BaseModel):
    """The same for every kind. `important`: null if the reader may not see what decides it."""

    customer_id: UUID
    important: bool | None
    kinds: list[DemandView]
