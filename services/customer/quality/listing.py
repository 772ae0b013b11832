"""SQL of the drill-down: figures by unit, manager or what fails, over months, and the files behind them.

Part of the repository, apart from it because its text is put together from whitelisted parts.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from services.customer.quality.repository import FIGURES, MARKS
from shared.auth import Scope
from shared.db import Record, Transaction

_SUMS = ", ".join(f"sum({name}) AS {name}" for name in FIGURES)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Whose files: within a reach; of these units, of a manager or kind, if one is named."""

    scope: Scope
    units: frozenset[str] | None = None
    manager: str | None = None
    kind: str | None = None


@dataclass(slots=True)
class _Conditions:
    """Conditions with the arguments that they refer to; only those that are asked for, for the sake of the plan."""

    args: list[Any] = field(default_factory=list)
    texts: list[str] = field(default_factory=lambda: ["true"])

    def put(self, argument: Any) -> str:
        self.args.append(argument)
        return f"${len(self.args)}"

    def add(self, text: str, *arguments: Any) -> None:
        self.texts.append(text.format(*map(self.put, arguments)))

    def __str__(self) -> str:
        return " AND ".join(self.texts)


def _of(wanted: Wanted) -> _Conditions:
    found, scope = _Conditions(), wanted.scope
    if not scope.everything:
        found.add("(unit = ANY({}::text[]) OR manager = ANY({}::text[]))", list(scope.units), list(scope.assigned_to))
    if wanted.units is not None:
        found.add("unit = ANY({}::text[])", list(wanted.units))
    if wanted.manager is not None:
        found.add("manager = {}", wanted.manager)
    if wanted.kind is not None:
        found.add("kind = {}", wanted.kind)
    return found


def average(column: str) -> str:
    """The mean of a mark over a group of sums; above all marks where no file has one."""
    return f"coalesce(sum({column}) / nullif(sum({'n' if column == 'score' else f'{column}_n'}), 0), 101)"


async def figures(
    tx: Transaction, wanted: Wanted, by: str | None, mark: str, after: tuple[Decimal, str] | None, limit: int
) -> list[Record]:
    """Figures by unit or manager, those with the worst mean mark first; all in one row if `by` is neither.

    Each row: name, the sums, `levels` as {level: number of files}, `mean` to go on after.
    """
    assert mark in MARKS
    name = {"unit": "unit", "manager": "manager"}.get(by or "", "''")
    asked = _of(wanted)
    inner = f"SELECT {name} AS name, level, {_SUMS} FROM quality_sum WHERE {asked} GROUP BY 1, 2 HAVING sum(n) > 0"  # noqa: S608
    having = "true"
    if after is not None:
        having = f"(round({average(mark)}, 9), name) > ({asked.put(after[0])}::numeric, {asked.put(after[1])})"
    return await tx.fetch(
        f"SELECT name, {_SUMS}, jsonb_object_agg(level, n) AS levels, round({average(mark)}, 9) AS mean "  # noqa: S608
        f"FROM ({inner}) line GROUP BY name HAVING {having} ORDER BY mean, name LIMIT {asked.put(limit)}",
        *asked.args,
    )


async def months(tx: Transaction, wanted: Wanted, first_days: Sequence[date]) -> list[Record]:
    """The same in one row a month, as it stood when the month ended, or stands; none for months before all files."""
    asked = _of(wanted)
    days = asked.put(list(first_days))
    latest = (
        "SELECT DISTINCT ON (unit, manager, kind, level) * FROM quality_month m "  # noqa: S608
        f"WHERE m.month <= asked.month AND {asked} ORDER BY unit, manager, kind, level, m.month DESC"
    )
    inner = (
        f"SELECT asked.month, level, {_SUMS} FROM unnest({days}::date[]) asked (month), LATERAL ({latest}) latest "  # noqa: S608
        "GROUP BY 1, 2 HAVING sum(n) > 0"
    )
    columns = f"month, {_SUMS}, jsonb_object_agg(level, n) AS levels"
    return await tx.fetch(f"SELECT {columns} FROM ({inner}) line GROUP BY month ORDER BY month", *asked.args)  # noqa: S608


async def failing(
    tx: Transaction, wanted: Wanted, things: Collection[tuple[str, str]], after: tuple[int, str, str] | None, limit: int
) -> list[Record]:
    """How many files fail in each of these things (kind, what), most first."""
    asked = _of(wanted)
    kinds, whats = asked.put([kind for kind, _ in things]), asked.put([what for _, what in things])
    having = "sum(n) > 0"
    if after is not None:
        place = ", ".join(map(asked.put, (-after[0], *after[1:])))
        having += f" AND (-sum(n), kind, failing) > ({place})"
    return await tx.fetch(
        f"SELECT kind, failing, sum(n)::int AS n FROM quality_count WHERE {asked} "  # noqa: S608
        f"AND (kind, failing) IN (SELECT * FROM unnest({kinds}::text[], {whats}::text[])) "
        f"GROUP BY kind, failing HAVING {having} ORDER BY n DESC, kind, failing LIMIT {asked.put(limit)}",
        *asked.args,
    )


async def files(
    tx: Transaction, wanted: Wanted, mark: str, below: Decimal | None, level: str | None,
    whats: Sequence[str] | None, after: tuple[Decimal, UUID] | None, limit: int,
) -> list[Record]:  # fmt: skip
    """Files with a mark, the worst first; below a mark, of a level, failing in any of these, if that is asked for."""
    assert mark in MARKS
    asked = _of(wanted)
    asked.add(f"level IS NOT NULL AND {mark} IS NOT NULL")
    if below is not None:
        asked.add(f"{mark} < {{}}", below)
    if level is not None:
        asked.add("level = {}", level)
    if whats is not None:
        asked.add("failing && {}::text[]", list(whats))
    if after is not None:
        asked.add(f"({mark}, customer_id) > ({{}}, {{}})", *after)
    return await tx.fetch(
        "SELECT customer_id, kind, unit, manager, level, score, completeness, accuracy, timeliness, "  # noqa: S608
        f"cardinality(failing) AS failing, assessed_at FROM quality WHERE {asked} "
        f"ORDER BY {mark}, customer_id LIMIT {asked.put(limit)}",
        *asked.args,
    )
