"""Sessions: opened with a token, found by a cookie, ended by either of two clocks or by the person.

Called by `visits`, by the routes and by a job. A token is kept sealed and leaves the database only to be sent to a
service in the person's name.
"""

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from services.console.session import repository
from services.console.session.rules import mark_of
from shared.db import Transaction
from shared.ids import new_id
from shared.sealing import KeyRing, Unopenable, WrappedKey

_SEEN_TO = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Session:
    """A browser that is signed in."""

    token: str = field(repr=False)
    ends_at: datetime


class Sessions:
    """`idle`: ends this long after the last page; `longest`: this long after signing in, whatever happens."""

    def __init__(self, ring: KeyRing, *, idle: timedelta, longest: timedelta) -> None:
        self._ring = ring
        self._idle = idle
        self._longest = longest

    async def open(self, tx: Transaction, token: str, expires_at: datetime, now: datetime) -> str:
        """A new session; its secret, for the cookie. It ends with the token at the latest."""
        secret, session_id = secrets.token_urlsafe(32), new_id()
        subject = f"session/{session_id}"
        key = self._ring.new_key(subject)
        row = {
            "id": session_id,
            "mark": mark_of(secret),
            "kek": key.kek,
            "wrapped": key.wrapped,
            "sealed": self._ring.seal_bytes(key, subject, session_id, token.encode()),
            "seen_at": now,
            "ends_at": min(now + self._longest, expires_at),
        }
        await repository.add(tx, row)
        return secret

    async def find(self, tx: Transaction, secret: str, now: datetime) -> Session | None:
        """The session of a cookie, which is thereby in use. One whose key is gone is as good as ended."""
        row = await repository.find(tx, mark_of(secret), seen_after=now - self._idle, now=now)
        if row is None:
            return None
        subject = f"session/{row['id']}"
        try:
            key = WrappedKey(row["kek"], row["wrapped"])
            token = self._ring.open_bytes(key, subject, row["id"], row["sealed"])
        except Unopenable:
            return None
        if now - row["seen_at"] > _SEEN_TO:
            await repository.see(tx, row["id"], now)
        return Session(token.decode(), row["ends_at"])

    async def is_open(self, tx: Transaction, secret: str, now: datetime) -> bool:
        """Whether it has not ended; asking does not count as use."""
        return await repository.find(tx, mark_of(secret), seen_after=now - self._idle, now=now) is not None

    async def close(self, tx: Transaction, secret: str) -> None:
        await repository.remove(tx, mark_of(secret))

    async def drop_ended(self, tx: Transaction, now: datetime) -> int:
        """Remove what has ended; how many."""
        return await repository.remove_ended(tx, seen_before=now - self._idle, now=now)
