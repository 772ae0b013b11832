"""All SQL of simulations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from uuid import UUID

from services.customer.simulation.rules import Simulation, State
from shared.auth import Scope
from shared.db import Record, Transaction

_NAMES = tuple(each.name for each in fields(Simulation))
_ADD = f"""
INSERT INTO simulation ({", ".join(_NAMES)}) VALUES ({", ".join(f"${n}" for n in range(1, len(_NAMES) + 1))})
"""  # noqa: S608 - our own columns
_MOVE_ON = """
UPDATE simulation SET state = $2, checked = $3, last_id = $4, counts = $5, done_at = $6 WHERE id = $1
"""
_WITHIN = """kind = $1 AND ($2 OR unit = ANY($3::text[]) OR manager = ANY($4::text[]))
  AND abs(hashtext(id::text)) % 100 < $5"""
_COUNT = f"SELECT count(*) FROM customer WHERE {_WITHIN}"  # noqa: S608
_NEXT = f"""
SELECT id FROM customer WHERE {_WITHIN} AND ($6::uuid IS NULL OR id > $6) ORDER BY id LIMIT $7
"""  # noqa: S608
_MOVES = """
INSERT INTO simulated_move (simulation_id, customer_id, before, after)
SELECT $1, * FROM unnest($2::uuid[], $3::text[], $4::text[])
"""
_PAGE = """
SELECT c.id AS customer_id, c.unit, m.before, m.after
FROM simulated_move m JOIN customer c ON c.id = m.customer_id
WHERE m.simulation_id = $1 AND ($2::uuid IS NULL OR m.customer_id > $2)
  AND ($3::text IS NULL OR m.before = $3) AND ($4::text IS NULL OR m.after = $4)
  AND ($5 OR c.unit = ANY($6::text[]) OR c.manager = ANY($7::text[]))
ORDER BY m.customer_id LIMIT $8
"""
_GET = "SELECT * FROM simulation WHERE id = $1"
_OLDEST = "SELECT * FROM simulation WHERE state = 'running' ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED"
_FORGET = """
DELETE FROM simulation WHERE id IN (SELECT id FROM simulation WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)
"""


async def add(tx: Transaction, simulation: Simulation) -> None:
    """A new one."""
    await tx.execute(_ADD, *(getattr(simulation, name) for name in _NAMES))


async def get(tx: Transaction, simulation_id: UUID, *, lock: bool = False) -> Simulation | None:
    """One, locked until the transaction ends if that is asked for."""
    row = await tx.fetchrow(f"{_GET} FOR UPDATE" if lock else _GET, simulation_id)
    return None if row is None else _simulation(row)


async def oldest(tx: Transaction) -> Simulation | None:
    """The one whose turn it is, locked."""
    row = await tx.fetchrow(_OLDEST)
    return None if row is None else _simulation(row)


async def move_on(tx: Transaction, simulation: Simulation) -> None:
    """Store how far it has come."""
    state = (simulation.state.value, simulation.checked, simulation.last_id, dict(simulation.counts))
    await tx.execute(_MOVE_ON, simulation.id, *state, simulation.done_at)


async def count(tx: Transaction, simulation: Simulation) -> int:
    """How many customers it is about."""
    return int(await tx.fetchval(_COUNT, *_scope(simulation)))


async def following(tx: Transaction, simulation: Simulation, limit: int) -> list[UUID]:
    """The next customers that it is about, in order of id."""
    return [row["id"] for row in await tx.fetch(_NEXT, *_scope(simulation), simulation.last_id, limit)]


async def add_moves(tx: Transaction, simulation_id: UUID, moves: Sequence[tuple[UUID, str | None, str | None]]) -> None:
    """Customers who would get another grade: id, before, after."""
    columns = [list(column) for column in zip(*moves, strict=True)]
    await tx.execute(_MOVES, simulation_id, *columns)


async def page(
    tx: Transaction, simulation_id: UUID, scope: Scope, before: str | None, after: str | None, above: UUID | None,
    limit: int,
) -> list[Record]:  # fmt: skip
    """Customers within a scope who would move, by id."""
    within = (scope.everything, list(scope.units), list(scope.assigned_to))
    return await tx.fetch(_PAGE, simulation_id, above, before, after, *within, limit)


async def forget(tx: Transaction, now: datetime, limit: int) -> int:
    """Remove results that expired; how many."""
    return await tx.execute(_FORGET, now, limit)


def _scope(simulation: Simulation) -> tuple[object, ...]:
    return (simulation.kind, simulation.everything, simulation.units, simulation.names, simulation.sample)


def _simulation(row: Record) -> Simulation:
    return Simulation(**{**{name: row[name] for name in _NAMES}, "state": State(row["state"])})
