"""Reading entries, in the order of the log. Pages are found by index, so that each costs the same at any depth."""

from typing import Any

from services.audit.log.tiles import WIDTH
from services.audit.log.tree import HASH_SIZE
from services.audit.stream.rules import Filter, StoredEntry
from shared.db import Record, Transaction

_SELECT = f"""
SELECT e.index, e.event_id, e.type, e.source, e.subject, e.sequence, e.actor, e.occurred_at, e.received_at, e.payload,
       substring(t.hashes FROM (e.index % {WIDTH})::int * {HASH_SIZE} + 1 FOR {HASH_SIZE}) AS leaf_hash
FROM entry e JOIN tile t ON t.level = 0 AND t.number = e.index / {WIDTH}
WHERE"""  # noqa: S608 - constants


async def page(
    tx: Transaction, wanted: Filter, *, first: int, end: int, limit: int, descending: bool = False
) -> list[StoredEntry]:
    """Up to `limit` entries with `first <= index < end`, the oldest ones, or with `descending` the newest ones."""
    conditions, args = ["e.index >= $1 AND e.index < $2"], list[Any]((first, end))
    for condition, value in (
        ("e.subject =", wanted.subject),
        ("e.type =", wanted.type),
        ("e.actor =", wanted.actor),
        ("e.occurred_at >=", wanted.since),
        ("e.occurred_at <", wanted.until),
    ):
        if value is not None:
            args.append(value)
            conditions.append(f"{condition} ${len(args)}")
    order = "DESC" if descending else "ASC"
    query = " ".join([_SELECT, " AND ".join(conditions), "ORDER BY e.index", order, f"LIMIT {limit:d}"])
    return [_entry(row) for row in await tx.fetch(query, *args)]


async def get(tx: Transaction, index: int) -> StoredEntry | None:
    row = await tx.fetchrow(f"{_SELECT} e.index = $1", index)
    return None if row is None else _entry(row)


async def size(tx: Transaction, origin: str) -> int:
    found: int | None = await tx.fetchval("SELECT size FROM head WHERE origin = $1", origin)
    return found or 0


def _entry(row: Record) -> StoredEntry:
    index, event_id, *rest = row.values()
    return StoredEntry(index, str(event_id), *rest)
