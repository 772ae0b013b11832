"""SQL of customer files. The statements of a change are the hot path: one locking read, one write (design budgets)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from asyncpg import UniqueViolationError

from shared.db import Record, Transaction
from shared.outbox import Row
from shared.sealing import WrappedKey

LOCK = """
SELECT c.kind, c.unit, c.manager, c.version, c.erased_at, c.merged_into, k.kek, k.wrapped,
  (SELECT jsonb_object_agg(code, c.values -> code) FROM unnest($2::text[]) code WHERE c.values ? code) AS present
FROM customer c JOIN subject_key k ON k.customer_id = c.id WHERE c.id = $1 FOR NO KEY UPDATE OF c
"""
_REGISTER = """
WITH file AS (
  INSERT INTO customer (id, kind, unit, version, values, meta, created_by, created_at, updated_at,
    number, name, name_key, manager, status)
  VALUES ($1, $2, $3, 1, $4, '{}', $23, $6, $6, $7, $8, $9, $10, $11)
), key AS (
  INSERT INTO subject_key (customer_id, kek, wrapped) VALUES ($1, $12, $13)
), event AS (
  INSERT INTO customer_event (customer_id, version, event_id, type, at, actor, items, sealed)
  VALUES ($1, 1, $14, $15, $6, $5, $16, $17)
)
INSERT INTO outbox (shard, topic, key, value, headers) VALUES ($18, $19, $20, $21, $22)
"""
_CHANGE = """
WITH file AS (
  UPDATE customer SET version = $2, values = (values || $3::jsonb) - $4::text[],
    meta = (meta || $5::jsonb) - $4::text[], updated_at = $6{columns}
  WHERE id = $1
), event AS (
  INSERT INTO customer_event (customer_id, version, event_id, type, at, actor, items, sealed)
  VALUES ($1, $2, $7, $8, $6, $9, $10, $11)
)
INSERT INTO outbox (shard, topic, key, value, headers) VALUES ($12, $13, $14, $15, $16)
"""
_LOCK_WHOLE = """
SELECT c.kind, c.unit, c.manager, c.status, c.version, c.values, c.meta, c.created_by, c.created_at, c.erased_at,
  k.kek, k.wrapped
FROM customer c JOIN subject_key k ON k.customer_id = c.id WHERE c.id = $1 FOR NO KEY UPDATE OF c
"""
_VERIFY = """
WITH file AS (
  UPDATE customer SET version = $2, meta = meta || $3::jsonb, updated_at = $4 WHERE id = $1
), event AS (
  INSERT INTO customer_event (customer_id, version, event_id, type, at, actor, items, sealed)
  VALUES ($1, $2, $5, $6, $4, $7, $8, $9)
)
INSERT INTO outbox (shard, topic, key, value, headers) VALUES ($10, $11, $12, $13, $14)
"""
_ERASE = """
WITH file AS (
  UPDATE customer SET version = $2, values = values - $3::text[], meta = meta - $3::text[], updated_at = $4,
    erased_at = $4
  WHERE id = $1
), key AS (
  UPDATE subject_key SET kek = NULL, wrapped = NULL, destroyed_at = $4, destroyed_by = $5, reason = $6
  WHERE customer_id = $1
), event AS (
  INSERT INTO customer_event (customer_id, version, event_id, type, at, actor, items)
  VALUES ($1, $2, $7, $8, $4, $5, $3)
)
INSERT INTO outbox (shard, topic, key, value, headers) VALUES ($9, $10, $11, $12, $13)
"""
_HAS_NUMBER = "SELECT EXISTS (SELECT FROM customer WHERE kind = $1 AND number = $2)"
_CLOSE = """
WITH file AS (
  UPDATE customer SET version = $2, merged_into = $3, number = $4, updated_at = $5 WHERE id = $1
), event AS (
  INSERT INTO customer_event (customer_id, version, event_id, type, at, actor, items, sealed)
  VALUES ($1, $2, $6, $7, $5, $8, '{}', $9)
)
INSERT INTO outbox (shard, topic, key, value, headers) VALUES ($10, $11, $12, $13, $14)
"""
_FAMILY = """
WITH RECURSIVE family AS (
  SELECT $1::uuid AS id UNION SELECT c.id FROM customer c JOIN family ON c.merged_into = family.id
) SELECT id FROM family ORDER BY id
"""
_HOLDER = "SELECT id FROM customer WHERE kind = $1 AND number = $2"
_GET = "SELECT * FROM customer WHERE id = $1"
_OPENED_AT = "SELECT created_at FROM customer WHERE id = $1"
_REACH = "SELECT id, unit, manager, kind, version, merged_into FROM customer WHERE id = ANY($1::uuid[])"
_EVENTS_SINCE = """
SELECT version, event_id, sealed FROM customer_event WHERE customer_id = $1 AND version > $2
  AND sealed IS NOT NULL ORDER BY version
