"""Signing in: proves a name, slows guessing down, gives a token; each attempt is an event. Called by routes and jobs.

Unlike other services this one opens its transactions itself: a refusal must be stored although it is an error, and no
connection may be held while a password is being hashed.
"""

import asyncio
import hashlib
import hmac
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from weakref import WeakValueDictionary

from services.identity.directory.rules import Account, Kind
from services.identity.directory.service import Directory
from services.identity.settings import IdentitySettings
from services.identity.sign_in import errors, repository, rules
from services.identity.sign_in.rules import Patience, Reason
from services.identity.signing_key.service import SigningKeys
from shared.db import Database, Transaction
from shared.events import SignedIn, SignInFailed
from shared.events.envelope import Event
from shared.ids import new_id
from shared.outbox import Outbox

_METHODS = {Kind.PERSON: "password", Kind.CLIENT: "client_credentials"}
_LONGEST_NAME = 64


@dataclass(frozen=True, slots=True)
class Attempt:
    """Somebody at `address` says to be `name`."""

    kind: Kind
    name: str
    secret: str = field(repr=False)
    address: str


@dataclass(frozen=True, slots=True)
class Issued:
    """An access token and its lifetime in seconds."""

    token: str = field(repr=False)
    expires_in: int


class SignIns:
    def __init__(
        self, database: Database, outbox: Outbox, directory: Directory, keys: SigningKeys, settings: IdentitySettings
    ) -> None:
        self._database = database
        self._outbox = outbox
        self._directory = directory
        self._keys = keys
        self._settings = settings
        self._mark_key = hmac.digest(settings.kek.get_secret_value().encode(), b"kehu failed sign-ins", hashlib.sha256)
        waits = (settings.first_lock_s, settings.longest_lock_s, settings.failures_forgotten_s)
        first, longest, forgotten = (timedelta(seconds=each) for each in waits)
        self._of_name = Patience(settings.name_free_failures, first, longest, forgotten)
        self._of_address = Patience(settings.address_free_failures, first, longest, forgotten)
        self._turns: WeakValueDictionary[bytes, asyncio.Lock] = WeakValueDictionary()
        self._under_way = 0

    async def sign_in(self, attempt: Attempt, now: datetime) -> Issued:
        """A token for whoever proves to be the named account.

        Raises: Unauthenticated (sign_in_refused), TooManyRequests (sign_in_locked, sign_in_busy)
        """
        name_mark = rules.mark_of_name(self._mark_key, attempt.name)
        patience = {name_mark: self._of_name, rules.mark_of_address(self._mark_key, attempt.address): self._of_address}
        async with self._turn(name_mark):
            async with self._database.reading() as tx:
                account = await self._claimed(tx, attempt)
                locked_until = await repository.locked_until(tx, list(patience))
            if locked_until is not None and locked_until > now:
                await self._record_lock(account, attempt, now)
                raise errors.locked(math.ceil((locked_until - now).total_seconds()))
            proven = await self._directory.proves(account, attempt.secret)
            reason = rules.reason_of(account, proven=proven)
            async with self._database.transaction("writer") as tx:
                if account is not None and reason is None:
                    await repository.forget(tx, name_mark)
                    return await self._issue(tx, account, attempt, now)
                for mark, limits in patience.items():
                    failures = await repository.count(tx, mark, now, now - limits.forgotten_after)
                    await repository.lock_out(tx, mark, limits.locked_until(failures, now))
                await self._publish_failure(tx, account, attempt, reason or Reason.UNKNOWN_NAME, now)
        raise errors.refused()

    @asynccontextmanager
    async def _turn(self, mark: bytes) -> AsyncIterator[None]:
        """One attempt at a time for each name, so that parallel guesses count one by one; not too many in all."""
        if self._under_way >= self._settings.hashing_queue:
            raise errors.busy()
        turn = self._turns.setdefault(mark, asyncio.Lock())
        self._under_way += 1
        try:
            async with turn:
                yield
        finally:
            self._under_way -= 1

    async def _claimed(self, tx: Transaction, attempt: Attempt) -> Account | None:
        """The account, if it exists and proves itself in this way."""
        if len(attempt.name) > _LONGEST_NAME or not attempt.name.isprintable():
            return None
        account = await self._directory.find(tx, attempt.name)
        return account if account is not None and account.kind is attempt.kind else None

    async def _issue(self, tx: Transaction, account: Account, attempt: Attempt, now: datetime) -> Issued:
        await self._directory.rehash(tx, account, attempt.secret)
        lifetime = self._settings.token_lifetime
        claims = rules.claims_of(
            account,
            issuer=self._settings.issuer,
            audience=self._settings.audience,
            now=now,
            lifetime=lifetime,
            token_id=new_id(),
        )
        token = await self._keys.sign(tx, claims, now)
        actor = f"{'client' if account.kind is Kind.CLIENT else 'staff'}/{account.name}"
        await self._publish(tx, SignedIn(name=account.name, method=_METHODS[attempt.kind]), account.name, actor, now)
        return Issued(token, int(lifetime.total_seconds()))

    async def _record_lock(self, account: Account | None, attempt: Attempt, now: datetime) -> None:
        async with self._database.transaction("writer") as tx:
            await self._publish_failure(tx, account, attempt, Reason.LOCKED, now)

    async def _publish_failure(
        self, tx: Transaction, account: Account | None, attempt: Attempt, reason: Reason, now: datetime
    ) -> None:
        name = account.name if account else None
        event = SignInFailed(name=name, method=_METHODS[attempt.kind], reason=reason.value)
        await self._publish(tx, event, name or "unknown", "anonymous", now)

    async def _publish(self, tx: Transaction, event: Event, name: str, actor: str, now: datetime) -> None:
        envelope = self._outbox.envelope(event, feature="sign_in", subject=f"account/{name}", actor=actor, at=now)
        await self._outbox.add(tx, envelope, event)

    async def forget_failures(self, tx: Transaction, now: datetime) -> int:
        """Drop counts that would start afresh anyway; how many."""
        before = now - timedelta(seconds=self._settings.failures_forgotten_s)
        return await repository.forget_old(tx, before, now)
