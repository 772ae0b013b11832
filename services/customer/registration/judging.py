"""What there is to say of a form: everything that is wrong with it, whether it is important, whom it resembles.

Called when a form is shown, handed in and approved, so that all three say the same (R7.2, R5.6).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from services.customer.dictionary.importance import Importances
from services.customer.dictionary.service import Dictionaries
from services.customer.file import pictures
from services.customer.file.service import Files
from services.customer.registration.rules import Form, Judged, Likeness
from shared.auth import Authenticator, Principal
from shared.auth.roster import is_in_service
from shared.clock import day_of
from shared.db import Transaction
from shared.errors import Fault


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
        self, dictionaries: Dictionaries, importances: Importances, files: Files, authenticator: Authenticator,
        duplicates: Duplicates | None,
    ) -> None:  # fmt: skip
        self._dictionaries = dictionaries
        self._importances = importances
        self._files = files
        self._authenticator = authenticator
        self._duplicates = duplicates

    async def judge(
        self, tx: Transaction, who: Principal, form: Form, given: Mapping[str, Any], now: datetime
    ) -> Judged:
        """Judge a form with these values, by the measures of today."""
        catalogue = self._dictionaries.catalogue(form.kind, now)
        values, faults = self._dictionaries.read_values(catalogue, given, now, complete=True)
        faults += pictures.too_early(pictures.named(catalogue, values))
        faults += await self._files.numbers_taken(tx, catalogue, values)
        standing = self._importances.of(catalogue, values, now)
        faults += self._staff_faults(form.staff, standing.staff, now)
        found = [] if self._duplicates is None else await self._duplicates.alike(tx, who, form.kind, values, now)
        return Judged(faults, standing.important, standing.decides, standing.staff, found)

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
