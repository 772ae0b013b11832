"""All SQL of the organisation tree."""

from collections.abc import Sequence, Set
from datetime import date, datetime
from typing import Any
from uuid import UUID

from services.identity.org.rules import Unit
from shared.auth import Scope
from shared.db import Record, Transaction, advisory_key

_UNIT = "SELECT id, parent, kind, title, version, closed_at FROM unit"
_PAGE = f"{_UNIT} WHERE id > $1 AND ($3 OR id = ANY($4::text[])) ORDER BY id LIMIT $2"
_ADD = "INSERT INTO unit (id, parent, kind, title, version) VALUES ($1, $2, $3, $4, $5)"
_HOLD = "SELECT pg_advisory_xact_lock($1), current_setting('kehu.holder', true) AS holder"
_STORE = "UPDATE unit SET parent = $2, kind = $3, title = $4, version = $5, closed_at = $6 WHERE id = $1"
_NOTE = "INSERT INTO unit_event (unit, version, event_id, at, actor, changes) VALUES ($1, $2, $3, $4, $5, $6)"

# UNION, not UNION ALL: should the tree ever hold a circle, the walk still ends.
_ABOVE = """
WITH RECURSIVE above (id, parent) AS (
  SELECT id, parent FROM unit WHERE id = $1 UNION SELECT u.id, u.parent FROM unit u JOIN above a ON u.id = a.parent
)
SELECT id FROM above
"""
_BELOW = """
WITH RECURSIVE below (id) AS (
  SELECT id FROM unit WHERE id = $1 UNION SELECT u.id FROM unit u JOIN below b ON u.parent = b.id
)
SELECT id FROM below
"""
_IN_USE = """
SELECT (SELECT count(*) FROM unit WHERE parent = $1 AND closed_at IS NULL) AS units,
  (SELECT count(DISTINCT p.staff) FROM post p JOIN staff s ON s.name = p.staff
   WHERE p.unit = $1 AND s.state <> 'left' AND (p.until_on IS NULL OR p.until_on >= $2)) AS people
"""
# Roles over units with everybody who acts under them, now or to come: holders, their deputies, programs.
_ROLES_OVER = """
WITH given AS (
  SELECT g.role, g.staff FROM role_grant g JOIN staff s ON s.name = g.staff
  WHERE g.unit = ANY($1) AND s.state <> 'left' AND (g.until_on IS NULL OR g.until_on >= $2)
)
SELECT role, 'staff/' || staff AS holder FROM given
UNION SELECT g.role, 'staff/' || d.deputy FROM given g JOIN deputy d USING (staff) WHERE d.until_on >= $2
UNION SELECT unnest(roles), 'client/' || name FROM client WHERE unit = ANY($1)
ORDER BY role, holder
"""
_HISTORY = """
SELECT version, event_id, at, actor, changes FROM unit_event WHERE unit = $1 AND version < $2
ORDER BY version DESC LIMIT $3
"""
_SINCE = "SELECT version, changes FROM unit_event WHERE unit = $1 AND version > $2 ORDER BY version"


async def hold(tx: Transaction) -> str | None:
    """Nobody else writes to the directory until this transaction ends; for whom it is held so already."""
    row = await tx.fetchrow(_HOLD, advisory_key("identity:directory"))
    assert row is not None
    return row["holder"] or None


async def name_holder(tx: Transaction, actor: str) -> None:
    """Say for whom it is held; like the lock itself, forgotten with the transaction or savepoint."""
    await tx.execute("SELECT set_config('kehu.holder', $1, true)", actor)


async def get(tx: Transaction, unit: str) -> Unit | None:
    return (await known(tx, [unit])).get(unit)


async def known(tx: Transaction, units: Sequence[str]) -> dict[str, Unit]:
    """Those of the units that there are."""
    return {row["id"]: Unit(**row) for row in await tx.fetch(f"{_UNIT} WHERE id = ANY($1)", units)}


async def unpublished(tx: Transaction) -> list[Unit]:
    """Units that were carried over from before there were events."""
    return [Unit(**row) for row in await tx.fetch(f"{_UNIT} WHERE version = 0 ORDER BY id")]


async def every(tx: Transaction) -> list[Unit]:
    return [Unit(**row) for row in await tx.fetch(f"{_UNIT} ORDER BY id")]


async def page(tx: Transaction, scope: Scope, after: str, limit: int) -> list[Unit]:
    """Units within a reach, by id."""
    return [Unit(**row) for row in await tx.fetch(_PAGE, after, limit, scope.everything, list(scope.units))]


async def add(tx: Transaction, unit: Unit) -> None:
    await tx.execute(_ADD, unit.id, unit.parent, unit.kind, unit.title, unit.version)


async def store(tx: Transaction, unit: Unit) -> None:
    """The unit as it is from now on."""
    await tx.execute(_STORE, unit.id, unit.parent, unit.kind, unit.title, unit.version, unit.closed_at)


async def note(tx: Transaction, unit: Unit, event_id: UUID, at: datetime, actor: str, changes: dict[str, Any]) -> None:
    """The history row of a version."""
    await tx.execute(_NOTE, unit.id, unit.version, event_id, at, actor, changes)


async def above(tx: Transaction, unit: str) -> set[str]:
    """The unit and all units above it."""
    return {row["id"] for row in await tx.fetch(_ABOVE, unit)}


async def below(tx: Transaction, unit: str) -> set[str]:
    """The unit and all units under it."""
    return {row["id"] for row in await tx.fetch(_BELOW, unit)}


async def in_use(tx: Transaction, unit: str, today: date) -> tuple[int, int]:
    """How many open units, and how many people with a post now or to come, are in a unit."""
    row = await tx.fetchrow(_IN_USE, unit, today)
    assert row is not None
    return row["units"], row["people"]


async def roles_over(tx: Transaction, units: Set[str], today: date) -> dict[str, set[str]]:
    """Roles over some units, each with the actors who hold it, now or to come."""
    found: dict[str, set[str]] = {}
    for row in await tx.fetch(_ROLES_OVER, list(units), today):
        found.setdefault(row["role"], set()).add(row["holder"])
    return found


async def since(tx: Transaction, unit: str, version: int) -> list[Record]:
    """History rows above a version, oldest first."""
    return await tx.fetch(_SINCE, unit, version)


async def history(tx: Transaction, unit: str, below: int, limit: int) -> list[Record]:
    """History rows below a version, newest first."""
    return await tx.fetch(_HISTORY, unit, below, limit)
