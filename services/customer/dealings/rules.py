"""Pure rules of dealings: reckoning windows, and system items computed from totals (R1.3)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from shared.expressions import Context, Program, Schema
from shared.regime import Catalogue, FieldType, Item, Value
from shared.regime.vocabulary import compiled

Totals = Mapping[str, Decimal | None]


def first_month(day: date, months: int) -> date:
    """The first day of a window of calendar months that ends with the month of `day`."""
    index = day.year * 12 + day.month - 1 - (months - 1)
    return date(index // 12, index % 12 + 1, 1)


def window(day: date, months: int, offset: int) -> tuple[date, date | None]:
    """The first day of a window of months that ends `offset` months before the month of `day`, and the first day after
    it; None if it ends with the day itself."""
    return first_month(day, months + offset), first_month(day, offset) if offset else None


def moved(before: Mapping[str, Decimal | None], after: Mapping[str, Decimal | None]) -> tuple[str, ...]:
    """The totals that differ, as expressions call them."""
    return tuple(f"total.{code}" for code in after if before.get(code) != after[code])


def row_of(totals: Totals) -> dict[str, Decimal | None]:
    """Totals as a row that expressions read."""
    return {f"total.{code}": figure for code, figure in totals.items()}


class Formulas:
    """The compiled formulas of a catalogue's system items, on one day."""

    def __init__(self, catalogue: Catalogue, lists: Mapping[str, Mapping[str, str]]) -> None:
        schema = Schema(catalogue.total_types, frozenset(lists))
        self._context = Context(lists)
        self.items: Mapping[str, Item] = {item.code: item for item in catalogue.system_items}
        self._programs: Mapping[str, Program] = {
            code: compiled(item.formula, schema) for code, item in self.items.items() if item.formula is not None
        }

    def totals_of(self, codes: Iterable[str]) -> frozenset[str]:
        """The totals (as expressions call them) that these system items are computed from."""
        return frozenset[str]().union(*(self._programs[code].fields for code in codes if code in self._programs))

    def programs_of(self, codes: Iterable[str]) -> list[Program]:
        """The compiled formulas of these system items."""
        return [self._programs[code] for code in codes if code in self._programs]

    def compute(self, row: Mapping[str, Decimal | None], codes: Iterable[str] | None = None) -> dict[str, Value]:
        """Values of the system items (all, or some) over a row of totals; unknown ones are left out."""
        found: dict[str, Value] = {}
        for code in self._programs if codes is None else codes:
            value = self._programs[code].evaluate(row, self._context)
            if value is not None:
                found[code] = _rounded(self.items[code], value)
        return found


def _rounded(item: Item, value: Value) -> Value:
    """The value with as many digits as its item has."""
    if not isinstance(value, Decimal):
        return value
    digits = 0 if item.type is FieldType.INTEGER else item.scale
    return value.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)


def shown(item: Item, value: Value) -> Value:
    """The form in which answers carry it: whole numbers are JSON numbers."""
    return int(value) if item.type is FieldType.INTEGER and isinstance(value, Decimal) else value
