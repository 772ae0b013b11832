"""Shows merges. Their reasons are the survivor's, and go with its key."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from services.customer.file.keys import Keys
from services.customer.file.service import Files
from services.customer.merge import errors, repository
from shared.auth import Principal
from shared.db import Record, Transaction
from shared.errors import Conflict, NotFound
from shared.sealing import KeyRing

READ = "merge.read"


@dataclass(frozen=True, slots=True)
class Shown:
    """A merge as a reader may see it; no reasons for who does not reach the survivor, or once that is erased."""

    row: Record
    reason: str | None
    undo_reason: str | None


class Merged:
    """Reads merges."""

    def __init__(self, files: Files, keys: Keys, ring: KeyRing) -> None:
        self._files = files
        self._keys = keys
        self._ring = ring

    async def get(self, tx: Transaction, who: Principal, merge_id: UUID) -> Shown:
        """One merge of which a file is within reach. Raises: NotFound"""
        row = await repository.get(tx, merge_id)
        if row is None or not await self._files.reach_many(tx, who, READ, [row["survivor"], row["loser"]]):
            raise errors.no_such_merge()
        return await self._shown(tx, who, row)

    async def of(
        self, tx: Transaction, who: Principal, customer_id: UUID, before: UUID | None, limit: int
    ) -> list[Shown]:
        """Merges in which a file is one of the two, the latest first. Raises: NotFound"""
        await self._files.reach(tx, who, READ, customer_id)
        return [await self._shown(tx, who, row) for row in await repository.of(tx, customer_id, before, limit)]

    async def _shown(self, tx: Transaction, who: Principal, row: Record) -> Shown:
        try:
            _, key, _ = await self._keys.look(tx, who, READ, row["survivor"])
        except (NotFound, Conflict):
            return Shown(row, None, None)
        subject = str(row["survivor"])
        reason = self._ring.open(key, subject, row["id"], row["sealed"])["reason"]
        undone = row["undone"] and self._ring.open(key, subject, row["id"], row["undone"])["reason"]
        return Shown(row, reason, undone)
