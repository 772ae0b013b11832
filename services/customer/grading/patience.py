"""When a grade moves: the score alone, held against what the policy declares about patience. Pure (R1.5).

Each border of the ranks has two edges: one above it for the way up, one below it for the way down. A score that swings
by less than the distance between the two never brings a grade back to a rank that it left.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple

from services.customer.grading.rules import Check
from shared.regime import GradePolicy, Patience


class Why(StrEnum):
    """What settled a grade."""

    SCORE = "score"  # nothing was held, or nothing is declared: the score alone
    SAME = "same"  # the score is within the rank held
    MOVED = "moved"  # beyond the border with all the patience that is asked for
    AT_ONCE = "at_once"  # worse, and the condition holds under which that acts at once
    MARGIN = "margin"  # stays: not far enough beyond the border
    DAYS = "days"  # stays: not on enough days yet
    QUARTER = "quarter"  # stays: only a quarter's round moves it


STAYS = frozenset({Why.MARGIN, Why.DAYS, Why.QUARTER})


@dataclass(frozen=True, slots=True)
class Held:
    """What the check before left: the grade, how many days in a row the score has been beyond its border (below zero:
    downwards), and the last of these days."""

    grade: str | None = None
    leaning: int = 0
    leaned_on: date | None = None


@dataclass(frozen=True, slots=True)
class Settled:
    """The grade that holds after a check, the one that the score alone gives, and what the next check needs."""

    grade: str | None
    by_score: str | None
    why: Why
    leaning: int = 0
    leaned_on: date | None = None


def settle(policy: GradePolicy, held: Held, check: Check, day: date, *, quarterly: bool) -> Settled:
    """The grade after a check on `day`; `quarterly`: it is the one of a quarter's round."""
    ranks = [rank.grade for rank in policy.ranks]
    wished, score = check.grade, check.score
    if wished is None or score is None or held.grade not in ranks or policy.hysteresis is None:
        return Settled(wished, wished, Why.SCORE)
    at, wanted = ranks.index(held.grade), ranks.index(wished)
    if wanted == at:
        return Settled(held.grade, wished, Why.SAME)
    down = wanted < at
    if down and check.at_once:
        return Settled(wished, wished, Why.AT_ONCE)
    patience = policy.hysteresis.down if down else policy.hysteresis.up
    target = _beyond(policy, score, -patience.margin if down else patience.margin)
    if target >= at if down else target <= at:
        return Settled(held.grade, wished, Why.MARGIN)
    leaning = _leaning(held, day, down=down)
    why = _stays(patience, leaning, quarterly=quarterly)
    if why is None:
        return Settled(ranks[target], wished, Why.MOVED)
    return Settled(held.grade, wished, why, -leaning if down else leaning, day)


def _beyond(policy: GradePolicy, score: Decimal, shift: Decimal) -> int:
    """The place of the rank that holds a score if every border is shifted."""
    return bisect_right([rank.below + shift for rank in policy.ranks if rank.below is not None], score)


def _leaning(held: Held, day: date, *, down: bool) -> int:
    """Days in a row with this one; several checks of one day count once."""
    before = max(-held.leaning if down else held.leaning, 0)
    return before if before and held.leaned_on == day else before + 1


def _stays(patience: Patience, leaning: int, *, quarterly: bool) -> Why | None:
    if leaning < patience.days:
        return Why.DAYS
    return Why.QUARTER if patience.quarterly and not quarterly else None


class Course(NamedTuple):
    """How a check came to its grade: everything beside the figures that a later reckoning of it needs, as stored."""

    day: str
    quarterly: bool
    at_once: bool
    held: str | None
    held_leaning: int
    held_on: str | None
    settled: str | None
    by_score: str | None
    why: str
    leaning: int
    leaned_on: str | None
    override: str | None

    def as_json(self) -> dict[str, Any]:
        return self._asdict()


def course_of(
    held: Held, check: Check, settled: Settled, day: date, *, quarterly: bool, override: str | None
) -> Course:
    """The course of a check; `override`: the id of the one that was in force."""
    return Course(
        day=day.isoformat(), quarterly=quarterly, at_once=check.at_once,
        held=held.grade, held_leaning=held.leaning, held_on=_text(held.leaned_on),
        settled=settled.grade, by_score=settled.by_score, why=settled.why.value,
        leaning=settled.leaning, leaned_on=_text(settled.leaned_on), override=override,
    )  # fmt: skip


def held_before(course: Course) -> Held:
    """What a check found held when it began."""
    return Held(course.held, course.held_leaning, _day(course.held_on))


def held_after(course: Course) -> Held:
    """What it left to the next one."""
    return Held(course.settled, course.leaning, _day(course.leaned_on))


def _text(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)
