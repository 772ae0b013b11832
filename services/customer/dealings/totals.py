"""Totals over dealings and the system items computed from them. Used by the file (on read) and by grading."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any
from uuid import UUID

from services.customer.dealings import repository, rules
from services.customer.dealings.rules import Formulas
from shared.clock import day_of
from shared.db import Transaction
from shared.regime import Catalogue, Regimes, dump_value


class Totals:
    """Figures about customers on a day."""

    def __init__(self, regimes: Regimes) -> None:
        self._regimes = regimes
        self.formulas = lru_cache(maxsize=64)(self._formulas)

    def _formulas(self, catalogue: Catalogue, day: date) -> Formulas:
        return Formulas(catalogue, self._regimes.labels(on=day))

    async def of(
        self, tx: Transaction, catalogue: Catalogue, customer_ids: Sequence[UUID], day: date,
        names: Collection[str] | None = None,
    ) -> dict[UUID, dict[str, Decimal | None]]:  # fmt: skip
        """Every total of the catalogue for each customer, or those that expressions call by these names."""
        wanted = [each for each in catalogue.totals.values() if names is None or f"total.{each.code}" in names]
        return await repository.totals(tx, wanted, customer_ids, day)

    async def items_of(self, tx: Transaction, catalogue: Catalogue, customer_id: UUID, now: datetime) -> dict[str, Any]:
        """The system items of a customer as answers carry them; unknown ones are left out."""
        if not catalogue.system_items:
            return {}
        day = day_of(now)
        totals = await self.of(tx, catalogue, [customer_id], day)
        formulas = self.formulas(catalogue, day)
        values = formulas.compute(rules.row_of(totals[customer_id]))
        return {code: dump_value(rules.shown(formulas.items[code], value)) for code, value in values.items()}

    async def items_of_many(
        self, tx: Transaction, catalogue: Catalogue, customer_ids: Sequence[UUID], codes: Sequence[str], now: datetime
    ) -> dict[UUID, dict[str, Any]]:
        """Some system items of many customers; those with the same totals are computed once."""
        day = day_of(now)
        formulas = self.formulas(catalogue, day)
        computed: dict[tuple[Decimal | None, ...], dict[str, Any]] = {}
        found = {}
        for customer_id, totals in (await self.of(tx, catalogue, customer_ids, day)).items():
            key = tuple(totals.values())
            if key not in computed:
                values = formulas.compute(rules.row_of(totals), codes)
                shown = {code: rules.shown(formulas.items[code], value) for code, value in values.items()}
                computed[key] = {code: dump_value(value) for code, value in shown.items()}
            found[customer_id] = computed[key]
        return found
