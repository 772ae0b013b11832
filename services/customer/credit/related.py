"""Credit as the file sees it: in the timeline, in merges, and told to the customer (R5.3, R15.1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from services.customer.credit import ledger, repository
from services.customer.credit.journal import Journal
from services.customer.credit.rules import Form, Hold, State
from services.customer.credit.service import READ
from services.customer.credit.showing import Showing
from services.customer.credit.standing import Standing
from services.customer.file.keys import Keys
from services.customer.file.reads import Reads
from services.customer.file.related import DISCLOSE, Happening
from services.customer.file.service import Files
from shared.auth import Principal
from shared.db import Record, Transaction

_FIGURES = ("source_id", "supplied_on", "due_on", "amount_fen", "paid_fen", "withdrawn")
_PAID = ("source_id", "bill", "paid_on", "amount_fen", "withdrawn")


class RelatedCredit:
    """Forms, holds and bills."""

    name = "credit"
    action = READ

    def __init__(
        self, files: Files, keys: Keys, reads: Reads, journal: Journal, showing: Showing, standing: Standing
    ) -> None:
        self._files = files
        self._keys = keys
        self._reads = reads
        self._journal = journal
        self._showing = showing
        self._standing = standing

    async def happenings(self, tx: Transaction, customer_id: UUID, before: datetime, limit: int) -> Sequence[Happening]:
        """Steps of forms and holds, and bills as they were recorded last, newest first; no amounts."""
        steps = await repository.happened(tx, customer_id, before, limit)
        found = [Happening(row["at"], row["type"], row["actor"], f"step/{row['id']}", row["facts"]) for row in steps]
        found += [_recorded(row) for row in await ledger.happened(tx, customer_id, before, limit)]
        return sorted(found, key=lambda each: (each.at, each.record), reverse=True)[:limit]

    async def move(
        self, tx: Transaction, source: UUID, target: UUID, records: Sequence[str] | None = None
    ) -> list[str]:
        """Give bills, forms and holds to another customer. What can be there once only (a form that waits or is in
        force, a hold that is not over) stays if the other has one."""
        await repository.lock(tx, [source, target], opening=True)
        open_there = {_slot(each) for each in await self._matters(tx, target)} - {None}
        matters = [
            each for each in await self._matters(tx, source)
            if (records is None or f"matter/{each.id}" in records) and _slot(each) not in open_there
        ]  # fmt: skip
        keys = await self._keys.of(tx, [source, target]) if matters else {}
        for each in matters:
            await repository.give(tx, each, target)
        await self._journal.give(tx, [each.id for each in matters], keys, target)
        own = None if records is None else [each.removeprefix("bill/") for each in records if each.startswith("bill/")]
        bills = await ledger.give(tx, source, target, own)
        return [*(f"matter/{each.id}" for each in matters), *(f"bill/{each}" for each in bills)]

    async def _matters(self, tx: Transaction, customer_id: UUID) -> list[Form | Hold]:
        return [*await repository.forms(tx, customer_id), *await repository.holds(tx, customer_id)]

    async def erase(self, tx: Transaction, customer_id: UUID) -> None:
        """Nothing: what people wrote is sealed under the key that is destroyed; bills are kept as accounts are."""

    async def disclose(self, tx: Transaction, who: Principal, customer_id: UUID, now: datetime) -> Mapping[str, Any]:
        """All of it, opened as far as `who` may disclose it."""
        file = await self._files.reach(tx, who, DISCLOSE, customer_id)
        sight = who.sight(DISCLOSE, file["unit"], file["manager"])
        key = (await self._keys.of(tx, [customer_id])).get(customer_id)
        forms = await repository.forms(tx, customer_id)
        holds = await repository.holds(tx, customer_id)
        bills, payments = await ledger.of(tx, customer_id)
        views, told = await self._showing.forms(tx, sight, key, forms, now)
        await self._reads.record(tx, who, sight, customer_id, told, now)
        return {
            "forms": views,
            "holds": await self._showing.holds(tx, sight, key, self._standing.credit(now), holds),
            "bills": [{name: row[name] for name in _FIGURES} for row in bills],
            "payments": [{name: row[name] for name in _PAID} for row in payments],
        }


def _slot(matter: Form | Hold) -> str | None:
    """What of it there is once only for a customer, while it is open."""
    if isinstance(matter, Hold):
        return "hold" if matter.ended_at is None else None
    return matter.state if matter.state in (State.PROPOSED, State.IN_FORCE) else None


def _recorded(row: Record) -> Happening:
    facts = {"due_on": row["due_on"].isoformat(), "withdrawn": row["withdrawn"]}
    return Happening(row["recorded_at"], "credit.bill_recorded", row["recorded_by"], f"bill/{row['source_id']}", facts)
