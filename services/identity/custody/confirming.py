"""Confirming a change-over: the leaver and the successor, each with a new password, then the supervisor. With the last
confirmation, and not before, the role moves, both passwords change and both people are signed out everywhere.

Called by routes, in two steps: `prepare` hashes while no connection is held, `confirm` does the rest in one
transaction. Requirement R4.5.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from services.identity.account import errors as account_errors
from services.identity.account.service import Accounts
from services.identity.custody import errors, repository
from services.identity.custody.parties import Parties, holding_of
from services.identity.custody.rules import Change, Confirmation, Part, State
from services.identity.custody.service import ChangeOvers, facts, require_open
from services.identity.staff.grants import Grants
from services.identity.staff.rules import Role
from shared.auth import Principal
from shared.clock import day_of
from shared.db import Database, Transaction
from shared.errors import Fault, Invalid
from shared.events import CustodyChangedOver, CustodyConfirmed

_OCCASION = "change_over"


@dataclass(frozen=True, slots=True)
class Prepared:
    """A confirmation that may be given, with the hash of the password that comes with it."""

    change_id: UUID
    part: Part
    secret_hash: str | None = field(repr=False)


class Confirmations:
    """Confirms."""

    def __init__(
        self, database: Database, changes: ChangeOvers, parties: Parties, grants: Grants, accounts: Accounts
    ) -> None:
        self._database = database
        self._changes = changes
        self._parties = parties
        self._grants = grants
        self._accounts = accounts

    async def prepare(
        self, who: Principal, change_id: UUID, part: Part, password: str | None, now: datetime
    ) -> Prepared:
        """Whether this would do. Raises: NotFound, Forbidden, Unauthenticated (sign_in_too_old), Conflict, Invalid"""
        async with self._database.reading() as tx:
            change = require_open(await self._changes.read(tx, who, change_id), now)
            self._require_turn(who, change, part, now)
            _require_password(part, password)
            if password is None:
                return Prepared(change_id, part, None)
            account = await self._accounts.find(tx, who.name)
            if account is None:
                raise account_errors.no_account()
            former = await self._accounts.former(tx, account, now)
        try:
            return Prepared(change_id, part, await self._accounts.fit(who.name, password, former, now))
        except Invalid as error:
            faults = [replace(fault, pointer="/password") for fault in error.faults]
            raise account_errors.unfit_password(faults) from None

    def _require_turn(self, who: Principal, change: Change, part: Part, now: datetime) -> None:
        if change.part_of(who.actor) is not part:
            raise errors.not_your_part()
        self._parties.require(who, change, part, now)
        if part not in change.outstanding:
            raise errors.confirmed_already()
        if part is Part.SUPERVISOR and change.outstanding != (Part.SUPERVISOR,):
            raise errors.confirm_first([each.value for each in change.outstanding[:-1]])

    async def confirm(self, tx: Transaction, who: Principal, prepared: Prepared, now: datetime) -> Change:
        """Confirm; the last one completes it. Raises: as `prepare`, Conflict (change_over_outdated)"""
        change = await self._changes.lock(tx, who, prepared.change_id, now)
        self._require_turn(who, change, prepared.part, now)
        confirmation = Confirmation(prepared.part, now, prepared.secret_hash)
        await repository.confirm(tx, change.id, confirmation)
        confirmations = (*change.confirmations, confirmation)
        change = replace(change, version=change.version + 1, confirmations=confirmations)
        await repository.store(tx, change)
        event = CustodyConfirmed(**facts(change), part=prepared.part.value, name=who.name)
        await self._changes.publish(tx, event, change, who.actor, now)
        return change if change.outstanding else await self._complete(tx, change, who.actor, now)

    async def _complete(self, tx: Transaction, change: Change, actor: str, now: datetime) -> Change:
        wish, secrets = change.wish, {each.part: each for each in change.confirmations if each.secret_hash}
        faults = await self._parties.faults(tx, wish, change.proposed_by, lambda _unit: True, now)
        if faults := [*faults, *await self._password_faults(tx, change, secrets)]:
            raise errors.outdated(faults)
        until_on = None
        if wish.leaver is not None:
            given = holding_of(await self._grants.holders(tx, wish.role, wish.unit), wish.leaver, day_of(now))
            assert given is not None  # faults would say so
            until_on = given["given_until"]
            await self._grants.end(tx, given, actor, now)
        role = Role(wish.role, wish.unit, day_of(now), until_on)
        await self._grants.add(tx, wish.successor, role, actor, now)
        for part, each in secrets.items():
            name, fit = wish.parties[part], each.secret_hash
            assert fit is not None
            await self._accounts.set_password(tx, name, fit, now, actor=actor, occasion=_OCCASION)
        return await self._changes.close(tx, change, State.DONE, CustodyChangedOver(**facts(change)), actor, now)

    async def _password_faults(
        self, tx: Transaction, change: Change, secrets: Mapping[Part, Confirmation]
    ) -> list[Fault]:
        """Passwords that were changed after the confirmation: what was given with it may not be new any more."""
        faults = []
        for part, each in secrets.items():
            name = change.wish.parties[part]
            account = await self._accounts.find(tx, name)
            if account is None or account.set_at > each.at:
                expected = "a password that stays as it is until the change-over is complete"
                faults.append(Fault(f"/{part}", "password_changed", name, expected))
        return faults


def _require_password(part: Part, password: str | None) -> None:
    """The supervisor's own password is not concerned."""
    if part is Part.SUPERVISOR and password is not None:
        raise errors.bad_change_over([Fault("/password", "not_for_supervisor", None, "no password")])
    if part is not Part.SUPERVISOR and password is None:
        raise errors.bad_change_over([Fault("/password", "missing", None, "a new password")])
