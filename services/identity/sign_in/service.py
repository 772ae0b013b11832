"""Signing in, step by step: password, second factor if there is one, a new password if it is due.

Called by the pages. Slows guessing down; each attempt is an event. Opens its transactions itself: a refusal is stored
although it is an error, and no connection is held while a password is being hashed.
"""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from services.identity.account import errors as refusals
from services.identity.account.guard import Guard
from services.identity.account.people import People, Person
from services.identity.account.rules import Account, Reason
from services.identity.account.second_factor import SecondFactors
from services.identity.account.service import Accounts
from services.identity.sign_in import errors
from services.identity.sign_in.failures import Failure, Failures
from services.identity.sign_in.rules import Session, Stage
from services.identity.sign_in.sessions import Sessions
from shared.db import Database, Transaction

_PASSWORD, _BOTH = "password", "password+totp"
_LONGEST_NAME = 64


@dataclass(frozen=True, slots=True)
class Attempt:
    """Somebody at `address`, in a browser that calls itself `agent`, says to be `name`.

    `replaces`: the cookie of that browser; whoever was signed in there is no longer.
    """

    name: str
    password: str = field(repr=False)
    address: str
    agent: str = ""
    replaces: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Opened:
    """A step was taken: the secret for the cookie, and what is asked next."""

    session: UUID
    secret: str = field(repr=False)
    stage: Stage


