"""A change-over: who is in it, who has confirmed, what is still to come. Pure; the moment is an argument."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

READ, PROPOSE = "custody.read", "custody.propose"


class Part(StrEnum):
    """What somebody is in a change-over."""

    LEAVER = "leaver"
    SUCCESSOR = "successor"
    SUPERVISOR = "supervisor"


ACTIONS: Mapping[Part, str] = {
    Part.LEAVER: "custody.hand_over",
    Part.SUCCESSOR: "custody.take_over",
    Part.SUPERVISOR: "custody.supervise",
}
"""What each of them does by confirming."""


class State(StrEnum):
    """How things stand with a change-over."""

    OPEN = "open"
    DONE = "done"
    WITHDRAWN = "withdrawn"
    REFUSED = "refused"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Wish:
    """A role over a unit, and who is to hand it to whom before whose eyes. No leaver: nobody keeps it now."""

    role: str
    unit: str
    leaver: str | None
    successor: str
    supervisor: str

    @property
    def parties(self) -> dict[Part, str]:
        """Everybody who must confirm, in the order in which the supervisor comes last."""
        named = {Part.LEAVER: self.leaver, Part.SUCCESSOR: self.successor, Part.SUPERVISOR: self.supervisor}
        return {part: name for part, name in named.items() if name is not None}


@dataclass(frozen=True, slots=True)
class Confirmation:
    """By one of the parties; with the hash of the password that takes effect at the end, while it is not the end."""

    part: Part
    at: datetime
    secret_hash: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Change:
    """A change-over. `proposed_by`, `closed_by` are actors."""

    id: UUID
    wish: Wish
    proposed_by: str
    proposed_at: datetime
    expires_at: datetime
    state: State = State.OPEN
    closed_at: datetime | None = None
    closed_by: str | None = None
    reason: str | None = None
    version: int = 1
    confirmations: tuple[Confirmation, ...] = ()

    def state_at(self, now: datetime) -> State:
        """The state, also in the moments before the job has noted that the time is up."""
        return State.EXPIRED if self.state is State.OPEN and now >= self.expires_at else self.state

    def part_of(self, actor: str) -> Part | None:
        """What an actor is in it."""
        return next((part for part, name in self.wish.parties.items() if actor == f"staff/{name}"), None)

    @property
    def outstanding(self) -> tuple[Part, ...]:
        """Who has yet to confirm."""
        confirmed = {each.part for each in self.confirmations}
        return tuple(part for part in self.wish.parties if part not in confirmed)

    @property
    def done(self) -> dict[str, str]:
        """Who took which step, as separation of duties asks."""
        parties = self.wish.parties
        steps = {ACTIONS[each.part]: f"staff/{parties[each.part]}" for each in self.confirmations}
        return {PROPOSE: self.proposed_by, **steps}
