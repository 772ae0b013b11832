"""SQL of customers to hand over."""

from shared.db import Record, Transaction

_PUT = """
INSERT INTO outstanding (person, unit, done) VALUES ($1, $2, $3)
ON CONFLICT (person, unit) DO UPDATE SET done = excluded.done
"""
_DROP = "DELETE FROM outstanding WHERE person = $1 AND unit = $2"
_OF = "SELECT unit, done FROM outstanding WHERE person = $1 ORDER BY unit"


async def put(tx: Transaction, person: str, unit: str, *, done: bool) -> None:
    """A person has customers of a unit to hand over, or has done so."""
    await tx.execute(_PUT, person, unit, done)


async def drop(tx: Transaction, person: str, unit: str) -> None:
    """There is nothing to be said of them."""
    await tx.execute(_DROP, person, unit)


async def of(tx: Transaction, person: str) -> list[Record]:
    """By unit: whether it is done."""
    return await tx.fetch(_OF, person)
