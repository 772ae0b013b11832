"""Facts about registration forms, from the first draft to the customer (R7.2). No value of a form is in any of them.

A form has the id that its customer gets, so that a form and its file share one order on the bus.
"""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from shared.events.envelope import Event, RegimeRef


class RegistrationEvent(Event):
    """What all of them say. `proposer`: who puts the form forward; `round`: how often it was handed in so far."""

    producers: ClassVar[tuple[str, ...]] = ("customer",)

    registration: str
    kind: str
    unit: str
    proposer: str
    round: int


class RegistrationOpened(RegistrationEvent):
    """A draft was begun, with these items filled in."""

    type: ClassVar[str] = "registration.opened"

    items: tuple[str, ...]


class RegistrationChanged(RegistrationEvent):
    """Items of a draft were changed, or who is in contact with the customer (`staff`)."""

    type: ClassVar[str] = "registration.changed"

    items: tuple[str, ...]
    staff: bool


class RegistrationSubmitted(RegistrationEvent):
    """A form was handed in. `desk`: the unit of those who are asked, if anybody can tell; `until`: when it lapses."""

    type: ClassVar[str] = "registration.submitted"

    items: tuple[str, ...]
    important: bool
    staff: int
    desk: str | None = None
    until: datetime | None = None
    approval: RegimeRef


class RegistrationWithdrawn(RegistrationEvent):
    """A form that was handed in was taken back."""

    type: ClassVar[str] = "registration.withdrawn"


class RegistrationReturned(RegistrationEvent):
    """A form came back with reasons, some of them about these items."""

    type: ClassVar[str] = "registration.returned"

    items: tuple[str, ...]


class RegistrationLapsed(RegistrationEvent):
    """Nobody decided in time; the form is its proposer's again."""

    type: ClassVar[str] = "registration.lapsed"


class RegistrationStepApproved(RegistrationEvent):
    """One step agreed to; others have to agree yet. `desk`: the unit of those who are asked next."""

    type: ClassVar[str] = "registration.step_approved"

    step: str
    desk: str | None = None


class RegistrationApproved(RegistrationEvent):
    """All agreed: the form has become a customer. `duplicates`: the likely doubles that the approver knew of."""

    type: ClassVar[str] = "registration.approved"

    step: str
    customer_id: str
    duplicates: tuple[str, ...] = ()


class RegistrationDeleted(RegistrationEvent):
    """A draft was deleted and its data key destroyed: nobody can open its values any more."""

    type: ClassVar[str] = "registration.deleted"
