"""SQL of customer lists: keyset pages over the list columns only, so that depth costs nothing.

Part of the repository, apart from it because its text is put together from whitelisted parts. A reach of several units
reads one short index range a unit and merges them, since one range over many units would have to sort them all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from services.customer.file.rules import after_prefix, name_key
from shared.auth import Scope
from shared.db import Record, Transaction

SHOWN = ("id", "kind", "unit", "number", "name", "manager", "status", "grade", "version", "created_at", "updated_at")
FILTERS = ("kind", "unit", "number", "manager", "status", "grade")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which customers: within a reach, equal to `filters` (names of FILTERS), names that begin with `name`."""

    scope: Scope
    filters: Mapping[str, str] = field(default_factory=dict)
    name: str | None = None
    after: tuple[bytes, UUID] | None = None


async def page(tx: Transaction, wanted: Wanted, limit: int) -> list[Record]:
    """A page in order of (name_key, id)."""
    args: list[Any] = []
    conditions = _conditions(wanted, args)
    tail = f"ORDER BY name_key, id LIMIT {int(limit)}"
    if wanted.scope.everything:
        return await tx.fetch(_select(conditions, tail), *args)
    branches = []
    if wanted.scope.units:
        args.append(sorted(wanted.scope.units))
        inner = _select([*conditions, "unit = within.unit"], tail)
        branches.append(
            f"SELECT found.* FROM unnest(${len(args)}::text[]) within (unit), LATERAL ({inner}) found"  # noqa: S608
        )
    if wanted.scope.assigned_to is not None:
        args.append(wanted.scope.assigned_to)
        branches.append(f"({_select([*conditions, f'manager = ${len(args)}'], tail)})")
    if not branches:
        return []
    return await tx.fetch(f"SELECT * FROM ({' UNION '.join(branches)}) reached {tail}", *args)  # noqa: S608 - our own names


def _select(conditions: list[str], tail: str) -> str:
    columns, where = ", ".join(SHOWN), " AND ".join(conditions) or "true"
    return f"SELECT {columns}, name_key FROM customer WHERE {where} {tail}"  # noqa: S608


def _conditions(wanted: Wanted, args: list[Any]) -> list[str]:
    found = []
    for column in FILTERS:
        if column in wanted.filters:
            args.append(wanted.filters[column])
            found.append(f"{column} = ${len(args)}")
    if wanted.name is not None:
        key = name_key(wanted.name)
        args.append(key)
        found.append(f"name_key >= ${len(args)}")
        if (end := after_prefix(key)) is not None:
            args.append(end)
            found.append(f"name_key < ${len(args)}")
    if wanted.after is not None:
        args += wanted.after
        found.append(f"(name_key, id) > (${len(args) - 1}, ${len(args)})")
    return found
