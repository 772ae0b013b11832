"""SQL of registration forms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from services.customer.registration.rules import Asked, Form, Outcome, State
from shared.approvals import Given
from shared.auth import Scope
from shared.db import Record, Transaction
from shared.sealing import WrappedKey

_COLUMNS = (
    "id", "kind", "unit", "state", "version", "proposer", "created_by", "created_at", "updated_at", "round",
    "submitted_at", "expires_at", "items", "staff", "customer_id", "sealed_by", "sealed",
)  # fmt: skip
_SELECT = f"""
SELECT {", ".join(f"r.{name}" for name in _COLUMNS)}, coalesce(r.kek, k.kek) kek, coalesce(r.wrapped, k.wrapped) wrapped
FROM registration r LEFT JOIN subject_key k ON k.customer_id = r.customer_id
"""  # noqa: S608 - our own names
_GET = f"{_SELECT} WHERE r.id = $1"
_LOCK = f"{_GET} FOR NO KEY UPDATE OF r"
_OF_CUSTOMER = f"{_SELECT} WHERE r.customer_id = $1 ORDER BY r.id"
_ADD = """
INSERT INTO registration (id, kind, unit, state, version, proposer, created_by, created_at, updated_at, round, items,
  staff, kek, wrapped, sealed_by, sealed)
VALUES ($1, $2, $3, 'draft', 1, $4, $5, $6, $6, 0, $7, $8, $9, $10, $11, $12)
"""
_STORE = """
UPDATE registration SET state = $2, version = $3, proposer = $4, updated_at = $5, round = $6, submitted_at = $7,
  expires_at = $8, items = $9, staff = $10, sealed_by = $11, sealed = $12 WHERE id = $1
"""
_BECOME = """
UPDATE registration SET state = 'approved', version = $2, updated_at = $3, submitted_at = NULL, expires_at = NULL,
  customer_id = id, kek = NULL, wrapped = NULL WHERE id = $1
"""
_REMOVE = "DELETE FROM registration WHERE id = $1"
_PAGE = f"""
{_SELECT} WHERE ($2 OR r.unit = ANY($3::text[]) OR r.proposer = ANY($4::text[]))
  AND ($5::text IS NULL OR r.state = $5) AND ($6::text IS NULL OR r.unit = $6) AND ($7::text IS NULL OR r.kind = $7)
  AND ($8::text IS NULL OR r.proposer = $8) AND ($9::uuid IS NULL OR r.id < $9)
ORDER BY r.id DESC LIMIT $1
"""
_WAITING = f"""
{_SELECT} WHERE r.state = 'submitted' AND ($2 OR r.unit = ANY($3::text[]) OR r.proposer = ANY($4::text[]))
  AND (r.expires_at IS NULL OR r.expires_at > $5)
  AND NOT EXISTS (SELECT FROM registration_hand h WHERE h.registration = r.id AND h.actor = $6)
  AND NOT EXISTS (SELECT FROM registration_agreed a WHERE a.registration = r.id AND a.round = r.round AND a.actor = $6)
  AND ($7::timestamptz IS NULL OR (r.submitted_at, r.id) > ($7, $8))
