"""SQL of duplicates. A customer is found by look-ups in one index, a few for each compared value."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from shared.auth import Scope
from shared.db import Record, Transaction, advisory_key

_FILES = """
SELECT c.id, c.kind, c.unit, c.manager, c.name, c.erased_at IS NOT NULL OR c.merged_into IS NOT NULL AS closed,
  (SELECT jsonb_object_agg(code, c.values -> code) FROM unnest($2::text[]) code WHERE c.values ? code) AS present
FROM customer c WHERE c.id = ANY($1::uuid[])
"""
# What more customers share than are looked at says nothing about any two of them.
_NEAR = """
SELECT DISTINCT asked.one, holders.id AS other FROM unnest($1::uuid[], $2::bigint[]) AS asked (one, key),
LATERAL (
  SELECT array_agg(customer_id) AS ids
  FROM (SELECT customer_id FROM duplicate_key WHERE key = asked.key LIMIT $3 + 2) few
) shared, LATERAL unnest(CASE WHEN cardinality(shared.ids) <= $3 + 1 THEN shared.ids END) AS holders (id)
WHERE holders.id <> asked.one
"""
_HELD = "SELECT customer_id, keys FROM duplicate_file WHERE customer_id = ANY($1::uuid[])"
_TAKE_KEYS = """
DELETE FROM duplicate_key k USING unnest($1::uuid[], $2::bigint[]) AS old (customer_id, key)
WHERE k.key = old.key AND k.customer_id = old.customer_id
"""
_GIVE_KEYS = """
INSERT INTO duplicate_key (customer_id, key) SELECT * FROM unnest($1::uuid[], $2::bigint[]) ON CONFLICT DO NOTHING
"""
_KEEP_FILES = """
INSERT INTO duplicate_file (customer_id, keys)
SELECT customer_id, keys FROM jsonb_to_recordset($1) AS given (customer_id uuid, keys bigint[])
ON CONFLICT (customer_id) DO UPDATE SET keys = excluded.keys
"""
_FORGET_FILES = "DELETE FROM duplicate_file WHERE customer_id = ANY($1::uuid[])"
_PAIRS_OF = "SELECT * FROM duplicate_pair WHERE low = ANY($1::uuid[]) OR high = ANY($1::uuid[])"
_PAIR = "SELECT * FROM duplicate_pair WHERE id = $1"
_STORE = """
INSERT INTO duplicate_pair AS old
  (id, low, high, low_unit, low_manager, high_unit, high_manager, verdict, score, found_at)
SELECT id, low, high, low_unit, low_manager, high_unit, high_manager, verdict, score, $2
FROM jsonb_to_recordset($1) AS given (id uuid, low uuid, high uuid, low_unit text, low_manager text, high_unit text,
  high_manager text, verdict text, score int)
ON CONFLICT (low, high) DO UPDATE
SET low_unit = excluded.low_unit, low_manager = excluded.low_manager, high_unit = excluded.high_unit,
  high_manager = excluded.high_manager, verdict = excluded.verdict, score = excluded.score,
  dismissed_at = NULL, dismissed_by = NULL, reason = NULL
"""
_REMOVE = "DELETE FROM duplicate_pair WHERE id = ANY($1::uuid[])"
_REMOVE_OF = "DELETE FROM duplicate_pair WHERE low = $1 OR high = $1"
_DISMISS = """
UPDATE duplicate_pair SET dismissed_at = $2, dismissed_by = $3, reason = $4 WHERE id = $1 AND dismissed_at IS NULL
"""
_PAGE = """
SELECT * FROM duplicate_pair
WHERE dismissed_at IS NULL AND ($1::uuid IS NULL OR id < $1) AND ($2::text IS NULL OR verdict = $2)
  AND ($3 OR low_unit = ANY($4::text[]) OR high_unit = ANY($4::text[])
    OR low_manager = ANY($5::text[]) OR high_manager = ANY($5::text[]))
