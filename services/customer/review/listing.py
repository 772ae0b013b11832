"""SQL of the due list: keyset pages of each cadence by its last day, from a range of an index that holds all of it.

Part of the repository. Whose files: of a manager, of a unit, of all, or of the units within a reach; the last is found
by a walk past a bounded number of reviews, and where that finds too few, from unit to unit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID

from shared.auth import Scope
from shared.db import Record, Transaction

_COLUMNS = "customer_id, cadence, kind, unit, manager, opens_on, due_on"
_NOTHING = "NULL::uuid, NULL, NULL, NULL, NULL, NULL::date, NULL::date"
_IN_ORDER = "due_on, customer_id"
_WALK = 4_000
_COUNTS = """
SELECT unit, manager, cadence, due_on, sum(n)::int AS n FROM review_count
WHERE n > 0 AND ($1 OR unit = ANY($2::text[]) OR manager = ANY($3::text[])) AND ($4::text IS NULL OR unit = $4)
  AND ($5::text IS NULL OR manager = $5) AND ($6::text IS NULL OR kind = $6)
GROUP BY unit, manager, cadence, due_on ORDER BY unit, manager
"""


@dataclass(frozen=True, slots=True)
class Span:
    """Reviews of one cadence whose last day lies in a span; None for no bound."""

    cadence: str
    first: date | None
    last: date | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which reviews: within a reach, of these spans, of a manager, unit or kind if one is named."""

    scope: Scope
    spans: Sequence[Span]
    manager: str | None = None
    unit: str | None = None
    kind: str | None = None
    after: tuple[date, UUID, str] | None = None


async def page(tx: Transaction, wanted: Wanted, limit: int) -> list[Record]:
    """A page in order of (due_on, customer_id, cadence)."""
    found: dict[tuple[date, UUID, str], Record] = {}
    for part in _parts(wanted):
        for span in wanted.spans if part.scope else ():
            rows = await _Range(part, span, limit).read(tx)
            found |= {(row["due_on"], row["customer_id"], row["cadence"]): row for row in rows}
    return [found[place] for place in sorted(found)[:limit]]


async def counts(tx: Transaction, wanted: Wanted) -> list[Record]:
    """How many reviews there are by unit, manager, cadence and last day."""
    scope = wanted.scope
    reach = scope.everything, list(scope.units), list(scope.assigned_to)
    return await tx.fetch(_COUNTS, *reach, wanted.unit, wanted.manager, wanted.kind)


def _parts(wanted: Wanted) -> Sequence[Wanted]:
    """The same reviews, with the reach left out where a filter says as much; units and own files apart."""
    scope = wanted.scope
    if scope.reaches(wanted.unit, wanted.manager):
        return [replace(wanted, scope=Scope(everything=True))]
    parts = [replace(wanted, scope=Scope(assigned_to=scope.assigned_to))] if scope.assigned_to else []
    if scope.units and wanted.unit is None:
        parts.append(replace(wanted, scope=Scope(units=scope.units)))
    return parts


class _Range:
    """A page of one cadence: the arguments of its statement, and the conditions that refer to them."""

    def __init__(self, wanted: Wanted, span: Span, limit: int) -> None:
        self._scope, self._by_manager = wanted.scope, wanted.manager is not None
        self._limit = int(limit)
        self._args: list[Any] = []
        self._range = [f"cadence = {self._put(span.cadence)}"]
        if span.first is not None:
            self._range.append(f"due_on >= {self._put(span.first)}")
        if span.last is not None:
            self._range.append(f"due_on <= {self._put(span.last)}")
        if wanted.after is not None:
            day, customer_id, cadence = wanted.after
            beyond = ">=" if span.cadence > cadence else ">"
            self._range.append(f"({_IN_ORDER}) {beyond} ({self._put(day)}, {self._put(customer_id)})")
        named = {"manager": wanted.manager, "unit": wanted.unit, "kind": wanted.kind}
        self._named = [f"{column} = {self._put(value)}" for column, value in named.items() if value is not None]

    def _put(self, argument: Any) -> str:
        self._args.append(argument)
        return f"${len(self._args)}"

    async def read(self, tx: Transaction) -> list[Record]:
        if self._scope.everything:
            return await tx.fetch(self._ordered([*self._range, *self._named]), *self._args)
        if self._scope.assigned_to:
            own = f"manager = ANY({self._put(list(self._scope.assigned_to))}::text[])"
            return await tx.fetch(self._ordered([*self._range, *self._named, own]), *self._args)
        if self._by_manager:
            return await tx.fetch(self._ordered([*self._range, *self._named, self._within_reach()]), *self._args)
        walked = await self._walk(tx)
        return walked if walked is not None else await self._merge(tx)

    def _ordered(self, conditions: Sequence[str], limit: int | None = None) -> str:
        return (
            f"SELECT {_COLUMNS} FROM review_due WHERE {' AND '.join(conditions)} "  # noqa: S608 - our own names
            f"ORDER BY {_IN_ORDER} LIMIT {limit or self._limit}"
        )

    def _within_reach(self) -> str:
        """A set of units is hashed, and stays a set by IS TRUE; a list would be searched for each review."""
        return f"(unit IN (SELECT unnest({self._put(list(self._scope.units))}::text[]))) IS TRUE"

    async def _walk(self, tx: Transaction) -> list[Record] | None:
        """Past so many reviews of whatever units; None if that is too short a way."""
        placed = len(self._args)
        asked = " AND ".join([*self._named, self._within_reach()])
        path = self._ordered(self._range, _WALK)
        beyond = f"SELECT FROM review_due WHERE {' AND '.join(self._range)} ORDER BY {_IN_ORDER} OFFSET {_WALK} LIMIT 1"
        rows = await tx.fetch(
            f"(SELECT * FROM ({path}) passed WHERE {asked} ORDER BY {_IN_ORDER} LIMIT {self._limit})"  # noqa: S608
            f" UNION ALL (SELECT {_NOTHING} FROM ({beyond}) beyond) LIMIT {self._limit}",
            *self._args,
        )
        del self._args[placed:]
        return rows if not rows or rows[-1]["customer_id"] is not None else None

    async def _merge(self, tx: Transaction) -> list[Record]:
        """From unit to unit. A page of n reviews comes from the n units whose first reviews come first."""
        units, conditions = self._put(list(self._scope.units)), [*self._range, *self._named, "unit = asked.unit"]
        tail = f"ORDER BY {_IN_ORDER} LIMIT {self._limit}"
        near = (
            f"SELECT asked.unit FROM unnest({units}::text[]) asked (unit), "  # noqa: S608
            f"LATERAL ({self._ordered(conditions, 1)}) first {tail}"
        )
        return await tx.fetch(
            f"SELECT found.* FROM ({near}) asked, LATERAL ({self._ordered(conditions)}) found {tail}",  # noqa: S608
            *self._args,
        )
