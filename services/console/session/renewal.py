"""Keeps the access token of a session fresh: one refresh at a time, whoever asks, in whichever process.

A refresh token is good once; whoever comes with a used one ends the whole sign-in at the issuer. So a row says who
renews, and the others wait, or go on with the token that is good for a little while yet.
"""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from services.console.session import errors
from services.console.session.provider import Provider
from services.console.session.rules import Tokens, renew_at
from services.console.session.service import Session, Sessions
from shared.auth import Authenticator
from shared.clock import now
from shared.db import Database
from shared.errors import Malformed, Unauthenticated, Unavailable

_LEASE = timedelta(seconds=15)
_PATIENCE_S = 6.0
_LOOK_S = 0.1


class Renewal:
    def __init__(
        self, database: Database, sessions: Sessions, provider: Provider, authenticator: Authenticator
    ) -> None:
        self._database = database
        self._sessions = sessions
        self._provider = provider
        self._authenticator = authenticator
        self._running: dict[UUID, asyncio.Task[Session | None]] = {}

    async def fresh(self, session: Session, at: datetime) -> Session | None:
        """The session with a token that is good; None if the issuer gives no more, so that the session is over.

        Raises: Unavailable
        """
        tokens = session.tokens
        if at < tokens.renew_at:
            return session
        if tokens.refresh is None:
            return session if at < tokens.ends_at else None
        task = self._running.get(session.id)
        if task is None:
            task = self._running[session.id] = asyncio.create_task(self._renew(session.id))
            task.add_done_callback(lambda done: self._forget(session.id, done))
        try:
            # Whoever asked may leave; what the issuer gives meanwhile must be kept all the same.
            return await asyncio.shield(task)
        except Unavailable:
            if at < tokens.ends_at:
                return session
            raise

    def _forget(self, session_id: UUID, done: "asyncio.Task[Session | None]") -> None:
        self._running.pop(session_id, None)
        if not done.cancelled():
            done.exception()  # whoever still waits is told; if nobody does, it was said by the provider already

    async def _renew(self, session_id: UUID) -> Session | None:
        patient_until = now() + timedelta(seconds=_PATIENCE_S)
        while True:
            at = now()
            until = at + _LEASE
            async with self._database.transaction() as tx:
                claimed = await self._sessions.claim(tx, session_id, until, at)
            if claimed is None:
                return None
            session, is_ours = claimed
            if is_ours:
                return await self._ask(session, until)
            if at < session.tokens.ends_at:
                return session
            if at > patient_until:
                raise errors.unavailable()
            await asyncio.sleep(_LOOK_S)

    async def _ask(self, session: Session, until: datetime) -> Session | None:
        """Ask the issuer, and keep what it gives."""
        try:
            tokens = await self._given(session.tokens)
        except (errors.Ended, Unauthenticated, Malformed):
            async with self._database.transaction() as tx:
                await self._sessions.give_up(tx, session, until)
            return None
        except Unavailable:
            async with self._database.transaction() as tx:
                await self._sessions.release(tx, session, until)
            raise
        async with self._database.transaction() as tx:
            return await self._sessions.renewed(tx, session, until, tokens)

    async def _given(self, former: Tokens) -> Tokens:
        """Fresh tokens of the same person. Raises: Ended, Unauthenticated, Malformed, Unavailable"""
        assert former.refresh is not None
        grant, at = await self._provider.renew(former.refresh), now()
        if grant.id_token is not None and (await self._provider.proven(grant, at, nonce=None))["sub"] != former.subject:
            raise errors.unproven()
        principal = await self._authenticator.principal(f"Bearer {grant.access_token}")
        if principal.name != former.name:
            raise errors.unproven()
        ends_at = datetime.fromtimestamp(principal.expires_at, UTC)
        return replace(
            former,
            access=grant.access_token,
            refresh=grant.refresh_token or former.refresh,
            id=grant.id_token or former.id,
            ends_at=ends_at,
            renew_at=renew_at(at, ends_at),
        )
