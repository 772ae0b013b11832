"""People over HTTP. Days are days in China; a span includes its first and its last day."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, model_validator

from shared.regime import Secrecy

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*([._-][a-z0-9]+)*$", max_length=64)]
UnitId = Annotated[str, Field(min_length=1, max_length=64)]
RoleId = Annotated[str, Field(min_length=1, max_length=60)]

Day = Annotated[date, Field(ge=date(1900, 1, 1), le=date(2999, 12, 31))]
"""A day that somebody can mean; nothing overflows around it."""


def _plain(text: str) -> str:
    """Without blanks around it and without control characters, which no name has."""
    text = text.strip()
    if not text or not text.isprintable():
        raise ValueError("give printable characters")
    return text


Label = Annotated[str, Field(min_length=1, max_length=120), AfterValidator(_plain)]


class _Closed(BaseModel):
    model_config = ConfigDict(extra="forbid")


_NEWCOMER: JsonValue = {"name": "lin", "full_name": "林一（虚构）", "unit": "north", "first_day": "2027-01-04"}


class NewPerson(_Closed):
    """Somebody who joins; `first_day` may lie ahead. Roles are given afterwards."""

    model_config = ConfigDict(json_schema_extra={"example": _NEWCOMER})

    name: Name
    full_name: Label
    unit: UnitId
    first_day: Day
    title: Label | None = None


class PersonChange(_Closed):
    """What is to be different; `first_day` can be moved until it has come."""

    full_name: Label | None = None
    first_day: Day | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("name at least one of full_name, first_day")
        if empty := sorted(name for name in self.model_fields_set if getattr(self, name) is None):
            raise ValueError(f"{', '.join(empty)} cannot be null")
        return self

    @property
    def wanted(self) -> dict[str, Any]:
        """The items that were given, as the history keeps them."""
        return self.model_dump(mode="json", exclude_unset=True)


class Clearance(_Closed):
    """The highest level that a person may read, whatever their roles clear; null: what the roles clear."""

    clearance: Secrecy | None


class NewPost(_Closed):
    """A post to take up. `main`: a transfer; roles over the former unit end with it, unless `keep_roles`."""

    unit: UnitId
    from_on: Day
    title: Label | None = None
    until_on: Day | None = None
    main: bool = True
    keep_roles: bool = False


class NewRole(_Closed):
    """A role over a unit; from today on if no day is said."""

    role: RoleId
    unit: UnitId
    from_on: Day | None = None
    until_on: Day | None = None


class NewDeputy(_Closed):
    """Who stands in, and when."""

    deputy: Name
    from_on: Day
    until_on: Day


class NewLeaving(_Closed):
    """The last day on which the person acts, and who takes over."""

    last_day: Day
    successor: Name | None = None


class PersonRow(BaseModel):
    """A person in a list."""

    name: str
    full_name: str
    unit: str
    state: Literal["expected", "active", "leaving", "left"]
    first_day: date
    last_day: date | None
    version: int


class PostView(BaseModel):
    id: UUID
    unit: str
    title: str | None
    main: bool
    from_on: date
    until_on: date | None


class RoleView(BaseModel):
    """A role as far as it takes effect: within the days of employment, up to a transfer."""

    id: UUID
    role: str
    unit: str
    from_on: date
    until_on: date | None
    granted_by: str


class DeputyView(BaseModel):
    """`deputy` holds the roles of `staff`."""

    id: UUID
    staff: str
    deputy: str
    from_on: date
    until_on: date
    named_by: str


class PersonView(PersonRow):
    """A person with what they hold, now and to come."""

    clearance: str | None
    successor: str | None
    posts: list[PostView]
    roles: list[RoleView]
    deputies: list[DeputyView]
    deputy_for: list[DeputyView]


class LeavingView(BaseModel):
    """What was announced."""

    model_config = ConfigDict(from_attributes=True)

    name: str
    state: Literal["expected", "active", "leaving", "left"]
    last_day: date
    successor: str | None


class CarriedView(BaseModel):
    """`what`: a role, the title of a post, a channel, for whom they stand in; `done`: somebody else has it then."""

    model_config = ConfigDict(from_attributes=True)

    kind: str
    id: str | None
    what: str | None
    unit: str | None
    done: bool


class HandOverView(BaseModel):
    """What a person holds on their last day before they leave or move on; `reason` is null if they stay."""

    model_config = ConfigDict(from_attributes=True)

    name: str
    reason: Literal["leaving", "transfer"] | None
    day: date
    successor: str | None
    items: list[CarriedView]


class ItemChange(BaseModel):
    code: str
    before: Any
    after: Any


class HistoryEntry(BaseModel):
    """One version of a person; `withheld` items say nothing of what they were and became."""

    version: int
    event_id: UUID
    type: str
    at: datetime
    actor: str
    items: list[ItemChange]
    withheld: list[str]
