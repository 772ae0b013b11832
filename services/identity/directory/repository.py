"""All SQL of the directory."""

from collections.abc import Sequence

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert

from services.identity.directory.models import account as account_table
from services.identity.directory.models import unit as unit_table
from services.identity.directory.rules import Account, Kind
from shared.db import Record, Transaction, advisory_key

# UNION, not UNION ALL: should the tree ever hold a circle, the walk still ends.
_ACCOUNT = """
WITH RECURSIVE found AS (SELECT * FROM account WHERE name = $1),
below (id) AS (SELECT unit FROM found UNION SELECT u.id FROM unit u JOIN below ON u.parent = below.id)
SELECT found.*, (SELECT array_agg(id ORDER BY id) FROM below) AS units FROM found
"""


async def lock(tx: Transaction) -> None:
    """Nobody else loads a directory file until this transaction ends."""
    await tx.execute("SELECT pg_advisory_xact_lock($1)", advisory_key("identity:directory"))


async def account(tx: Transaction, name: str) -> Account | None:
    row = await tx.fetchrow(_ACCOUNT, name)
    if row is None:
        return None
    return Account(
        name=row["name"],
        kind=Kind(row["kind"]),
        full_name=row["full_name"],
        roles=tuple(row["roles"]),
        unit=row["unit"],
        units=tuple(row["units"]),
        active=row["active"],
        secret_hash=row["secret_hash"],
    )


async def names(tx: Transaction) -> set[str]:
    """The names of all accounts."""
    return {row["name"] for row in await tx.fetch(select(account_table.c.name))}


async def add_units(tx: Transaction, rows: Sequence[dict[str, object]]) -> int:
    """Add those that are missing, in the given order; how many there were."""
    return sum([await tx.execute(insert(unit_table).values(row).on_conflict_do_nothing()) for row in rows])


async def add_accounts(tx: Transaction, rows: Sequence[dict[str, object]]) -> int:
    """Add those that are missing; how many there were."""
    return sum([await tx.execute(insert(account_table).values(row).on_conflict_do_nothing()) for row in rows])


async def set_hash(tx: Transaction, name: str, before: str, after: str) -> None:
    """Replace a hash by one of the same secret, unless the secret was changed meanwhile."""
    is_same = (account_table.c.name == name) & (account_table.c.secret_hash == before)
    await tx.execute(update(account_table).where(is_same).values(secret_hash=after))


async def units(tx: Transaction) -> list[Record]:
    return await tx.fetch(select(unit_table.c.id, unit_table.c.parent, unit_table.c.title).order_by(unit_table.c.id))
