"""SQL of the list of people: keyset pages by name within a reach. Part of the repository."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from services.identity.staff.repository import OWN
from shared.auth import Scope
from shared.db import Record, Transaction

SHOWN = ("name", "full_name", "unit", "state", "first_day", "last_day", "version")
_HOLDS = f"""
EXISTS (SELECT FROM ({OWN} WHERE g.staff = person.name AND g.role = ${{role}}) held
  WHERE ${{today}} BETWEEN held.from_on AND coalesce(held.until_on, ${{today}}))
"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which people: within a reach, of a unit, in a state, who hold a role today."""

    scope: Scope
    filters: Mapping[str, str] = field(default_factory=dict)
    after: str = ""


async def page(tx: Transaction, wanted: Wanted, today: date, limit: int) -> list[Record]:
    """A page in order of the name."""
    args: list[Any] = [wanted.after, limit]
    conditions = ["person.name > $1"]
    for column in ("unit", "state"):
        if column in wanted.filters:
            args.append(wanted.filters[column])
            conditions.append(f"person.{column} = ${len(args)}")
    if "role" in wanted.filters:
        args += [wanted.filters["role"], today]
        conditions.append(_HOLDS.replace("{role}", str(len(args) - 1)).replace("{today}", str(len(args))))
    if not wanted.scope.everything:
        args += [list(wanted.scope.units), list(wanted.scope.assigned_to)]
        conditions.append(f"(person.unit = ANY(${len(args) - 1}::text[]) OR person.name = ANY(${len(args)}::text[]))")
    columns, where = ", ".join(f"person.{name}" for name in SHOWN), " AND ".join(conditions)
    found = f"SELECT {columns} FROM staff person WHERE {where} ORDER BY person.name LIMIT $2"  # noqa: S608 - our own
    return await tx.fetch(found, *args)
