"""Facts of customers who buy now and pay later, and of supply that is suspended when they do not pay.

The customer service publishes them, in the order of the customer's events.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import ClassVar, Literal

from pydantic import Field

from shared.events.envelope import Event, RegimeRef

_REASON = '{"reason": {"after": text}} under the subject\'s key'


class CreditEvent(Event):
    """What each of them says: whose credit or supply."""

    producers: ClassVar[tuple[str, ...]] = ("customer",)

    customer_id: str
    unit: str
    manager: str | None = None


class CreditFormEvent(CreditEvent):
    """What is said of a form: which, who put it forward (directory name), and the days that it asks for."""

    form: str
    proposer: str
    term_days: int = Field(ge=1)


class CreditProposed(CreditFormEvent):
    """A customer was looked into, and somebody asked that they may pay later. `desk`: the unit that is asked."""

    type: ClassVar[str] = "credit.proposed"

    shown_by: ClassVar[Mapping[str, str]] = {"limit_fen": "credit.read"}

    limit_fen: int = Field(ge=1)
    desk: str | None = None
    definition: RegimeRef
    sealed: str = Field(description='{code: {"after": answer}} under the subject\'s key')


class CreditStepApproved(CreditFormEvent):
    """Somebody agreed to a form, and others have to as well. `desk`: the unit that is asked now."""

    type: ClassVar[str] = "credit.step_approved"

    step: str
    desk: str | None = None


class CreditApproved(CreditFormEvent):
    """All agreed: the customer has credit from a day on."""

    type: ClassVar[str] = "credit.approved"

    step: str
    from_on: date


class CreditReturned(CreditFormEvent):
    """A form came back with reasons."""

    type: ClassVar[str] = "credit.returned"

    sealed: str = Field(description=_REASON)


class CreditLapsed(CreditFormEvent):
    """Nobody decided about a form in time."""

    type: ClassVar[str] = "credit.lapsed"


class CreditEnded(CreditFormEvent):
    """Terms are not in force any more: ended with a reason, or `replaced_by` another form."""

    type: ClassVar[str] = "credit.ended"

    replaced_by: str | None = None
    sealed: str | None = Field(None, description=_REASON)


class CreditBillsRecorded(CreditEvent):
    """Bills and payments of a customer were recorded or corrected, by the ids of who feeds them; what is owed then."""

    type: ClassVar[str] = "credit.bills_recorded"
    shown_by: ClassVar[Mapping[str, str]] = {"outstanding_fen": "credit.read"}

    bills: tuple[str, ...]
    payments: tuple[str, ...]
    outstanding_fen: int = Field(ge=0)


class CreditOverdue(CreditEvent):
    """Bills were not paid by their last day; told once of each. `due_on`: the earliest of these days."""

    type: ClassVar[str] = "credit.overdue"

    bills: int = Field(ge=1)
    due_on: date


class SupplySuspended(CreditEvent):
    """A customer gets nothing until the matter is resolved: bills are overdue. `hold` names it in what follows."""

    type: ClassVar[str] = "credit.supply_suspended"

    hold: str


class CreditReported(CreditEvent):
    """Why bills are unpaid and what is done about it, as whoever looks after the customer reports to the department."""

    type: ClassVar[str] = "credit.reported"

    hold: str
    sealed: str = Field(description='{"cause", "plan", "pays_on": {"after": text}} under the subject\'s key')


class SupplyStopped(CreditEvent):
    """Somebody stopped the supply: payment alone does not bring it back."""

    type: ClassVar[str] = "credit.supply_stopped"

    hold: str
    sealed: str = Field(description=_REASON)


class SupplyResumed(CreditEvent):
    """Supply goes on: all that was overdue is paid, or somebody decided so with a reason."""

    type: ClassVar[str] = "credit.supply_resumed"

    hold: str
    cause: Literal["paid", "decided"]
    sealed: str | None = Field(None, description=_REASON)
