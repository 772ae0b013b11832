"""All SQL of lines."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from asyncpg import ExclusionViolationError

from shared.auth import Scope
from shared.db import Record, Transaction
from shared.ids import new_id

_ADD = """
INSERT INTO line (id, channel, value, holder, from_on, until_on, assigned_by, assigned_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
"""
_SHOWN = """
SELECT l.id, l.channel, l.value, l.holder, s.unit, l.from_on, l.until_on, l.assigned_by
FROM line l JOIN staff s ON s.name = l.holder
"""
_CARRIED = """
SELECT l.id, l.channel, s.unit,
  (l.ended_by IS NOT NULL AND l.until_on IS NOT NULL AND l.until_on <= $2) OR EXISTS (SELECT FROM line o
    WHERE o.channel = l.channel AND o.value = l.value AND o.holder <> l.holder AND o.from_on > $2) AS done
FROM line l JOIN staff s ON s.name = l.holder
WHERE l.holder = $1 AND l.from_on <= $2 AND (l.until_on IS NULL OR l.until_on >= $2)
ORDER BY l.channel, l.id
"""
_END_ALL = "UPDATE line SET until_on = $2 WHERE holder = $1 AND from_on <= $2 AND (until_on IS NULL OR until_on > $2)"
_DROP_LATER = "DELETE FROM line WHERE holder = $1 AND from_on > $2"


class Held(Exception):
    """Somebody has this line on one of these days."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which lines: within a reach, of a channel, of one value, of a holder, in force on a day."""

    scope: Scope
    channel: str | None = None
    value: str | None = None
    holder: str | None = None
    on: date | None = None
    after: UUID | None = None


async def add(
    tx: Transaction, channel: str, value: str, holder: str, from_on: date, until_on: date | None, actor: str,
    now: datetime,
) -> UUID:  # fmt: skip
    """A line for a holder. Raises: Held"""
    line_id = new_id()
    try:
        async with tx.savepoint():
            await tx.execute(_ADD, line_id, channel, value, holder, from_on, until_on, actor, now)
    except ExclusionViolationError:
        raise Held from None
    return line_id


async def set_end(tx: Transaction, line_id: UUID, until_on: date, actor: str) -> None:
    """Let it end on another day. Raises: Held"""
    try:
        async with tx.savepoint():
            await tx.execute("UPDATE line SET until_on = $2, ended_by = $3 WHERE id = $1", line_id, until_on, actor)
    except ExclusionViolationError:
        raise Held from None


async def drop(tx: Transaction, line_id: UUID) -> None:
    """Forget a line that nobody has had."""
    await tx.execute("DELETE FROM line WHERE id = $1", line_id)


async def get(tx: Transaction, line_id: UUID) -> Record | None:
    return await tx.fetchrow(_SHOWN + "WHERE l.id = $1", line_id)


async def page(tx: Transaction, wanted: Wanted, limit: int) -> list[Record]:
    """A page in order of the id: as they were assigned."""
    args: list[Any] = [limit]
    conditions = ["true"]
    for column in ("channel", "value", "holder"):
        if (given := getattr(wanted, column)) is not None:
            args.append(given)
            conditions.append(f"l.{column} = ${len(args)}")
    if wanted.on is not None:
        args.append(wanted.on)
        conditions.append(f"l.from_on <= ${len(args)} AND ${len(args)} <= coalesce(l.until_on, ${len(args)})")
    if wanted.after is not None:
        args.append(wanted.after)
        conditions.append(f"l.id > ${len(args)}")
    if not wanted.scope.everything:
        args += [list(wanted.scope.units), list(wanted.scope.assigned_to)]
        conditions.append(f"(s.unit = ANY(${len(args) - 1}::text[]) OR s.name = ANY(${len(args)}::text[]))")
    return await tx.fetch(f"{_SHOWN} WHERE {' AND '.join(conditions)} ORDER BY l.id LIMIT $1", *args)


async def carried(tx: Transaction, holder: str, day: date) -> list[Record]:
    """What a person holds on a day; done if somebody took it back, or it is somebody else's afterwards."""
    return await tx.fetch(_CARRIED, holder, day)


async def end_all(tx: Transaction, holder: str, last_day: date) -> None:
    """End what a leaver holds; what was to begin later never will."""
    await tx.execute(_END_ALL, holder, last_day)
    await tx.execute(_DROP_LATER, holder, last_day)
