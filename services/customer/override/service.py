"""Use cases of overrides: propose, approve, refuse, lift, expire, show. Requirements R1.5, R2.2.

Whoever puts one in force or ends one locks the grade first, then the file, then the override: in the order in which a
check locks them, so that neither waits for the other for ever, and of two who decide at once one comes too late.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from services.customer.file.keys import Keys
from services.customer.file.service import Files
from services.customer.grading import errors as grading_errors
from services.customer.grading.explanation import READ
from services.customer.grading.service import Grading
from services.customer.grading.service import Override as Imposed
from services.customer.override import errors, repository, rules
from services.customer.override.expiry import Expiry
from services.customer.override.publishing import facts, publish
from services.customer.override.rules import Override, State
from services.customer.override.sealing import opened, seal
from shared.approvals import Approvers, Given, Procedure, roles_in
from shared.auth import Principal
from shared.clock import day_of
from shared.db import Record, Transaction
from shared.errors import Conflict, Forbidden
from shared.events import GradeOverrideApproved, GradeOverrideLifted, GradeOverrideProposed, GradeOverrideRefused
from shared.ids import new_id
from shared.outbox import Outbox
from shared.regime import Approval, Clock, Regimes
from shared.sealing import KeyRing, WrappedKey, to_text

PROPOSE, APPROVE = "grade.override.propose", "grade.override.approve"
REFUSE, LIFT = "grade.override.refuse", "grade.override.lift"
_CLOCK, _APPROVAL = "grading", "grade_override"


class Overrides:
    """Grades set by people."""

    def __init__(
        self, files: Files, keys: Keys, ring: KeyRing, grading: Grading, expiry: Expiry, approvers: Approvers,
        outbox: Outbox, regimes: Regimes,
    ) -> None:  # fmt: skip
        self._files = files
        self._keys = keys
        self._ring = ring
        self._grading = grading
        self._expiry = expiry
        self._approvers = approvers
        self._outbox = outbox
        self._regimes = regimes

    async def propose(
        self, tx: Transaction, who: Principal, customer_id: UUID, grade: str, expires_on: date, reason: str,
        now: datetime,
    ) -> dict[str, Any]:  # fmt: skip
        """Ask for another grade than the reckoned one. Raises: NotFound, Invalid (bad_override), Conflict."""
        file = await self._files.reach(tx, who, PROPOSE, customer_id)
        policy = self._grading.policy(file["kind"], now)
        if policy is None:
            raise grading_errors.no_policy()
        grades, today = [rank.grade for rank in policy.declared.ranks], day_of(now)
        longest = self._regimes.get(Clock, _CLOCK, on=today).term("override_longest")
        if faults := list(rules.faults(grade, expires_on, grades, today, longest)):
            raise errors.bad_override(faults)
        await self._expiry.expire_of(
            tx, customer_id, now
        )  # or else one that is over would be in the way until the job comes
        _, key = await self._keys.hold(tx, who, PROPOSE, customer_id)
        event_id, term = new_id(), self._approval(now).term
        sealed = seal(self._ring, key, customer_id, event_id, reason)
        override = Override(
            id=new_id(), customer_id=customer_id, grade=grade, expires_on=expires_on, state=State.PROPOSED,
            proposed_by=who.actor, proposed_at=now, decide_until=now + term.span if term is not None else now + longest,
            agreed=(), ended_by=None, ended_at=None, reason_event=event_id, reason=sealed, end_event=None,
            end_reason=None, version=1,
        )  # fmt: skip
        try:
            await repository.add(tx, override)
        except repository.Taken:
            raise errors.override_open() from None
        first = Procedure(self._approval(now), _matter(file, override)).open([])[0]
        desk = self._approvers.desk(first, APPROVE, file["unit"], {who.actor}, now)
        event = GradeOverrideProposed(**facts(file, override), sealed=to_text(sealed), desk=desk)
        await publish(self._outbox, tx, event, override, who.actor, now, event_id)
        return self._view(override, key, now)

    async def approve(
        self, tx: Transaction, who: Principal, customer_id: UUID, override_id: UUID, now: datetime
    ) -> dict[str, Any]:
        """Agree; with the last agreement it is in force. Raises: NotFound, Conflict, Forbidden (same_person …)."""
        file, key, override = await self._open(tx, who, APPROVE, customer_id, override_id, State.PROPOSED, now)
        step, is_complete = self._step(who, file, override, now)
        agreed = [*override.agreed, {"step": step, "by": who.actor, "at": now.isoformat()}]
        state = State.IN_FORCE if is_complete else State.PROPOSED
        override = replace(override, agreed=agreed, state=state, version=override.version + 1)
        await repository.store(tx, override)
        if is_complete:
            event = GradeOverrideApproved(**facts(file, override))
            await publish(self._outbox, tx, event, override, who.actor, now)
            await self._grading.impose(tx, customer_id, Imposed(override_id, override.grade, override.until), now)
        return self._view(override, key, now)

    def _step(self, who: Principal, file: Record, override: Override, now: datetime) -> tuple[str, bool]:
        """The step to which somebody agrees, and whether it is the last. Raises: Conflict, Forbidden"""
        self._approvers.require_other(who, APPROVE, [(override.proposed_by, PROPOSE)], now)
        procedure = Procedure(self._approval(now), _matter(file, override))
        given = [Given(each["step"], each["by"]) for each in override.agreed]
        sight = who.sight(APPROVE, file["unit"], file["manager"])
        is_there = self._approvers.others(APPROVE, file["unit"], {override.proposed_by}, now)
        step = procedure.step_for(who.actor, roles_in(sight), given, is_there)
        return step.id, procedure.is_complete([*given, Given(step.id, who.actor)])

    async def awaiting(self, tx: Transaction, who: Principal, now: datetime, limit: int) -> list[tuple[Override, str]]:
        """Proposals to which somebody could agree now, with the unit of their customer; first what lapses first."""
        found = []
        for file, override in await repository.proposed(tx, who.scope(APPROVE), now, limit):
            with suppress(Conflict, Forbidden):
                self._step(who, file, override, now)
                found.append((override, file["unit"]))
        return found

    async def refuse(
        self, tx: Transaction, who: Principal, customer_id: UUID, override_id: UUID, reason: str, now: datetime
    ) -> dict[str, Any]:
        """Let a proposal come to nothing. Raises: NotFound, Conflict (override_closed, customer_erased)."""
        file, key, override = await self._open(tx, who, REFUSE, customer_id, override_id, State.PROPOSED, now)
        override, sealed, event_id = await self._end(tx, who, key, override, State.REFUSED, reason, now)
        event = GradeOverrideRefused(**facts(file, override), sealed=to_text(sealed))
        await publish(self._outbox, tx, event, override, who.actor, now, event_id)
        return self._view(override, key, now)

    async def lift(
        self, tx: Transaction, who: Principal, customer_id: UUID, override_id: UUID, reason: str, now: datetime
    ) -> dict[str, Any]:
        """End one that is in force; the reckoned grade holds again. Raises: NotFound, Conflict."""
        file, key, override = await self._open(tx, who, LIFT, customer_id, override_id, State.IN_FORCE, now)
        override, sealed, event_id = await self._end(tx, who, key, override, State.LIFTED, reason, now)
        event = GradeOverrideLifted(**facts(file, override), sealed=to_text(sealed))
        await publish(self._outbox, tx, event, override, who.actor, now, event_id)
        await self._grading.impose(tx, customer_id, None, now)
        return self._view(override, key, now)

    async def page(
        self, tx: Transaction, who: Principal, customer_id: UUID, below: UUID | None, limit: int, now: datetime
    ) -> list[dict[str, Any]]:
        """Those of a customer, newest first, with their reasons. Raises: NotFound, Conflict (customer_erased)."""
        _, key, _ = await self._keys.look(tx, who, READ, customer_id)
        return [self._view(each, key, now) for each in await repository.page(tx, customer_id, below, limit)]

    async def _open(
        self, tx: Transaction, who: Principal, action: str, customer_id: UUID, override_id: UUID, state: State,
        now: datetime,
    ) -> tuple[Record, WrappedKey, Override]:  # fmt: skip
        """File, key and override, locked, if it is in the state from which a step leads on."""
        file = await self._files.reach(tx, who, action, customer_id)
        await self._grading.hold(tx, customer_id)
        _, key = await self._keys.hold(tx, who, action, customer_id)
        override = await repository.lock(tx, customer_id, override_id)
        if override is None:
            raise errors.no_such_override()
        if override.state_at(now) is not state:
            raise errors.override_closed(override.state_at(now))
        return file, key, override

    async def _end(
        self, tx: Transaction, who: Principal, key: WrappedKey, override: Override, state: State, reason: str,
        now: datetime,
    ) -> tuple[Override, bytes, UUID]:  # fmt: skip
        event_id = new_id()
        sealed = seal(self._ring, key, override.customer_id, event_id, reason)
        ended = replace(
            override, state=state, ended_by=who.actor, ended_at=now, end_event=event_id, end_reason=sealed,
            version=override.version + 1,
        )  # fmt: skip
        await repository.store(tx, ended)
        return ended, sealed, event_id

    def _approval(self, now: datetime) -> Approval:
        return self._regimes.get(Approval, _APPROVAL, on=day_of(now))

    def _view(self, override: Override, key: WrappedKey, now: datetime) -> dict[str, Any]:
        reason, end_reason = opened(self._ring, key, override)
        return {
            "id": override.id, "customer_id": override.customer_id, "grade": override.grade,
            "expires_on": override.expires_on, "state": override.state_at(now), "proposed_by": override.proposed_by,
            "proposed_at": override.proposed_at, "decide_until": override.decide_until,
            "reason": reason,
            "agreed": list(override.agreed), "ended_by": override.ended_by, "ended_at": override.ended_at,
            "end_reason": end_reason,
        }  # fmt: skip


def _matter(file: Record, override: Override) -> dict[str, Any]:
    """The facts by which the declared approval says who has to agree."""
    return {"kind": file["kind"], "grade": override.grade}
