"""How late changes are made (R1.2): working days since they were learnt of, for items that are changed at once. Pure.

Lateness is recorded, never refused. It stands beside the value, and goes out as an event if it is beyond the term.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from services.customer.dictionary.rules import pointer
from shared.clock import day_of
from shared.errors import Fault
from shared.events import Late
from shared.regime import Cadence, Calendar, Catalogue, Covers, Maintenance

LearntAt: TypeAlias = datetime | Mapping[str, datetime]
"""When the changes of a request were learnt of: all of them, or each by item code."""


@dataclass(frozen=True, slots=True)
class Learnt:
    """When a change was learnt of, the working days until it was made, the declared term of them."""

    at: datetime
    working_days: int
    within: int

    @property
    def is_late(self) -> bool:
        return self.working_days > self.within

    def as_json(self) -> dict[str, Any]:
        """As it is stored and shown beside the value."""
        return {"learnt_at": self.at.isoformat(), "working_days": self.working_days, "late": self.is_late}

    def as_fact(self) -> Late:
        """As events carry it."""
        return Late(learnt_at=self.at, working_days=self.working_days, within=self.within)


def faults(learnt: LearntAt, codes: Collection[str], opened_at: datetime, now: datetime) -> Iterator[Fault]:
    """Moments that have not come yet or lie before the file, and those of items that are not set."""
    named = learnt.items() if isinstance(learnt, Mapping) else [(None, learnt)]
    for code, moment in named:
        at = "/learnt_at" if code is None else f"/learnt_at/{pointer(code).rpartition('/')[2]}"
        if code is not None and code not in codes:
            yield Fault(at, "not_set", code[:80], "an item of this request")
        elif moment > now:
            yield Fault(at, "in_the_future", moment.isoformat(), f"not after {now.isoformat()}")
        elif moment < opened_at:
            yield Fault(at, "before_registration", moment.isoformat(), f"not before {opened_at.isoformat()}")


def measured(
    learnt: LearntAt, catalogue: Catalogue, cadence: Cadence, calendar: Calendar, codes: Iterable[str], now: datetime
) -> dict[str, Learnt]:
    """How late each of these items is changed, as far as the cadence is about it and it is known."""
    within, today = cadence.working_days, day_of(now)
    found = {}
    for code in codes if within is not None else ():
        moment = learnt.get(code) if isinstance(learnt, Mapping) else learnt
        if moment is not None and _COVERED.get(catalogue.items[code].maintenance) is cadence.covers:
            found[code] = Learnt(moment, calendar.workdays(day_of(moment), today), within or 0)
    return found


_COVERED: Mapping[Maintenance, Covers] = {
    each: Covers(each.value) for each in Maintenance if each is not Maintenance.SYSTEM
}
