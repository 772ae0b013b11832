"""Facts of hand-overs: customers of one person go to another. Each file tells of it by a `customer.changed`, too."""

from __future__ import annotations

from datetime import date
from typing import ClassVar

from shared.events.envelope import Event

_PRODUCERS = ("customer",)


class HandoverEvent(Event):
    """What each of them says: whose customers of which unit go to whom, who proposed it, why, and how many they are."""

    producers: ClassVar[tuple[str, ...]] = _PRODUCERS

    handover: str
    unit: str
    predecessor: str
    successor: str
    proposer: str
    reason: str
    all_customers: bool
    customers: int


class HandoverProposed(HandoverEvent):
    """Somebody named a successor. `desk`: the unit of whoever is asked to approve; none if nobody has to."""

    type: ClassVar[str] = "handover.proposed"

    desk: str | None = None


class HandoverOffered(HandoverEvent):
    """All agreed who have to: the successor is asked."""

    type: ClassVar[str] = "handover.offered"


class HandoverAccepted(HandoverEvent):
    """The successor accepted: the customers are theirs, and are to be told by a day."""

    type: ClassVar[str] = "handover.accepted"

    tell_by: date


class HandoverDeclined(HandoverEvent):
    """The successor will not."""

    type: ClassVar[str] = "handover.declined"

    end_reason: str


class HandoverCancelled(HandoverEvent):
    """It was called off before it was accepted."""

    type: ClassVar[str] = "handover.cancelled"

    end_reason: str


class HandoverLapsed(HandoverEvent):
    """Nobody decided in time."""

    type: ClassVar[str] = "handover.lapsed"


class HandoverUndone(HandoverEvent):
    """It was taken back: so many customers are the predecessor's again; others were given to somebody meanwhile."""

    type: ClassVar[str] = "handover.undone"

    end_reason: str
    moved_back: int


class HandoverTold(HandoverEvent):
    """These customers were told of their new contact, so many are still to be told."""

    type: ClassVar[str] = "handover.told"

    channel: str
    customer_ids: tuple[str, ...]
    untold: int


class HandoverTellingMissed(HandoverEvent):
    """The day by which customers were to be told is over; so many were not."""

    type: ClassVar[str] = "handover.telling_missed"

    tell_by: date
    untold: int


class OutstandingEvent(Event):
    """What these say: who leaves, or has left, on which day, and how many customers of a unit were still theirs."""

    producers: ClassVar[tuple[str, ...]] = _PRODUCERS

    person: str
    unit: str
    customers: int
    last_day: date


class HandoverFellDue(OutstandingEvent):
    """A person leaves who has customers: they are to be handed over by the last day."""

    type: ClassVar[str] = "handover.fell_due"


class HandoverOmitted(OutstandingEvent):
    """The last day is over and customers were not handed over, which counts as a leak (R2.6)."""

    type: ClassVar[str] = "handover.omitted"


class HandoverSettled(OutstandingEvent):
    """Nothing is left to hand over, of so many by the last count; `stays`: because the person does."""

    type: ClassVar[str] = "handover.settled"

    stays: bool
