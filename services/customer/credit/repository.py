"""SQL of accounts, forms, holds and their steps; that of bills and payments is in `ledger`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any
from uuid import UUID

from asyncpg import UniqueViolationError

from services.customer.credit.rules import Form, Hold, State, Supply
from shared.auth import Scope
from shared.db import Record, Transaction

_FORM = tuple(each.name for each in fields(Form))
_HOLD = tuple(each.name for each in fields(Hold))


def _insert(table: str, names: Sequence[str]) -> str:
    places = ", ".join(f"${number}" for number in range(1, len(names) + 1))
    return f"INSERT INTO {table} ({', '.join(names)}) VALUES ({places})"  # noqa: S608 - our own columns


_OPEN_ACCOUNT = "INSERT INTO credit_account (customer_id) SELECT unnest($1::uuid[]) ON CONFLICT DO NOTHING"
_LOCK = "SELECT FROM credit_account WHERE customer_id = ANY($1::uuid[]) ORDER BY customer_id FOR NO KEY UPDATE"
_PLACES = "SELECT id, unit, manager FROM customer WHERE id = ANY($1::uuid[])"
_ADD_FORM, _ADD_HOLD = _insert("credit_form", _FORM), _insert("credit_hold", _HOLD)
_STORE_FORM = "UPDATE credit_form SET state = $2, from_on = $3, ended_on = $4 WHERE id = $1"
_FORM_OF = "SELECT * FROM credit_form WHERE id = $1 AND customer_id = $2 FOR UPDATE"
_FORMS = """
SELECT * FROM credit_form WHERE customer_id = $1 AND ($2::uuid IS NULL OR id < $2) ORDER BY id DESC LIMIT $3
"""
_GRANTED = "SELECT * FROM credit_form WHERE customer_id = ANY($1::uuid[]) AND from_on IS NOT NULL"
_PROPOSED = """
SELECT f.*, c.kind, c.unit, c.manager FROM credit_form f JOIN customer c ON c.id = f.customer_id
WHERE f.state = 'proposed' AND (f.decide_until IS NULL OR f.decide_until > $2)
  AND ($3 OR c.unit = ANY($4::text[]) OR c.manager = ANY($5::text[]))
