"""Pure rules of quality: what of a file is looked at, what of it fails, and the marks that follow (R1.4).

A policy is compiled for a kind of customer and a day, since an assessment is made at each change. It names items and
rules only; a value is looked at and forgotten.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from functools import lru_cache
from typing import Any

from services.customer.dictionary.accuracy import Accuracy
from services.customer.review.rules import Cadences
from shared.clock import day_of
from shared.expressions import names
from shared.regime import BadValue, Catalogue, Covers, Item, Maintenance, Part, QualityPolicy, Text, read_value
from shared.regime.item import TODAY, ItemRule

_DAY = timedelta(days=1)


class Reason(StrEnum):
    """Why something fails: no value, a value that does not fit the dictionary, a rule that does not hold, an item or
    the file as a whole not verified in time, a change that was made late."""

    MISSING = "missing"
    INVALID = "invalid"
    BROKEN = "broken"
    OVERDUE = "overdue"
    UNVERIFIED = "unverified"
    LATE = "late"

    @property
    def part(self) -> Part:
        """The part in which it counts."""
        return _PARTS[self]


_PARTS = {
    Reason.MISSING: Part.COMPLETENESS,
    Reason.INVALID: Part.ACCURACY,
    Reason.BROKEN: Part.ACCURACY,
    Reason.OVERDUE: Part.TIMELINESS,
    Reason.UNVERIFIED: Part.TIMELINESS,
    Reason.LATE: Part.TIMELINESS,
}


@dataclass(frozen=True, slots=True)
class File:
    """A file as it is judged. `meta`: of items that differ from its opening: by, set at, verified at, how late."""

    status: str | None
    opened_at: datetime
    checked_at: datetime | None
    values: Mapping[str, Any]
    meta: Mapping[str, list[Any]]


@dataclass(frozen=True, slots=True)
class Assessment:
    """What is found of a file. `marks`: of the parts in which there is something to look at; `looked`: at how many
    things in each; `failing`: `<reason>:<item, rule or cadence>`; `turns_on`: the day from which on it may differ
    though nothing happens to the file.
    """

    marks: Mapping[Part, Decimal]
    score: Decimal
    level: str
    looked: Mapping[Part, int]
    failing: tuple[str, ...]
    turns_on: date | None


class _Tally:
    """What was looked at of one file, by part, while it is."""

    def __init__(self, today: date) -> None:
        self.today = today
        self.weight = dict.fromkeys(Part, 0)
        self.right = dict.fromkeys(Part, 0)
        self.looked = dict.fromkeys(Part, 0)
        self.failing: list[str] = []
        self.turns_on: date | None = None

    def take(self, reason: Reason, code: str, weight: int, *, fails: bool) -> None:
        part = _PARTS[reason]
        self.weight[part] += weight
        self.looked[part] += 1
        if fails:
            self.failing.append(f"{reason}:{code}")
        else:
            self.right[part] += weight

    def watch(self, day: date) -> None:
        """From that day on it may be different."""
        if day > self.today and (self.turns_on is None or day < self.turns_on):
            self.turns_on = day


class Assessor:
    """A policy for a kind of customer on a day. `codes`: those of the code list of an item."""

    def __init__(
        self, policy: QualityPolicy, catalogue: Catalogue, accuracy: Accuracy, cadences: Cadences | None,
        codes: Callable[[Item], Mapping[str, Text] | None], today: date, *, prompt: bool,
    ) -> None:  # fmt: skip
        """`prompt`: whether it is declared how soon items that are changed at once are changed."""
        self.policy = policy
        self.catalogue = catalogue
        self._accuracy = accuracy
        self._cadences = cadences
        self._today = today
        read = frozenset[str]().union(*(rule.reads for rule in catalogue.rules.values()))
        weighed = ((item, policy.items.of(item)) for item in catalogue.items.values())
        self._items = [(item, weight) for item, weight in weighed if weight or item.code in read]
        self._weights = {item.code: weight for item, weight in self._items if weight}
        self._prompt = [
            code for code in self._weights if prompt and catalogue.items[code].maintenance is Maintenance.REALTIME
        ]
        self._reviews = [
            (each, [code for code in cadences.codes(each) if code in self._weights]) for each in cadences.reviews
        ] if cadences is not None else []  # fmt: skip
        self._allowed = {item.code: codes(item) for item, _ in self._items}
        self._dated = sorted({code for rule in catalogue.rules.values() for code in _days_read(rule, catalogue)})
        self._due_on = lru_cache(maxsize=4096)(self._reckon_due)

    def _reckon_due(self, position: int, verified: date) -> date:
        assert self._cadences is not None
        return self._cadences.due_on(self._reviews[position][0], verified)

    def assess(self, file: File) -> Assessment | None:
        """What is found of a file; None while its status exempts it, and if nothing of it counts."""
        if file.status in self.policy.exempt:
            return None
        tally, sound = _Tally(self._today), {}
        for item, weight in self._items:
            value = file.values.get(item.code)
            fits = value is not None and self._fits(item, value)
            if fits:
                sound[item.code] = value
            if weight:
                tally.take(Reason.MISSING, item.code, weight, fails=value is None)
                if value is not None:
                    tally.take(Reason.INVALID, item.code, weight, fails=not fits)
        for rule, holds in self._accuracy.told(sound):
            if weight := self.policy.rules.of(rule.id):
                tally.take(Reason.BROKEN, rule.id, weight, fails=not holds)
        for code in self._dated:
            if (given := _day_in(file.values.get(code))) is not None:
                tally.watch(given)
                tally.watch(given + _DAY)
        self._look_at_reviews(file, tally)
        self._look_at_changes(file, tally)
        return self._result(tally)

    def _fits(self, item: Item, value: Any) -> bool:
        try:
            read_value(item, value, self._allowed[item.code], on=self._today)
        except BadValue:
            return False
        return True

    def _look_at_reviews(self, file: File, tally: _Tally) -> None:
        opened_on = day_of(file.opened_at)
        for position, (cadence, codes) in enumerate(self._reviews):
            if file.status in cadence.exempt:
                continue
            if cadence.covers is Covers.FILE:
                if self.policy.whole:
                    due_on = self._due_on(position, day_of(file.checked_at or file.opened_at))
                    tally.take(Reason.UNVERIFIED, cadence.id, self.policy.whole, fails=due_on < self._today)
                    tally.watch(due_on + _DAY)
                continue
            for code in codes:
                if file.values.get(code) is not None:
                    meta = file.meta.get(code)
                    due_on = self._due_on(position, opened_on if meta is None else _day_of_text(meta[2]))
                    tally.take(Reason.OVERDUE, code, self._weights[code], fails=due_on < self._today)
                    tally.watch(due_on + _DAY)

    def _look_at_changes(self, file: File, tally: _Tally) -> None:
        for code in self._prompt:
            if file.values.get(code) is None:
                continue
            meta = file.meta.get(code, ())
            over_on = None
            if len(meta) > 3 and meta[3]["late"]:
                over_on = _day_of_text(meta[1]) + timedelta(days=self.policy.late_days)
                tally.watch(over_on)
            tally.take(Reason.LATE, code, self._weights[code], fails=over_on is not None and self._today < over_on)

    def _result(self, tally: _Tally) -> Assessment | None:
        shares = self.policy.parts
        marks = {
            part: self._rounded(Decimal(100 * tally.right[part]) / weight)
            for part, weight in tally.weight.items()
            if weight
        }
        if not marks:
            return None
        total = sum(mark * shares[part] for part, mark in marks.items())
        score = self._rounded(total / Decimal(sum(shares[part] for part in marks)))
        level = self.policy.level_of(score).id
        return Assessment(marks, score, level, tally.looked, tuple(tally.failing), tally.turns_on)

    def _rounded(self, mark: Decimal) -> Decimal:
        return mark.quantize(Decimal(1).scaleb(-self.policy.decimals), ROUND_HALF_UP)


def split(failing: str) -> tuple[Reason, str]:
    """Reason and item, rule or cadence of a failing thing."""
    reason, _, code = failing.partition(":")
    return Reason(reason), code


def by_part(failing: Iterable[str]) -> Mapping[Part, list[tuple[Reason, str]]]:
    """What fails, by part."""
    found: dict[Part, list[tuple[Reason, str]]] = {part: [] for part in Part}
    for each in failing:
        reason, code = split(each)
        found[reason.part].append((reason, code))
    return found


def _days_read(rule: ItemRule, catalogue: Catalogue) -> Iterator[str]:
    """The days in a file that a rule holds against today: when it passes one of them, the rule may turn."""
    if any(TODAY in names(text) for text in (rule.when, rule.expression) if text):
        yield from (code for code in rule.reads if catalogue.items[code].type == "date")


def _day_in(value: Any) -> date | None:
    """The day that a stored value is; None if it is not one any more."""
    try:
        return None if value is None else date.fromisoformat(value)
    except (TypeError, ValueError):
        return None


@lru_cache(maxsize=4096)
def _day_of_text(moment: str) -> date:
    return day_of(datetime.fromisoformat(moment))
