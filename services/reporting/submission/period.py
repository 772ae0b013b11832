"""Periods as submissions name them: 2026-10, 2026-Q4, 2026. Pure; which kind a report has is declared by the report."""

import re
from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Self

from shared.regime.report import Period

EARLIEST, LATEST = 1900, 9998
FORMS: Mapping[Period, str] = MappingProxyType(
    {Period.MONTH: "YYYY-MM", Period.QUARTER: "YYYY-Qn", Period.YEAR: "YYYY"}
)
_WRITTEN = {
    Period.MONTH: re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])"),
    Period.QUARTER: re.compile(r"([0-9]{4})-Q([1-4])"),
    Period.YEAR: re.compile(r"([0-9]{4})()"),
}
_MONTHS = {Period.MONTH: 1, Period.QUARTER: 3, Period.YEAR: 12}


@dataclass(frozen=True, slots=True)
class Span:
    """One period: the `number`-th of its kind in its year, from 1."""

    kind: Period
    year: int
    number: int

    @classmethod
    def parse(cls, kind: Period, text: str) -> Self | None:
        """The period that `text` names, or None if it names none of this kind."""
        found = _WRITTEN[kind].fullmatch(text)
        if found is None or not EARLIEST <= int(found[1]) <= LATEST:
            return None
        return cls(kind, int(found[1]), int(found[2] or 1))

    def __str__(self) -> str:
        match self.kind:
            case Period.MONTH:
                return f"{self.year:04}-{self.number:02}"
            case Period.QUARTER:
                return f"{self.year:04}-Q{self.number}"
            case Period.YEAR:
                return f"{self.year:04}"

    @property
    def first(self) -> date:
        """Its first day."""
        return date(self.year, (self.number - 1) * _MONTHS[self.kind] + 1, 1)

    @property
    def last(self) -> date:
        """Its last day."""
        month = self.number * _MONTHS[self.kind]
        return date(self.year, month, monthrange(self.year, month)[1])

    def before(self) -> Self:
        """The period before."""
        if self.number > 1:
            return type(self)(self.kind, self.year, self.number - 1)
        return type(self)(self.kind, self.year - 1, 12 // _MONTHS[self.kind])