ORDER BY f.decide_until, f.id LIMIT $1
"""
_LAPSED = "SELECT * FROM credit_form WHERE state = 'proposed' AND decide_until <= $1 LIMIT $2 FOR UPDATE SKIP LOCKED"
_STORE_HOLD = "UPDATE credit_hold SET state = $2, ended_at = $3 WHERE id = $1"
_HELD = "SELECT * FROM credit_hold WHERE customer_id = ANY($1::uuid[]) AND ended_at IS NULL"
_WAITING = """
SELECT h.*, c.unit, c.manager, array(SELECT actor FROM credit_step s WHERE s.matter = h.id AND s.type = $1) AS reporters
FROM credit_hold h JOIN customer c ON c.id = h.customer_id
WHERE h.ended_at IS NULL AND ($2 OR c.unit = ANY($3::text[]) OR c.manager = ANY($4::text[])) ORDER BY h.since, h.id
"""
_HOLDS = "SELECT * FROM credit_hold WHERE customer_id = $1 AND ($2::uuid IS NULL OR id < $2) ORDER BY id DESC LIMIT $3"
_STEP = ("id", "customer_id", "matter", "type", "at", "actor", "facts", "sealed")
_ADD_STEP = _insert("credit_step", _STEP)
_STEPS = "SELECT * FROM credit_step WHERE matter = ANY($1::uuid[]) ORDER BY at, id"
_HAPPENED = "SELECT * FROM credit_step WHERE customer_id = $1 AND at < $2 ORDER BY at DESC, id DESC LIMIT $3"
_GIVE = "UPDATE {table} SET customer_id = $2 WHERE id = $1"
_GIVE_STEP = "UPDATE credit_step SET customer_id = $2, sealed = $3 WHERE id = $1"
EVERY = 10_000
"""As good as no limit, for what one customer has."""


class Taken(Exception):
    """A form of this customer waits already."""


async def lock(tx: Transaction, customer_ids: Iterable[UUID], *, opening: bool = False) -> None:
    """Hold these accounts until the transaction ends, in one order for all; `opening` those that are not there."""
    wanted = sorted(customer_ids)
    if opening:
        await tx.execute(_OPEN_ACCOUNT, wanted)
    await tx.fetch(_LOCK, wanted)


async def places(tx: Transaction, customer_ids: Iterable[UUID]) -> dict[UUID, Record]:
    """Id, unit and manager of files."""
    return {row["id"]: row for row in await tx.fetch(_PLACES, list(customer_ids))}


async def add_form(tx: Transaction, form: Form) -> None:
    """Raises: Taken"""
    try:
        async with tx.savepoint():
            await tx.execute(_ADD_FORM, *(getattr(form, name) for name in _FORM))
    except UniqueViolationError:
        raise Taken from None


async def store_form(tx: Transaction, form: Form) -> None:
    """Set how things stand with it."""
    await tx.execute(_STORE_FORM, form.id, form.state, form.from_on, form.ended_on)


async def lock_form(tx: Transaction, customer_id: UUID, form_id: UUID) -> Form | None:
    """One of a customer; nobody else changes it until this transaction ends."""
    row = await tx.fetchrow(_FORM_OF, form_id, customer_id)
    return None if row is None else _form(row)


async def forms(tx: Transaction, customer_id: UUID, below: UUID | None = None, limit: int = EVERY) -> list[Form]:
    """Those of a customer, newest first."""
    return [_form(row) for row in await tx.fetch(_FORMS, customer_id, below, limit)]


async def granted(tx: Transaction, customer_ids: Iterable[UUID]) -> list[Form]:
    """Those by which these customers have or had credit."""
    return [_form(row) for row in await tx.fetch(_GRANTED, list(customer_ids))]


async def proposed(tx: Transaction, scope: Scope, now: datetime, limit: int) -> list[tuple[Record, Form]]:
    """Forms within reach that nobody has decided yet, with kind, unit and manager of the file."""
    reach = scope.everything, list(scope.units), list(scope.assigned_to)
    return [(row, _form(row)) for row in await tx.fetch(_PROPOSED, limit, now, *reach)]


async def lock_lapsed(tx: Transaction, now: datetime, limit: int) -> list[Form]:
    """Forms that nobody decided about in time."""
    return [_form(row) for row in await tx.fetch(_LAPSED, now, limit)]


async def add_hold(tx: Transaction, hold: Hold) -> None:
    """Suspend the supply of a customer."""
    await tx.execute(_ADD_HOLD, *(getattr(hold, name) for name in _HOLD))


async def store_hold(tx: Transaction, hold: Hold) -> None:
    """Set how things stand with it."""
    await tx.execute(_STORE_HOLD, hold.id, hold.state, hold.ended_at)


async def held(tx: Transaction, customer_ids: Iterable[UUID]) -> dict[UUID, Hold]:
    """What holds up the supply of these customers now."""
    return {row["customer_id"]: _hold(row) for row in await tx.fetch(_HELD, list(customer_ids))}


async def waiting(tx: Transaction, scope: Scope, reports: str) -> list[Record]:
    """Holds within reach that are not over, with unit and manager of the file, and who reported on each; the longest
    first. `reports`: the type of such a step."""
    reach = scope.everything, list(scope.units), list(scope.assigned_to)
    return await tx.fetch(_WAITING, reports, *reach)


async def holds(tx: Transaction, customer_id: UUID, below: UUID | None = None, limit: int = EVERY) -> list[Hold]:
    """Those of a customer, newest first."""
    return [_hold(row) for row in await tx.fetch(_HOLDS, customer_id, below, limit)]


async def add_step(tx: Transaction, step: Mapping[str, Any]) -> None:
    """What happened to a form or a hold."""
    await tx.execute(_ADD_STEP, *(step[name] for name in _STEP))


async def steps(tx: Transaction, matters: Iterable[UUID]) -> list[Record]:
    """What happened to these, oldest first."""
    return await tx.fetch(_STEPS, list(matters))


async def happened(tx: Transaction, customer_id: UUID, before: datetime, limit: int) -> list[Record]:
    """The latest steps before a moment, newest first."""
    return await tx.fetch(_HAPPENED, customer_id, before, limit)


async def give(tx: Transaction, matter: Form | Hold, target: UUID) -> None:
    """A form or hold to another customer; its steps are given apart."""
    table = "credit_form" if isinstance(matter, Form) else "credit_hold"
    await tx.execute(_GIVE.format(table=table), matter.id, target)


async def give_step(tx: Transaction, step_id: UUID, target: UUID, sealed: bytes | None) -> None:
    """With what is sealed as it is sealed for that customer."""
    await tx.execute(_GIVE_STEP, step_id, target, sealed)


def _form(row: Record) -> Form:
    return Form(**{**{name: row[name] for name in _FORM}, "state": State(row["state"])})


def _hold(row: Record) -> Hold:
    return Hold(**{**{name: row[name] for name in _HOLD}, "state": Supply(row["state"])})
