"""What a reader may see, and the record that classified values were seen.

Values leave this service only through `Reads.clear`, so that clearance holds on every surface (R2.2). The record is an
event in the transaction of the read, committed before the answer leaves: nothing classified is seen unrecorded.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from shared.auth import Principal, Sight
from shared.clock import day_of
from shared.db import Transaction
from shared.errors import Forbidden, KehuError, NotFound
from shared.events import AccessRefused, ClassifiedRead, Envelope, Event
from shared.outbox import Outbox
from shared.regime import Catalogue, Regimes, Resource, Secrecy, highest

Read: TypeAlias = tuple[Sight, Catalogue, UUID, Iterable[str]]
"""What somebody sees of a customer, by which dictionary, which customer, and the items that they saw."""


class Reads:
    """Clears items for a reader, and notes what was read."""

    def __init__(self, outbox: Outbox, regimes: Regimes) -> None:
        self._outbox = outbox
        self._regimes = regimes

    def clear(self, sight: Sight, catalogue: Catalogue, codes: Iterable[str]) -> tuple[set[str], set[str]]:
        """Split codes into those that the sight of a file shows and those to withhold; an item that is gone is
        withheld."""
        seen: set[str] = set()
        withheld: set[str] = set()
        for code in codes:
            item = catalogue.items.get(code)
            cleared = item is not None and sight.shows(item.secrecy, item.field_class)
            (seen if cleared else withheld).add(code)
        return seen, withheld

    async def note(
        self,
        tx: Transaction,
        who: Principal,
        sight: Sight,
        catalogue: Catalogue,
        customer_id: UUID,
        codes: Iterable[str],
        now: datetime,
    ) -> None:
        """Record in `tx` that these items of a customer left the service, and what for, if any is of a level from which
        on that is declared."""
        await self.note_many(tx, who, [(sight, catalogue, customer_id, codes)], now)

    async def note_many(self, tx: Transaction, who: Principal, read: Iterable[Read], now: datetime) -> None:
        """The same for several customers at once."""
        facts = []
        for sight, catalogue, customer_id, codes in read:
            items = (catalogue.items[code] for code in codes)
            fields = {item.code: (item.secrecy, item.field_class) for item in items}
            facts += self._facts(who, sight, customer_id, fields, now)
        await self._outbox.add_many(tx, facts)

    async def record(
        self, tx: Transaction, who: Principal, sight: Sight, customer_id: UUID,
        fields: Mapping[str, tuple[Secrecy, str]], now: datetime,
    ) -> None:  # fmt: skip
        """The same of whatever is kept of a customer beside items: level and class of each field, by a code."""
        await self._outbox.add_many(tx, self._facts(who, sight, customer_id, fields, now))

    def _facts(
        self, who: Principal, sight: Sight, customer_id: UUID, fields: Mapping[str, tuple[Secrecy, str]], now: datetime
    ) -> list[tuple[Envelope, Event]]:
        declared = self._regimes.get(Resource, "customer", on=day_of(now))
        classified = sorted(code for code, (level, _) in fields.items() if declared.records(level))
        if not classified:
            return []
        purpose = sight.purpose(fields[code] for code in classified)
        level = highest(fields[code][0] for code in classified)
        event = ClassifiedRead(items=tuple(classified), level=level.value, purpose=purpose)
        envelope = self._outbox.envelope(event, feature="access", subject=f"customer/{customer_id}", actor=who.actor)
        return [(envelope, event)]

    async def note_refusal(
        self, tx: Transaction, who: Principal, action: str, route: str, customer_id: UUID, refusal: KehuError
    ) -> None:
        """Record what was refused of one customer among many, as the door does where there is one (shared.web)."""
        if isinstance(refusal, Forbidden | NotFound):
            event = AccessRefused(action=action, code=refusal.code, method="POST", route=route, record=str(customer_id))
            envelope = self._outbox.envelope(event, feature="access", subject=f"access/{who.name}", actor=who.actor)
            await self._outbox.add(tx, envelope, event)
