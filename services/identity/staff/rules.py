"""People as the directory knows them: states, days, what they hold. Pure; today is an argument."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any, Literal

from shared.events import Held, HeldLine, Standing

StateName = Literal["expected", "active", "leaving", "left"]
DAY = timedelta(days=1)


class State(StrEnum):
    """Where a person is on the way from joining to leaving."""

    EXPECTED = "expected"
    ACTIVE = "active"
    LEAVING = "leaving"
    LEFT = "left"


@dataclass(frozen=True, slots=True)
class Person:
    """A row of the directory; `unit` is the one of the main post in force."""

    name: str
    full_name: str
    unit: str
    state: StateName
    clearance: str | None
    first_day: date
    last_day: date | None
    successor: str | None
    version: int

    def is_in_service(self, on: date) -> bool:
        """Whether they work here on a day."""
        return self.first_day <= on and (self.last_day is None or on <= self.last_day)


@dataclass(frozen=True, slots=True)
class Role:
    """A role over a unit, from the first day to the last, both included."""

    role: str
    unit: str
    from_on: date
    until_on: date | None = None

    def as_json(self) -> dict[str, Any]:
        return {"role": self.role, "unit": self.unit, **_span(self.from_on, self.until_on)}


@dataclass(frozen=True, slots=True)
class Newcomer:
    """Somebody who is to be entered in the directory."""

    name: str
    full_name: str
    unit: str
    first_day: date
    title: str | None = None
    clearance: str | None = None
    roles: tuple[Role, ...] = ()


def overlap(from_on: date, until_on: date | None, other_from: date, other_until: date | None) -> bool:
    """Whether two spans of days share one; None is open."""
    return (until_on is None or other_from <= until_on) and (other_until is None or from_on <= other_until)


def is_again(role: Role, given: Role) -> bool:
    """Whether a role is given again, over the same unit on one of its days."""
    same = (role.role, role.unit) == (given.role, given.unit)
    return same and overlap(role.from_on, role.until_on, given.from_on, given.until_on)


def state_of(first_day: date, last_day: date | None, today: date) -> StateName:
    """The state that the days say."""
    if last_day is not None and last_day < today:
        return "left"
    if first_day > today:
        return "expected"
    return "active" if last_day is None else "leaving"


def standing_of(
    person: Person, held: Iterable[Held], today: date | None, lines: Iterable[HeldLine] = ()
) -> Standing:  # fmt: skip
    """Where a person stands; what they held before `today` is left out, everything to come is in. Lines are all in:
    what is recorded later of a former day is judged by them."""
    return Standing(
        name=person.name,
        unit=person.unit,
        state=person.state,
        held=tuple(each for each in held if today is None or each.until_on is None or each.until_on >= today),
        lines=tuple(lines),
        clearance=person.clearance,
        first_day=person.first_day,
        last_day=person.last_day,
        version=max(person.version, 1),
    )


def post_json(unit: str, title: str | None, from_on: date, until_on: date | None, *, main: bool = True) -> Any:
    """A post as the history keeps it."""
    return {"unit": unit, "title": title, "main": main, **_span(from_on, until_on)}


def deputy_json(deputy: str, from_on: date, until_on: date) -> dict[str, str | None]:
    """Who stands in, as the history keeps it."""
    return {"deputy": deputy, **_span(from_on, until_on)}


def _span(from_on: date, until_on: date | None) -> dict[str, str | None]:
    return {"from_on": from_on.isoformat(), "until_on": until_on.isoformat() if until_on else None}


def after(value: Any, before: Any = None) -> dict[str, Any]:
    """One item of a change."""
    return {"before": before, "after": value}
