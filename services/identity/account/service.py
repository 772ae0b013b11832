"""Accounts: passwords, invitations, locks. Called by routes, by sign-in, by the directory file and the change-over.

No connection is held while a password is hashed: `fit`, `hash` and `proves` come before the transaction.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from services.identity.account import errors, repository, rules
from services.identity.account.passwords import Passwords
from services.identity.account.rules import Account, Policy
from shared.auth.terms import terms_of
from shared.db import Transaction
from shared.errors import Fault
from shared.events import AccessRevoked, Event, Invited, LockChanged, PasswordChanged
from shared.outbox import Outbox
from shared.regime import Regimes, Secrecy

_FEATURE = "account"
_CODE_GROUPS = 6


def typed_twice(new: str, again: str) -> str:
    """A new password, typed twice alike. Raises: Invalid (passwords_differ)"""
    if new != again:
        raise errors.passwords_differ()
    return new


class Accounts:
    """`lifetime` of access tokens: how long a revocation must be remembered."""

    def __init__(
        self,
        outbox: Outbox,
        passwords: Passwords,
        regimes: Regimes,
        *,
        lifetime: timedelta,
        clock: Callable[[], datetime],
    ) -> None:
        self._outbox = outbox
        self._passwords = passwords
        self._regimes = regimes
        self._lifetime = lifetime
        self._clock = clock

    async def add(self, tx: Transaction, name: str, secret_hash: str | None, now: datetime) -> int:
        """An account for a person, if there is none; how many there were. Without a hash an invitation comes next."""
        return await repository.add(tx, name, secret_hash, now)

    async def known(self, tx: Transaction) -> set[str]:
        """The names of all accounts."""
        return await repository.names(tx)

    async def find(self, tx: Transaction, name: str) -> Account | None:
        return await repository.find(tx, name)

    async def hash(self, secret: str) -> str:
        """A fresh hash, for `add`."""
        return await self._passwords.hash(secret)

    async def proves(self, account: Account | None, secret: str) -> bool:
        """Whether this is the account's password; takes as long, and is False, for no account at all."""
        return await self._passwords.verify(account.secret_hash if account else None, secret)

    async def hold(self, tx: Transaction, proven: Account) -> None:
        """Let nobody change an account until the transaction ends, if it still is as its password was proven.

        Raises: Unauthenticated (sign_in_refused), if the password was changed, or the account locked, meanwhile
        """
        present = await repository.lock(tx, proven.name)
        if present is None or present.secret_hash != proven.secret_hash or present.locked_at is not None:
            raise errors.refused()

    async def rehashed(self, account: Account, secret: str) -> str | None:
        """A new hash of a proven password, if it was hashed more cheaply than today; for `keep_hash`."""
        assert account.secret_hash is not None
        return await self._passwords.hash(secret) if self._passwords.is_outdated(account.secret_hash) else None

    async def keep_hash(self, tx: Transaction, account: Account, rehashed: str) -> None:
        """Replace the hash of the same password, unless the password was changed meanwhile."""
        assert account.secret_hash is not None
        await repository.set_hash(tx, account.name, account.secret_hash, rehashed)

    def is_due(self, account: Account, now: datetime) -> bool:
        """Whether the password must be changed before anything else."""
        return account.is_due(terms_of(self._regimes, now).term("password_rotation"), now)

    async def former(self, tx: Transaction, account: Account, now: datetime) -> list[str]:
        """Hashes of the passwords that may not return, the present one first; for `fit`."""
        newest = terms_of(self._regimes, now).count("password_history")
        present = [account.secret_hash] if account.secret_hash else []
        return [*present, *await repository.former(tx, account.name, newest)][:newest]

    def policy(self, now: datetime) -> Policy:
        """What a new password must be."""
        terms = terms_of(self._regimes, now)
        return Policy(*(terms.count(f"password_{each}") for each in ("length", "classes", "history")))

    async def fit(self, name: str, new: str, former: Sequence[str], now: datetime) -> str:
        """The hash of a new password that meets the policy. Raises: Invalid (unfit_password)"""
        faults = rules.faults_of(new, name, self.policy(now))
        if not faults and await self._was_used(new, former):
            expected = f"none of the last {len(former)} passwords"
            faults = [Fault("/new_password", "password_used_before", None, expected)]
        if faults:
            raise errors.unfit_password(faults)
        return await self._passwords.hash(new)

    async def _was_used(self, new: str, former: Sequence[str]) -> bool:
        for each in former:
            if await self._passwords.verify(each, new):
                return True
        return False

    async def set_password(
        self, tx: Transaction, name: str, fit: str, now: datetime, *, actor: str, occasion: str
    ) -> datetime:
        """Put a new password in force; whoever signed in with the old one, up to when, is signed out everywhere."""
        account = await repository.lock(tx, name)
        if account is None:
            raise errors.no_account()
        if account.secret_hash is not None:
            keep = terms_of(self._regimes, now).count("password_history")
            await repository.retire(tx, name, account.secret_hash, now, keep)
        await repository.change(tx, name, secret_hash=fit, set_at=now)
        await self._publish(tx, PasswordChanged(name=name, occasion=occasion), name, actor, now)
        return await self.revoke(tx, name, now, actor=actor, reason="password_changed")

    async def revoke(self, tx: Transaction, name: str, now: datetime, *, actor: str, reason: str) -> datetime:
        """End every sign-in and every token of a name that was given up to a moment, which is returned.

        It is taken once the account is held: since `now` somebody may have signed in with what is no longer good.
        """
        await repository.lock(tx, name)
        moment = max(now, self._clock())
        await repository.change(tx, name, revoked_at=moment)
        event = AccessRevoked(name=name, issued_until=moment, reason=reason, until=moment + self._lifetime)
        await self._publish(tx, event, name, actor, moment)
        return moment

    async def set_lock(self, tx: Transaction, name: str, now: datetime, *, locked: bool, actor: str) -> None:
        """Close an account to signing in and end what is open, or open it again. Raises: NotFound"""
        account = await repository.lock(tx, name)
        if account is None:
            raise errors.no_account()
        if (account.locked_at is not None) == locked:
            return
        await repository.change(tx, name, locked_at=now if locked else None)
        await self._publish(tx, LockChanged(name=name, locked=locked), name, actor, now)
        if locked:
            await self.revoke(tx, name, now, actor=actor, reason="locked")

    async def invite(
        self, tx: Transaction, name: str, clears: Secrecy, now: datetime, *, actor: str
    ) -> tuple[str, datetime]:
        """A one-time code with which the person sets a password, and when it expires; a former one is void.

        `clears`: what the actor is cleared for.
        """
        await repository.add(tx, name, None, now)
        code, expires_at = rules.new_code(_CODE_GROUPS), terms_of(self._regimes, now).ends("invitation", now)
        row = {"name": name, "mark": rules.mark_of_code(code), "made_by": actor, "clears": clears.value}
        await repository.invite(tx, {**row, "made_at": now, "expires_at": expires_at})
        await self._publish(tx, Invited(name=name, until=expires_at), name, actor, now)
        return code, expires_at

    async def invited(self, tx: Transaction, code: str, now: datetime) -> tuple[Account, Secrecy]:
        """Whom an invitation is for, and what its maker is cleared for. Raises: NotFound (no_invitation)"""
        found = await repository.invited(tx, rules.mark_of_code(code), now)
        account = await repository.find(tx, found["name"]) if found is not None else None
        if found is None or account is None:
            raise errors.no_invitation()
        return account, Secrecy(found["clears"])

    async def use_invitation(self, tx: Transaction, code: str, fit: str, now: datetime) -> None:
        """Set the password. Raises: NotFound (no_invitation)"""
        taken = await repository.use_invitation(tx, rules.mark_of_code(code), now)
        if taken is None:
            raise errors.no_invitation()
        name = taken["name"]
        await self.set_password(tx, name, fit, now, actor=f"staff/{name}", occasion="invitation")

    async def drop_invitations(self, tx: Transaction, now: datetime) -> int:
        """Remove what nobody used in time; how many. A job."""
        return await repository.drop_invitations(tx, now)

    async def _publish(self, tx: Transaction, event: Event, name: str, actor: str, now: datetime) -> None:
        envelope = self._outbox.envelope(event, feature=_FEATURE, subject=f"account/{name}", actor=actor, at=now)
        await self._outbox.add(tx, envelope, event)
