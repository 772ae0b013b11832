"""What is to be handed over, and who knows of it. Features above (lines, custody) offer theirs as `Holdings`."""

from dataclasses import dataclass
from datetime import date
from typing import Protocol

from services.identity.staff.repository import OWN
from services.identity.staff.rules import DAY
from shared.db import Record, Transaction

_ROLES = f"""
SELECT held.id, held.role, held.unit, EXISTS (
  SELECT FROM ({OWN} WHERE g.staff <> $1 AND g.role = held.role AND g.unit = held.unit) others
  WHERE $3 BETWEEN others.from_on AND coalesce(others.until_on, $3)) AS done
FROM ({OWN} WHERE g.staff = $1) held WHERE $2 BETWEEN held.from_on AND coalesce(held.until_on, $2)
ORDER BY held.role, held.unit
"""  # noqa: S608 - our own text
_POSTS = """
SELECT p.id, p.title, p.unit, EXISTS (SELECT FROM post o JOIN staff s ON s.name = o.staff
  WHERE o.staff <> $1 AND o.unit = p.unit AND o.title = p.title AND $3 >= o.from_on AND $3 <= coalesce(o.until_on, $3)
    AND s.first_day <= $3 AND $3 <= coalesce(s.last_day, $3)) AS done
FROM post p WHERE p.staff = $1 AND p.from_on <= $2 AND $2 <= coalesce(p.until_on, $2)
ORDER BY p.main DESC, p.unit
"""
_DEPUTISING = """
SELECT d.id, d.staff, s.unit, EXISTS (SELECT FROM deputy o JOIN staff t ON t.name = o.deputy
  WHERE o.deputy <> $1 AND o.staff = d.staff AND $3 >= o.from_on AND $3 <= o.until_on
    AND $3 <= coalesce(t.last_day, $3)) AS done
FROM deputy d JOIN staff s ON s.name = d.staff
WHERE d.deputy = $1 AND d.from_on <= $2 AND $2 <= d.until_on AND (s.last_day IS NULL OR s.last_day >= $3)
ORDER BY d.staff
"""


@dataclass(frozen=True, slots=True)
class Carried:
    """One thing that a person holds; `what` is a role, the title of a post, a channel, whom they stand in for."""

    kind: str
    id: str | None
    what: str | None
    unit: str | None
    done: bool


class Holdings(Protocol):
    """Things that people hold, kept by a feature above; what is held ends with its holder's leaving."""

    async def carried(self, tx: Transaction, name: str, day: date) -> list[Carried]:
        """What a person holds on a day, and whether somebody else has it from the next day on."""
        ...

    async def end_with(self, tx: Transaction, name: str, last_day: date) -> None:
        """End what a leaver holds; what was to begin later never will."""
        ...


async def of_a_leaver(tx: Transaction, name: str, day: date) -> list[Carried]:
    """What people of this feature hold on a last day: posts, roles, absent colleagues' affairs."""
    posts = await _rows(tx, _POSTS, name, day)
    relations = await _rows(tx, _DEPUTISING, name, day)
    return [
        *(Carried("post", str(row["id"]), row["title"], row["unit"], row["done"]) for row in posts),
        *await roles(tx, name, day),
        *(Carried("deputising", str(row["id"]), row["staff"], row["unit"], row["done"]) for row in relations),
    ]


async def roles(tx: Transaction, name: str, day: date) -> list[Carried]:
    """The roles that a person holds on a day."""
    rows = await _rows(tx, _ROLES, name, day)
    return [Carried("role", str(row["id"]), row["role"], row["unit"], row["done"]) for row in rows]


async def _rows(tx: Transaction, statement: str, name: str, day: date) -> list[Record]:
    return await tx.fetch(statement, name, day, day + DAY)
