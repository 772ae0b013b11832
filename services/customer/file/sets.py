"""SQL that looks at many files at once; part of the repository."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from services.customer.file.repository import Locked
from shared.db import Record, Transaction
from shared.sealing import WrappedKey

_BY_NUMBER = """
SELECT number, id, unit, manager, version, erased_at, merged_into, values FROM customer
WHERE kind = $1 AND number = ANY($2::text[])
"""
_LOCK_MANY = """
SELECT c.id, c.kind, c.unit, c.manager, c.version, c.erased_at, c.merged_into, c.values, k.kek, k.wrapped
FROM customer c JOIN subject_key k ON k.customer_id = c.id WHERE c.id = ANY($1::uuid[])
ORDER BY c.id FOR NO KEY UPDATE OF c
"""
_OPEN = "merged_into IS NULL AND erased_at IS NULL"
_OPEN_BY_UNIT = f"SELECT unit, count(*)::int n FROM customer WHERE manager = $1 AND {_OPEN} GROUP BY unit"  # noqa: S608
_OPEN_OF = f"SELECT id FROM customer WHERE manager = $1 AND unit = $2 AND {_OPEN} ORDER BY id"  # noqa: S608
_OPEN_AMONG = f"SELECT id, unit FROM customer WHERE manager = $1 AND id = ANY($2::uuid[]) AND {_OPEN}"  # noqa: S608
_SET_SINCE = """
SELECT DISTINCT e.customer_id FROM unnest($1::uuid[], $2::int[]) AS asked (id, version)
JOIN customer_event e ON e.customer_id = asked.id AND e.version > asked.version
WHERE e.items && $3::text[] AND e.type <> 'customer.verified'
"""  # a verification sets nothing
_LISTED = "SELECT * FROM customer WHERE id = ANY($1::uuid[])"
_KEYS = """
SELECT c.id, c.kind, c.unit, c.manager, k.kek, k.wrapped FROM customer c JOIN subject_key k ON k.customer_id = c.id
WHERE c.id = ANY($1::uuid[])
"""
_OLD_KEYS = """
SELECT customer_id, kek, wrapped FROM subject_key WHERE kek = ANY($1::text[]) ORDER BY kek, customer_id
LIMIT $2 FOR UPDATE SKIP LOCKED
"""
_OTHER_KEKS = "SELECT DISTINCT kek FROM subject_key WHERE kek <> $1"
_REWRAP = """
UPDATE subject_key k SET kek = $1, wrapped = fresh.wrapped
FROM unnest($2::uuid[], $3::bytea[]) AS fresh (customer_id, wrapped) WHERE k.customer_id = fresh.customer_id
"""


async def by_number(tx: Transaction, kind: str, numbers: Sequence[str]) -> list[Record]:
    """Place, version and values of the customers that have these numbers."""
    return await tx.fetch(_BY_NUMBER, kind, list(numbers))


async def lock_many(tx: Transaction, customer_ids: Sequence[UUID]) -> dict[UUID, Locked]:
    """Some files with all their values, locked in order of their ids."""
    found = {}
    for row in await tx.fetch(_LOCK_MANY, list(customer_ids)):
        key = WrappedKey(row["kek"], row["wrapped"]) if row["erased_at"] is None else None
        place = (row["kind"], row["unit"], row["manager"], row["version"], row["erased_at"], row["merged_into"])
        found[row["id"]] = Locked(*place, key, row["values"])
    return found


async def keys_of(tx: Transaction, customer_ids: Sequence[UUID]) -> dict[UUID, Record]:
    """Reach and data key of some customers; a destroyed key is None."""
    return {row["id"]: row for row in await tx.fetch(_KEYS, list(customer_ids))}


async def lock_old_keys(tx: Transaction, active: str, limit: int) -> list[Record]:
    """Some data keys that are not wrapped by the active key-encryption key, locked."""
    others = [row["kek"] for row in await tx.fetch(_OTHER_KEKS, active)]
    return await tx.fetch(_OLD_KEYS, others, limit) if others else []


async def rewrap(tx: Transaction, active: str, keys: Mapping[UUID, bytes]) -> int:
    """Store data keys as wrapped by the active key-encryption key."""
    return await tx.execute(_REWRAP, active, list(keys), list(keys.values()))


async def listed(tx: Transaction, customer_ids: Sequence[UUID]) -> list[Record]:
    """The whole rows of some files."""
    return await tx.fetch(_LISTED, list(customer_ids))


async def open_by_unit(tx: Transaction, manager: str) -> dict[str, int]:
    """How many files of a person are neither merged nor erased, by unit."""
    return {row["unit"]: row["n"] for row in await tx.fetch(_OPEN_BY_UNIT, manager)}


async def open_of(tx: Transaction, manager: str, unit: str) -> list[UUID]:
    """Those of a unit, in order of their ids."""
    return [row["id"] for row in await tx.fetch(_OPEN_OF, manager, unit)]


async def open_among(tx: Transaction, manager: str, customer_ids: Sequence[UUID]) -> dict[UUID, str]:
    """The unit of each of these files that is a person's, neither merged nor erased."""
    return {row["id"]: row["unit"] for row in await tx.fetch(_OPEN_AMONG, manager, list(customer_ids))}


async def set_since(tx: Transaction, versions: Mapping[UUID, int], codes: Sequence[str]) -> set[UUID]:
    """The files of which one of these items was set after a version of each."""
    rows = await tx.fetch(_SET_SINCE, list(versions), list(versions.values()), list(codes))
    return {row["customer_id"] for row in rows}
