"""Dealings as the file sees them: in the timeline, in merges, and told to the customer (R5.3, R15.1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from services.customer.dealings import repository
from services.customer.file.related import Happening
from shared.auth import Principal
from shared.db import Record, Transaction
from shared.regime import Dealings

READ = "customer.dealings.read"
_PLACES = {Dealings.PURCHASES: "purchase", Dealings.VIOLATIONS: "violation"}


class RelatedDealings:
    """Purchases and violations. Figures are in no happening: who may see them depends on the items computed of them."""

    name = "dealings"
    action = READ

    async def happenings(self, tx: Transaction, customer_id: UUID, before: datetime, limit: int) -> Sequence[Happening]:
        """What was recorded or corrected last, newest first; those of one moment in order of their source ids."""
        return [_happening(row) for row in await repository.happenings(tx, customer_id, before, limit)]

    async def move(
        self, tx: Transaction, source: UUID, target: UUID, records: Sequence[str] | None = None
    ) -> list[str]:
        """Give rows to another customer; the feed goes on naming the former one, and its corrections follow them."""
        moved = []
        for dealings, place in _PLACES.items():
            own = None if records is None else _within(place, records)
            moved += [f"{place}/{each}" for each in await repository.move(tx, dealings, source, target, own)]
        return moved

    async def erase(self, tx: Transaction, customer_id: UUID) -> None:
        """Nothing: figures of trade and findings of a rule's breach are kept as accounts are, under no name."""

    async def disclose(
        self, tx: Transaction, who: Principal, customer_id: UUID, now: datetime  # noqa: ARG002 - nothing is sealed
    ) -> Mapping[str, Any]:  # fmt: skip
        """Every row with its figures, oldest first; money in fen."""
        return {each.value: [_plain(row) for row in await repository.all_of(tx, each, customer_id)] for each in _PLACES}


def _happening(row: Record) -> Happening:
    fact = "withdrawn" if row["withdrawn"] else "recorded"
    is_purchase = row["what"] == _PLACES[Dealings.PURCHASES]
    facts = {"month": row["day"].strftime("%Y-%m")} if is_purchase else {"found_on": row["day"].isoformat()}
    record = f"{row['what']}/{row['source_id']}"
    return Happening(row["at"], f"{row['what']}.{fact}", row["actor"], record, facts)


def _within(place: str, records: Sequence[str]) -> list[str]:
    """The ids of those records that are of this place."""
    return [record.partition("/")[2] for record in records if record.partition("/")[0] == place]


def _plain(row: Record) -> dict[str, Any]:
    return {name: value if isinstance(value, int) else str(value) for name, value in row.items()}
