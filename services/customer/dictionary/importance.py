"""Which customers are important, by what is declared for their kind: asked of forms and of files (R5.5, R5.6)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any

from shared.clock import day_of
from shared.expressions import Context, Program, Schema
from shared.regime import Catalogue, Importance, Regimes, load_value
from shared.regime.vocabulary import compiled


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether a customer is important, by which items that is decided, how many staff must know it, and how many days
    it is new."""

    important: bool = False
    decides: frozenset[str] = frozenset()
    staff: int = 0
    new_days: int = 0

    def is_new(self, opened_on: date, day: date) -> bool:
        """Whether an important customer whose file was opened on a day is new on another."""
        return self.important and day < opened_on + timedelta(self.new_days)


class Importances:
    """Judges values of forms and files by the measures of a day."""

    def __init__(self, regimes: Regimes) -> None:
        self._regimes = regimes
        self._rules = lru_cache(maxsize=64)(self._rule)

    def of(self, catalogue: Catalogue, values: Mapping[str, Any], now: datetime) -> Standing:
        """Where a customer with these stored values stands."""
        rule = self._rules(catalogue.kind, day_of(now))
        if rule is None:
            return Standing()
        declared, program, lists = rule
        known = {code: values[code] for code in program.fields if values.get(code) is not None}
        row = {code: load_value(catalogue.items[code].type, value) for code, value in known.items()}
        found = program.evaluate(row, lists)
        important = declared.missing if found is None else found is True
        return Standing(important, program.fields, declared.staff if important else 0, declared.new_days)

    def _rule(self, kind: str, day: date) -> tuple[Importance, Program, Context] | None:
        declared = self._regimes.find(Importance, kind, on=day)
        if declared is None:
            return None
        types, lists = self._regimes.catalogue(kind, on=day).types, self._regimes.labels(on=day)
        return declared, compiled(declared.expression, Schema(types, frozenset(lists))), Context(lists)
