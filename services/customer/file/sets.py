"""SQL that looks at many files at once; part of the repository."""

from __future__ import annotations

from collections.abc import Sequence
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
