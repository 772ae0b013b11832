"""What a signed-in person does with their own account: password, second factor, sign-ins.

Called by pages and by routes. What a stolen cookie or token must not do needs the present password. Opens its own
transactions where a password is hashed; no connection is held meanwhile.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.identity.account import errors as refusals
from services.identity.account.people import People
from services.identity.account.second_factor import Enrolment, SecondFactors
from services.identity.account.service import Accounts
from services.identity.sign_in import errors
from services.identity.sign_in.rules import Session
from services.identity.sign_in.service import SignIns
from services.identity.sign_in.sessions import Sessions
from shared.db import Database, Transaction
from shared.errors import Unauthenticated


@dataclass(frozen=True, slots=True)
class Self:
    """Who acts, from which network address, in which session."""

    name: str
    address: str
    session: UUID | None

    @property
    def actor(self) -> str:
        return f"staff/{self.name}"


class OwnAccount:
    def __init__(
        self,
        database: Database,
        people: People,
        accounts: Accounts,
        factors: SecondFactors,
        sessions: Sessions,
        sign_ins: SignIns,
    ) -> None:
        self._database = database
        self._people = people
        self._accounts = accounts
        self._factors = factors
        self._sessions = sessions
        self._sign_ins = sign_ins

    async def me(self, cookie: str, address: str, now: datetime) -> Self:
        """Whose browser this is. Raises: Unauthenticated (no_session)"""
        async with self._database.transaction() as tx:
            found = await self._sessions.find(tx, cookie, now)
            person = await self._people.find(tx, found.name, now) if found is not None and found.is_open else None
        if found is None or person is None or not person.in_service:
            raise errors.no_session()
        return Self(found.name, address, found.id)

    async def has_second_factor(self, tx: Transaction, me: Self) -> bool:
        """Whether one is in force."""
        account = await self._accounts.find(tx, me.name)
        return account is not None and account.has_second_factor

    async def change_password(self, me: Self, current: str, new: str, now: datetime, *, in_browser: bool) -> str | None:
        """A new password; every sign-in ends. Only that of the browser in which it was typed goes on, without what it
        gave to apps until then: the secret for its cookie.

        Raises: Invalid (wrong_password, unfit_password), TooManyRequests
        """
        await self._prove(me, current, now)
        async with self._database.reading() as tx:
            account = await self._accounts.find(tx, me.name)
            if account is None:
                raise refusals.no_account()
            former = await self._accounts.former(tx, account, now)
        fit = await self._accounts.fit(me.name, new, former, now)
        async with self._database.transaction("writer") as tx:
            session = await self._sessions.lock(tx, me.session, now) if in_browser and me.session is not None else None
            since = await self._accounts.set_password(tx, me.name, fit, now, actor=me.actor, occasion="own")
            return await self._sessions.go_on(tx, session, since) if session is not None else None

    async def enrol(self, me: Self, current: str, now: datetime) -> Enrolment:
        """Begin with a second factor. Raises: Invalid (wrong_password), Conflict, TooManyRequests"""
        await self._prove(me, current, now)
        async with self._database.transaction("writer") as tx:
            return await self._factors.enrol(tx, me.name, now)

    async def confirm(self, tx: Transaction, me: Self, code: str, now: datetime) -> list[str]:
        """Put it in force by a code of it; the recovery codes. Raises: Invalid (wrong_code), Conflict"""
        return await self._factors.confirm(tx, me.name, code, now)

    async def drop(self, me: Self, current: str, now: datetime) -> None:
        """Switch it off. Raises: Invalid (wrong_password), Conflict, TooManyRequests"""
        await self._prove(me, current, now)
        async with self._database.transaction("writer") as tx:
            await self._factors.remove(tx, me.name, now, actor=me.actor)

    async def _prove(self, me: Self, current: str, now: datetime) -> None:
        try:
            await self._sign_ins.prove(me.name, current, me.address, now)
        except Unauthenticated:
            raise refusals.not_theirs() from None

    async def sessions(self, tx: Transaction, me: Self, now: datetime) -> list[tuple[Session, list[str]]]:
        """One's own sign-ins, newest first, each with the apps that use it."""
        return await self._sessions.of_name(tx, me.name, now)

    async def end_session(self, tx: Transaction, me: Self, session: UUID, now: datetime) -> None:
        """End one of them. Raises: NotFound"""
        found = await self._sessions.lock(tx, session, now)
        if found is None or found.name != me.name:
            raise errors.no_such_session()
        await self._sessions.sign_out(tx, found, now)
