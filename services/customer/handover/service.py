"""Use cases of hand-overs up to their acceptance: propose, approve, decline, cancel, look at. Requirement R5.7.

A hand-over is of one unit, so that reach, approval and successor are decided once for all of its customers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from services.customer.file.assigning import Assigning
from services.customer.handover import errors, repository, rules
from services.customer.handover.people import People
from services.customer.handover.publishing import SYSTEM, facts, publish
from services.customer.handover.rules import (
    ACCEPT,
    APPROVE,
    CANCEL,
    DECLINE,
    OFFER,
    OPEN,
    PROPOSE,
    READ,
    TELL,
    Asked,
    Handover,
    State,
    Wish,
)
from shared.approvals import Approvers, Given, Procedure, roles_in
from shared.auth import Principal, Scope, Sight
from shared.clock import day_of
from shared.db import Record, Transaction
from shared.errors import Fault, KehuError
from shared.events import (
    HandoverCancelled,
    HandoverDeclined,
    HandoverLapsed,
    HandoverOffered,
    HandoverProposed,
)
from shared.ids import new_id
from shared.outbox import Outbox
from shared.regime import Approval, Clock, Regimes, Step

REASONS, END_REASONS = "handover_reason", "handover_end"
_BATCH = 100


class Handovers:
    """Hand-overs that are not in force yet."""

    def __init__(
        self, assigning: Assigning, people: People, approvers: Approvers, outbox: Outbox, regimes: Regimes
    ) -> None:
        self._assigning = assigning
        self._people = people
        self._approvers = approvers
        self._outbox = outbox
        self._regimes = regimes

    async def propose(self, tx: Transaction, who: Principal, wish: Wish, now: datetime) -> Handover:
        """Name a successor for customers of a person.

        Who may offer them outright, and is of neither side, asks the successor at once; else others approve first.
        Raises: Invalid (bad_handover), Conflict (handover_open, nothing_to_hand_over)
        """
        for each in await repository.lapsed(tx, now, wish.predecessor, _BATCH):  # or else they would be in the way
            await self._lapse(tx, each, now)
        unit, count, customers = await self._customers(tx, who, wish, now)
        handover = Handover(
            id=new_id(), unit=unit, predecessor=wish.predecessor, successor=wish.successor, reason=wish.reason,
            whole=wish.customers is None, customers=count, state=State.PROPOSED, proposed_by=who.actor, proposed_at=now,
            decide_until=self._regimes.get(Clock, rules.TERMS, on=day_of(now)).ends("answer", now),
        )  # fmt: skip
        if self._offers(who, handover):
            handover = replace(handover, state=State.OFFERED)
        try:
            await repository.add(tx, handover, customers)
        except repository.Taken:
            taken = await repository.taken(tx, customers)
            raise errors.is_open(
                list(_faults_at(customers, taken, "in_hand_over", "one that no other names"))
            ) from None
        event = HandoverProposed(**facts(handover), desk=self._desk(handover, now))
        await publish(self._outbox, tx, event, handover, who.actor, now)
        if handover.state is State.OFFERED:
            await publish(self._outbox, tx, HandoverOffered(**facts(handover)), handover, who.actor, now)
        return handover

    async def _customers(
        self, tx: Transaction, who: Principal, wish: Wish, now: datetime
    ) -> tuple[str, int, Sequence[UUID]]:
        """Unit and number of the customers, and which ones, if they are named."""
        faults = self._bad_words(wish, now)
        if wish.customers is None:
            of_unit = {
                unit: n for unit, n in (await self._assigning.units(tx, wish.predecessor)).items()
                if self._reaches(who, wish, unit) and wish.unit in (None, unit)
            }  # fmt: skip
            if not of_unit and not faults:
                raise errors.nothing()
        else:
            found = await self._assigning.places(tx, wish.predecessor, wish.customers)
            places = {each: unit for each, unit in found.items() if self._reaches(who, wish, unit)}
            missing = set(wish.customers) - places.keys()
            faults += _faults_at(wish.customers, missing, "unknown", "an open file of the predecessor, within reach")
            most = self._regimes.get(Clock, rules.TERMS, on=day_of(now)).count("named")
            if len(wish.customers) > most:
                faults.append(Fault("/customers", "too_many", len(wish.customers), most))
            units = list(places.values())
            of_unit = {unit: units.count(unit) for unit in set(units)}
        if len(of_unit) > 1 or (of_unit and wish.unit not in (None, *of_unit)):
            faults.append(Fault("/unit", "one_unit", wish.unit, sorted(of_unit)))
        if len(of_unit) == 1 and not self._is_eligible(wish.successor, next(iter(of_unit)), now):
            faults.append(errors.not_eligible(wish.successor))
        if faults:
            raise errors.bad(faults)
        ((unit, count),) = of_unit.items()
        return unit, count, wish.customers or ()

    def _bad_words(self, wish: Wish, now: datetime) -> list[Fault]:
        faults, reasons = [], self._regimes.codelist(REASONS, on=day_of(now)).codes
        if wish.reason not in reasons:
            faults.append(Fault("/reason", "not_listed", wish.reason, list(reasons)))
        if wish.successor == wish.predecessor:
            faults.append(Fault("/successor", "same_person", wish.successor, "somebody else"))
        if wish.customers is not None and len(set(wish.customers)) < len(wish.customers):
            faults.append(Fault("/customers", "doubled", None, "each customer once"))
        return faults

    def _reaches(self, who: Principal, wish: Wish, unit: str) -> bool:
        return bool(rules.sight(who, PROPOSE, unit, wish.predecessor, wish.successor))

    def _is_eligible(self, name: str, unit: str, now: datetime) -> bool:
        """Also where nobody can tell: then the successor's own token says so when they accept."""
        return self._people.looks_after(name, unit, now) is not False and self._people.stays(name)

    def _offers(self, who: Principal, handover: Handover) -> bool:
        return who.actor not in rules.parties(handover) and bool(self._sight(who, OFFER, handover))

    def _sight(self, who: Principal, action: str, handover: Handover) -> Sight:
        return rules.sight(who, action, handover.unit, handover.predecessor, handover.successor)

    def _desk(self, handover: Handover, now: datetime) -> str | None:
        if handover.state is State.OFFERED:
            return None
        but = {handover.proposed_by, *rules.parties(handover)}
        waiting = self._procedure(handover).open(())
        return self._approvers.desk(waiting[0], APPROVE, handover.unit, but, now) if waiting else None

    def _procedure(self, handover: Handover) -> Procedure:
        """As it was declared when the hand-over was proposed."""
        declared = self._regimes.get(Approval, rules.APPROVAL, on=day_of(handover.proposed_at))
        return Procedure(declared, {"reason": handover.reason, "customers": handover.customers})

    async def approve(self, tx: Transaction, who: Principal, handover_id: UUID, now: datetime) -> Handover:
        """Agree that the successor be asked. Neither side does, nor who proposed it.

        Raises: NotFound, Conflict (handover_closed), Forbidden (same_person, not_in_charge)
        """
        handover = await self.hold(tx, who, APPROVE, handover_id)
        rules.require(handover, {State.PROPOSED}, now)
        procedure, given, step = self._step(who, handover, now)
        agreed = [*handover.agreed, {"step": step.id, "by": who.actor, "at": now.isoformat()}]
        is_complete = procedure.is_complete([*given, Given(step.id, who.actor)])
        state = State.OFFERED if is_complete else State.PROPOSED
        handover = replace(handover, agreed=agreed, state=state, version=handover.version + 1)
        await repository.store(tx, handover)
        if is_complete:
            await publish(self._outbox, tx, HandoverOffered(**facts(handover)), handover, who.actor, now)
        return handover

    def _step(self, who: Principal, handover: Handover, now: datetime) -> tuple[Procedure, Sequence[Given], Step]:
        """Procedure, what was agreed to, and what the caller may agree to now. Raises: Conflict, Forbidden"""
        involved = {handover.proposed_by, *rules.parties(handover)}
        self._approvers.require_other(who, APPROVE, [(actor, PROPOSE) for actor in involved], now)
        given = [Given(each["step"], each["by"]) for each in handover.agreed]
        procedure = self._procedure(handover)
        is_there = self._approvers.others(APPROVE, handover.unit, involved, now)
        roles = roles_in(self._sight(who, APPROVE, handover))
        return procedure, given, procedure.step_for(who.actor, roles, given, is_there)

    async def awaiting(self, tx: Transaction, who: Principal, now: datetime, limit: int) -> list[Handover]:
        """Those to which this person could agree now, those that lapse first before others."""
        waiting = await repository.waiting(tx, State.PROPOSED, who.scope(APPROVE), now, limit)
        return [each for each in waiting if self._could_approve(who, each, now)]

    def _could_approve(self, who: Principal, handover: Handover, now: datetime) -> bool:
        try:
            self._step(who, handover, now)
        except KehuError:
            return False
        return True

    async def asked(self, tx: Transaction, who: Principal, state: State, now: datetime, limit: int) -> list[Handover]:
        """Those in which this person is to act as the successor: offered, to accept; accepted, to tell customers."""
        action = ACCEPT if state is State.OFFERED else TELL
        own = frozenset({who.name} if who.may(action) else ())
        scope = Scope(assigned_to=who.scope(action).assigned_to | own)
        return await repository.waiting(tx, state, scope, now, limit)

    async def decline(self, tx: Transaction, who: Principal, handover_id: UUID, reason: str, now: datetime) -> Handover:
        """The successor will not. Raises: NotFound, Invalid (bad_handover), Conflict (handover_closed)"""
        self.require_end_reason(reason, now)
        handover = await self.hold(tx, who, DECLINE, handover_id)
        rules.require(handover, OPEN, now)
        handover = await self._end(tx, handover.ended(State.DECLINED, who.actor, now, reason))
        event = HandoverDeclined(**facts(handover), end_reason=reason)
        await publish(self._outbox, tx, event, handover, who.actor, now)
        return handover

    async def cancel(self, tx: Transaction, who: Principal, handover_id: UUID, reason: str, now: datetime) -> Handover:
        """Call it off before it is accepted. Raises: NotFound, Invalid (bad_handover), Conflict (handover_closed)"""
        self.require_end_reason(reason, now)
        handover = await self.hold(tx, who, CANCEL, handover_id)
        rules.require(handover, OPEN, now)
        handover = await self._end(tx, handover.ended(State.CANCELLED, who.actor, now, reason))
        event = HandoverCancelled(**facts(handover), end_reason=reason)
        await publish(self._outbox, tx, event, handover, who.actor, now)
        return handover

    async def lapse_due(self, tx: Transaction, now: datetime) -> int:
        """End a batch of those that nobody decided in time. How many. A job."""
        due = await repository.lapsed(tx, now, None, _BATCH)
        for each in due:
            await self._lapse(tx, each, now)
        return len(due)

    async def _lapse(self, tx: Transaction, handover: Handover, now: datetime) -> None:
        ended = await self._end(tx, handover.ended(State.LAPSED, SYSTEM, now))
        await publish(self._outbox, tx, HandoverLapsed(**facts(ended)), ended, SYSTEM, now)

    async def _end(self, tx: Transaction, handover: Handover) -> Handover:
        await repository.store(tx, handover)
        await repository.release(tx, handover.id)
        return handover

    def require_end_reason(self, reason: str, now: datetime) -> None:
        """Raises: Invalid (bad_handover)"""
        reasons = self._regimes.codelist(END_REASONS, on=day_of(now)).codes
        if reason not in reasons:
            raise errors.bad([Fault("/reason", "not_listed", reason, list(reasons))])

    async def hold(self, tx: Transaction, who: Principal, action: str, handover_id: UUID) -> Handover:
        """One within reach, locked. Raises: NotFound"""
        return self._reached(who, action, await repository.lock(tx, handover_id))

    def _reached(self, who: Principal, action: str, handover: Handover | None) -> Handover:
        if handover is None or not self._sight(who, action, handover):
            raise errors.no_such_handover()
        return handover

    async def get(self, tx: Transaction, who: Principal, handover_id: UUID) -> Handover:
        """One within reach. Raises: NotFound"""
        return self._reached(who, READ, await repository.get(tx, handover_id))

    async def page(self, tx: Transaction, who: Principal, asked: Asked, limit: int) -> list[Handover]:
        """Those within reach, newest first."""
        return await repository.page(tx, who.scope(READ), asked, limit)

    async def customers(
        self, tx: Transaction, who: Principal, handover_id: UUID, after: UUID | None, untold: bool | None, limit: int
    ) -> list[Record]:
        """The customers of one within reach: named ones from the start, all once they moved. Raises: NotFound"""
        await self.get(tx, who, handover_id)
        return await repository.customers(tx, handover_id, after, untold, limit)


def _faults_at(customers: Sequence[UUID], wrong: set[UUID], code: str, expected: str) -> Iterator[Fault]:
    return (
        Fault(f"/customers/{place}", code, str(each), expected) for place, each in enumerate(customers) if each in wrong
    )
