"""What an evaluation knows besides its row: code lists, the calendar, the table, the prior period.

Built once per table (or once per process for single records) by the caller of `Program.evaluate`; group results and
the index of the prior period are computed on first use, in one pass each, and kept. It never loads anything.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

from shared.expressions.errors import ContextError
from shared.expressions.types import Row, Value

Groups = Mapping[Hashable, Value | None]
"""The result of one group function by group key."""


@dataclass(frozen=True)
class Context:
    """`lists`: code -> label by list id. `workdays(a, b)`: working days after `a` up to and including `b`, None where
    the calendar is not known. `rows`: the whole table. `key`: fields that find a row again in `prior_rows`; an empty
    key finds the only row there, as totals need it."""

    lists: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    workdays: Callable[[date, date], int | None] | None = None
    rows: Sequence[Row] | None = None
    key: tuple[str, ...] = ()
    prior_rows: Sequence[Row] | None = None
    _groups: dict[object, Groups] = field(default_factory=dict, init=False, repr=False, compare=False)

    def code_list(self, list_id: str) -> Mapping[str, str]:
        """The labels of a list by code."""
        try:
            return self.lists[list_id]
        except KeyError:
            raise ContextError(f"the context has no code list {list_id!r}") from None

    def workdays_between(self, start: date, end: date) -> int | None:
        """Working days after `start` up to and including `end`; None where the calendar does not know."""
        if self.workdays is None:
            raise ContextError("the context has no calendar")
        return self.workdays(start, end)

    def groups(self, owner: object, compute: Callable[[Sequence[Row]], Groups]) -> Groups:
        """The results of the group function `owner`, computed over the table at its first use."""
        found = self._groups.get(owner)
        if found is None:
            if self.rows is None:
                raise ContextError("the context has no table")
            found = self._groups[owner] = compute(self.rows)
        return found

    def prior_row(self, row: Row) -> Row | None:
        """The row with the same key in the prior period; None if there is none, or more than one."""
        return self._prior_by_key.get(self._key_of(row))

    @cached_property
    def _prior_by_key(self) -> Mapping[tuple[object, ...], Row | None]:
        if self.prior_rows is None:
            raise ContextError("the context has no prior period")
        found: dict[tuple[object, ...], Row | None] = {}
        for row in self.prior_rows:
            key = self._key_of(row)
            if None not in key:
                found[key] = None if key in found else row
        return found

    def _key_of(self, row: Row) -> tuple[object, ...]:
        return tuple(row.get(name) for name in self.key)
