"""SQL of customer lists: keyset pages over indexes that hold all that is looked at, so that depth costs nothing.

Part of the repository, apart from it because its text is put together from whitelisted parts. A reach of many units is
no range of an index, and there are two ways to its page. A walk looks at customers in order until the page is full:
quick where a fair part of them is within reach, hence bounded. A merge asks each unit for its first customer, and the
units that come first for the rest: a little for each unit, whatever lies between. So we walk, then merge.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from services.customer.file.rules import after_prefix, name_key
from shared.auth import Scope
from shared.db import Record, Transaction

SHOWN = (
    "id", "kind", "unit", "number", "name", "manager", "status", "grade", "version", "created_at", "updated_at",
    "merged_into",
)  # fmt: skip
FILTERS = ("kind", "unit", "number", "manager", "status", "grade")

_OF_FEW = frozenset({"number", "manager"})  # few customers share one: their index ends soon, in whatever reach
_OF_MANY = ("grade", "status")  # each has an index in order of the list, beside the one for all customers
_FEW_UNITS = 64  # asked sooner than a walk is made
_WALK, _LONG_WALK = 4_000, 20_000  # customers; about one millisecond, and five


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which customers: within a reach, of these kinds if `filters` does not name one, equal to `filters` (names of
    FILTERS), names that begin with `name`; open files, or those that were merged into another."""

    scope: Scope
    kinds: Sequence[str] = ()
    filters: Mapping[str, str] = field(default_factory=dict)
    name: str | None = None
    after: tuple[bytes, UUID] | None = None
    merged: bool = False

    @property
    def asked(self) -> frozenset[str]:
        """The columns by which somebody filters."""
        return frozenset(self.filters) | ({"name"} if self.name is not None else frozenset())


async def stream(tx: Transaction, wanted: Wanted, size: int) -> AsyncIterator[list[Record]]:
    """All of them with their values, in order of their ids, `size` at a time, from one snapshot."""
    if wanted.scope:
        sql, args = _Statement(_simplified(wanted), 0).whole()
        cursor = await tx.connection.cursor(sql, *args)
        while rows := await cursor.fetch(size):
            yield rows


async def page(tx: Transaction, wanted: Wanted, limit: int) -> list[Record]:
    """A page in order of (name_key, id)."""
    wanted = _simplified(wanted)
    scope, filters = wanted.scope, wanted.filters
    if scope == Scope():
        return []
    if bool(scope.units) + len(scope.assigned_to) > 1:
        parts = [Scope(assigned_to=frozenset({each})) for each in scope.assigned_to]
        parts += [Scope(units=scope.units)] if scope.units else []
        found = {row["id"]: row for part in parts for row in await page(tx, replace(wanted, scope=part), limit)}
        return sorted(found.values(), key=lambda row: (row["name_key"], row["id"]))[:limit]
    if scope.everything or wanted.merged or not _OF_FEW.isdisjoint(filters):
        return await _Statement(wanted, limit).straight(tx)
    if len(scope.units) > _FEW_UNITS:
        for column, longest in _walks(filters):
            if (rows := await _Statement(wanted, limit).walk(tx, column, longest)) is not None:
                return rows
    return await _Statement(wanted, limit).merge(tx)


async def rows(tx: Transaction, customer_ids: Sequence[UUID]) -> list[Record]:
    """What lists show of these files."""
    return await tx.fetch(f"SELECT {', '.join(SHOWN)} FROM customer WHERE id = ANY($1::uuid[])", list(customer_ids))  # noqa: S608


def _simplified(wanted: Wanted) -> Wanted:
    """The same customers, with the reach as a filter, or left out, where that says the same."""
    scope, filters = wanted.scope, wanted.filters
    if scope.reaches(filters.get("unit"), filters.get("manager")):
        return replace(wanted, scope=Scope(everything=True))
    units = scope.units if "unit" not in filters else frozenset()
    assigned_to = scope.assigned_to if "manager" not in filters else frozenset()
    if not units and len(assigned_to) == 1:
        return replace(wanted, scope=Scope(everything=True), filters={**filters, "manager": next(iter(assigned_to))})
    if len(units) == 1 and not assigned_to:
        return replace(wanted, scope=Scope(everything=True), filters={**filters, "unit": next(iter(units))})
    return replace(wanted, scope=Scope(units=units, assigned_to=assigned_to))


def _walks(filters: Mapping[str, str]) -> Iterator[tuple[str | None, int]]:
    """By which filter's index (None: all customers) and how far; farther where the units would have to search, too."""
    columns: list[str | None] = [each for each in _OF_MANY if each in filters] or [None]
    yield from ((column, _WALK) for column in columns)
    yield from ((column, _LONG_WALK) for column in columns if filters.keys() - {column})


