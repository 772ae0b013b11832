"""What a contact has to have, what of it is refused, and what is only flagged. Pure (R5.5, R5.6, R7.1, R7.4)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from shared.auth import Scope
from shared.auth.roster import is_in_service
from shared.clock import day_of
from shared.errors import Fault
from shared.events import Standing
from shared.regime import Contact

People = Mapping[str, Standing]
"""The directory's people; empty where there is no directory."""
LINE, CARE = "line", "care"
"""Flags: it went through no line that the company assigned; an important customer was received like any other."""


class LineState(StrEnum):
    """What is known of the line that a contact went through."""

    ASSIGNED = "assigned"
    UNASSIGNED = "unassigned"
    UNCHECKED = "unchecked"


class Direction(StrEnum):
    """Who began: we wrote, called or went (out), or the customer did (in)."""

    IN = "in"
    OUT = "out"


@dataclass(frozen=True, slots=True)
class Said:
    """What somebody says of a contact. `line`: the id of a company line, or else `number`: what it went through."""

    kind: str
    at: datetime
    staff: tuple[str, ...]
    direction: Direction
    record: Mapping[str, str]
    line: str | None = None
    number: str | None = None
    care: str | None = None


@dataclass(frozen=True, slots=True)
class Demands:
    """What a contact has to have: so many staff, these particulars; `care`: how the customer is to be received.

    `first`: the first one of its kind with the customer.
    """

    first: bool
    staff: int
    says: tuple[str, ...]
    care: str | None


@dataclass(frozen=True, slots=True)
class Facts:
    """A version of a contact without what is personal of the customer, as it is kept and shown."""

    at: str
    staff: tuple[str, ...]
    direction: str
    first: bool
    line: str | None
    line_state: str | None
    care: str | None
    flags: tuple[str, ...]
    withdrawn: bool
    definition: Mapping[str, Any] = field(repr=False)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which contacts: of customers within a reach; of a customer, unit, manager or kind, with somebody, flagged."""

    scope: Scope
    customer_id: UUID | None = None
    unit: str | None = None
    manager: str | None = None
    kind: str | None = None
    staff: str | None = None
    flagged: bool | None = None
    before: tuple[datetime, UUID] | None = None


def demands(declared: Contact, *, first: bool, important: bool, new: bool, staff: int) -> Demands:
    """`important`, `new`: the customer is, and so many staff have to know one who is both."""
    needed = max(declared.staff(first=first), staff if new and declared.together else 1)
    care = declared.care.important if declared.care is not None and important else None
    return Demands(first, needed, declared.says(first=first, important=new), care)


def faults(
    declared: Contact, said: Said, wanted: Demands, levels: Collection[str], people: People, now: datetime
) -> Iterator[Fault]:
    """Why a contact is not taken. `levels`: the codes of ways to receive somebody, if it is a reception."""
    if said.at > now:
        yield Fault("/at", "in_the_future", said.at.isoformat(), f"not after {now.isoformat()}")
    for position, name in enumerate(said.staff):
        if people and (name not in people or not is_in_service(people[name], day_of(said.at))):
            yield Fault(f"/staff/{position}", "unknown_person", name, "somebody in service on the day")
    if len(set(said.staff)) < wanted.staff:
        yield Fault("/staff", "too_few_staff", len(set(said.staff)), f"at least {wanted.staff} different people")
    yield from _line_faults(declared, said)
    if declared.care is None and said.care is not None:
        yield Fault("/care", "not_kept", said.care[:80], "nothing: nobody is received")
    elif declared.care is not None and said.care not in levels:
        yield Fault("/care", "not_in_list", said.care and said.care[:80], sorted(levels))
    yield from _record_faults(declared, said.record, wanted)


def _line_faults(declared: Contact, said: Said) -> Iterator[Fault]:
    given = [each for each in (said.line, said.number) if each is not None]
    if not declared.lines and given:
        yield Fault("/line", "not_kept", None, f"nothing: no line belongs to {declared.id}")
    elif declared.lines and len(given) != 1:
        expected = f"the id of a line of {', '.join(declared.lines)}, or the number or account that it was"
        yield Fault("/line", "required" if not given else "not_both", None, expected)


def _record_faults(declared: Contact, record: Mapping[str, str], wanted: Demands) -> Iterator[Fault]:
    for code, words in record.items():
        particular = declared.record.get(code)
        if particular is None:
            yield Fault(f"/record/{code[:80]}", "unknown_particular", None, list(declared.record))
        elif len(words) > particular.longest:
            yield Fault(f"/record/{code}", "too_long", len(words), f"at most {particular.longest} characters")
    for code in wanted.says:
        if not record.get(code, "").strip():
            yield Fault(f"/record/{code}", "required", None, declared.record[code].title.en)


def line_state(declared: Contact, said: Said, people: People) -> LineState | None:
    """Whether the line is one that the company had assigned on the day to somebody who took part; None: it needs none.

    Nobody can tell where there is no directory; a number that is no line of it is none.
    """
    if not declared.lines:
        return None
    if said.line is None:
        return LineState.UNASSIGNED
    if not people:
        return LineState.UNCHECKED
    held = (line for name in said.staff if name in people for line in people[name].lines if line.id == said.line)
    day = day_of(said.at)
    known = any(line.channel in declared.lines and _covers(line.from_on, line.until_on, day) for line in held)
    return LineState.ASSIGNED if known else LineState.UNASSIGNED


def _covers(first: date, last: date | None, day: date) -> bool:
    return first <= day and (last is None or day <= last)


def flags(said: Said, state: LineState | None, wanted: Demands) -> tuple[str, ...]:
    """What was not as the rules say: it happened all the same, so it is recorded and told."""
    found = [LINE] if state is LineState.UNASSIGNED else []
    if wanted.care is not None and said.care != wanted.care:
        found.append(CARE)
    return tuple(found)
