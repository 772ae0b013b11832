"""All SQL of accounts: passwords, invitations, second factors, failures."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, exists, func, select, update
from sqlalchemy.dialects.postgresql import insert

from services.identity.account.models import account as table
from services.identity.account.models import former_secret, invitation, recovery_code, second_factor, sign_in_failure
from services.identity.account.rules import Account
from shared.db import Record, Transaction

_HAS_FACTOR = exists().where((second_factor.c.name == table.c.name) & second_factor.c.confirmed_at.is_not(None))
_SHOWN = (
    table.c.name,
    table.c.secret_hash,
    table.c.set_at,
    table.c.locked_at,
    table.c.revoked_at,
    _HAS_FACTOR.label("has_second_factor"),
)

_COUNT = """
INSERT INTO sign_in_failure AS old (mark, failures, forgotten_at) VALUES ($1, 1, $3)
ON CONFLICT (mark) DO UPDATE SET
  failures = CASE WHEN old.forgotten_at <= $2 THEN 1 ELSE old.failures + 1 END,
  forgotten_at = CASE WHEN old.forgotten_at <= $2 OR $4 THEN excluded.forgotten_at ELSE old.forgotten_at END
RETURNING failures
"""


async def find(tx: Transaction, name: str) -> Account | None:
    row = await tx.fetchrow(select(*_SHOWN).where(table.c.name == name))
    return Account(**dict(row)) if row is not None else None


async def lock(tx: Transaction, name: str) -> Account | None:
    """The same, and nobody else changes it until this transaction ends."""
    row = await tx.fetchrow(select(*_SHOWN).where(table.c.name == name).with_for_update(of=table))
    return Account(**dict(row)) if row is not None else None


async def names(tx: Transaction) -> set[str]:
    """The names of all accounts."""
    return {row["name"] for row in await tx.fetch(select(table.c.name))}


async def add(tx: Transaction, name: str, secret_hash: str | None, now: datetime) -> int:
    """Add it if it is missing; how many there were."""
    row = {"name": name, "secret_hash": secret_hash, "set_at": now, "created_at": now}
    return await tx.execute(insert(table).values(row).on_conflict_do_nothing())


async def set_hash(tx: Transaction, name: str, before: str, after: str) -> None:
    """Replace a hash by one of the same secret, unless the secret was changed meanwhile."""
    is_same = (table.c.name == name) & (table.c.secret_hash == before)
    await tx.execute(update(table).where(is_same).values(secret_hash=after))


async def change(tx: Transaction, name: str, **values: object) -> None:
    await tx.execute(update(table).where(table.c.name == name).values(values))


async def former(tx: Transaction, name: str, newest: int) -> list[str]:
    """Hashes of the newest former passwords."""
    mine = select(former_secret.c.secret_hash).where(former_secret.c.name == name)
    rows = await tx.fetch(mine.order_by(former_secret.c.retired_at.desc()).limit(newest))
    return [row["secret_hash"] for row in rows]


async def retire(tx: Transaction, name: str, secret_hash: str, now: datetime, keep: int) -> None:
    """Put a password among the former ones, of which the newest `keep` stay."""
    row = {"name": name, "retired_at": now, "secret_hash": secret_hash}
    await tx.execute(insert(former_secret).values(row))
    mine = former_secret.c.name == name
    kept = select(former_secret.c.retired_at).where(mine).order_by(former_secret.c.retired_at.desc()).limit(keep)
    await tx.execute(delete(former_secret).where(mine & former_secret.c.retired_at.not_in(kept)))


async def invite(tx: Transaction, row: dict[str, object]) -> None:
    """The only open invitation of its name."""
    statement = insert(invitation).values(row)
    changed = {column: statement.excluded[column] for column in row if column != "name"}
    await tx.execute(statement.on_conflict_do_update(index_elements=["name"], set_=changed))


async def invited(tx: Transaction, mark: bytes, now: datetime) -> Record | None:
    """Whom an invitation is for, and what its maker is cleared for, while it lasts."""
    is_open = (invitation.c.mark == mark) & (invitation.c.expires_at > now)
    return await tx.fetchrow(select(invitation.c.name, invitation.c.clears).where(is_open))


async def use_invitation(tx: Transaction, mark: bytes, now: datetime) -> Record | None:
    """Take it; nobody else can."""
    is_open = (invitation.c.mark == mark) & (invitation.c.expires_at > now)
    return await tx.fetchrow(delete(invitation).where(is_open).returning(invitation.c.name))


async def drop_invitations(tx: Transaction, now: datetime) -> int:
    """Remove those that have expired; how many."""
    return await tx.execute(delete(invitation).where(invitation.c.expires_at <= now))


async def lock_factor(tx: Transaction, name: str) -> Record | None:
    """A person's factor; nobody else uses a code of it until this transaction ends."""
    return await tx.fetchrow(select(second_factor).where(second_factor.c.name == name).with_for_update())


async def factors_wrapped_otherwise(tx: Transaction, kek: str, limit: int) -> list[Record]:
    """Factors whose data key is not wrapped by `kek`."""
    otherwise = select(second_factor).where(second_factor.c.kek != kek).order_by(second_factor.c.name).limit(limit)
    return await tx.fetch(otherwise.with_for_update())


async def put_factor(tx: Transaction, row: Mapping[str, Any]) -> None:
    """A new one in place of any former."""
    await remove_factor(tx, row["name"])
    await tx.execute(insert(second_factor).values(dict(row)))


async def change_factor(tx: Transaction, name: str, **values: object) -> None:
    await tx.execute(update(second_factor).where(second_factor.c.name == name).values(values))


async def remove_factor(tx: Transaction, name: str) -> None:
    await tx.execute(delete(second_factor).where(second_factor.c.name == name))


async def put_codes(tx: Transaction, name: str, marks: Sequence[bytes]) -> None:
    await tx.execute(insert(recovery_code).values([{"name": name, "mark": mark} for mark in marks]))


async def use_code(tx: Transaction, name: str, mark: bytes, now: datetime) -> bool:
    """Use a code for emergencies; whether it was a good one."""
    is_good = (recovery_code.c.name == name) & (recovery_code.c.mark == mark) & recovery_code.c.used_at.is_(None)
    return bool(await tx.execute(update(recovery_code).where(is_good).values(used_at=now)))


async def locked_until(tx: Transaction, marks: Sequence[bytes]) -> datetime | None:
    """The end of the longest lock on any of the marks."""
    latest = select(func.max(sign_in_failure.c.locked_until)).where(sign_in_failure.c.mark.in_(marks))
    found: datetime | None = await tx.fetchval(latest)
    return found


async def count_failure(tx: Transaction, mark: bytes, now: datetime, forgotten_at: datetime, *, put_off: bool) -> int:
    """One failure more, the first once the former ones are forgotten; each `put_off` that moment, or none does.

    The row stays locked until the transaction ends.
    """
    failures: int = await tx.fetchval(_COUNT, mark, now, forgotten_at, put_off)
    return failures


async def lock_out(tx: Transaction, mark: bytes, until: datetime | None) -> None:
    await tx.execute(update(sign_in_failure).where(sign_in_failure.c.mark == mark).values(locked_until=until))


async def forget_failures(tx: Transaction, mark: bytes) -> None:
    await tx.execute(delete(sign_in_failure).where(sign_in_failure.c.mark == mark))


async def forget_old_failures(tx: Transaction, now: datetime) -> int:
    is_open = sign_in_failure.c.locked_until.is_(None) | (sign_in_failure.c.locked_until < now)
    return await tx.execute(delete(sign_in_failure).where((sign_in_failure.c.forgotten_at <= now) & is_open))