class _Statement:
    """One statement: its arguments, and the conditions that refer to them.

    Each way finds the places (name_key, id) of a page in an index alone, and only then reads these customers.
    """

    def __init__(self, wanted: Wanted, limit: int) -> None:
        self._scope = wanted.scope
        self._limit = int(limit)
        self._tail = f"ORDER BY name_key, id LIMIT {self._limit}"
        self._args: list[Any] = []
        self._filters = {
            each: f"{each} = {self._put(wanted.filters[each])}" for each in FILTERS if each in wanted.filters
        }
        if "kind" not in self._filters:
            self._filters["kind"] = f"kind = ANY({self._put(list(wanted.kinds))}::text[])"
        self._filters["merged_into"] = f"merged_into IS {'NOT ' if wanted.merged else ''}NULL"
        self._range = self._range_of(wanted)

    def _put(self, argument: Any) -> str:
        self._args.append(argument)
        return f"${len(self._args)}"

    def _range_of(self, wanted: Wanted) -> list[str]:
        found = []
        if wanted.name is not None:
            key = name_key(wanted.name)
            found.append(f"name_key >= {self._put(key)}")
            if (end := after_prefix(key)) is not None:
                found.append(f"name_key < {self._put(end)}")
        if wanted.after is not None:
            key, last = wanted.after
            found.append(f"(name_key, id) > ({self._put(key)}, {self._put(last)})")
        return found

    @property
    def _conditions(self) -> list[str]:
        return [*self._filters.values(), *self._range]

    async def straight(self, tx: Transaction) -> list[Record]:
        """By one range of one index, which the planner chooses."""
        within = [] if self._scope.everything else [self._within_reach()]
        return await self._read(tx, self._places([*self._conditions, *within]))

    async def walk(self, tx: Transaction, column: str | None, longest: int) -> list[Record] | None:
        """Past at most so many customers, of all or of those that fit the filter on `column`; None if too short."""
        passed = [*self._range, *([self._filters[column]] if column else [])]
        asked = [each for name, each in self._filters.items() if name != column]
        path = f"SELECT * FROM customer WHERE {_all(passed)} ORDER BY name_key, id"  # noqa: S608 - our own names
        rows = await self._read(
            tx,
            f"(SELECT name_key, id FROM ({path} LIMIT {longest}) passed"  # noqa: S608
            f" WHERE {_all([*asked, self._within_reach()])} {self._tail})"
            f" UNION ALL (SELECT NULL, NULL FROM ({path} OFFSET {longest} LIMIT 1) beyond) LIMIT {self._limit}",
        )
        return rows if not rows or rows[-1]["id"] is not None else None

    async def merge(self, tx: Transaction) -> list[Record]:
        """From unit to unit. A page of n customers comes from the n units whose first customers come first."""
        units, conditions = self._put(list(self._scope.units)), [*self._conditions, "unit = asked.unit"]
        first = self._places(conditions, "ORDER BY name_key, id LIMIT 1")
        near = f"SELECT asked.unit FROM unnest({units}::text[]) asked (unit), LATERAL ({first}) first {self._tail}"  # noqa: S608
        return await self._read(
            tx,
            f"SELECT found.* FROM ({near}) asked, LATERAL ({self._places(conditions)}) found {self._tail}",  # noqa: S608
        )

    def whole(self) -> tuple[str, Sequence[Any]]:
        """Everything of all of them, by one scan."""
        within = []
        if not self._scope.everything:
            managers = self._put(list(self._scope.assigned_to))
            within.append(f"({self._within_reach()} OR manager = ANY({managers}::text[]))")
        where = _all([*self._conditions, *within, "erased_at IS NULL"])
        return f"SELECT id, unit, manager, version, values FROM customer WHERE {where} ORDER BY id", self._args  # noqa: S608

    def _within_reach(self) -> str:
        """A set of units is hashed, and stays a set by IS TRUE; a list would be searched for each customer."""
        return f"(unit IN (SELECT unnest({self._put(list(self._scope.units))}::text[]))) IS TRUE"

    def _places(self, conditions: Sequence[str], tail: str | None = None) -> str:
        return f"SELECT name_key, id FROM customer WHERE {_all(conditions)} {tail or self._tail}"  # noqa: S608

    async def _read(self, tx: Transaction, places: str) -> list[Record]:
        shown = ", ".join(f"customer.{column}" for column in SHOWN)
        return await tx.fetch(
            f"SELECT {shown}, place.name_key FROM ({places}) place LEFT JOIN customer ON customer.id = place.id"  # noqa: S608
            " ORDER BY place.name_key, place.id",
            *self._args,
        )


def _all(conditions: Sequence[str]) -> str:
    return " AND ".join(conditions) or "true"
