"""A hand-over: whose customers go to whom, how far it has come, and who may take which step. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from services.customer.handover import errors
from shared.auth import Principal, Sight

READ, PROPOSE, OFFER, APPROVE = "handover.read", "handover.propose", "handover.offer", "handover.approve"
ACCEPT, DECLINE, CANCEL, UNDO = "handover.accept", "handover.decline", "handover.cancel", "handover.undo"
TELL = "handover.tell"
TERMS, APPROVAL = "handover", "handover"
"""The clock and the approval that are declared for hand-overs."""


class State(StrEnum):
    """With those who approve (proposed), with the successor (offered), done, ended without effect, or taken back."""

    PROPOSED = "proposed"
    OFFERED = "offered"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    CANCELLED = "cancelled"
    LAPSED = "lapsed"
    UNDONE = "undone"


OPEN = frozenset({State.PROPOSED, State.OFFERED})


@dataclass(frozen=True, slots=True)
class Handover:
    """A hand-over as it is stored.

    All of a person's customers in a unit (`whole`: those they have when it is accepted), or some; `customers` says how
    many, by the last count. `proposed_by`, `accepted_by`, `ended_by` are actors; the others names of the directory.
    """

    id: UUID
    unit: str
    predecessor: str
    successor: str
    reason: str
    whole: bool
    customers: int
    state: State
    proposed_by: str
    proposed_at: datetime
    decide_until: datetime
    agreed: Sequence[Mapping[str, Any]] = ()
    accepted_by: str | None = None
    accepted_at: datetime | None = None
    undo_until: datetime | None = None
    tell_by: date | None = None
    ended_by: str | None = None
    ended_at: datetime | None = None
    end_reason: str | None = None
    version: int = 1

    def state_at(self, now: datetime) -> State:
        """Its state at a moment, also before the job has noted that its time is up."""
        return State.LAPSED if self.state in OPEN and now >= self.decide_until else self.state

    def ended(self, state: State, by: str, at: datetime, reason: str | None = None) -> Handover:
        """The same, ended."""
        return replace(self, state=state, ended_by=by, ended_at=at, end_reason=reason, version=self.version + 1)


@dataclass(frozen=True, slots=True)
class Wish:
    """Whose customers are to go to whom, and why: all in one unit, or those that are named."""

    predecessor: str
    successor: str
    reason: str
    unit: str | None = None
    customers: Sequence[UUID] | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """Which hand-overs of a list: in a state, of a person on either side, older than `before`."""

    state: State | None = None
    person: str | None = None
    before: UUID | None = None


_SIDES: Mapping[str, str] = {
    PROPOSE: "predecessor", CANCEL: "predecessor", ACCEPT: "successor", DECLINE: "successor", TELL: "successor",
}  # fmt: skip
"""Of whom a record is, for whoever may act for their own only."""


def sight(who: Principal, action: str, unit: str, predecessor: str, successor: str) -> Sight:
    """What an action shows of a hand-over. To read is for both sides."""
    sides = {"predecessor": predecessor, "successor": successor}
    asked = [sides[_SIDES[action]]] if action in _SIDES else [predecessor, successor]
    powers = {power: None for name in asked for power in who.sight(action, unit, name).powers}
    return Sight(tuple(powers))


def require(handover: Handover, states: Collection[State], now: datetime) -> None:
    """Raises: Conflict (handover_not_approved, handover_closed)"""
    state = handover.state_at(now)
    if state not in states:
        raise errors.not_approved() if state is State.PROPOSED else errors.closed(state.value)


def parties(handover: Handover) -> frozenset[str]:
    """The actors of both sides."""
    return frozenset({f"staff/{handover.predecessor}", f"staff/{handover.successor}"})


def is_four_eyes(handover: Handover, actor: str) -> bool:
    """Whether two people stand behind it with this one's acceptance, whoever leaves not counted among them."""
    behind = {handover.proposed_by, actor, *(each["by"] for each in handover.agreed)}
    return len(behind - {f"staff/{handover.predecessor}"}) > 1


def tell_by(term: timedelta, today: date, last_day: date | None) -> date:
    """The day by which customers are told: within the term, and while whom they know is here (R5.7); today at least."""
    day = today + term
    return max(today, day if last_day is None else min(day, last_day))