"""
_HISTORY = """
SELECT version, event_id, type, at, actor, items, sealed FROM customer_event
WHERE customer_id = $1 AND version < $2 ORDER BY version DESC LIMIT $3
"""
_LAST_BY = """
SELECT version, at FROM customer_event WHERE customer_id = $1 AND at <= $2 AND version <= $3
ORDER BY version DESC LIMIT 1
"""
_OF_VERSION = "SELECT version, at FROM customer_event WHERE customer_id = $1 AND version = $2"
_LATER = """
SELECT version, event_id, items, sealed FROM customer_event WHERE customer_id = $1 AND version > $2
ORDER BY version DESC
"""
_MARKS = """
SELECT code, max(version) FILTER (WHERE type <> 'customer.verified') AS set_in, max(version) AS verified_in
FROM customer_event, unnest(items) code
WHERE customer_id = $1 AND version <= $2 AND items && $3::text[] AND code = ANY($3) GROUP BY code
"""  # a verification sets nothing
_MARKED = f"""
SELECT code, was_set.actor, was_set.at AS set_at, verified.at AS verified_at FROM ({_MARKS}) last
JOIN customer_event was_set ON was_set.customer_id = $1 AND was_set.version = set_in
JOIN customer_event verified ON verified.customer_id = $1 AND verified.version = verified_in
"""  # noqa: S608 - our own text
_VERSIONS = """
SELECT version, type, at, actor, items FROM customer_event
WHERE customer_id = $1 AND version < $2 AND ($4::timestamptz IS NULL OR version <= (
  SELECT version FROM customer_event WHERE customer_id = $1 AND at <= $4 ORDER BY version DESC LIMIT 1))
