"""Tells audit of sign-ins that were refused (R2.2). Called by the proofs of people and of client systems.

What costs a stranger nothing, being refused without any hashing, is told once a minute with the number of attempts:
knocking does not fill the log.
"""

from datetime import datetime
from typing import NamedTuple

from services.identity.account.rules import Reason
from shared.db import Database, Transaction
from shared.events import SignInFailed
from shared.outbox import Outbox
from shared.web.tally import Tally

TOLD_EVERY_S = 60


class Failure(NamedTuple):
    """Of whom, if there is such a name: people type passwords there."""

    name: str | None
    method: str
    reason: Reason


class Failures:
    def __init__(self, database: Database, outbox: Outbox) -> None:
        self._database = database
        self._outbox = outbox
        self._free: Tally[Failure] = Tally(self._tell, TOLD_EVERY_S)

    async def note(self, tx: Transaction, failure: Failure, now: datetime | None = None, *, attempts: int = 1) -> None:
        """An event of its own."""
        event = SignInFailed(name=failure.name, method=failure.method, reason=failure.reason.value, attempts=attempts)
        subject = f"account/{failure.name or 'unknown'}"
        envelope = self._outbox.envelope(event, feature="sign_in", subject=subject, actor="anonymous", at=now)
        await self._outbox.add(tx, envelope, event)

    async def count(self, failure: Failure) -> None:
        """One that cost nothing."""
        await self._free.add(failure)

    async def close(self) -> None:
        """Tell what is left to tell."""
        await self._free.close()

    async def _tell(self, failure: Failure, attempts: int) -> None:
        async with self._database.transaction("writer") as tx:
            await self.note(tx, failure, attempts=attempts)
