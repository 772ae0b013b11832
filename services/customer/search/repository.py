"""SQL of the search: what may be found, by the index alone; then these customers, in order; then their values.

`customer_search` is looked through part by part (models.PARTS), question by question, until enough is found: what many
customers have costs little, and what few have is found whole. The order of a page is made of at most `most` customers.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from shared.db import Record, Transaction
from shared.sealing import WrappedKey

_EVERYWHERE = "SELECT customer_id, false AS ended FROM customer_search WHERE terms @> asked.terms::int[] LIMIT $2"
_NEAR = """
SELECT customer_id, false AS ended FROM customer_search WHERE terms @> asked.terms::int[] AND terms && $6::int[]
LIMIT $2
"""
# A set of many units is hashed for as many customers as are passed; the last one of them is told of, whoever they are.
_FAR = """
SELECT customer_id, passed = $7 AS ended FROM (
  SELECT customer_id, unit, row_number() OVER () AS passed FROM (
    SELECT customer_id, unit FROM customer_search WHERE terms @> asked.terms::int[] LIMIT $7
  ) every
) walked WHERE (unit IN (SELECT unnest($6::int[]))) IS TRUE OR passed = $7 LIMIT $2
"""
_CANDIDATES = """
WITH found AS MATERIALIZED (
  SELECT customer_id, question, ended
  FROM unnest($1::text[], $5::int[]) asked (terms, question), LATERAL ({within}) held LIMIT $2
), once AS (
  SELECT customer_id, min(question) AS question FROM found GROUP BY customer_id
)
SELECT c.id, c.unit, c.manager, c.kind, c.name_key, (SELECT count(*) = $2 OR bool_or(ended) FROM found) AS capped,
  CASE WHEN c.name_key = $3 THEN 0 WHEN c.name_key >= $3 AND c.name_key < $4 THEN 1 ELSE 2 + once.question END AS rank
FROM once JOIN customer c ON c.id = once.customer_id WHERE c.erased_at IS NULL AND c.merged_into IS NULL
"""
_STORE = """
INSERT INTO customer_search AS old (customer_id, version, unit, terms)
SELECT customer_id, version, unit, terms::int[]
FROM unnest($1::uuid[], $2::int[], $3::int[], $4::text[]) given (customer_id, version, unit, terms)
ON CONFLICT (customer_id) DO UPDATE SET version = excluded.version, unit = excluded.unit, terms = excluded.terms
WHERE old.version <= excluded.version
"""
_NEXT = "SELECT id FROM customer WHERE $1::uuid IS NULL OR id > $1 ORDER BY id LIMIT $2"
_INDEX = "SELECT * FROM search_index WHERE id = 1"
_BEGIN = """
INSERT INTO search_index (id, fingerprint, kek, wrapped, secret, begun_at) VALUES (1, $1, $2, $3, $4, $5)
ON CONFLICT (id) DO UPDATE SET fingerprint = $1, begun_at = $5, last_id = NULL, done_at = NULL
WHERE search_index.fingerprint <> $1
"""
_FORGET = "DELETE FROM search_index WHERE secret = $1"
_MOVE = "UPDATE search_index SET last_id = coalesce($1, last_id), done_at = $2 WHERE id = 1"
_REWRAP = "UPDATE search_index SET kek = $1, wrapped = $2 WHERE id = 1"


@dataclass(frozen=True, slots=True)
class Within:
    """Where to look: everywhere, near (few units or managers, as terms), or far (many units, as terms)."""

    near: Sequence[int] | None = None
    far: Sequence[int] | None = None


async def candidates(
    tx: Transaction, asked: Sequence[tuple[int, Sequence[int]]], within: Within, order: tuple[bytes, bytes],
    most: int, farthest: int,
) -> list[Record]:  # fmt: skip
    """Customers of whom the index has all terms of a question: at most so many, those of the first questions first.

    `asked`: the place of a question in the order, and its terms; `order`: the name that stands first, and the end of
    the names that begin with it. `capped` says that there may be more than were looked at.
    """
    args: list[Any] = [[_array(terms) for _, terms in asked], most, *order, [place for place, _ in asked]]
    if within.near is not None:
        return await tx.fetch(_CANDIDATES.format(within=_NEAR), *args, list(within.near))
    if within.far is not None:
        return await tx.fetch(_CANDIDATES.format(within=_FAR), *args, list(within.far), farthest)
    return await tx.fetch(_CANDIDATES.format(within=_EVERYWHERE), *args)


def _array(terms: Collection[int]) -> str:
    """As the text of an array: arrays of different lengths make no array."""
    return f"{{{','.join(map(str, terms))}}}"


async def files(
    tx: Transaction, customer_ids: Sequence[UUID], columns: tuple[str, ...], items: tuple[str, ...]
) -> dict[UUID, Record]:
    """These columns of customers, and behind them the values of these items as text, in order."""
    rows = await tx.fetch(_files(columns, items), list(customer_ids))
    return {row[0]: row for row in rows}


@cache
def _files(columns: tuple[str, ...], items: tuple[str, ...]) -> str:
    """One pass over the values of a file, however many items are asked for; codes are declared, never a caller's."""
    shape = ", ".join(f'"{code}" text' for code in items)
    source = f"customer c, jsonb_to_record(c.values) AS of ({shape})" if items else "customer c"
    asked = ", ".join(["c.id", *(f"c.{name}" for name in columns), *(f'of."{code}"' for code in items)])
    return f"SELECT {asked} FROM {source} WHERE c.id = ANY($1::uuid[])"  # noqa: S608


async def store(tx: Transaction, rows: Sequence[tuple[UUID, int, int, Collection[int]]]) -> None:
    """What customers are found by: id, version, unit, terms. What follows from an older version is passed over."""
    if not rows:
        return
    ids, versions, units, terms = zip(*sorted(rows), strict=True)
    await tx.execute(_STORE, ids, versions, units, [_array(each) for each in terms])


async def next_customers(tx: Transaction, last: UUID | None, limit: int) -> list[UUID]:
    """The next customers in order of id."""
    return [row["id"] for row in await tx.fetch(_NEXT, last, limit)]


async def index(tx: Transaction) -> Record | None:
    """How the index is made; None before it is begun."""
    return await tx.fetchrow(_INDEX)


async def begin(tx: Transaction, fingerprint: str, key: WrappedKey, secret: bytes, now: datetime) -> Record:
    """Begin the index, or begin it anew with the secret that it has, unless that was done; how it is made now."""
    await tx.execute(_BEGIN, fingerprint, key.kek, key.wrapped, secret, now)
    row = await tx.fetchrow(_INDEX)
    assert row is not None
    return row


async def forget(tx: Transaction, secret: bytes) -> None:
    """Have no index any more, if this is its sealed secret."""
    await tx.execute(_FORGET, secret)


async def move(tx: Transaction, last: UUID | None, done_at: datetime | None) -> None:
    """How far the index is."""
    await tx.execute(_MOVE, last, done_at)


async def rewrap(tx: Transaction, key: WrappedKey) -> None:
    """Keep the key of the secret as wrapped by another key-encryption key."""
    await tx.execute(_REWRAP, key.kek, key.wrapped)
