"""Tells audit, and identity, that keys of partner systems are used, and that they are refused (R0.4, R4.5).

A use is written down before the first request of an hour goes on: no key works unseen. A refusal is one only if it
names a key that exists. Both are bounded by keys, not by requests, so that nobody can fill the log by knocking.
"""

from __future__ import annotations

import time

from shared.auth import Principal
from shared.auth.keys import BadKey, Key
from shared.db import Database
from shared.events import Event, KeyRefused, KeyUsed
from shared.outbox import Outbox
from shared.web.tally import Tally

USE_TOLD_EVERY_S = 3600
REFUSAL_TOLD_EVERY_S = 60
_ANYBODY = "anonymous"
_KNOWN_BEARERS = frozenset({"wrong_address", "client_closed", "expired", "revoked"})
"""Reasons for which a key was refused though its secret was right."""


class KeyUse:
    """What one process has told of keys."""

    def __init__(self, outbox: Outbox, database: Database) -> None:
        self._outbox = outbox
        self._database = database
        self._used: dict[str, float] = {}
        self._refusals: Tally[tuple[Key, str]] = Tally(self._tell_refusal, REFUSAL_TOLD_EVERY_S)

    async def used(self, who: Principal) -> None:
        """A request came with a key. Raises: Unavailable, if the first use cannot be written down"""
        assert who.key is not None
        moment = time.monotonic()
        told_at = self._used.get(who.key)
        if told_at is not None and moment - told_at < USE_TOLD_EVERY_S:
            return
        self._used[who.key] = moment  # before the wait: requests beside this one need not tell it, too
        try:
            await self._tell(KeyUsed(key_id=who.key, client=who.name), who.key, who.actor)
        except BaseException:
            self._used.pop(who.key, None)
            raise

    async def refused(self, error: BadKey) -> None:
        """Somebody named a key and was turned away."""
        if error.key is not None:
            await self._refusals.add((error.key, error.reason))

    async def close(self) -> None:
        """Tell what is left to tell."""
        await self._refusals.close()

    async def _tell_refusal(self, about: tuple[Key, str], attempts: int) -> None:
        key, reason = about
        await self._tell(_refusal(key, reason, attempts), key.id, _actor(key, reason))

    async def _tell(self, event: Event, key_id: str, actor: str) -> None:
        envelope = self._outbox.envelope(event, feature="access", subject=f"key/{key_id}", actor=actor)
        async with self._database.transaction() as tx:
            await self._outbox.add(tx, envelope, event)


def _refusal(key: Key, reason: str, attempts: int) -> KeyRefused:
    return KeyRefused(key_id=key.id, prefix=key.prefix, client=key.client, reason=reason, attempts=attempts)


def _actor(key: Key, reason: str) -> str:
    return f"client/{key.client}" if reason in _KNOWN_BEARERS else _ANYBODY
