"""Data keys of customers: erasure by destroying a key, and re-wrapping after the key-encryption key changed (R15.1)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from services.customer.dictionary.service import Dictionaries
from services.customer.file import errors, repository, sets
from services.customer.file.related import Related
from services.customer.file.repository import Locked, Written
from shared.auth import Principal, Sight, within
from shared.db import Transaction
from shared.events import SubjectKeyDestroyed
from shared.ids import new_id
from shared.outbox import Outbox
from shared.sealing import KeyRing, WrappedKey

ERASE = "customer.subject.erase"
_BATCH = 500


class Keys:
    """The life of data keys after registration."""

    def __init__(self, dictionaries: Dictionaries, ring: KeyRing, outbox: Outbox, related: Sequence[Related]) -> None:
        self._dictionaries = dictionaries
        self._ring = ring
        self._outbox = outbox
        self._related = related

    async def hold(self, tx: Transaction, who: Principal, action: str, customer_id: UUID) -> tuple[str, WrappedKey]:
        """Kind and data key of a file within reach, locked until the transaction ends: before whatever refers to it.

        Raises: NotFound, Conflict (customer_erased, customer_merged).
        """
        file = await repository.lock(tx, customer_id, [])
        if file is None:
            raise errors.no_such_customer()
        within(who, action, file.unit, file.manager)
        return file.kind, errors.key_of_open(file.key, file.merged_into)

    async def look(
        self, tx: Transaction, who: Principal, action: str, customer_id: UUID
    ) -> tuple[str, WrappedKey, Sight]:
        """The same for a reader, without the lock, and what they see of the file."""
        file = (await sets.keys_of(tx, [customer_id])).get(customer_id)
        if file is None:
            raise errors.no_such_customer()
        sight = within(who, action, file["unit"], file["manager"])
        if file["wrapped"] is None:
            raise errors.erased()
        return file["kind"], WrappedKey(file["kek"], file["wrapped"]), sight

    async def of(self, tx: Transaction, customer_ids: Sequence[UUID]) -> dict[UUID, WrappedKey]:
        """The data keys of files, for features that seal anew what moves between them; none of those that were erased.

        Nobody's authority is asked: whoever moves records has decided that.
        """
        rows = await sets.keys_of(tx, customer_ids)
        return {found: WrappedKey(row["kek"], row["wrapped"]) for found, row in rows.items() if row["wrapped"]}

    async def destroy(self, tx: Transaction, who: Principal, customer_id: UUID, reason: str, now: datetime) -> int:
        """Destroy the data key and take the personal values out of the file; its last version.

        What was sealed under the key cannot be opened anywhere from now on: not in the history, in a topic, in the
        audit log or in a backup of them. What else is personal, each feature removes. So it goes with the files that
        were merged into it: they are of the same subject.

        Raises: NotFound, Conflict (customer_erased, customer_merged)
        """
        files: dict[UUID, Locked | None] = {}
        while new := [each for each in await repository.family(tx, customer_id) if each not in files]:
            files |= {each: await repository.lock(tx, each, []) for each in new}
        file = files[customer_id]
        if file is None:
            raise errors.no_such_customer()
        within(who, ERASE, file.unit, file.manager)
        if file.erased_at is not None:
            raise errors.erased()
        if file.merged_into is not None:
            raise errors.merged(file.merged_into)
        for each, found in files.items():
            if found is not None and found.erased_at is None:
                await self._destroy(tx, who, each, found, reason, now)
        return file.version + 1

    async def _destroy(
        self, tx: Transaction, who: Principal, customer_id: UUID, file: Locked, reason: str, now: datetime
    ) -> None:
        catalogue = self._dictionaries.catalogue(file.kind, now)
        codes = [item.code for item in catalogue.items.values() if item.personal]
        version, event_id = file.version + 1, new_id()
        event = SubjectKeyDestroyed(customer_id=str(customer_id), reason=reason)
        envelope = self._outbox.envelope(
            event, feature="file", subject=f"customer/{customer_id}", actor=who.actor, sequence=version, at=now,
            event_id=event_id,
        )  # fmt: skip
        written = Written(version, event_id, event.type, now, who.actor, codes, b"")
        await repository.erase(tx, customer_id, codes, reason, written, self._outbox.row(envelope, event))
        for feature in self._related:
            await feature.erase(tx, customer_id)

    async def rewrap_due(self, tx: Transaction, _now: datetime) -> int:
        """Wrap a batch of data keys by the active key-encryption key; how many. A job calls it until none is left."""
        rows = await sets.lock_old_keys(tx, self._ring.active, _BATCH)
        fresh = {
            row["customer_id"]: self._ring.rewrap(
                WrappedKey(row["kek"], row["wrapped"]), str(row["customer_id"])
            ).wrapped
            for row in rows
        }
        return await sets.rewrap(tx, self._ring.active, fresh) if fresh else 0
