"""Rotation: submissions' keys come under the active key-encryption key, so that a former one can leave the settings."""

from datetime import datetime

from services.reporting.submission import repository
from services.reporting.submission.vault import Vault
from shared.db import Transaction

BATCH = 200


class Keys:
    """What a job does with keys; what was sealed is not touched."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    async def rewrap_due(self, tx: Transaction, _now: datetime) -> int:
        """Wrap a batch of keys anew; how many. A job calls it until none is left."""
        rows = await repository.lock_old_keys(tx, self._vault.active_kek, BATCH)
        for row in rows:
            await repository.set_key(tx, row["id"], self._vault.rewrap(row))
        return len(rows)
