"""SQL of exchange."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from shared.db import Record, Transaction

_PUT = "INSERT INTO exchange_part (owner, part, number, sealed) VALUES ($1, $2, $3, $4)"
_REPLACE = f"{_PUT} ON CONFLICT (owner, part, number) DO UPDATE SET sealed = excluded.sealed"
_PART = "SELECT sealed FROM exchange_part WHERE owner = $1 AND part = $2 AND number = $3"
_GET = "SELECT * FROM {table} WHERE id = $1 AND requester = $2"
_OPEN = "SELECT count(*) FROM {table} WHERE requester = $1 AND state = ANY($2::text[])"
_LIST = """
SELECT * FROM {table} WHERE requester = $1 AND ($2::uuid IS NULL OR id < $2) ORDER BY id DESC LIMIT $3
"""
_SAME = """
SELECT * FROM import_job WHERE requester = $1 AND sha256 = $2 AND kind = $3 AND mode = $4 AND dry_run = $5
  AND on_fault = $6 AND state IN ('checking', 'applying') ORDER BY id DESC LIMIT 1
"""
_NEXT_IMPORT = """
SELECT * FROM import_job WHERE state IN ('checking', 'applying') ORDER BY tries, id LIMIT 1 FOR UPDATE SKIP LOCKED
"""
_NEXT_EXPORT = "SELECT * FROM export_job WHERE state = 'waiting' ORDER BY tries, id LIMIT 1 FOR UPDATE SKIP LOCKED"
_OVERDUE = """
SELECT id FROM {table} WHERE kek IS NOT NULL AND kept_until <= $1 ORDER BY kept_until LIMIT $2 FOR UPDATE SKIP LOCKED
"""
_CLOSE = "UPDATE {table} SET kek = NULL, wrapped = NULL WHERE id = ANY($1::uuid[])"
_DROP = "DELETE FROM exchange_part WHERE owner = ANY($1::uuid[])"
_OF_CUSTOMER = """
SELECT e.id FROM export_customer c JOIN export_job e ON e.id = c.export_id
WHERE c.customer_id = $1 AND e.kek IS NOT NULL FOR UPDATE OF e
"""
_EXPORTED = """
SELECT e.id, e.actor, e.ended_at, e.items, e.format, c.version
FROM export_customer c JOIN export_job e ON e.id = c.export_id
WHERE c.customer_id = $1 AND e.ended_at < $2 ORDER BY e.ended_at DESC LIMIT $3
"""
IMPORT, EXPORT = "import_job", "export_job"


async def put_parts(tx: Transaction, rows: Sequence[tuple[UUID, str, int, bytes]]) -> None:
    """Keep sealed parts; one that is there already is replaced."""
    await tx.connection.executemany(_REPLACE, rows)


async def part(tx: Transaction, owner: UUID, name: str, number: int) -> bytes | None:
    """One sealed part."""
    found: bytes | None = await tx.fetchval(_PART, owner, name, number)
    return found


async def add(tx: Transaction, table: str, values: Mapping[str, Any]) -> None:
    """A new import or export."""
    places = ", ".join(f"${place}" for place in range(1, len(values) + 1))
    sql = f"INSERT INTO {table} ({', '.join(values)}) VALUES ({places})"  # noqa: S608 - our own names
    await tx.execute(sql, *values.values())


async def change(tx: Transaction, table: str, job_id: UUID, values: Mapping[str, Any]) -> None:
    """Other values of some of its columns."""
    assignments = ", ".join(f"{name} = ${place}" for place, name in enumerate(values, 2))
    sql = f"UPDATE {table} SET {assignments} WHERE id = $1"  # noqa: S608
    await tx.execute(sql, job_id, *values.values())


async def get(tx: Transaction, table: str, job_id: UUID, requester: str, *, lock: bool = False) -> Record | None:
    """One that somebody asked for."""
    return await tx.fetchrow(_GET.format(table=table) + (" FOR UPDATE" if lock else ""), job_id, requester)


async def page(tx: Transaction, table: str, requester: str, before: UUID | None, limit: int) -> list[Record]:
    """Those that somebody asked for, newest first."""
    return await tx.fetch(_LIST.format(table=table), requester, before, limit)


async def open_count(tx: Transaction, table: str, requester: str, states: Sequence[str]) -> int:
    """How many of somebody's are in these states."""
    return int(await tx.fetchval(_OPEN.format(table=table), requester, list(states)))


async def same(
    tx: Transaction, requester: str, sha256: bytes, kind: str, mode: str, dry_run: bool, on_fault: str
) -> Record | None:
    """An import of the same file for the same purpose that is under way."""
    return await tx.fetchrow(_SAME, requester, sha256, kind, mode, dry_run, on_fault)


async def take_time(tx: Transaction) -> None:
    """Let the transaction wait for a process beside longer than one at a door may; it locks nothing but its own job."""
    await tx.execute("SET LOCAL idle_in_transaction_session_timeout = '10min'")


async def next_import(tx: Transaction) -> Record | None:
    """The one to go on with, locked; those that failed before come last."""
    return await tx.fetchrow(_NEXT_IMPORT)


async def next_export(tx: Transaction) -> Record | None:
    """The one to make, locked."""
    return await tx.fetchrow(_NEXT_EXPORT)


async def end_overdue(tx: Transaction, table: str, now: datetime, limit: int) -> int:
    """Delete the parts and keys of those that were kept long enough; how many."""
    ids = [row["id"] for row in await tx.fetch(_OVERDUE.format(table=table), now, limit)]
    await end(tx, table, ids)
    return len(ids)


async def end(tx: Transaction, table: str, ids: Sequence[UUID]) -> None:
    """Delete parts and keys of some."""
    if ids:
        await tx.execute(_DROP, list(ids))
        await tx.execute(_CLOSE.format(table=table), list(ids))


async def drop(tx: Transaction, export_id: UUID) -> None:
    """Take back what an export has so far."""
    await tx.execute(_DROP, [export_id])
    await tx.execute("DELETE FROM export_customer WHERE export_id = $1", export_id)


async def files_with(tx: Transaction, customer_id: UUID) -> list[UUID]:
    """Exports that are still kept and hold a customer, locked."""
    return [row["id"] for row in await tx.fetch(_OF_CUSTOMER, customer_id)]


async def exported(tx: Transaction, customer_id: UUID, before: datetime, limit: int) -> list[Record]:
    """The exports that a customer went out in, newest first."""
    return await tx.fetch(_EXPORTED, customer_id, before, limit)


async def note_customers(tx: Transaction, export_id: UUID, customers: Sequence[tuple[UUID, int]]) -> None:
    """Who went out in an export, and at which version."""
    records = [(export_id, customer_id, version) for customer_id, version in customers]
    await tx.copy("export_customer", ("export_id", "customer_id", "version"), records)