ORDER BY r.submitted_at, r.id LIMIT $1
"""  # noqa: S608
_LAPSED = f"""
{_SELECT} WHERE r.state = 'submitted' AND r.expires_at <= $1 ORDER BY r.expires_at LIMIT $2 FOR UPDATE OF r SKIP LOCKED
"""
_HAND = "INSERT INTO registration_hand (registration, actor, action) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING"
_HANDS = "SELECT actor, action FROM registration_hand WHERE registration = $1"
_BEGIN = """
INSERT INTO registration_round (registration, round, submitted_by, submitted_at, expires_at, important, approval, items)
VALUES ($1, $2, $3, $4, $5, $6, $7, '{}')
"""
_CLOSE = """
UPDATE registration_round SET outcome = $3, closed_at = $4, closed_by = $5, items = $6, sealed_by = $7, sealed = $8
WHERE registration = $1 AND round = $2
"""
_ROUNDS = "SELECT * FROM registration_round WHERE registration = $1 ORDER BY round DESC"
_AGREE = "INSERT INTO registration_agreed (registration, round, actor, step, at) VALUES ($1, $2, $3, $4, $5)"
_AGREED = "SELECT round, actor, step, at FROM registration_agreed WHERE registration = $1 ORDER BY at, actor"
_OTHER_KEKS = "SELECT DISTINCT kek FROM registration WHERE kek <> $1"
_OLD_KEYS = """
SELECT id, kek, wrapped FROM registration WHERE kek = ANY($1::text[]) ORDER BY kek, id LIMIT $2 FOR UPDATE SKIP LOCKED
"""
_REWRAP = """
UPDATE registration r SET kek = $1, wrapped = fresh.wrapped
FROM unnest($2::uuid[], $3::bytea[]) AS fresh (id, wrapped) WHERE r.id = fresh.id
"""
_MOVE = "UPDATE registration SET customer_id = $2, sealed_by = $3, sealed = $4 WHERE id = $1"
_RESEAL = "UPDATE registration_round SET sealed_by = $3, sealed = $4 WHERE registration = $1 AND round = $2"


@dataclass(frozen=True, slots=True)
class Closed:
    """What came of a round; `sealed`: what was said, sealed with `sealed_by`, and the items that it is about."""

    outcome: Outcome
    at: datetime
    by: str
    items: Sequence[str] = ()
    sealed_by: UUID | None = None
    sealed: bytes | None = None


async def add(tx: Transaction, form: Form) -> None:
    assert form.key is not None
    await tx.execute(
        _ADD,
        *(form.id, form.kind, form.unit, form.proposer, form.created_by, form.created_at, form.items, form.staff),
        *(form.key.kek, form.key.wrapped, form.sealed_by, form.sealed),
    )


async def get(tx: Transaction, form_id: UUID) -> Form | None:
    row = await tx.fetchrow(_GET, form_id)
    return None if row is None else _form(row)


async def lock(tx: Transaction, form_id: UUID) -> Form | None:
    """The same, and nobody else changes it until this transaction ends."""
    row = await tx.fetchrow(_LOCK, form_id)
    return None if row is None else _form(row)


async def of_customer(tx: Transaction, customer_id: UUID) -> list[Form]:
    """The forms that this customer came from: one, and those of customers who were merged into it."""
    return [_form(row) for row in await tx.fetch(_OF_CUSTOMER, customer_id)]


async def store(tx: Transaction, form: Form) -> None:
    """Set everything that changes while it is no customer."""
    await tx.execute(
        _STORE,
        *(form.id, form.state.value, form.version, form.proposer, form.updated_at, form.round, form.submitted_at),
        *(form.expires_at, form.items, form.staff, form.sealed_by, form.sealed),
    )


async def become_customer(tx: Transaction, form: Form, at: datetime) -> None:
    """Give its key away: the customer has it now."""
    await tx.execute(_BECOME, form.id, form.version, at)


async def remove(tx: Transaction, form_id: UUID) -> None:
    await tx.execute(_REMOVE, form_id)


async def page(tx: Transaction, scope: Scope, asked: Asked, limit: int) -> list[Form]:
    """Forms within reach, newest first."""
    wanted = (asked.state and asked.state.value, asked.unit, asked.kind, asked.proposer, asked.before)
    return [_form(row) for row in await tx.fetch(_PAGE, limit, *_reach(scope), *wanted)]


async def waiting(
    tx: Transaction, scope: Scope, actor: str, after: tuple[datetime, UUID] | None, limit: int, now: datetime
) -> list[Form]:
    """Forms that wait for somebody else than those who had them in hand, the longest waiting first."""
    since, last = after or (None, None)
    rows = await tx.fetch(_WAITING, limit, *_reach(scope), now, actor, since, last)
    return [_form(row) for row in rows]


def _reach(scope: Scope) -> tuple[bool, list[str], list[str]]:
    return scope.everything, list(scope.units), list(scope.assigned_to)


async def lock_lapsed(tx: Transaction, now: datetime, limit: int) -> list[Form]:
    """Some that nobody decided in time."""
    return [_form(row) for row in await tx.fetch(_LAPSED, now, limit)]


async def note_hand(tx: Transaction, form_id: UUID, actor: str, action: str) -> None:
    """Somebody had the form in hand."""
    await tx.execute(_HAND, form_id, actor, action)


async def hands(tx: Transaction, form_id: UUID) -> list[tuple[str, str]]:
    """Everybody who had it in hand, and what they did."""
    return [(row["actor"], row["action"]) for row in await tx.fetch(_HANDS, form_id)]


async def begin_round(tx: Transaction, form: Form, actor: str, important: bool, approval: Mapping[str, Any]) -> None:
    """The form, as it is now, was handed in."""
    assert form.submitted_at is not None
    await tx.execute(_BEGIN, form.id, form.round, actor, form.submitted_at, form.expires_at, important, approval)


async def close_round(tx: Transaction, form: Form, closed: Closed) -> None:
    said = (closed.items, closed.sealed_by, closed.sealed)
    await tx.execute(_CLOSE, form.id, form.round, closed.outcome.value, closed.at, closed.by, *said)


async def rounds(tx: Transaction, form_id: UUID) -> list[Record]:
    """Every time that it was handed in, newest first."""
    return await tx.fetch(_ROUNDS, form_id)


async def agree(tx: Transaction, form: Form, given: Given, at: datetime) -> None:
    await tx.execute(_AGREE, form.id, form.round, given.by, given.step, at)


async def agreed(tx: Transaction, form_id: UUID) -> list[Record]:
    """Who agreed to which step of which round."""
    return await tx.fetch(_AGREED, form_id)


async def lock_old_keys(tx: Transaction, active: str, limit: int) -> list[Record]:
    """Some keys that are not wrapped by the active key-encryption key, locked."""
    others = [row["kek"] for row in await tx.fetch(_OTHER_KEKS, active)]
    return await tx.fetch(_OLD_KEYS, others, limit) if others else []


async def rewrap(tx: Transaction, active: str, keys: Mapping[UUID, bytes]) -> int:
    return await tx.execute(_REWRAP, active, list(keys), list(keys.values()))


async def move(tx: Transaction, form_id: UUID, customer_id: UUID, sealed_by: UUID, sealed: bytes) -> None:
    """Give a form to another customer, sealed under that one's key."""
    await tx.execute(_MOVE, form_id, customer_id, sealed_by, sealed)


async def reseal(tx: Transaction, form_id: UUID, number: int, sealed_by: UUID, sealed: bytes) -> None:
    """What was said in a round, sealed under another key."""
    await tx.execute(_RESEAL, form_id, number, sealed_by, sealed)


def _form(row: Record) -> Form:
    key = None if row["wrapped"] is None else WrappedKey(row["kek"], row["wrapped"])
    plain = {name: row[name] for name in _COLUMNS if name != "state"}
    return Form(**plain, state=State(row["state"]), key=key)
