"""Pure rules of reviews: what of a file is to be verified when, by the cadences declared for it (R1.2, R7.3, R7.4)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from shared.clock import day_of
from shared.errors import Fault
from shared.regime import Cadence, Calendar, Catalogue, Codelist, Covers, Maintenance
from shared.regime.cadence import Window


class State(StrEnum):
    """Of a review: its last day has passed, its window is open, its window comes later."""

    OVERDUE = "overdue"
    DUE = "due"
    UPCOMING = "upcoming"


@dataclass(frozen=True, slots=True)
class Standing:
    """A file as reviews see it. `verified_at`: of each item that has a value; `checked_at`: of the file as a whole;
    `visited_at`: the last visit to the customer."""

    kind: str
    status: str | None
    opened_at: datetime
    verified_at: Mapping[str, datetime]
    checked_at: datetime | None
    visited_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Review:
    """A cadence of a file: since when and until when it is to be made, and the items that are not verified yet."""

    cadence: Cadence
    window: Window
    codes: tuple[str, ...]


class Cadences:
    """The reviews of a kind of customer on a day. `calendars`: by the id of the cadence that goes by each."""

    def __init__(
        self, catalogue: Catalogue, declared: Mapping[Covers, Cadence], calendars: Mapping[str, Calendar]
    ) -> None:
        self.reviews = tuple(each for each in declared.values() if each.period is not None)
        self._calendars = calendars
        self._codes = {
            each.covers: tuple(
                code for code, item in catalogue.items.items() if item.maintenance in (_CLASS.get(each.covers),)
            )
            for each in self.reviews
        }

    def current(self, cadence: Cadence, day: date) -> Window:
        """The window that is open on a day."""
        return cadence.current(day, self._calendars[cadence.id])

    def codes(self, cadence: Cadence) -> tuple[str, ...]:
        """The items that a review is of; none if it is of the file as a whole."""
        return self._codes[cadence.covers]

    def due_on(self, cadence: Cadence, verified: date) -> date:
        """By when what was verified on a day is to be verified again."""
        return cadence.following(verified, self._calendars[cadence.id]).due_on

    def of(self, standing: Standing, today: date) -> Iterator[Review]:
        """The reviews of a file; none while its status exempts it, nor of a class of which it has no value."""
        for cadence in self.reviews:
            if standing.status in cadence.exempt:
                continue
            codes: tuple[str, ...] = ()
            begun = cadence.current(today, self._calendars[cadence.id]).opens_on
            if cadence.covers in _AS_A_WHOLE:
                done = standing.checked_at if cadence.covers is Covers.FILE else standing.visited_at
                last = max(day_of(done or standing.opened_at), day_of(standing.opened_at))
            else:
                days = {
                    code: day_of(standing.verified_at[code])
                    for code in self._codes[cadence.covers]
                    if code in standing.verified_at
                }
                if not days:
                    continue
                last, codes = min(days.values()), tuple(code for code, day in days.items() if day < begun)
            yield Review(cadence, cadence.following(last, self._calendars[cadence.id]), codes)

    def open_codes(self, standing: Standing, today: date) -> tuple[list[str], bool]:
        """The items that are due or overdue, and whether the file as a whole is."""
        now_open = [each for each in self.of(standing, today) if each.window.opens_on <= today]
        codes = [code for each in now_open for code in each.codes]
        return codes, any(each.cadence.covers is Covers.FILE for each in now_open)


_AS_A_WHOLE = frozenset({Covers.FILE, Covers.VISIT})
_CLASS = {Covers(each.value): each for each in Maintenance if each is not Maintenance.SYSTEM}


def state_of(window: Window, today: date) -> State:
    """The state of a review on a day."""
    if window.due_on < today:
        return State.OVERDUE
    return State.DUE if window.opens_on <= today else State.UPCOMING


def state_by_day(due_on: date, current: Window, today: date) -> State:
    """The same by the last day alone, and the window of the cadence that is open on the day."""
    return state_of(Window(current.opens_on if due_on <= current.due_on else date.max, due_on), today)


def days_of(state: State, current: Window, today: date) -> tuple[date | None, date | None]:
    """The last days of reviews that are in a state today: first and last of them; None for no bound.

    `current`: the window of the cadence that is open today. What is due later than that opens later.
    """
    match state:
        case State.OVERDUE:
            return None, date.fromordinal(today.toordinal() - 1)
        case State.DUE:
            return today, current.due_on
        case State.UPCOMING:
            return date.fromordinal(max(current.due_on.toordinal() + 1, today.toordinal())), None


def statement_faults(
    channel: str, channels: Codelist | None, on: date, opened_on: date | None, cadence: Cadence | None,
    calendar: Calendar | None, today: date,
) -> Sequence[Fault]:  # fmt: skip
    """A channel that is not declared; a day that is not over, lies before the file, or is recorded too late."""
    faults = []
    codes = channels.codes if channels is not None else {}
    if channel not in codes:
        faults.append(Fault("/channel", "not_in_list", channel[:80], list(codes)))
    if on > today:
        faults.append(Fault("/on", "in_the_future", str(on), f"not after {today}"))
    elif opened_on is not None and on < opened_on:
        faults.append(Fault("/on", "before_registration", str(on), f"not before {opened_on}"))
    elif cadence is not None and cadence.answers is not None and calendar is not None:
        most = cadence.answers.working_days
        if calendar.workdays(on, today) > most:
            faults.append(Fault("/on", "too_long_ago", str(on), f"at most {most} working days ago"))
    return faults
