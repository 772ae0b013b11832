"""All SQL of failed sign-ins."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, func, select, update

from services.identity.sign_in.models import sign_in_failure as table
from shared.db import Transaction

_COUNT = """
INSERT INTO sign_in_failure AS old (mark, failures, last_failed_at) VALUES ($1, 1, $2)
ON CONFLICT (mark) DO UPDATE SET last_failed_at = excluded.last_failed_at,
  failures = CASE WHEN old.last_failed_at < $3 THEN 1 ELSE old.failures + 1 END
RETURNING failures
"""


async def locked_until(tx: Transaction, marks: Sequence[bytes]) -> datetime | None:
    """The end of the longest lock on any of the marks."""
    latest = select(func.max(table.c.locked_until)).where(table.c.mark.in_(marks))
    found: datetime | None = await tx.fetchval(latest)
    return found


async def count(tx: Transaction, mark: bytes, now: datetime, forgotten_before: datetime) -> int:
    """One failure more, from one on if the last is long ago; the row stays locked until the transaction ends."""
    failures: int = await tx.fetchval(_COUNT, mark, now, forgotten_before)
    return failures


async def lock_out(tx: Transaction, mark: bytes, until: datetime | None) -> None:
    await tx.execute(update(table).where(table.c.mark == mark).values(locked_until=until))


async def forget(tx: Transaction, mark: bytes) -> None:
    await tx.execute(delete(table).where(table.c.mark == mark))


async def forget_old(tx: Transaction, failed_before: datetime, now: datetime) -> int:
    is_open = table.c.locked_until.is_(None) | (table.c.locked_until < now)
    return await tx.execute(delete(table).where((table.c.last_failed_at < failed_before) & is_open))
