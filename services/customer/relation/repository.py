"""SQL of relations. Whoever adds or changes one holds the rows of its customers, so that sums and pairs stay true."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from shared.db import Record, Transaction

_ADD = """
INSERT INTO relation (id, customer_id, kind, other_id, party, sealed, share, since, version, added_at, added_by)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 1, $9, $10)
"""
_GET = "SELECT * FROM relation WHERE id = $1 AND customer_id = $2"
_CHANGE = """
UPDATE relation SET sealed = $2, share = $3, since = $4, ended_on = $5, version = version + 1 WHERE id = $1
"""
_NOTE = "INSERT INTO relation_event (relation_id, version, type, at, actor, facts) VALUES ($1, $2, $3, $4, $5, $6)"
_SHARES = """
SELECT coalesce(sum(share), 0) FROM relation
WHERE customer_id = $1 AND kind = $2 AND ended_on IS NULL AND id <> $3
"""
_PAIR = """
SELECT true FROM relation WHERE kind = $3 AND ended_on IS NULL
  AND (customer_id = $1 AND other_id = $2 OR $4 AND customer_id = $2 AND other_id = $1) LIMIT 1
"""
_PAGE = """
SELECT * FROM (
  (SELECT * FROM relation WHERE customer_id = $1 AND id < $2 AND ($4::boolean IS NULL OR (ended_on IS NULL) = $4)
   ORDER BY id DESC LIMIT $3)
  UNION ALL
  (SELECT * FROM relation WHERE other_id = $1 AND id < $2 AND ($4::boolean IS NULL OR (ended_on IS NULL) = $4)
   ORDER BY id DESC LIMIT $3)
) found ORDER BY id DESC LIMIT $3
"""
_HAPPENINGS = """
SELECT e.*, r.customer_id, r.other_id FROM relation_event e
JOIN (SELECT id, customer_id, other_id FROM relation WHERE customer_id = $1
      UNION ALL SELECT id, customer_id, other_id FROM relation WHERE other_id = $1) r ON r.id = e.relation_id
WHERE e.at < $2 ORDER BY e.at DESC, e.relation_id, e.version DESC LIMIT $3
"""
_OF = """
SELECT * FROM relation WHERE (customer_id = $1 OR other_id = $1) AND ($2::uuid[] IS NULL OR id = ANY($2)) ORDER BY id
FOR UPDATE
"""
_MOVE_OWN = "UPDATE relation SET customer_id = $2, sealed = $3 WHERE id = $1"
_MOVE_OTHER = "UPDATE relation SET other_id = $2 WHERE id = $1"
_ERASE = "UPDATE relation SET sealed = NULL WHERE customer_id = $1"


async def add(
    tx: Transaction, relation_id: UUID, customer_id: UUID, columns: Mapping[str, Any], at: datetime, actor: str
) -> None:
    """Keep a relation; `columns`: kind, other_id, party, sealed, share, since."""
    given = (columns[name] for name in ("kind", "other_id", "party", "sealed", "share", "since"))
    await tx.execute(_ADD, relation_id, customer_id, *given, at, actor)


async def get(tx: Transaction, customer_id: UUID, relation_id: UUID) -> Record | None:
    """A relation that stands in the file of a customer."""
    return await tx.fetchrow(_GET, relation_id, customer_id)


async def change(tx: Transaction, relation_id: UUID, columns: Mapping[str, Any]) -> None:
    """Its next version: sealed, share, since, ended_on."""
    await tx.execute(_CHANGE, relation_id, *(columns[name] for name in ("sealed", "share", "since", "ended_on")))


async def note(
    tx: Transaction, relation_id: UUID, version: int, kind: str, at: datetime, actor: str, facts: Mapping[str, Any]
) -> None:
    """What happened to it, as an event type."""
    await tx.execute(_NOTE, relation_id, version, kind, at, actor, facts)


async def shares(tx: Transaction, customer_id: UUID, kind: str, relation_id: UUID) -> Decimal:
    """The shares of a customer in relations of a kind that go on, but for one."""
    found: Decimal = await tx.fetchval(_SHARES, customer_id, kind, relation_id)
    return found


async def is_there(tx: Transaction, customer_id: UUID, other: UUID, kind: str, *, either_way: bool) -> bool:
    """Whether two customers are related so, and it goes on."""
    return bool(await tx.fetchval(_PAIR, customer_id, other, kind, either_way))


async def page(
    tx: Transaction, customer_id: UUID, below: UUID, limit: int, going_on: bool | None
) -> list[Record]:  # fmt: skip
    """Relations of a customer from both sides, newest first."""
    return await tx.fetch(_PAGE, customer_id, below, limit, going_on)


async def happenings(tx: Transaction, customer_id: UUID, before: datetime, limit: int) -> list[Record]:
    """What happened last to relations of a customer before a moment, newest first."""
    return await tx.fetch(_HAPPENINGS, customer_id, before, limit)


async def lock_of(tx: Transaction, customer_id: UUID, relation_ids: Sequence[UUID] | None) -> list[Record]:
    """Relations of a customer from both sides, all or these, locked."""
    return await tx.fetch(_OF, customer_id, None if relation_ids is None else list(relation_ids))


async def move_own(tx: Transaction, relation_id: UUID, target: UUID, sealed: bytes | None) -> None:
    """Put a relation into the file of another customer."""
    await tx.execute(_MOVE_OWN, relation_id, target, sealed)


async def move_other(tx: Transaction, relation_id: UUID, target: UUID) -> None:
    """Make another customer the other side."""
    await tx.execute(_MOVE_OTHER, relation_id, target)


async def erase(tx: Transaction, customer_id: UUID) -> None:
    """Forget who the parties outside are, in relations that stand in the file of a customer."""
    await tx.execute(_ERASE, customer_id)
