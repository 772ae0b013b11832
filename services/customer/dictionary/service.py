"""The dictionary in force: which items there are and how they are read. Used by the other features of this service."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from services.customer.dictionary import rules
from services.customer.dictionary.accuracy import Accuracy
from shared.clock import day_of
from shared.errors import Fault
from shared.regime import Cadence, Calendar, Catalogue, Codelist, Covers, Item, Regimes, Text
from shared.regime.dictionary import Dictionary


class Dictionaries:
    """Catalogues by kind, on the Chinese calendar day of a moment."""

    def __init__(self, regimes: Regimes) -> None:
        self._regimes = regimes
        self._accuracy = lru_cache(maxsize=64)(self._compile)
        self._companions = lru_cache(maxsize=8)(self._gather)
        self._cadences = lru_cache(maxsize=64)(self._cadences_of)

    def _cadences_of(self, kind: str, day: date) -> Mapping[Covers, Cadence]:
        return {each.covers: each for each in self._regimes.all(Cadence, on=day) if each.concerns(kind)}

    def kinds(self, now: datetime) -> list[str]:
        """The kinds of customer that have a dictionary."""
        return self._kinds(day_of(now))

    def _kinds(self, day: date) -> list[str]:
        return sorted({group.kind for group in self._regimes.all(Dictionary, on=day)})

    def catalogue(self, kind: str, now: datetime) -> Catalogue:
        """All items and totals of a kind. Raises: NotFound (unknown_kind)."""
        return self._regimes.catalogue(kind, on=day_of(now))

    def examples(self, now: datetime) -> dict[str, Mapping[str, Any]]:
        """Values of a made-up file of each kind, for descriptions of the API."""
        return {kind: self.catalogue(kind, now).example for kind in self.kinds(now)}

    def identity(self, catalogue: Catalogue, now: datetime) -> str:
        """Changes with every text that a reader of the dictionary is shown: of the kind, and of code lists."""
        return f"{catalogue.ref.hash[:24]}.{self._regimes.hash[:24]}.{day_of(now):%Y%m%d}"

    def cadences(self, kind: str, now: datetime) -> Mapping[Covers, Cadence]:
        """How often what of such a file is reviewed, and how soon a change of it is made."""
        return self._cadences(kind, day_of(now))

    def calendar(self, cadence: Cadence, now: datetime) -> Calendar:
        """The calendar that a cadence goes by."""
        return self._regimes.calendar(cadence.calendar, on=day_of(now))

    def read_values(
        self, catalogue: Catalogue, raw: Mapping[str, Any], now: datetime, *, complete: bool = False
    ) -> tuple[dict[str, Any], list[Fault]]:
        """Values as they are stored, and everything that is wrong with them; see rules.read_values.

        Of a complete file the rules across items are asked, too; of a change, see `contradictions`.
        """
        day = day_of(now)
        values, faults = rules.read_values(
            catalogue, raw, lambda item: self.codes(item, day), on=day, complete=complete
        )
        if complete:
            faults += self.accuracy(catalogue, now).faults({}, values, refused=raw.keys() - values.keys())
        return values, faults

    def accuracy(self, catalogue: Catalogue, now: datetime) -> Accuracy:
        """The rules across items of a kind on a day."""
        return self._accuracy(catalogue, day_of(now))

    def _compile(self, catalogue: Catalogue, day: date) -> Accuracy:
        return Accuracy(catalogue, self._regimes.labels(on=day), day)

    def with_companions(self, codes: Iterable[str], now: datetime) -> list[str]:
        """These items, and those that have to be read with them, in whatever kind of file they are."""
        wanted, companions = list(codes), self._companions(day_of(now))
        found = {other for code in wanted for other in companions.get(code, ())}
        return [*wanted, *found.difference(wanted)] if found else wanted

    def _gather(self, day: date) -> Mapping[str, frozenset[str]]:
        found: dict[str, frozenset[str]] = {}
        for kind in self._kinds(day):
            accuracy = self._accuracy(self._regimes.catalogue(kind, on=day), day)
            for code, others in accuracy.companions().items():
                found[code] = found.get(code, frozenset()) | others
        return found

    def contradictions(
        self, catalogue: Catalogue, before: Mapping[str, Any], values: Mapping[str, Any], raw: Mapping[str, Any],
        shows: Callable[[Item], bool], now: datetime,
    ) -> list[Fault]:  # fmt: skip
        """What `values`, read from `raw`, would break between items of a file whose present values are `before`."""
        refused = raw.keys() - values.keys()
        return self.accuracy(catalogue, now).faults(before, values, refused=refused, shows=shows)

    def codes(self, item: Item, day: date) -> Mapping[str, Text] | None:
        """The codes that an item's code list allows, if it has one."""
        if item.codelist is None:
            return item.choices
        found = self._regimes.find(Codelist, item.codelist, on=day)
        return found.codes if found is not None else {}
