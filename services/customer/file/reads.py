"""What a reader may see, and the record that classified values were seen.

Values leave this service only through `Reads.clear`, so that clearance holds on every surface (R2.2). The record is an
event in the transaction of the read, committed before the answer leaves: nothing classified is seen unrecorded.
"""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from shared.auth import Principal
from shared.db import Transaction
from shared.events import ClassifiedRead
from shared.outbox import Outbox
from shared.regime import Catalogue, Secrecy

CLASSIFIED = Secrecy.CONFIDENTIAL


class Reads:
    """Clears items for a reader, and notes what was read."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox

    def clear(
        self, who: Principal, action: str, catalogue: Catalogue, codes: Iterable[str]
    ) -> tuple[set[str], set[str]]:
        """Split codes into those that the reader may see and those to withhold; an item that is gone is withheld."""
        seen: set[str] = set()
        withheld: set[str] = set()
        for code in codes:
            item = catalogue.items.get(code)
            cleared = item is not None and who.clears(action, item.secrecy)
            (seen if cleared else withheld).add(code)
        return seen, withheld

    async def note(
        self, tx: Transaction, who: Principal, catalogue: Catalogue, customer_id: UUID, codes: Iterable[str]
    ) -> None:
        """Record in `tx` that these items of a customer left the service, if any of them is classified."""
        levels = {code: catalogue.items[code].secrecy for code in codes}
        classified = sorted(code for code, level in levels.items() if level.covers(CLASSIFIED))
        if not classified:
            return
        highest = max((levels[code] for code in classified), key=list(Secrecy).index)
        event = ClassifiedRead(items=tuple(classified), level=highest.value)
        envelope = self._outbox.envelope(event, feature="access", subject=f"customer/{customer_id}", actor=who.actor)
        await self._outbox.add(tx, envelope, event)
