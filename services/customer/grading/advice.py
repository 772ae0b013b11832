"""What would have to change for the next better grade: how many points, and which indicator alone could bring them.

Pure; reckoned from a stored check and the policy that it was made with. Only who sees every indicator may be told.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any

from shared.regime import GradePolicy, Indicator, Rank, Scale, Text

_FULL = Decimal(100)


@dataclass(frozen=True, slots=True)
class Way:
    """One indicator that could bring the missing points alone, and the values at which it would: from, below, codes."""

    indicator: Indicator
    start: Decimal | None = None
    end: Decimal | None = None
    codes: tuple[str, ...] = ()
    exclusive: bool = False

    @property
    def text(self) -> Text:
        label = self.indicator.label
        zh, en = self._range() if not self.codes else (_any_of(self.codes), _any_of(self.codes))
        return Text(zh=f"只靠{label.zh}：{zh}", en=f"{label.en} alone: {en}")

    def _range(self) -> tuple[str, str]:
        if self.start is not None:
            return f"达到 {self.start}", f"{self.start} or more"
        return (
            (f"低于 {self.end}", f"below {self.end}") if self.exclusive else (f"至多 {self.end}", f"at most {self.end}")
        )


@dataclass(frozen=True, slots=True)
class Next:
    """The next better rank: the score at which it is reached (patience included), and what is missing to it."""

    rank: Rank
    score: Decimal
    missing: Decimal
    quarterly: bool
    ways: tuple[Way, ...]

    @property
    def text(self) -> Text:
        rank, when = (
            self.rank,
            ("，并在季度评定时生效", ", and then in a quarter's round") if self.quarterly else ("", ""),
        )
        return Text(
            zh=f"升为 {rank.grade}（{rank.label.zh}）需 {self.score} 分，还差 {self.missing} 分{when[0]}",
            en=f"Grade {rank.grade} ({rank.label.en}) takes a score of {self.score}, {self.missing} more{when[1]}",
        )

    def as_json(self) -> dict[str, Any]:
        return {
            "grade": self.rank.grade, "score": str(self.score), "missing": str(self.missing),
            "text": self.text.model_dump(),
            "ways": [{"indicator": way.indicator.id, "text": way.text.model_dump()} for way in self.ways],
        }  # fmt: skip


def next_better(policy: GradePolicy, held: str | None, score: Decimal | None, indicators: Sequence[Any]) -> Next | None:
    """The next better rank above the one held; None for the best one, and while too little is known."""
    places = {rank.grade: place for place, rank in enumerate(policy.ranks)}
    if held not in places or score is None or places[held] == len(policy.ranks) - 1:
        return None
    place = places[held]
    border = policy.ranks[place].below
    assert border is not None
    patience = policy.hysteresis.up if policy.hysteresis is not None else None
    needed = border + (patience.margin if patience is not None else 0)
    missing = max(needed - score, Decimal(0))
    ways = tuple(_ways(policy, missing, indicators)) if missing else ()
    return Next(policy.ranks[place + 1], needed, missing, patience is not None and patience.quarterly, ways)


def _ways(policy: GradePolicy, missing: Decimal, indicators: Sequence[Mapping[str, Any]]) -> Iterator[Way]:
    declared = {each.id: each for each in policy.indicators}
    counted = [each for each in indicators if each["points"] is not None]
    known = sum(each["weight"] for each in counted)
    for each in counted:
        points = Decimal(each["points"]) + missing * known / each["weight"]
        way = _way(declared[each["id"]], points) if points <= _FULL else None
        if way is not None:
            yield way


def _way(indicator: Indicator, points: Decimal) -> Way | None:
    """The least that gives an indicator at least so many points."""
    if indicator.scale is not None:
        return _on_line(indicator, indicator.scale, points)
    if indicator.choices is not None:
        codes = tuple(sorted(code for code, given in indicator.choices.items() if given >= points))
        return Way(indicator, codes=codes) if codes else None
    bands = indicator.bands or ()
    fit = [place for place, band in enumerate(bands) if band.points >= points]
    if not fit:
        return None
    place = min(fit, key=lambda each: bands[each].points)
    return Way(indicator, bands[place - 1].below if place else None, bands[place].below, exclusive=True)


def _on_line(indicator: Indicator, scale: Scale, points: Decimal) -> Way:
    value = scale.zero + (scale.full - scale.zero) * points / _FULL
    rises = scale.full > scale.zero
    value = value.quantize(Decimal("0.01"), ROUND_CEILING if rises else ROUND_FLOOR)
    return Way(indicator, start=value) if rises else Way(indicator, end=value)


def _any_of(codes: Sequence[str]) -> str:
    return " / ".join(codes)
