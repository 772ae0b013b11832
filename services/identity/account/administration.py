"""What administrators do with other people's accounts. Called by routes; who is within reach is the staff's to say."""

from datetime import datetime

from services.identity.account import errors
from services.identity.account.people import People
from services.identity.account.rules import Account
from services.identity.account.second_factor import SecondFactors
from services.identity.account.service import Accounts
from services.identity.staff.access import Access, is_same
from shared.auth import Principal
from shared.db import Transaction
from shared.regime import Secrecy, highest

READ, INVITE, LOCK = "account.read", "account.invite", "account.lock"
DROP_FACTOR = "account.factor.drop"


class Administration:
    """Each deed is within the reach of the administrator's role, and an event.

    None of them lets an administrator become somebody whose roles clear more than theirs do: to such an account, while
    it is in use, they open one of two ways at most, and the person still needs the other.
    """

    def __init__(self, accounts: Accounts, factors: SecondFactors, people: People, access: Access) -> None:
        self._accounts = accounts
        self._factors = factors
        self._people = people
        self._access = access

    async def account(self, tx: Transaction, who: Principal, name: str) -> Account:
        """The account of a person within reach. Raises: NotFound"""
        await self._access.person(tx, who, READ, name)
        found = await self._accounts.find(tx, name)
        if found is None:
            raise errors.no_account()
        return found

    async def invite(self, tx: Transaction, who: Principal, name: str, now: datetime) -> tuple[str, datetime]:
        """A one-time code to set a password with, and when it expires. Raises: NotFound, Conflict, Forbidden"""
        cleared = await self._clearance_over(tx, who, INVITE, name)
        account = await self._accounts.find(tx, name)
        if account is not None and account.rests_on_password:
            await self._require(tx, name, cleared, now)
        return await self._accounts.invite(tx, name, cleared, now, actor=who.actor)

    async def drop_second_factor(self, tx: Transaction, who: Principal, name: str, now: datetime) -> None:
        """Switch the factor off for a person who lost it. Raises: NotFound, Conflict, Forbidden"""
        await self._require(tx, name, await self._clearance_over(tx, who, DROP_FACTOR, name), now)
        await self._factors.remove(tx, name, now, actor=who.actor)
        await self._accounts.revoke(tx, name, now, actor=who.actor, reason="second_factor_off")

    async def set_lock(self, tx: Transaction, who: Principal, name: str, now: datetime, *, locked: bool) -> None:
        """Close or open the account. Raises: NotFound, Forbidden"""
        await self._of_another(tx, who, name)
        await self._accounts.set_lock(tx, name, now, locked=locked, actor=who.actor)

    async def end_sessions(self, tx: Transaction, who: Principal, name: str, now: datetime) -> None:
        """Sign the person out everywhere. Raises: NotFound, Forbidden"""
        await self._of_another(tx, who, name)
        if await self._accounts.find(tx, name) is None:
            raise errors.no_account()
        await self._accounts.revoke(tx, name, now, actor=who.actor, reason="ended_by_administrator")

    async def _of_another(self, tx: Transaction, who: Principal, name: str) -> None:
        if is_same(who, name):
            raise errors.own_account()
        await self._access.person(tx, who, LOCK, name)

    async def _clearance_over(self, tx: Transaction, who: Principal, action: str, name: str) -> Secrecy:
        """What the action clears the caller for there. Nobody gets round their own password or factor in this way."""
        if is_same(who, name):
            raise errors.own_account()
        person = await self._access.writable(tx, who, action, name)
        sight = who.sight(action, person.unit)
        return highest(level for level in Secrecy if sight.shows(level))

    async def _require(self, tx: Transaction, name: str, cleared: Secrecy, now: datetime) -> None:
        level = await self._people.clearance(tx, name, now)
        if not cleared.covers(level):
            raise errors.account_above_clearance(level.value)