ORDER BY id DESC LIMIT $6
"""
_DISMISSED = """
SELECT id, low, high, verdict, dismissed_at, dismissed_by, reason FROM duplicate_pair
WHERE (low = $1 OR high = $1) AND dismissed_at < $2 ORDER BY dismissed_at DESC, id LIMIT $3
"""
_BEGIN_ROUND = "INSERT INTO duplicate_round (occasion, begun_at) VALUES ($1, $2) ON CONFLICT DO NOTHING"
_ROUND = "SELECT last_id, done_at FROM duplicate_round WHERE occasion = $1 FOR UPDATE"
_NEXT = "SELECT id FROM customer WHERE $1::uuid IS NULL OR id > $1 ORDER BY id LIMIT $2"
_MOVE_ROUND = "UPDATE duplicate_round SET last_id = coalesce($2, last_id), done_at = $3 WHERE occasion = $1"


async def hold(tx: Transaction) -> None:
    """One writer of keys at a time, so that of two files that come at once the later one meets the earlier."""
    await tx.execute("SELECT pg_advisory_xact_lock($1)", advisory_key("duplicate"))


async def files(tx: Transaction, customer_ids: Iterable[UUID], codes: Iterable[str]) -> list[Record]:
    """What is compared of some files, and where they belong."""
    return await tx.fetch(_FILES, list(customer_ids), list(codes))


async def near(tx: Transaction, keys: Mapping[UUID, Iterable[int]], most: int) -> list[tuple[UUID, UUID]]:
    """Each asked customer with every other one that has a key in common; what more than `most` share tells nothing."""
    pairs = [(one, key) for one, held in keys.items() for key in held]
    rows = await tx.fetch(_NEAR, [one for one, _ in pairs], [key for _, key in pairs], most)
    return [(row["one"], row["other"]) for row in rows]


async def store_keys(tx: Transaction, wanted: Mapping[UUID, set[int]]) -> None:
    """Let these customers have just these keys; none: they are found no more."""
    held = {row["customer_id"]: set(row["keys"]) for row in await tx.fetch(_HELD, list(wanted))}
    old = [(each, key) for each, keys in wanted.items() for key in held.get(each, set()) - keys]
    new = [(each, key) for each, keys in wanted.items() for key in keys - held.get(each, set())]
    if old:
        await tx.execute(_TAKE_KEYS, [each for each, _ in old], [key for _, key in old])
    if new:
        await tx.execute(_GIVE_KEYS, [each for each, _ in new], [key for _, key in new])
    changed = [each for each, keys in wanted.items() if keys and keys != held.get(each)]
    if changed:
        await tx.execute(_KEEP_FILES, [{"customer_id": str(each), "keys": sorted(wanted[each])} for each in changed])
    if gone := [each for each, keys in wanted.items() if not keys and each in held]:
        await tx.execute(_FORGET_FILES, gone)


async def pairs_of(tx: Transaction, customer_ids: Iterable[UUID]) -> list[Record]:
    """The pairs, open and dismissed, in which these customers are."""
    return await tx.fetch(_PAIRS_OF, list(customer_ids))


async def pair(tx: Transaction, pair_id: UUID) -> Record | None:
    """One pair."""
    return await tx.fetchrow(_PAIR, pair_id)


async def store_pairs(tx: Transaction, rows: Sequence[Mapping[str, Any]], at: datetime) -> None:
    """New pairs, or what is true of known ones now; they are open."""
    await tx.execute(_STORE, rows, at)


async def remove_pairs(tx: Transaction, pair_ids: Sequence[UUID]) -> None:
    """Forget pairs that no rule brings together any more."""
    await tx.execute(_REMOVE, pair_ids)


async def dismiss(tx: Transaction, pair_id: UUID, at: datetime, by: str, reason: bytes) -> bool:
    """Close an open pair; whether it was open."""
    return await tx.execute(_DISMISS, pair_id, at, by, reason) == 1


async def page(tx: Transaction, scope: Scope, verdict: str | None, before: UUID | None, limit: int) -> list[Record]:
    """Open pairs of which a file is within a reach, the latest first."""
    reach = (scope.everything, list(scope.units), list(scope.assigned_to))
    return await tx.fetch(_PAGE, before, verdict, *reach, limit)


async def dismissed(tx: Transaction, customer_id: UUID, before: datetime, limit: int) -> list[Record]:
    """Dismissed pairs of a customer, the latest first."""
    return await tx.fetch(_DISMISSED, customer_id, before, limit)


async def erase(tx: Transaction, customer_id: UUID) -> None:
    """Let nothing be found by what a customer was."""
    await store_keys(tx, {customer_id: set()})
    await tx.execute(_REMOVE_OF, customer_id)


async def round_state(tx: Transaction, occasion: str, now: datetime) -> Record:
    """How far the round of an occasion has come; begun, if it was not."""
    await tx.execute(_BEGIN_ROUND, occasion, now)
    row = await tx.fetchrow(_ROUND, occasion)
    assert row is not None
    return row


async def next_of_round(tx: Transaction, last_id: UUID | None, limit: int) -> list[UUID]:
    """The next customers in order of id."""
    return [row["id"] for row in await tx.fetch(_NEXT, last_id, limit)]


async def move_round(tx: Transaction, occasion: str, last_id: UUID | None, done_at: datetime | None) -> None:
    """Note how far a round has come."""
    await tx.execute(_MOVE_ROUND, occasion, last_id, done_at)
