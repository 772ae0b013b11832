"""SQL of what people hold: posts, roles and deputies, how they begin and how they end. Part of the repository."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from services.identity.staff.rules import DAY
from shared.db import Record, Transaction
from shared.ids import new_id

_DEPUTIES = "SELECT DISTINCT deputy FROM deputy WHERE staff = $1 AND until_on >= $2 ORDER BY deputy"
_STANDS_IN = """
SELECT EXISTS (SELECT FROM deputy WHERE staff = $1 AND deputy = $2
  AND daterange(from_on, until_on, '[]') && daterange($3, $4, '[]'))
"""
_ADD_DEPUTY = """
INSERT INTO deputy (id, staff, deputy, from_on, until_on, named_by, named_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
"""
_RELATIONS = """
SELECT id, staff, deputy, from_on, until_on, named_by FROM deputy WHERE staff = $1 OR deputy = $1
ORDER BY from_on, staff, deputy, id
"""
_POSTS = "SELECT id, unit, title, main, from_on, until_on, releases FROM post WHERE staff = $1 ORDER BY from_on, id"
_MAIN_ON = """
SELECT unit FROM post WHERE staff = $1 AND main AND from_on <= $2 AND (until_on IS NULL OR until_on >= $2)
"""
_DUE = """
SELECT name FROM staff s WHERE state <> 'left' AND (last_day < $1 OR (state = 'expected' AND first_day <= $1)
  OR EXISTS (SELECT FROM post p WHERE p.staff = s.name AND p.main AND p.from_on <= $1
    AND (p.until_on IS NULL OR p.until_on >= $1) AND p.unit <> s.unit))
ORDER BY name LIMIT $2
"""
_TABLES = {"role_grant": "staff = $1", "post": "staff = $1", "deputy": "(staff = $1 OR deputy = $1)"}


async def due(tx: Transaction, today: date, limit: int) -> list[str]:
    """People for whom something takes effect."""
    return [row["name"] for row in await tx.fetch(_DUE, today, limit)]


async def end_grant(tx: Transaction, grant_id: UUID, today: date) -> None:
    """End a role with yesterday; one that has not begun, or began today, never was."""
    await _end(tx, "role_grant", grant_id, today)


async def deputies(tx: Transaction, name: str, on: date) -> list[str]:
    """Who stands in for a person on a day or later."""
    return [row["deputy"] for row in await tx.fetch(_DEPUTIES, name, on)]


async def stands_in(tx: Transaction, name: str, deputy: str, from_on: date, until_on: date) -> bool:
    """Whether somebody stands in for a person on any of these days."""
    return bool(await tx.fetchval(_STANDS_IN, name, deputy, from_on, until_on))


async def relations(tx: Transaction, name: str) -> list[Record]:
    """Who stands in for a person, and for whom the person stands in."""
    return await tx.fetch(_RELATIONS, name)


async def add_deputy(
    tx: Transaction, name: str, deputy: str, from_on: date, until_on: date, actor: str, now: datetime
) -> UUID:
    deputy_id = new_id()
    await tx.execute(_ADD_DEPUTY, deputy_id, name, deputy, from_on, until_on, actor, now)
    return deputy_id


async def end_deputy(tx: Transaction, deputy_id: UUID, today: date) -> None:
    await _end(tx, "deputy", deputy_id, today)


async def posts(tx: Transaction, name: str) -> list[Record]:
    """All posts of a person, oldest first."""
    return await tx.fetch(_POSTS, name)


async def end_post(tx: Transaction, post_id: UUID, today: date) -> None:
    await _end(tx, "post", post_id, today)


async def set_post(tx: Transaction, post_id: UUID, column: str, value: Any) -> None:
    """Set `from_on` or `until_on` of a post."""
    await tx.execute(f"UPDATE post SET {column} = $2 WHERE id = $1", post_id, value)  # noqa: S608 - our own name


async def main_unit(tx: Transaction, name: str, on: date) -> str | None:
    """The unit of the main post in force on a day."""
    unit: str | None = await tx.fetchval(_MAIN_ON, name, on)
    return unit


async def end_everything(tx: Transaction, name: str, last_day: date) -> None:
    """End all posts, roles and deputies of a leaver; what was to begin later never will."""
    for table, whose in _TABLES.items():
        ends = "from_on <= $2 AND (until_on IS NULL OR until_on > $2)"
        await tx.execute(f"UPDATE {table} SET until_on = $2 WHERE {whose} AND {ends}", name, last_day)  # noqa: S608
        await tx.execute(f"DELETE FROM {table} WHERE {whose} AND from_on > $2", name, last_day)  # noqa: S608


async def _end(tx: Transaction, table: str, row_id: UUID, today: date) -> None:
    """`table` is one of ours."""
    if not await tx.execute(f"DELETE FROM {table} WHERE id = $1 AND from_on >= $2", row_id, today):  # noqa: S608
        await tx.execute(f"UPDATE {table} SET until_on = $2 WHERE id = $1", row_id, today - DAY)  # noqa: S608
