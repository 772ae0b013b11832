"""Change-overs: proposed, looked at, withdrawn, refused, expired. Called by routes and by a job. Requirement R4.5.

Whoever writes holds the directory first (`Org.hold`), then the change-over, so that of two who end it at once one comes
too late.
"""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from services.identity.custody import errors, repository
from services.identity.custody.parties import Parties
from services.identity.custody.rules import PROPOSE, READ, Change, State, Wish
from services.identity.org.service import Org
from services.identity.staff import errors as staff_errors
from shared.auth import Principal
from shared.auth.terms import terms_of
from shared.db import Transaction
from shared.events import CustodyExpired, CustodyProposed, CustodyRefused, CustodyWithdrawn
from shared.events.custody import CustodyEvent
from shared.ids import new_id
from shared.outbox import Outbox
from shared.regime import Regimes

_FEATURE = "custody"
_BATCH = 100
SYSTEM = "system"


class ChangeOvers:
    """All of them; confirming has a service of its own."""

    def __init__(self, org: Org, parties: Parties, outbox: Outbox, regimes: Regimes) -> None:
        self._org = org
        self._parties = parties
        self._outbox = outbox
        self._regimes = regimes

    async def propose(self, tx: Transaction, who: Principal, wish: Wish, now: datetime) -> Change:
        """Ask all three to confirm. Raises: Forbidden, Invalid (bad_change_over), Conflict (change_over_open)"""
        await self._org.hold(tx, who)
        await self.expire(tx, now)  # or else one that is over would be in the way until the job comes by
        scope = who.scope(PROPOSE)
        if not scope.reaches(wish.unit):
            raise staff_errors.unit_out_of_reach(wish.unit)
        if faults := await self._parties.faults(tx, wish, who.actor, scope.reaches, now):
            raise errors.bad_change_over(faults)
        expires_at = terms_of(self._regimes, now).ends("change_over", now)
        change = Change(new_id(), wish, who.actor, now, expires_at)
        try:
            await repository.add(tx, change)
        except repository.Taken:
            raise errors.open_already() from None
        await self.publish(tx, CustodyProposed(**facts(change), until=expires_at), change, who.actor, now)
        return change

    async def page(
        self, tx: Transaction, who: Principal, state: State | None, before: UUID | None, limit: int
    ) -> list[Change]:
        """One's own, and those within reach, newest first."""
        return await repository.page(tx, who.scope(READ), who.actor, state, before, limit)

    async def read(self, tx: Transaction, who: Principal, change_id: UUID) -> Change:
        """One's own, or one within reach. Raises: NotFound"""
        return _seen(who, await repository.get(tx, change_id))

    async def lock(self, tx: Transaction, who: Principal, change_id: UUID, now: datetime) -> Change:
        """The same, while it is open, to change it. Raises: NotFound, Conflict (change_over_closed)"""
        await self._org.hold(tx, who)
        return require_open(_seen(who, await repository.lock(tx, change_id)), now)

    async def withdraw(
        self, tx: Transaction, who: Principal, change_id: UUID, reason: str | None, now: datetime
    ) -> Change:
        """Take a proposal of one's own back. Raises: NotFound, Conflict, Forbidden (not_your_part)"""
        change = await self.lock(tx, who, change_id, now)
        if change.proposed_by != who.actor:
            raise errors.not_your_part()
        event = CustodyWithdrawn(**facts(change))
        return await self.close(tx, change, State.WITHDRAWN, event, who.actor, now, reason)

    async def refuse(self, tx: Transaction, who: Principal, change_id: UUID, reason: str, now: datetime) -> Change:
        """Not with me. Raises: NotFound, Conflict, Forbidden (not_your_part)"""
        change = await self.lock(tx, who, change_id, now)
        part = change.part_of(who.actor)
        if part is None:
            raise errors.not_your_part()
        event = CustodyRefused(**facts(change), part=part.value, name=who.name)
        return await self.close(tx, change, State.REFUSED, event, who.actor, now, reason)

    async def expire(self, tx: Transaction, now: datetime) -> int:
        """End those whose time is up; how many. A job."""
        await self._org.hold(tx, None)
        expired = await repository.lock_expired(tx, now, _BATCH)
        for change in expired:
            await self.close(tx, change, State.EXPIRED, CustodyExpired(**facts(change)), SYSTEM, now)
        return len(expired)

    async def close(
        self, tx: Transaction, change: Change, state: State, event: CustodyEvent, actor: str, now: datetime,
        reason: str | None = None,
    ) -> Change:  # fmt: skip
        """Let an open one be over; passwords that were given for it are forgotten."""
        ended = {"state": state, "closed_at": now, "closed_by": actor, "reason": reason}
        change = replace(change, **ended, version=change.version + 1)  # type: ignore[arg-type]
        await repository.store(tx, change)
        await repository.forget_secrets(tx, change.id)
        await self.publish(tx, event, change, actor, now)
        return change

    async def publish(self, tx: Transaction, event: CustodyEvent, change: Change, actor: str, now: datetime) -> None:
        """Tell of it."""
        envelope = self._outbox.envelope(
            event, feature=_FEATURE, subject=f"custody/{change.id}", actor=actor, sequence=change.version, at=now
        )
        await self._outbox.add(tx, envelope, event)


def facts(change: Change) -> dict[str, str | None]:
    """What every event says of a change-over."""
    wish = change.wish
    parties = {"leaver": wish.leaver, "successor": wish.successor, "supervisor": wish.supervisor}
    return {"change": str(change.id), "role": wish.role, "unit": wish.unit, **parties}


def require_open(change: Change, now: datetime) -> Change:
    """The same, if it goes on. Raises: Conflict (change_over_closed)"""
    state = change.state_at(now)
    if state is not State.OPEN:
        raise errors.closed(state)
    return change


def _seen(who: Principal, change: Change | None) -> Change:
    if change is None:
        raise errors.no_such_change()
    is_own = change.part_of(who.actor) is not None or change.proposed_by == who.actor
    if not is_own and not who.sight(READ, change.wish.unit):
        raise errors.no_such_change()
    return change
