"""What marks of failed sign-ins and refresh tokens are derived from: made once, kept sealed under the key ring.

Called by the composition. It outlives a change of the key-encryption key: else that would open all that is locked.
"""

import hashlib
import hmac
import os
from datetime import datetime

from services.identity.sign_in import repository
from shared.db import Transaction
from shared.ids import new_id
from shared.sealing import KeyRing, WrappedKey

_SUBJECT = "seed/sign-in"
_LENGTH = 32


class Seed:
    """Nothing can be derived before `ensure`."""

    def __init__(self, ring: KeyRing) -> None:
        self._ring = ring
        self._secret = b""

    async def ensure(self, tx: Transaction, now: datetime) -> None:
        """Make it at the very first start; know it from then on."""
        row = await repository.seed(tx)
        if row is None:
            key, seed_id = self._ring.new_key(_SUBJECT), new_id()
            sealed = self._ring.seal_bytes(key, _SUBJECT, seed_id, os.urandom(_LENGTH))
            made = {"id": seed_id, "kek": key.kek, "wrapped": key.wrapped, "sealed": sealed, "made_at": now}
            await repository.add_seed(tx, made)
            row = await repository.seed(tx)
        assert row is not None
        self._secret = self._ring.open_bytes(WrappedKey(row["kek"], row["wrapped"]), _SUBJECT, row["id"], row["sealed"])

    def key(self, purpose: bytes) -> bytes:
        """A key of its own for each purpose."""
        assert self._secret
        return hmac.digest(self._secret, purpose, hashlib.sha256)

    async def rewrap_due(self, tx: Transaction, now: datetime) -> int:  # noqa: ARG002 - a job's signature
        """Wrap it anew after the key-encryption key was changed. A job."""
        row = await repository.seed(tx)
        if row is None or row["kek"] == self._ring.active:
            return 0
        fresh = self._ring.rewrap(WrappedKey(row["kek"], row["wrapped"]), _SUBJECT)
        return await repository.change_seed(tx, row["kek"], kek=fresh.kek, wrapped=fresh.wrapped)