ORDER BY version DESC LIMIT $3
"""


LISTED = ("number", "name", "name_key", "manager", "status")
"""The list columns that items fill."""
_FILE_COLUMNS = (
    *("id", "kind", "unit", "version", "values", "meta", "created_by", "created_at", "updated_at"),
    *LISTED,
)
_EVENT_COLUMNS = ("customer_id", "version", "event_id", "type", "at", "actor", "items", "sealed")
_OUTBOX_COLUMNS = ("shard", "topic", "key", "value", "headers")


class NumberTaken(Exception):
    """Another customer of the kind has this number."""


@dataclass(frozen=True, slots=True)
class Locked:
    """A file under its row lock: what a change needs of it, and of its values only those named."""

    kind: str
    unit: str
    manager: str | None
    version: int
    erased_at: datetime | None
    merged_into: UUID | None
    key: WrappedKey | None
    present: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Written:
    """The history row of a version."""

    version: int
    event_id: UUID
    type: str
    at: datetime
    actor: str
    items: Sequence[str]
    sealed: bytes | None


@dataclass(frozen=True, slots=True)
class Opening:
    """A new file, ready to be stored; `columns` are its list columns, `by`: in whose name."""

    customer_id: UUID
    kind: str
    unit: str
    columns: Mapping[str, Any]
    values: Mapping[str, Any]
    key: WrappedKey
    by: str
    event: Written
    row: Row


@dataclass(frozen=True, slots=True)
class Revision:
    """The next version of a file, ready to be stored; None in `changed` takes a value away."""

    customer_id: UUID
    changed: Mapping[str, Any]
    meta: Mapping[str, Any]
    columns: Mapping[str, Any]
    event: Written
    row: Row


async def lock(tx: Transaction, customer_id: UUID, codes: Iterable[str]) -> Locked | None:
    """The file, locked until the transaction ends, with the values of `codes`; None if there is no such file.

    Whether the key is destroyed is read off `erased_at`, which is a column of the locked row: after a wait for the
    lock PostgreSQL re-reads that row, but not the joined one.
    """
    row = await tx.connection.fetchrow(LOCK, customer_id, codes)
    if row is None:
        return None
    kind, unit, manager, version, erased_at, merged_into, kek, wrapped, present = row
    key = WrappedKey(kek, wrapped) if erased_at is None else None
    return Locked(kind, unit, manager, version, erased_at, merged_into, key, present or {})


async def register(tx: Transaction, opening: Opening) -> None:
    """File, data key, history and outbox row in one statement. Raises: NumberTaken."""
    event = opening.event
    listed = [opening.columns.get(name) for name in LISTED]
    try:
        await tx.connection.execute(
            _REGISTER,
            *(opening.customer_id, opening.kind, opening.unit, opening.values, event.actor, event.at, *listed),
            *(opening.key.kek, opening.key.wrapped, event.event_id, event.type, event.items, event.sealed),
            *(*opening.row, opening.by),
        )
    except UniqueViolationError as error:
        raise NumberTaken from error


async def change(tx: Transaction, revision: Revision) -> None:
    """The new version, its history and its outbox row in one statement. Raises: NumberTaken."""
    try:
        await tx.connection.execute(change_statement(tuple(revision.columns)), *change_arguments(revision))
    except UniqueViolationError as error:
        raise NumberTaken from error


def change_arguments(revision: Revision) -> tuple[Any, ...]:
    """What the statement of a change is given."""
    changed, event = revision.changed, revision.event
    return (
        *(revision.customer_id, event.version, {code: value for code, value in changed.items() if value is not None}),
        *([code for code, value in changed.items() if value is None], revision.meta, event.at),
        *(event.event_id, event.type, event.actor, event.items, event.sealed, *revision.row),
        *revision.columns.values(),
    )


@cache
def change_statement(columns: tuple[str, ...]) -> str:
    """The statement that also sets these list columns; their names are ours, never the caller's."""
    return _CHANGE.format(columns="".join(f", {name} = ${17 + place}" for place, name in enumerate(columns)))


async def lock_whole(tx: Transaction, customer_id: UUID) -> Record | None:
    """The whole file with its data key, locked until the transaction ends. `erased_at` says if the key is destroyed."""
    return await tx.fetchrow(_LOCK_WHOLE, customer_id)


async def verify(tx: Transaction, customer_id: UUID, meta: Mapping[str, Any], event: Written, row: Row) -> None:
    """The new version, in which only metadata differ, its history and its outbox row in one statement."""
    await tx.execute(
        _VERIFY,
        *(customer_id, event.version, meta, event.at, event.event_id, event.type, event.actor),
        *(event.items, event.sealed, *row),
    )


async def erase(
    tx: Transaction, customer_id: UUID, codes: Sequence[str], reason: str, event: Written, row: Row
) -> None:
    """Destroy the data key and take these values out of the file, as its next version."""
    await tx.connection.execute(
        _ERASE,
        *(customer_id, event.version, codes, event.at, event.actor, reason, event.event_id, event.type, *row),
    )


async def close(
    tx: Transaction, customer_id: UUID, merged_into: UUID | None, number: str | None, event: Written, row: Row
) -> None:
    """Close a file by a merge, or open it again (None), as its next version. Raises: NumberTaken."""
    try:
        await tx.connection.execute(
            _CLOSE,
            *(customer_id, event.version, merged_into, number, event.at),
            *(event.event_id, event.type, event.actor, event.sealed, *row),
        )
    except UniqueViolationError as error:
        raise NumberTaken from error


async def family(tx: Transaction, customer_id: UUID) -> list[UUID]:
    """A file and all that were merged into it, directly or by way of each other, in order of id."""
    return [row["id"] for row in await tx.fetch(_FAMILY, customer_id)]


async def holder(tx: Transaction, kind: str, number: str) -> UUID | None:
    """The file of a kind that has a number now."""
    found: UUID | None = await tx.fetchval(_HOLDER, kind, number)
    return found


async def get(tx: Transaction, customer_id: UUID) -> Record | None:
    """The whole row."""
    return await tx.fetchrow(_GET, customer_id)


