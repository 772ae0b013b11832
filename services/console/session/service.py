"""Sessions: opened with tokens, found by a cookie, ended by either of two declared clocks or by the person.

Called by `visits`, by `signing`, by `renewal` and by a job. Tokens are kept sealed and leave the database only to be
sent to a service in the person's name, or to the issuer.
"""

import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from services.console.session import repository
from services.console.session.rules import Tokens, mark_of
from shared.auth.terms import terms_of
from shared.db import Record, Transaction
from shared.ids import new_id
from shared.regime import Regimes
from shared.sealing import KeyRing, Unopenable, WrappedKey

_SEEN_TO = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Session:
    """A browser that is signed in."""

    id: UUID
    tokens: Tokens
    ends_at: datetime


class Sessions:
    def __init__(self, ring: KeyRing, regimes: Regimes) -> None:
        self._ring = ring
        self._regimes = regimes

    async def open(self, tx: Transaction, tokens: Tokens, signed_in_at: datetime, now: datetime) -> str:
        """A new session; its secret, for the cookie. Its longest time counts from the proof of who the person is."""
        secret, session_id = secrets.token_urlsafe(32), new_id()
        key = self._ring.new_key(_subject(session_id))
        row = {
            "id": session_id,
            "mark": mark_of(secret),
            "kek": key.kek,
            "wrapped": key.wrapped,
            "sealed": self._seal(key, session_id, tokens),
            "seen_at": now,
            "ends_at": terms_of(self._regimes, now).ends("session_absolute", signed_in_at),
        }
        await repository.add(tx, row)
        return secret

    async def find(self, tx: Transaction, secret: str, now: datetime, *, in_use: bool = True) -> Session | None:
        """The session of a cookie, which is thereby in use, or is not. One whose key is gone is as good as ended."""
        row = await repository.find(tx, mark_of(secret), seen_after=now - self._idle(now), now=now)
        session = self._opened(row)
        if session is not None and row is not None and in_use and now - row["seen_at"] > _SEEN_TO:
            await repository.change(tx, session.id, seen_at=now)
        return session

    async def claim(
        self, tx: Transaction, session_id: UUID, until: datetime, now: datetime
    ) -> tuple[Session, bool] | None:
        """The session as it is now, and whether it is ours to renew until then; None if it has ended."""
        row = await repository.lock(tx, session_id)
        session = self._opened(row)
        if session is None or row is None:
            return None
        others_until = row["renewing_until"]
        if now < session.tokens.renew_at or (others_until is not None and now < others_until):
            return session, False
        await repository.change(tx, session_id, renewing_until=until)
        return session, True

    async def renewed(self, tx: Transaction, session: Session, until: datetime, tokens: Tokens) -> Session:
        """The session with fresh tokens, which are kept unless it has ended or passed to somebody else meanwhile."""
        row = await repository.lock(tx, session.id)
        if row is not None:
            sealed = self._seal(WrappedKey(row["kek"], row["wrapped"]), session.id, tokens)
            await repository.renew(tx, session.id, until, sealed)
        return Session(session.id, tokens, session.ends_at)

    async def release(self, tx: Transaction, session: Session, until: datetime) -> None:
        """It was not renewed: let others try."""
        await repository.release(tx, session.id, until)

    async def give_up(self, tx: Transaction, session: Session, until: datetime) -> None:
        """It cannot be renewed: it has ended."""
        await repository.give_up(tx, session.id, until)

    async def close(self, tx: Transaction, secret: str) -> Session | None:
        """End the session of a cookie; what it was."""
        return self._opened(await repository.remove(tx, mark_of(secret)))

    async def drop_ended(self, tx: Transaction, now: datetime) -> int:
        """Remove what has ended; how many."""
        return await repository.remove_ended(tx, seen_before=now - self._idle(now), now=now)

    def _idle(self, now: datetime) -> timedelta:
        return terms_of(self._regimes, now).term("session_idle")

    def _seal(self, key: WrappedKey, session_id: UUID, tokens: Tokens) -> bytes:
        return self._ring.seal(key, _subject(session_id), session_id, asdict(tokens))

    def _opened(self, row: Record | None) -> Session | None:
        if row is None:
            return None
        try:
            key = WrappedKey(row["kek"], row["wrapped"])
            found = self._ring.open(key, _subject(row["id"]), row["id"], row["sealed"])
        except Unopenable:
            return None
        return Session(row["id"], _tokens(found), row["ends_at"])


def _subject(session_id: UUID) -> str:
    return f"session/{session_id}"


def _tokens(kept: Mapping[str, Any]) -> Tokens:
    moments = {name: datetime.fromisoformat(kept[name]) for name in ("ends_at", "renew_at")}
    return Tokens(**{**kept, **moments})
