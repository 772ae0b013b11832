"""The dictionary in force: which items there are and how they are read. Used by the other features of this service."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from services.customer.dictionary import rules
from shared.clock import day_of
from shared.errors import Fault
from shared.regime import Catalogue, Codelist, Item, Regimes, Text
from shared.regime.dictionary import Dictionary


class Dictionaries:
    """Catalogues by kind, on the Chinese calendar day of a moment."""

    def __init__(self, regimes: Regimes) -> None:
        self._regimes = regimes

    def kinds(self, now: datetime) -> list[str]:
        """The kinds of customer that have a dictionary."""
        return sorted({group.kind for group in self._regimes.all(Dictionary, on=day_of(now))})

    def catalogue(self, kind: str, now: datetime) -> Catalogue:
        """All items and totals of a kind. Raises: NotFound (unknown_kind)."""
        return self._regimes.catalogue(kind, on=day_of(now))

    def read_values(
        self, catalogue: Catalogue, raw: Mapping[str, Any], now: datetime, *, complete: bool = False
    ) -> tuple[dict[str, Any], list[Fault]]:
        """Values as they are stored, and everything that is wrong with them; see rules.read_values."""
        day = day_of(now)
        return rules.read_values(catalogue, raw, lambda item: self.codes(item, day), complete=complete)

    def codes(self, item: Item, day: date) -> Mapping[str, Text] | None:
        """The codes that an item's code list allows, if it has one."""
        if item.codelist is None:
            return item.choices
        found = self._regimes.find(Codelist, item.codelist, on=day)
        return found.codes if found is not None else {}
