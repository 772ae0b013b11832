"""Facts about the change-over of custodians (R4.5). Passwords and reasons are in none of them."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Literal

from shared.events.envelope import Event


class CustodyEvent(Event):
    """What all of them say: which role over which unit, and who is in it. No leaver: nobody keeps the role now."""

    producers: ClassVar[tuple[str, ...]] = ("identity",)

    change: str
    role: str
    unit: str
    leaver: str | None
    successor: str
    supervisor: str


class CustodyProposed(CustodyEvent):
    """A role is to go from one custodian to the next, `until` a moment."""

    type: ClassVar[str] = "custody.proposed"

    until: datetime


class CustodyConfirmed(CustodyEvent):
    """One of the parties has confirmed; nothing has changed hands by that."""

    type: ClassVar[str] = "custody.confirmed"

    part: Literal["leaver", "successor", "supervisor"]
    name: str


class CustodyChangedOver(CustodyEvent):
    """The role is the successor's; the leaver's and the successor's former passwords and sign-ins are over."""

    type: ClassVar[str] = "custody.changed_over"


class CustodyWithdrawn(CustodyEvent):
    """Whoever proposed it took it back."""

    type: ClassVar[str] = "custody.withdrawn"


class CustodyRefused(CustodyEvent):
    """One of the parties will not have it."""

    type: ClassVar[str] = "custody.refused"

    part: Literal["leaver", "successor", "supervisor"]
    name: str


class CustodyExpired(CustodyEvent):
    """Not all had confirmed in time."""

    type: ClassVar[str] = "custody.expired"