class SignIns:
    def __init__(
        self,
        database: Database,
        accounts: Accounts,
        people: People,
        factors: SecondFactors,
        guard: Guard,
        sessions: Sessions,
        failures: Failures,
    ) -> None:
        self._database = database
        self._accounts = accounts
        self._people = people
        self._factors = factors
        self._guard = guard
        self._sessions = sessions
        self._failures = failures

    async def begin(self, attempt: Attempt, now: datetime) -> Opened:
        """A session for whoever proves to be the named person.

        Raises: Unauthenticated (sign_in_refused), TooManyRequests (sign_in_locked, sign_in_busy)
        """
        account = await self.prove(attempt.name, attempt.password, attempt.address, now)
        rehashed = await self._accounts.rehashed(account, attempt.password)
        async with self._database.transaction("writer") as tx:
            await self._accounts.hold(tx, account)
            if rehashed is not None:
                await self._accounts.keep_hash(tx, account, rehashed)
            await self._sessions.replace(tx, attempt.replaces, now)
            stage = Stage.SECOND_FACTOR if account.has_second_factor else self._after_proof(account, now)
            session, secret = await self._sessions.begin(tx, account.name, stage, attempt.agent, now)
        return Opened(session, secret, stage)

    async def prove(self, name: str, password: str, address: str, now: datetime) -> Account:
        """The account, if this is its password and the person may sign in. A failure counts, and is an event.

        Raises: Unauthenticated (sign_in_refused), TooManyRequests (sign_in_locked, sign_in_busy)
        """
        async with self._guard.turn(name):
            async with self._database.reading() as tx:
                account, person = await self._claimed(tx, name, now)
                wait_s = await self._guard.wait_of(tx, name, address, now)
            if wait_s:
                await self._failures.count(_failure(account, _PASSWORD, Reason.LOCKED))
                raise refusals.locked(wait_s)
            proven = await self._accounts.proves(account, password)
            reason = _reason_of(account, person, proven=proven)
            async with self._database.transaction("writer") as tx:
                if account is not None and reason is None:
                    if not account.has_second_factor:  # else the code is still to come, and may be guessed
                        await self._guard.passed(tx, name)
                    return account
                await self._guard.failed(tx, name, address, now)
                await self._failures.note(tx, _failure(account, _PASSWORD, reason or Reason.UNKNOWN_NAME), now)
        raise refusals.refused()

    async def _claimed(self, tx: Transaction, name: str, now: datetime) -> tuple[Account | None, Person | None]:
        if len(name) > _LONGEST_NAME or not name.isprintable():
            return None, None
        return await self._accounts.find(tx, name), await self._people.find(tx, name, now)

    def _after_proof(self, account: Account, now: datetime) -> Stage:
        return Stage.PASSWORD if self._accounts.is_due(account, now) else Stage.OPEN

    async def give_code(self, secret: str, code: str, address: str, now: datetime) -> Opened:
        """The second step: a code of the authenticator, or one of those for emergencies.

        Raises: Unauthenticated (no_session), Invalid (wrong_code), TooManyRequests
        """
        async with self._database.transaction() as tx:
            session = await self._at(tx, secret, Stage.SECOND_FACTOR, now)
        async with self._guard.turn(session.name):
            async with self._database.reading() as tx:
                account = await self._accounts.find(tx, session.name)
                wait_s = await self._guard.wait_of(tx, session.name, address, now)
            if wait_s:
                await self._failures.count(_failure(account, _BOTH, Reason.LOCKED))
                raise refusals.locked(wait_s)
            async with self._database.transaction("writer") as tx:
                session = await self._at(tx, secret, Stage.SECOND_FACTOR, now)
                if account is not None and await self._factors.accepts(tx, session.name, code, now):
                    await self._guard.passed(tx, session.name)
                    stage = self._after_proof(account, now)
                    return Opened(session.id, await self._sessions.advance(tx, session, stage, _BOTH, now), stage)
                await self._guard.failed(tx, session.name, address, now)
                await self._failures.note(tx, _failure(account, _BOTH, Reason.WRONG_CODE), now)
        raise refusals.wrong_code()

    async def renew_password(self, secret: str, new: str, now: datetime) -> Opened:
        """The last step: a new password for one that is due.

        Raises: Unauthenticated (no_session), Invalid (unfit_password)
        """
        async with self._database.transaction() as tx:
            session = await self._at(tx, secret, Stage.PASSWORD, now)
            account = await self._accounts.find(tx, session.name)
            assert account is not None  # a session is of an account
            former = await self._accounts.former(tx, account, now)
        fit = await self._accounts.fit(session.name, new, former, now)
        async with self._database.transaction("writer") as tx:
            session = await self._at(tx, secret, Stage.PASSWORD, now)
            actor = f"staff/{session.name}"
            since = await self._accounts.set_password(tx, session.name, fit, now, actor=actor, occasion="rotation")
            secret = await self._sessions.advance(tx, session, Stage.OPEN, session.method, since)
        return Opened(session.id, secret, Stage.OPEN)

    async def invited(self, code: str, now: datetime) -> tuple[Account, list[str]]:
        """Whom an invitation is for, and hashes of passwords that may not return. Raises: NotFound (no_invitation)"""
        async with self._database.reading() as tx:
            account = await self._invited(tx, code, now)
            return account, await self._accounts.former(tx, account, now)

    async def use_invitation(self, code: str, fit: str, now: datetime) -> None:
        """Set the password. Raises: NotFound (no_invitation)"""
        async with self._database.transaction("writer") as tx:
            await self._invited(tx, code, now)
            await self._accounts.use_invitation(tx, code, fit, now)

    async def _invited(self, tx: Transaction, code: str, now: datetime) -> Account:
        """Void, too, is what has become the whole way into an account whose roles clear more than its maker does."""
        account, clears = await self._accounts.invited(tx, code, now)
        if account.rests_on_password and not clears.covers(await self._people.clearance(tx, account.name, now)):
            raise refusals.no_invitation()
        return account

    async def _at(self, tx: Transaction, secret: str, stage: Stage, now: datetime) -> Session:
        session = await self._sessions.find(tx, secret, now)
        if session is None or session.stage is not stage:
            raise errors.no_session()
        return session


def _failure(account: Account | None, method: str, reason: Reason) -> Failure:
    return Failure(account.name if account else None, method, reason)


def _reason_of(account: Account | None, person: Person | None, *, proven: bool) -> Reason | None:
    """Why this account may not come in, if so."""
    if account is None:
        return Reason.UNKNOWN_NAME
    if not proven:
        return Reason.WRONG_SECRET
    if account.locked_at is not None:
        return Reason.LOCKED
    return None if person is not None and person.in_service else Reason.INACTIVE
