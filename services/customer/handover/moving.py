"""Acceptance and undoing: responsibility for all customers of a hand-over moves in one transaction (R5.7, R0.2).

Whatever dies in the middle, all files moved or none did, and the hand-over says which. Each file is sealed and told of
by itself, so the statements are one a file, sent in batches without waiting for each.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from services.customer.file.assigning import Assigning, Turn
from services.customer.file.service import CHANGE
from services.customer.handover import errors, repository, rules
from services.customer.handover.people import People
from services.customer.handover.publishing import facts, publish
from services.customer.handover.rules import ACCEPT, UNDO, Handover, State
from services.customer.handover.service import Handovers
from shared import crash
from shared.auth import Principal
from shared.clock import day_of
from shared.db import Transaction
from shared.events import HandoverAccepted, HandoverUndone
from shared.outbox import Outbox
from shared.regime import Clock, Regimes

_BATCH = 500


class Moving:
    """Moves customers."""

    def __init__(
        self, handovers: Handovers, assigning: Assigning, people: People, outbox: Outbox, regimes: Regimes
    ) -> None:
        self._handovers = handovers
        self._assigning = assigning
        self._people = people
        self._outbox = outbox
        self._regimes = regimes

    async def accept(self, tx: Transaction, who: Principal, handover_id: UUID, now: datetime) -> Handover:
        """Take the customers over. Who is the predecessor's no more by now stays where they are.

        Raises: NotFound, Conflict (handover_not_approved, handover_closed, handover_not_eligible,
        nothing_to_hand_over), Forbidden (same_person)
        """
        handover = await self._handovers.hold(tx, who, ACCEPT, handover_id)
        rules.require(handover, {State.OFFERED}, now)
        if not rules.is_four_eyes(handover, who.actor):
            raise errors.alone(ACCEPT)
        self._require_eligible(who, handover, now)
        wanted = await self._wanted(tx, handover)
        sight = who.sight(ACCEPT, handover.unit, handover.successor)
        turn = Turn(handover.unit, handover.predecessor, handover.successor, sight)
        moved = await self._move(tx, who, turn, wanted, now)
        clock = self._regimes.get(Clock, rules.TERMS, on=day_of(now))
        last_day = self._people.last_day(handover.predecessor)
        tell_by = rules.tell_by(clock.term("tell"), day_of(now), last_day)
        handover = replace(
            handover, state=State.ACCEPTED, customers=len(moved), accepted_by=who.actor, accepted_at=now,
            undo_until=clock.ends("undo", now), tell_by=tell_by, version=handover.version + 1,
        )  # fmt: skip
        await repository.moved(tx, handover.id, moved)
        await repository.release(tx, handover.id)
        await repository.store(tx, handover)
        event = HandoverAccepted(**facts(handover), tell_by=tell_by)
        await publish(self._outbox, tx, event, handover, who.actor, now)
        return handover

    def _require_eligible(self, who: Principal, handover: Handover, now: datetime) -> None:
        """By the directory; without one, by what the caller may."""
        told = self._people.looks_after(handover.successor, handover.unit, now)
        if told is None:
            told = bool(who.sight(CHANGE, handover.unit, handover.successor))
        if not (told and self._people.stays(handover.successor)):
            raise errors.not_eligible_now()

    async def _wanted(self, tx: Transaction, handover: Handover) -> Sequence[UUID]:
        """The named customers; or all but those that another open hand-over names."""
        if not handover.whole:
            return await repository.named(tx, handover.id)
        found = await self._assigning.of(tx, handover.predecessor, handover.unit)
        taken = await repository.taken(tx, found)
        return [each for each in found if each not in taken]

    async def _move(
        self, tx: Transaction, who: Principal, turn: Turn, wanted: Sequence[UUID], now: datetime,
        since: Mapping[UUID, int] | None = None,
    ) -> dict[UUID, int]:  # fmt: skip
        """In order of the ids, so that of two who move the same files one waits. Raises: Conflict"""
        moved: dict[UUID, int] = {}
        for batch in _batches(sorted(wanted)):
            moved |= await self._assigning.assign(tx, who, turn, batch, now, since)
            crash.point("handover.batch_moved")
        if not moved:
            raise errors.nothing()
        return moved

    async def undo(self, tx: Transaction, who: Principal, handover_id: UUID, reason: str, now: datetime) -> Handover:
        """Take it back, as far as the customers were given to nobody meanwhile. Neither side does it.

        Raises: NotFound, Invalid (bad_handover), Conflict (handover_closed, handover_undo_over, handover_not_eligible,
        nothing_to_hand_over), Forbidden (same_person)
        """
        self._handovers.require_end_reason(reason, now)
        handover = await self._handovers.hold(tx, who, UNDO, handover_id)
        rules.require(handover, {State.ACCEPTED}, now)
        if who.actor in rules.parties(handover):
            raise errors.alone(UNDO)
        assert handover.undo_until is not None
        if now > handover.undo_until:
            raise errors.term_over(handover.undo_until)
        if self._people.looks_after(handover.predecessor, handover.unit, now) is False:
            raise errors.not_eligible_now()
        since = await repository.versions(tx, handover.id)
        sight = who.sight(UNDO, handover.unit, handover.successor)
        turn = Turn(handover.unit, handover.successor, handover.predecessor, sight)
        back = await self._move(tx, who, turn, list(since), now, since)
        handover = handover.ended(State.UNDONE, who.actor, now, reason)
        await repository.undone(tx, handover.id, back)
        await repository.store(tx, handover)
        event = HandoverUndone(**facts(handover), end_reason=reason, moved_back=len(back))
        await publish(self._outbox, tx, event, handover, who.actor, now)
        return handover


def _batches(customers: Sequence[UUID]) -> Iterator[Sequence[UUID]]:
    return (customers[start : start + _BATCH] for start in range(0, len(customers), _BATCH))
