"""Rules across items of one file, compiled for a catalogue: asked at every write, and wherever accuracy is scored.

Pure. A change asks only the rules that read a changed item, so that nothing else of the file has to be read for it.
What cannot be told because a value is missing is not broken. Requirements R1.4, R4.1.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from services.customer.dictionary.rules import pointer
from shared.edits import differing
from shared.errors import Fault
from shared.expressions import Context, Program, Schema
from shared.regime import Catalogue, Item, ItemRule, load_value
from shared.regime.item import TODAY
from shared.regime.vocabulary import compiled


@dataclass(frozen=True, slots=True)
class Check:
    """A rule with its programs."""

    rule: ItemRule
    when: Program | None
    holds: Program

    @property
    def reads(self) -> frozenset[str]:
        """The items that it reads."""
        return self.rule.reads


class Accuracy:
    """The rules of a catalogue on one day."""

    def __init__(self, catalogue: Catalogue, lists: Mapping[str, Mapping[str, str]], day: date) -> None:
        schema = Schema(catalogue.rule_types, frozenset(lists))
        self._catalogue = catalogue
        self._context = Context(lists)
        self._day = day
        self.checks = tuple(
            Check(rule, None if rule.when is None else compiled(rule.when, schema), compiled(rule.expression, schema))
            for rule in catalogue.rules.values()
        )
        codes = {code for check in self.checks for code in check.reads}
        self._asked = {code: tuple(check for check in self.checks if code in check.reads) for code in codes}

    def companions(self) -> Mapping[str, frozenset[str]]:
        """Item -> every item that the rules read which a change of it asks."""
        return {code: frozenset[str]().union(*(each.reads for each in asked)) for code, asked in self._asked.items()}

    def broken(self, values: Mapping[str, Any], asked: Iterable[Check] | None = None) -> list[ItemRule]:
        """The rules (all, or those asked) that stored values, by item code, break."""
        return [rule for rule, holds in self.told(values, asked) if not holds]

    def told(self, values: Mapping[str, Any], asked: Iterable[Check] | None = None) -> Iterator[tuple[ItemRule, bool]]:
        """Whether each rule (of all, or those asked) holds, as far as stored values, by item code, tell."""
        checks = self.checks if asked is None else tuple(asked)
        items = self._catalogue.items
        codes = {code for check in checks for code in check.reads}
        row: dict[str, Any] = {
            code: load_value(items[code].type, values[code]) for code in codes if values.get(code) is not None
        }
        row[TODAY] = self._day
        for check in checks:
            if check.when is None or check.when.evaluate(row, self._context) is True:
                holds = check.holds.evaluate(row, self._context)
                if holds is not None:
                    yield check.rule, holds is True

    def faults(
        self, before: Mapping[str, Any], wanted: Mapping[str, Any], *, refused: Collection[str] = (),
        shows: Callable[[Item], bool] | None = None,
    ) -> list[Fault]:  # fmt: skip
        """What the file as it would be breaks, all at once; asked are the rules that read an item which changes.

        `before`: the present values, as far as `companions` names them; `refused`: items whose new values are wrong
        anyhow; `shows`: whether the writer may see an item, since a refusal tells of all that its rule reads.
        """
        if self._asked.keys().isdisjoint(wanted):
            return []
        changed = differing(before, wanted)
        asked = {check.rule.id: check for code in changed for check in self._asked.get(code, ())}
        items = self._catalogue.items
        heard = [
            check
            for check in asked.values()
            if check.reads.isdisjoint(refused) and (shows is None or all(shows(items[code]) for code in check.reads))
        ]
        broken = self.broken({**before, **wanted}, heard) if heard else []
        return [
            Fault(pointer(code), "inconsistent", wanted.get(code), rule.message.model_dump())
            for rule in broken
            for code in _pointed_at(rule, wanted, changed)
        ]


def _pointed_at(rule: ItemRule, wanted: Mapping[str, Any], changed: Mapping[str, Any]) -> list[str]:
    """The items that the rule points at, or what the writer changed if they sent none of those."""
    return [code for code in rule.items if code in wanted] or sorted(rule.reads & changed.keys())
