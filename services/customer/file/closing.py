"""Files that are closed because they were merged into another one, and opened again (R5.2). For the feature above."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from uuid import UUID

from services.customer.file import errors, repository
from services.customer.file.repository import Locked, NumberTaken, Written
from shared.auth import Principal, within
from shared.db import Transaction
from shared.events import Envelope, Event
from shared.outbox import Outbox
from shared.sealing import KeyRing


class Closing:
    """Closes files and opens them."""

    def __init__(self, ring: KeyRing, outbox: Outbox) -> None:
        self._ring = ring
        self._outbox = outbox

    async def hold(
        self, tx: Transaction, who: Principal, action: str, customer_ids: Collection[UUID], codes: Collection[str]
    ) -> Mapping[UUID, Locked]:
        """Files within reach with the values of some items, locked in order of id until the transaction ends.

        Raises: NotFound, if one of them is not there or out of reach.
        """
        files = {}
        for customer_id in sorted(customer_ids):
            file = await repository.lock(tx, customer_id, codes)
            if file is None:
                raise errors.no_such_customer()
            within(who, action, file.unit, file.manager)
            files[customer_id] = file
        return files

    async def close(
        self,
        tx: Transaction,
        customer_id: UUID,
        file: Locked,
        into: UUID,
        number: str | None,
        fact: tuple[Envelope, Event],
    ) -> None:
        """Close a held file as its next version, which the fact tells of; `number` is what it keeps of its number."""
        await self._write(tx, customer_id, file, into, number, fact)

    async def reopen(
        self,
        tx: Transaction,
        customer_id: UUID,
        file: Locked,
        number: tuple[str, str | None],
        fact: tuple[Envelope, Event],
    ) -> None:
        """Open a held file again as its next version, with its number (item, value). Raises: Conflict (number_taken)"""
        item, value = number
        try:
            await self._write(tx, customer_id, file, None, value, fact)
        except NumberTaken:
            raise errors.number_taken(item) from None

    async def number_is_free(self, tx: Transaction, kind: str, number: str, *customer_ids: UUID) -> bool:
        """Whether nobody but these customers has a number."""
        holder = await repository.holder(tx, kind, number)
        return holder is None or holder in customer_ids

    async def _write(
        self, tx: Transaction, customer_id: UUID, file: Locked, into: UUID | None, number: str | None,
        fact: tuple[Envelope, Event],
    ) -> None:  # fmt: skip
        assert file.key is not None
        envelope, event = fact
        sealed = self._ring.seal(file.key, str(customer_id), envelope.id, {})
        written = Written(file.version + 1, envelope.id, event.type, envelope.time, envelope.actor, [], sealed)
        await repository.close(tx, customer_id, into, number, written, self._outbox.row(envelope, event))
