"""What there is to say of a form: everything that is wrong with it, whether it is important, whom it resembles.

Called when a form is shown, handed in and approved, so that all three say the same (R7.2, R5.6).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import Any, Protocol

from services.customer.dictionary.service import Dictionaries
from services.customer.file import pictures
from services.customer.file.service import Files
from services.customer.registration.rules import Form, Judged, Likeness
from shared.auth import Authenticator, Principal
from shared.auth.roster import is_in_service
from shared.clock import day_of
from shared.db import Transaction
from shared.errors import Fault
from shared.expressions import Context, Program, Schema
from shared.regime import Catalogue, Importance, Regimes, load_value
from shared.regime.vocabulary import compiled


class Duplicates(Protocol):
    """Who looks for customers that are likely the same; the feature below gives it at composition."""

    async def alike(
        self, tx: Transaction, who: Principal, kind: str, values: Mapping[str, Any], now: datetime
    ) -> Sequence[Likeness]:
        """Customers who resemble one with these values, which need not be complete."""
        ...


class Judging:
    """Judges forms."""

    def __init__(
        self, dictionaries: Dictionaries, regimes: Regimes, files: Files, authenticator: Authenticator,
        duplicates: Duplicates | None,
    ) -> None:  # fmt: skip
        self._dictionaries = dictionaries
        self._regimes = regimes
        self._files = files
        self._authenticator = authenticator
        self._duplicates = duplicates
        self._rules = lru_cache(maxsize=64)(self._rule)

    async def judge(
        self, tx: Transaction, who: Principal, form: Form, given: Mapping[str, Any], now: datetime
    ) -> Judged:
        """Judge a form with these values, by the measures of today."""
        catalogue = self._dictionaries.catalogue(form.kind, now)
        values, faults = self._dictionaries.read_values(catalogue, given, now, complete=True)
        faults += pictures.too_early(pictures.named(catalogue, values))
        faults += await self._files.numbers_taken(tx, catalogue, values)
        important, decides, staff = self._importance(catalogue, values, now)
        faults += self._staff_faults(form.staff, staff, now)
        found = [] if self._duplicates is None else await self._duplicates.alike(tx, who, form.kind, values, now)
        return Judged(faults, important, decides, staff, found)

    def _importance(
        self, catalogue: Catalogue, values: Mapping[str, Any], now: datetime
    ) -> tuple[bool, frozenset[str], int]:
        """Whether the customer is important, by which items that is decided, and how many staff must know it."""
        rule = self._rules(catalogue.kind, day_of(now))
        if rule is None:
            return False, frozenset(), 0
        declared, program, lists = rule
        known = {code: values[code] for code in program.fields if values.get(code) is not None}
        row = {code: load_value(catalogue.items[code].type, value) for code, value in known.items()}
        found = program.evaluate(row, lists)
        important = declared.missing if found is None else found is True
        return important, program.fields, declared.staff if important else 0

    def _rule(self, kind: str, day: date) -> tuple[Importance, Program, Context] | None:
        declared = self._regimes.find(Importance, kind, on=day)
        if declared is None:
            return None
        types, lists = self._regimes.catalogue(kind, on=day).types, self._regimes.labels(on=day)
        return declared, compiled(declared.expression, Schema(types, frozenset(lists))), Context(lists)

    def _staff_faults(self, staff: Sequence[str], needed: int, now: datetime) -> list[Fault]:
        """People whom the directory does not know, and fewer of them than the customer needs."""
        people, today, faults = self._authenticator.roster.people, day_of(now), []
        for position, name in enumerate(staff):
            if people and (name not in people or not is_in_service(people[name], today)):
                faults.append(Fault(f"/staff/{position}", "unknown_person", name, "somebody in service"))
        if len(staff) < needed:
            expected = f"at least {needed} people in contact with an important customer"
            faults.append(Fault("/staff", "too_few_staff", len(staff), expected))
        return faults
