"""SQL of people: who they are, what they hold, what happened to them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import date, datetime
from typing import Any
from uuid import UUID

from services.identity.staff.rules import Person, Role
from shared.db import Record, Transaction
from shared.events import Held, HeldLine
from shared.ids import new_id
from shared.sealing import WrappedKey

_COLUMNS = tuple(each.name for each in fields(Person))
_PERSON = ", ".join(_COLUMNS)
_ADD = f"INSERT INTO staff ({_PERSON}) VALUES ({', '.join(f'${n}' for n in range(1, len(_COLUMNS) + 1))})"  # noqa: S608
_KNOWN = f"SELECT {_PERSON} FROM staff WHERE name = ANY($1)"  # noqa: S608
_UNPUBLISHED = f"SELECT {_PERSON} FROM staff WHERE version = 0 ORDER BY name"  # noqa: S608
_NEXT = f"UPDATE staff SET version = version + 1 WHERE name = $1 RETURNING {_PERSON}"  # noqa: S608
_ADD_POST = """
INSERT INTO post (id, staff, unit, title, main, from_on, until_on, releases) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
"""
_ADD_GRANT = """
WITH noted AS (INSERT INTO role_given (role, unit, staff) VALUES ($3, $4, $2) ON CONFLICT DO NOTHING)
INSERT INTO role_grant (id, staff, role, unit, from_on, until_on, granted_by, granted_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
"""
_ADD_KEY = "INSERT INTO staff_key (staff, kek, wrapped) VALUES ($1, $2, $3)"
_KEYS = "SELECT staff, kek, wrapped FROM staff_key WHERE staff = ANY($1)"
_NOTE = """
INSERT INTO staff_event (staff, version, event_id, type, at, actor, items, sealed)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
"""

# What is held, within the days of employment. A transfer takes the roles over the unit that it leaves, except those
# that were given after it was announced (ids rise in time) and begin with it or later.
OWN = """
SELECT g.id, g.staff, g.role, g.unit, g.granted_by, greatest(g.from_on, s.first_day) AS from_on,
  least(g.until_on, s.last_day, (SELECT min(p.from_on) - 1 FROM post p
    WHERE p.staff = g.staff AND p.releases = g.unit AND (p.from_on > g.from_on OR p.id > g.id))) AS until_on
FROM role_grant g JOIN staff s ON s.name = g.staff
"""
_LENT = """
SELECT d.deputy, h.role, h.unit, h.staff, greatest(h.from_on, d.from_on, s.first_day) AS from_on,
  least(h.until_on, d.until_on, s.last_day) AS until_on, absent.clearance
FROM deputy d JOIN held h ON h.staff = d.staff JOIN staff s ON s.name = d.deputy
JOIN staff absent ON absent.name = d.staff
"""
_HELD = f"""
WITH held AS ({OWN} WHERE g.staff = ANY($1) OR g.staff IN (SELECT staff FROM deputy WHERE deputy = ANY($1)))
SELECT staff AS name, role, unit, from_on, until_on, NULL AS deputy_for, NULL AS clearance
FROM held WHERE staff = ANY($1)
UNION ALL SELECT deputy, role, unit, from_on, until_on, staff, clearance FROM ({_LENT} WHERE d.deputy = ANY($1)) lent
ORDER BY name, deputy_for NULLS FIRST, from_on, role, unit
"""  # noqa: S608 - our own text
_LINES = "SELECT id, channel, from_on, until_on FROM line WHERE holder = $1 ORDER BY id"
_LENT_BY = f"""
WITH held AS ({OWN} WHERE g.staff = $1)
SELECT deputy, role, unit, from_on, until_on, staff AS deputy_for, clearance FROM ({_LENT}) lent
WHERE until_on IS NULL OR until_on >= greatest(from_on, $2) ORDER BY deputy, from_on, role, unit
"""  # noqa: S608 - our own text
_GRANTS = f"SELECT * FROM ({OWN} WHERE g.staff = $1) held ORDER BY from_on, role, unit, id"  # noqa: S608
_HOLDERS = f"""
SELECT held.*, g.until_on AS given_until FROM ({OWN} WHERE g.role = $1 AND g.unit = $2) held
JOIN role_grant g USING (id) ORDER BY from_on, staff, id
"""  # noqa: S608 - our own text
_GIVEN_TO_OTHERS = "SELECT EXISTS (SELECT FROM role_given WHERE role = $1 AND unit = $2 AND staff <> $3)"
_HISTORY = """
SELECT version, event_id, type, at, actor, items, sealed FROM staff_event
WHERE staff = $1 AND version < $2 ORDER BY version DESC LIMIT $3
"""
_SINCE = "SELECT version, event_id, sealed FROM staff_event WHERE staff = $1 AND version > $2 ORDER BY version"
_OLD_KEYS = "SELECT staff, kek, wrapped FROM staff_key WHERE kek <> $1 ORDER BY staff LIMIT $2 FOR UPDATE SKIP LOCKED"
_REWRAP = """
UPDATE staff_key k SET kek = $1, wrapped = fresh.wrapped
FROM unnest($2::text[], $3::bytea[]) AS fresh (staff, wrapped) WHERE k.staff = fresh.staff
"""


async def get(tx: Transaction, name: str) -> Person | None:
    return (await known(tx, [name])).get(name)


async def known(tx: Transaction, names: Iterable[str]) -> dict[str, Person]:
    """Those of the names that there are."""
    return {row["name"]: Person(**row) for row in await tx.fetch(_KNOWN, list(names))}


async def unpublished(tx: Transaction) -> list[Person]:
    """People who were carried over from before there were events."""
    return [Person(**row) for row in await tx.fetch(_UNPUBLISHED)]


async def names(tx: Transaction) -> list[str]:
    """Everybody's, also of those who left."""
    return [row["name"] for row in await tx.fetch("SELECT name FROM staff ORDER BY name")]


async def add(tx: Transaction, person: Person) -> None:
    await tx.execute(_ADD, *(getattr(person, name) for name in _COLUMNS))


async def store(tx: Transaction, name: str, **values: Any) -> None:
    """Set columns of a person; their names are ours, never the caller's."""
    columns = ", ".join(f"{column} = ${place}" for place, column in enumerate(values, 2))
    await tx.execute(f"UPDATE staff SET {columns} WHERE name = $1", name, *values.values())  # noqa: S608


async def next_version(tx: Transaction, name: str) -> Person:
    """The person, one version further."""
    row = await tx.fetchrow(_NEXT, name)
    assert row is not None
    return Person(**row)


async def held(tx: Transaction, name: str) -> list[Held]:
    """All that a person holds, has held and will hold, their own first, then as somebody's deputy."""
    return [_held(row) for row in await tx.fetch(_HELD, [name]) if _is_span(row)]


async def lines(tx: Transaction, name: str) -> list[HeldLine]:
    """The company's numbers and accounts that a person has, had and will have; feature `line` above keeps them."""
    rows = await tx.fetch(_LINES, name)
    return [HeldLine(**{**dict(row), "id": str(row["id"])}) for row in rows]


async def lent(tx: Transaction, name: str, today: date) -> dict[str, list[Held]]:
    """What the deputies of a person hold in their place, now and to come."""
    found: dict[str, list[Held]] = {}
    for row in await tx.fetch(_LENT_BY, name, today):
        found.setdefault(row["deputy"], []).append(_held(row))
    return found


def _is_span(row: Record) -> bool:
    return row["until_on"] is None or row["until_on"] >= row["from_on"]


def _held(row: Record) -> Held:
    return Held(**{name: row[name] for name in Held.model_fields})


async def grants(tx: Transaction, name: str) -> list[Record]:
    """The roles that a person was given, as far as they take effect, with their ids."""
    return [row for row in await tx.fetch(_GRANTS, name) if _is_span(row)]


async def holders(tx: Transaction, role: str, unit: str) -> list[Record]:
    """Everybody who was given a role over a unit, as far as it takes effect; `given_until`: what was said then."""
    return [row for row in await tx.fetch(_HOLDERS, role, unit) if _is_span(row)]


async def was_given_to_others(tx: Transaction, role: str, unit: str, name: str) -> bool:
    """Whether anybody but this person was ever given a role over a unit, for however short a time."""
    return bool(await tx.fetchval(_GIVEN_TO_OTHERS, role, unit, name))


async def add_post(
    tx: Transaction, name: str, unit: str, title: str | None, from_on: date, until_on: date | None = None,
    *, main: bool = True, releases: str | None = None,
) -> UUID:  # fmt: skip
    post_id = new_id()
    await tx.execute(_ADD_POST, post_id, name, unit, title, main, from_on, until_on, releases)
    return post_id


async def add_grant(tx: Transaction, name: str, role: Role, actor: str, now: datetime) -> UUID:
    grant_id = new_id()
    await tx.execute(_ADD_GRANT, grant_id, name, role.role, role.unit, role.from_on, role.until_on, actor, now)
    return grant_id


async def add_key(tx: Transaction, name: str, key: WrappedKey) -> None:
    await tx.execute(_ADD_KEY, name, key.kek, key.wrapped)


async def keys_of(tx: Transaction, names: Iterable[str]) -> dict[str, WrappedKey]:
    """Data keys of some people."""
    rows = await tx.fetch(_KEYS, list(names))
    return {row["staff"]: WrappedKey(row["kek"], row["wrapped"]) for row in rows}


async def note(
    tx: Transaction, person: Person, event_id: UUID, kind: str, at: datetime, actor: str, items: Sequence[str],
    sealed: bytes,
) -> None:  # fmt: skip
    """The history row of a version."""
    await tx.execute(_NOTE, person.name, person.version, event_id, kind, at, actor, list(items), sealed)


async def history(tx: Transaction, name: str, below: int, limit: int) -> list[Record]:
    """History rows below a version, newest first."""
    return await tx.fetch(_HISTORY, name, below, limit)


async def since(tx: Transaction, name: str, version: int) -> list[Record]:
    """History rows above a version, oldest first."""
    return await tx.fetch(_SINCE, name, version)


async def lock_old_keys(tx: Transaction, active: str, limit: int) -> dict[str, WrappedKey]:
    """Some data keys that are not wrapped by the active key-encryption key, locked."""
    rows = await tx.fetch(_OLD_KEYS, active, limit)
    return {row["staff"]: WrappedKey(row["kek"], row["wrapped"]) for row in rows}


async def rewrap(tx: Transaction, active: str, keys: Mapping[str, bytes]) -> int:
    """Store data keys as wrapped by the active key-encryption key."""
    return await tx.execute(_REWRAP, active, list(keys), list(keys.values()))