async def opened_at(tx: Transaction, customer_id: UUID) -> datetime:
    """When a file was opened that is known to be there."""
    found: datetime = await tx.fetchval(_OPENED_AT, customer_id)
    return found


async def has_number(tx: Transaction, kind: str, number: str) -> bool:
    """Whether a customer of a kind has this number."""
    found: bool = await tx.fetchval(_HAS_NUMBER, kind, number)
    return found


async def reach(tx: Transaction, customer_ids: Sequence[UUID]) -> dict[UUID, Record]:
    """Unit, manager, kind and version of some files: enough to decide who may see them."""
    return {row["id"]: row for row in await tx.fetch(_REACH, list(customer_ids))}


async def events_since(tx: Transaction, customer_id: UUID, version: int) -> list[Record]:
    """History rows above a version that changed values, oldest first."""
    return await tx.fetch(_EVENTS_SINCE, customer_id, version)


async def history(tx: Transaction, customer_id: UUID, below: int, limit: int) -> list[Record]:
    """History rows below a version, newest first."""
    return await tx.fetch(_HISTORY, customer_id, below, limit)


async def version_at(tx: Transaction, customer_id: UUID, at: datetime, newest: int) -> Record | None:
    """Version and moment of the last change that was made by a moment; None before the file was opened."""
    return await tx.fetchrow(_LAST_BY, customer_id, at, newest)


async def version(tx: Transaction, customer_id: UUID, version: int) -> Record | None:
    """The same of a version; None if there is none such."""
    return await tx.fetchrow(_OF_VERSION, customer_id, version)


async def later(tx: Transaction, customer_id: UUID, version: int) -> list[Record]:
    """History rows above a version, newest first: the way back to it."""
    return await tx.fetch(_LATER, customer_id, version)


async def marks(tx: Transaction, customer_id: UUID, version: int, codes: Sequence[str]) -> dict[str, list[Any]]:
    """Who had set each of these items by a version, when, and when it was last verified by then."""
    rows = await tx.fetch(_MARKED, customer_id, version, list(codes))
    return {row["code"]: [row["actor"], row["set_at"], row["verified_at"]] for row in rows}


async def versions(
    tx: Transaction, customer_id: UUID, below: int, by: datetime | None, limit: int
) -> list[Record]:  # fmt: skip
    """Versions below one, none after the last that was made by a moment, newest first: type, moment, actor and items,
    without values."""
    return await tx.fetch(_VERSIONS, customer_id, below, limit, by)


async def register_many(tx: Transaction, openings: Sequence[Opening]) -> None:
    """The same as `register` for many files, by COPY. Raises: NumberTaken."""
    openings = sorted(openings, key=lambda each: each.columns.get("number") or "")  # two imports wait in one order
    files = [
        (
            *(each.customer_id, each.kind, each.unit, 1, each.values, {}),
            *(each.by, each.event.at, each.event.at, *(each.columns.get(name) for name in LISTED)),
        )
        for each in openings
    ]
    history = [
        (
            *(each.customer_id, 1, each.event.event_id, each.event.type, each.event.at),
            *(each.event.actor, each.event.items, each.event.sealed),
        )
        for each in openings
    ]
    keys = [(each.customer_id, each.key.kek, each.key.wrapped) for each in openings]
    try:
        await tx.copy("customer", _FILE_COLUMNS, files)
    except UniqueViolationError as error:
        raise NumberTaken from error
    await tx.copy("subject_key", ("customer_id", "kek", "wrapped"), keys)
    await tx.copy("customer_event", _EVENT_COLUMNS, history)
    await tx.copy("outbox", _OUTBOX_COLUMNS, [each.row for each in openings])


async def change_many(tx: Transaction, revisions: Iterable[Revision]) -> None:
    """The same as `change` for many locked files, statement by statement without waiting. Raises: NumberTaken."""
    groups: dict[tuple[str, ...], list[Revision]] = {}
    for each in revisions:
        groups.setdefault(tuple(each.columns), []).append(each)
    try:
        for columns, some in groups.items():
            await tx.connection.executemany(change_statement(columns), [change_arguments(each) for each in some])
    except UniqueViolationError as error:
        raise NumberTaken from error
