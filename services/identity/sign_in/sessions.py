"""Sessions of people's browsers: begun by a proof, found by a cookie, ended by two clocks, by the person or by others.

Called by sign-in and by the provider. Each step further gives the browser another cookie, so that one which somebody
else planted, or saw earlier, is of no use (session fixation).
"""

from datetime import datetime, timedelta
from uuid import UUID

from services.identity.sign_in import repository
from services.identity.sign_in.rules import Session, Stage, mark_of, new_secret
from shared.auth.terms import terms_of
from shared.db import Transaction
from shared.events import Event, SessionEnded, SignedIn, SignedOut
from shared.ids import new_id
from shared.outbox import Outbox
from shared.regime import Regimes

_FEATURE = "sign_in"
_SEEN_TO = timedelta(minutes=1)
_AGENT = 200


class Sessions:
    """`lifetime` of access tokens: how long the end of a session must be remembered."""

    def __init__(self, outbox: Outbox, regimes: Regimes, *, lifetime: timedelta) -> None:
        self._outbox = outbox
        self._regimes = regimes
        self._lifetime = lifetime

    async def begin(self, tx: Transaction, name: str, stage: Stage, agent: str, now: datetime) -> tuple[UUID, str]:
        """A session of somebody who gave their password: its id, and the secret for the cookie."""
        session, secret = new_id(), new_secret()
        terms = terms_of(self._regimes, now)
        longest = "session_absolute" if stage is Stage.OPEN else "authorization_request"
        row = {
            "id": session,
            "mark": mark_of(secret),
            "name": name,
            "stage": stage.value,
            "method": "password",
            "agent": "".join(filter(str.isprintable, agent))[:_AGENT],
            "authenticated_at": now,
            "seen_at": now,
            "ends_at": terms.ends(longest, now),
        }
        await repository.begin(tx, row)
        if stage is Stage.OPEN:
            await self._publish(tx, SignedIn(name=name, method="password"), name, now)
        return session, secret

    async def advance(self, tx: Transaction, session: Session, stage: Stage, method: str, now: datetime) -> str:
        """One step further; another secret for the cookie."""
        secret = new_secret()
        ends_at = session.ends_at
        if stage is Stage.OPEN:
            ends_at = terms_of(self._regimes, now).ends("session_absolute", now)
            await self._publish(tx, SignedIn(name=session.name, method=method), session.name, now)
        values = {"mark": mark_of(secret), "stage": stage.value, "method": method, "ends_at": ends_at}
        await repository.change(tx, session.id, **values, authenticated_at=now, seen_at=now)
        return secret

    async def go_on(self, tx: Transaction, session: Session, now: datetime) -> str:
        """Let one session live although all of its person's end; the person has just given their password.

        What it gave to apps ends with the others: whoever took that must not be signed in of late by this.
        """
        secret = new_secret()
        await repository.drop_given(tx, session.id)
        await repository.change(tx, session.id, mark=mark_of(secret), authenticated_at=now, seen_at=now)
        return secret

    async def find(self, tx: Transaction, secret: str, now: datetime) -> Session | None:
        """The session of a cookie, at any stage, which is thereby in use."""
        found = await repository.by_mark(tx, mark_of(secret))
        if found is None or not found.lasts(self._idle(now), now):
            return None
        await self.see(tx, found, now)
        return found

    async def lock(self, tx: Transaction, session: UUID, now: datetime) -> Session | None:
        """An open session that lasts, by its id; nobody else ends it meanwhile. Asking does not count as use."""
        found = await repository.by_id(tx, session)
        return found if found is not None and found.is_open and found.lasts(self._idle(now), now) else None

    async def hold(self, tx: Transaction, session: UUID, now: datetime) -> Session | None:
        """The same, and nobody takes back all that its person was given meanwhile: a token must not escape that.

        The account comes first, as when somebody signs in, or two would wait for each other.
        """
        await repository.hold_account(tx, session)
        return await self.lock(tx, session, now)

    async def see(self, tx: Transaction, session: Session, now: datetime) -> None:
        """It is in use; noted to the minute."""
        if session.is_open and now - session.seen_at > _SEEN_TO:
            await repository.change(tx, session.id, seen_at=now)

    def _idle(self, now: datetime) -> timedelta:
        return terms_of(self._regimes, now).term("session_idle")

    async def of_name(self, tx: Transaction, name: str, now: datetime) -> list[tuple[Session, list[str]]]:
        """A person's sessions that last, newest first, each with the apps that use it."""
        apps = await repository.apps(tx, name)
        found = await repository.of_name(tx, name)
        idle = self._idle(now)
        return [(each, apps.get(each.id, [])) for each in found if each.is_open and each.lasts(idle, now)]

    async def replace(self, tx: Transaction, secret: str, now: datetime) -> None:
        """Somebody signs in anew in the browser with this cookie: what was open there ends."""
        found = await self.find(tx, secret, now) if secret else None
        if found is not None:
            await self.end(tx, found.id, found.name, now, reason="replaced", actor=f"staff/{found.name}")

    async def sign_out(self, tx: Transaction, session: Session, now: datetime) -> None:
        """The person ends it."""
        await self._publish(tx, SignedOut(name=session.name, session=str(session.id)), session.name, now)
        await self.end(tx, session.id, session.name, now, reason="signed_out", actor=f"staff/{session.name}")

    async def end(self, tx: Transaction, session: UUID, name: str, now: datetime, *, reason: str, actor: str) -> None:
        """End it with all that it gave: tokens are refused everywhere within seconds."""
        if await repository.end(tx, session, now):
            event = SessionEnded(name=name, session=str(session), reason=reason, until=now + self._lifetime)
            await self._publish(tx, event, name, now, actor)

    async def tidy(self, tx: Transaction, now: datetime) -> int:
        """Remove what has ended and is remembered by no token; how much. A job."""
        return await repository.tidy(tx, now, now - self._lifetime)

    async def _publish(self, tx: Transaction, event: Event, name: str, now: datetime, actor: str | None = None) -> None:
        envelope = self._outbox.envelope(
            event, feature=_FEATURE, subject=f"account/{name}", actor=actor or f"staff/{name}", at=now
        )
        await self._outbox.add(tx, envelope, event)
