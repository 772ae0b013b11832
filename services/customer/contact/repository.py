"""All SQL of contacts. Whoever records or corrects one holds the row of its customer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from services.customer.contact.rules import Wanted
from shared.db import Record, Transaction

_FILE = "SELECT id, kind, unit, manager, created_at, values FROM customer WHERE id = $1"
_FIRST = """
SELECT NOT EXISTS (SELECT FROM contact
  WHERE customer_id = $1 AND kind = $2 AND NOT withdrawn AND held_at <= $3 AND id IS DISTINCT FROM $4)
"""
_LAST_VISIT = "SELECT max(held_at) FROM contact WHERE customer_id = $1 AND visit AND NOT withdrawn"
_ADD = """
INSERT INTO contact (id, customer_id, kind, held_at, visit, flagged, withdrawn, by_unit, recorded_by, recorded_at,
  version)
VALUES ($1, $2, $3, $4, $5, $6, false, $7, $8, $9, 1)
"""
_CHANGE = "UPDATE contact SET held_at = $2, flagged = $3, withdrawn = $4, version = version + 1 WHERE id = $1"
_NOTE = """
INSERT INTO contact_version (contact_id, version, event_id, type, at, actor, facts, sealed)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
"""
_CURRENT = """
SELECT c.*, v.event_id, v.facts, v.sealed, f.unit, f.manager FROM contact c
JOIN contact_version v ON v.contact_id = c.id AND v.version = c.version JOIN customer f ON f.id = c.customer_id
"""
_VERSIONS = "SELECT * FROM contact_version WHERE contact_id = ANY($1::uuid[]) ORDER BY contact_id, version"
_HAPPENINGS = """
SELECT v.*, c.kind FROM contact c JOIN contact_version v ON v.contact_id = c.id
WHERE c.customer_id = $1 AND v.at < $2 ORDER BY v.at DESC, v.contact_id, v.version DESC LIMIT $3
"""
_ALL = f"{_CURRENT} WHERE c.customer_id = $1 AND ($2::uuid[] IS NULL OR c.id = ANY($2)) ORDER BY c.id FOR UPDATE OF c"
_MOVE = "UPDATE contact SET customer_id = $2 WHERE id = ANY($1::uuid[])"
_RESEAL = "UPDATE contact_version SET sealed = $3 WHERE contact_id = $1 AND version = $2"


async def file(tx: Transaction, customer_id: UUID) -> Record:
    """A file as contacts look at it: kind, unit, manager, values, since when it is there."""
    row = await tx.fetchrow(_FILE, customer_id)
    assert row is not None
    return row


async def is_first(tx: Transaction, customer_id: UUID, kind: str, at: datetime, but: UUID | None) -> bool:
    """Whether no contact of a kind that stands was held before a moment, or at it; one aside."""
    return bool(await tx.fetchval(_FIRST, customer_id, kind, at, but))


async def last_visit(tx: Transaction, customer_id: UUID) -> datetime | None:
    """When the last visit that stands was made."""
    found: datetime | None = await tx.fetchval(_LAST_VISIT, customer_id)
    return found


async def add(tx: Transaction, row: Sequence[Any]) -> None:
    """A contact: id, customer, kind, held_at, visit, flagged, by_unit, recorded_by, recorded_at."""
    await tx.execute(_ADD, *row)


async def change(tx: Transaction, contact_id: UUID, at: datetime, *, flagged: bool, withdrawn: bool) -> None:
    """Its next version."""
    await tx.execute(_CHANGE, contact_id, at, flagged, withdrawn)


async def note(tx: Transaction, row: Sequence[Any]) -> None:
    """A version: contact, version, event id and type, moment, actor, facts, sealed words."""
    await tx.execute(_NOTE, *row)


async def get(tx: Transaction, customer_id: UUID, contact_id: UUID) -> Record | None:
    """A contact of a customer with its current version."""
    return await tx.fetchrow(f"{_CURRENT} WHERE c.id = $1 AND c.customer_id = $2", contact_id, customer_id)


async def versions(tx: Transaction, contact_ids: Sequence[UUID]) -> dict[UUID, list[Record]]:
    """Every version of contacts, the first one first."""
    found: dict[UUID, list[Record]] = {each: [] for each in contact_ids}
    for row in await tx.fetch(_VERSIONS, list(contact_ids)):
        found[row["contact_id"]].append(row)
    return found


async def page(tx: Transaction, wanted: Wanted, limit: int) -> list[Record]:
    """Contacts with their current version, the latest first."""
    args: list[Any] = [limit]

    def put(value: Any) -> str:
        args.append(value)
        return f"${len(args)}"

    conditions = ["true"]
    named = {
        "c.customer_id": wanted.customer_id,
        "f.unit": wanted.unit,
        "f.manager": wanted.manager,
        "c.kind": wanted.kind,
    }
    conditions += [f"{column} = {put(value)}" for column, value in named.items() if value is not None]
    if wanted.staff is not None:
        conditions.append(f"v.facts->'staff' ? {put(wanted.staff)}")
    if wanted.flagged is not None:
        conditions.append("c.flagged" if wanted.flagged else "NOT c.flagged")
    if wanted.before is not None:
        conditions.append(f"(c.held_at, c.id) < ({put(wanted.before[0])}, {put(wanted.before[1])})")
    if not wanted.scope.everything:
        units, own = put(list(wanted.scope.units)), put(list(wanted.scope.assigned_to))
        conditions.append(f"(f.unit = ANY({units}::text[]) OR f.manager = ANY({own}::text[]))")
    text = f"{_CURRENT} WHERE {' AND '.join(conditions)} ORDER BY c.held_at DESC, c.id DESC LIMIT $1"
    return await tx.fetch(text, *args)


async def happenings(tx: Transaction, customer_id: UUID, before: datetime, limit: int) -> list[Record]:
    """What happened last to contacts of a customer before a moment, newest first."""
    return await tx.fetch(_HAPPENINGS, customer_id, before, limit)


async def lock_of(tx: Transaction, customer_id: UUID, contact_ids: Sequence[UUID] | None = None) -> list[Record]:
    """Contacts of a customer, all or these, locked."""
    return await tx.fetch(_ALL, customer_id, None if contact_ids is None else list(contact_ids))


async def move(tx: Transaction, contact_ids: Sequence[UUID], target: UUID) -> None:
    """Give contacts to another customer."""
    await tx.execute(_MOVE, list(contact_ids), target)


async def reseal(tx: Transaction, version: Mapping[str, Any] | Record, sealed: bytes) -> None:
    """The same words of a version under another key."""
    await tx.execute(_RESEAL, version["contact_id"], version["version"], sealed)
