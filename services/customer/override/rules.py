"""What an override is, and what may be proposed. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from shared.clock import CHINA
from shared.errors import Fault


class State(StrEnum):
    """How far an override has come."""

    PROPOSED = "proposed"
    IN_FORCE = "in_force"
    REFUSED = "refused"
    LIFTED = "lifted"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Override:
    """An override as it is stored. `agreed`: [{step, by, at}]; reasons are sealed, each with the id of its event."""

    id: UUID
    customer_id: UUID
    grade: str
    expires_on: date
    state: State
    proposed_by: str
    proposed_at: datetime
    decide_until: datetime
    agreed: Sequence[Mapping[str, Any]]
    ended_by: str | None
    ended_at: datetime | None
    reason_event: UUID
    reason: bytes
    end_event: UUID | None
    end_reason: bytes | None
    version: int

    @property
    def until(self) -> datetime:
        """When its time is up: as its last day ends in China."""
        return datetime.combine(self.expires_on + timedelta(1), time(), CHINA)

    def state_at(self, now: datetime) -> State:
        """How it stands at a moment, whether the job has come by or not."""
        ends = min(self.until, self.decide_until) if self.state is State.PROPOSED else self.until
        is_open = self.state in (State.PROPOSED, State.IN_FORCE)
        return State.EXPIRED if is_open and ends <= now else self.state


def faults(grade: str, expires_on: date, grades: Collection[str], today: date, longest: timedelta) -> Iterator[Fault]:
    """What is wrong with a proposal: a grade that the policy does not have, a day that has been or is too far off."""
    if grade not in grades:
        yield Fault("/grade", "unknown_grade", grade, sorted(grades))
    if not today <= expires_on <= today + longest:
        yield Fault("/expires_on", "out_of_range", str(expires_on), f"from {today} to {today + longest}")
