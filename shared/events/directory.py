"""Facts about units, people and clients, which the identity service publishes.

Every other service keeps a small copy of who stands where (`shared.auth`), so each event carries the whole present
state of its subject: a copy that missed one is right again with the next.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from shared.events.envelope import Event

_PRODUCERS = ("identity",)


class Held(BaseModel):
    """A role held over a unit, from the first day to the last, both included (China time).

    `deputy_for`: held in the place of somebody, whose own `clearance` caps it.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    role: str
    unit: str
    from_on: date
    until_on: date | None = None
    deputy_for: str | None = None
    clearance: str | None = None


class HeldLine(BaseModel):
    """A number or account of the company that a person has or had, by its id; which number it is, identity tells."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str
    channel: str
    from_on: date
    until_on: date | None = None


class Standing(BaseModel):
    """Where a person stands. `unit` is the one of the main post; `last_day` is known once leaving was announced."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str
    unit: str
    state: Literal["expected", "active", "leaving", "left"]
    held: tuple[Held, ...] = ()
    lines: tuple[HeldLine, ...] = ()
    clearance: str | None = None
    first_day: date
    last_day: date | None = None
    version: int = Field(ge=1)


class OrgChanged(Event):
    """A unit was opened, renamed, moved below another one, or closed."""

    type: ClassVar[str] = "org.changed"
    producers: ClassVar[tuple[str, ...]] = _PRODUCERS

    unit: str
    parent: str | None
    kind: str
    title: dict[str, str]
    closed: bool = False
    version: int = Field(ge=1)


class StaffEvent(Event):
    """What all facts about a person have: `items` are what changed, `sealed` its personal values before and after."""

    producers: ClassVar[tuple[str, ...]] = _PRODUCERS

    standing: Standing
    items: tuple[str, ...] = ()
    sealed: str | None = None


class StaffJoined(StaffEvent):
    """A person was entered in the directory; `first_day` may lie ahead."""

    type: ClassVar[str] = "staff.joined"


class StaffMoved(StaffEvent):
    """A person's main post is in another unit now."""

    type: ClassVar[str] = "staff.moved"

    from_unit: str


class StaffChanged(StaffEvent):
    """A person's roles, deputies, posts, clearance, lines or particulars changed."""

    type: ClassVar[str] = "staff.changed"


class StaffLeaving(StaffEvent):
    """It was announced that a person leaves; `last_day` is the last on which they may act. None: taken back."""

    type: ClassVar[str] = "staff.leaving"


class StaffLeft(StaffEvent):
    """A person has left: nothing is granted from now on, and the duty of confidentiality runs (R2.6)."""

    type: ClassVar[str] = "staff.left"


class ClientChanged(Event):
    """A partner's system or a service of the suite was entered, changed or closed."""

    type: ClassVar[str] = "client.changed"
    producers: ClassVar[tuple[str, ...]] = _PRODUCERS

    name: str
    kind: Literal["app", "partner", "service"]
    unit: str | None
    roles: tuple[str, ...] = ()
    active: bool = True
    version: int = Field(ge=1)


class SessionEnded(Event):
    """A sign-in ended before its time; its access tokens are refused, `until` the last of them would have expired."""

    type: ClassVar[str] = "identity.session_ended"
    producers: ClassVar[tuple[str, ...]] = _PRODUCERS

    name: str
    session: str
    reason: str
    until: datetime


class AccessRevoked(Event):
    """All access tokens of a name that were issued up to a moment are refused, `until` the last would have expired."""

    type: ClassVar[str] = "identity.access_revoked"
    producers: ClassVar[tuple[str, ...]] = _PRODUCERS

    name: str
    issued_until: datetime
    reason: str
    until: datetime
