"""Use cases of approvers: approve a form, so that it becomes a customer, or return it with reasons (R7.2, R5.6).

Whoever had the form in hand does neither, however often it changed hands since. With the last approval the file is
opened in the same transaction: customer, key, both events, or nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from services.customer.dictionary.rules import pointer
from services.customer.dictionary.service import Dictionaries
from services.customer.file.service import Files, Proposal
from services.customer.registration import errors, repository, rules
from services.customer.registration.judging import Judging
from services.customer.registration.repository import Closed
from services.customer.registration.rules import (
    APPROVE,
    RETURN,
    WITH_APPROVERS,
    Form,
    Outcome,
    State,
)
from services.customer.registration.service import Forms, Shown, facts
from services.customer.registration.submission import Submissions
from shared.approvals import Approvers, Given, Procedure, roles_in
from shared.auth import Principal
from shared.db import Record, Transaction
from shared.errors import Fault
from shared.events import RegistrationApproved, RegistrationReturned, RegistrationStepApproved
from shared.ids import new_id
from shared.regime import Step
from shared.sealing import KeyRing


@dataclass(frozen=True, slots=True)
class _Matter:
    """A form that somebody may decide: the round, its procedure, what was agreed to so far, and the caller's step."""

    form: Form
    round: Record
    procedure: Procedure
    given: Sequence[Given]
    hands: Collection[str]
    step: Step


class Decisions:
    """Approves and returns."""

    def __init__(
        self, forms: Forms, submissions: Submissions, judging: Judging, files: Files, dictionaries: Dictionaries,
        ring: KeyRing, approvers: Approvers,
    ) -> None:  # fmt: skip
        self._forms = forms
        self._submissions = submissions
        self._judging = judging
        self._files = files
        self._dictionaries = dictionaries
        self._ring = ring
        self._approvers = approvers

    async def _matter(
        self, tx: Transaction, who: Principal, action: str, form_id: UUID, base: int, now: datetime
    ) -> _Matter:
        """A form, locked, that the caller may decide now.

        Raises: NotFound, Conflict (form_decided, form_state), PreconditionFailed (form_changed),
        Forbidden (same_person, not_in_charge)
        """
        form = await self._forms.lock(tx, who, action, form_id)
        rules.require(form, base, WITH_APPROVERS, now)
        hands = await repository.hands(tx, form.id)
        self._approvers.require_other(who, action, hands, now)
        found = (await repository.rounds(tx, form.id))[0]
        procedure = self._submissions.procedure(found["important"], found["submitted_at"])
        agreed = [each for each in await repository.agreed(tx, form.id) if each["round"] == form.round]
        given = [Given(each["step"], each["actor"]) for each in agreed]
        others = {actor for actor, _ in hands} | {each.by for each in given}
        is_there = self._approvers.others(procedure.declared.action, form.unit, others, now)
        step = procedure.step_for(who.actor, roles_in(who.sight(action, form.unit, form.proposer)), given, is_there)
        return _Matter(form, found, procedure, given, others, step)

    async def approve(
        self, tx: Transaction, who: Principal, form_id: UUID, base: int, acknowledged: Collection[str], now: datetime
    ) -> Shown:
        """Agree to a form; with the last agreement it becomes a customer, in the name of who handed it in.

        Raises: as `_matter`; Forbidden (item_not_cleared), Conflict (form_outdated, duplicate_not_acknowledged,
        number_taken)
        """
        matter = await self._matter(tx, who, APPROVE, form_id, base, now)
        form = matter.form
        values = self._forms.values_of(form)
        if hidden := self._forms.hidden(who, form, now, APPROVE):
            raise errors.not_judged(sorted(hidden))
        judged = await self._judging.judge(tx, who, form, values, now)
        if judged.faults:
            raise errors.outdated(judged.faults)
        if unknown := sorted({each.id for each in judged.likenesses if each.certain} - set(acknowledged)):
            raise errors.doubles(unknown)
        given = Given(matter.step.id, who.actor)
        await repository.agree(tx, form, given, now)
        if not matter.procedure.is_complete([*matter.given, given]):
            return await self._go_on(tx, who, matter, given, now)
        likely = tuple(each.id for each in judged.likenesses)
        return await self._become_customer(tx, who, matter, values, likely, now)

    async def _go_on(self, tx: Transaction, who: Principal, matter: _Matter, given: Given, now: datetime) -> Shown:
        """Others have to agree, too."""
        form = await self._forms.store(tx, matter.form, now)
        waiting = matter.procedure.open([*matter.given, given])[0]
        but, action = {*matter.hands, who.actor}, matter.procedure.declared.action
        desk = self._approvers.desk(waiting, action, form.unit, but, now)
        event = RegistrationStepApproved(**facts(form), step=given.step, desk=desk)
        await self._forms.publish(tx, event, form, who.actor, now)
        return await self._forms.show(tx, who, form, now)

    async def _become_customer(
        self, tx: Transaction, who: Principal, matter: _Matter, values: Mapping[str, Any], likely: tuple[str, ...],
        now: datetime,
    ) -> Shown:  # fmt: skip
        form = matter.form
        assert form.key is not None
        proposal = Proposal(form.id, form.key, matter.round["submitted_by"], APPROVE)
        await self._files.register(tx, who, form.kind, values, form.unit, now, proposal)
        await repository.close_round(tx, form, Closed(Outcome.APPROVED, now, who.actor))
        approved = {"state": State.APPROVED, "customer_id": form.id, "submitted_at": None, "expires_at": None}
        form = replace(form, **approved, version=form.version + 1, updated_at=now)  # type: ignore[arg-type]
        await repository.become_customer(tx, form, now)
        event = RegistrationApproved(
            **facts(form), step=matter.step.id, customer_id=str(form.customer_id), duplicates=likely
        )
        await self._forms.publish(tx, event, form, who.actor, now)
        return await self._forms.show(tx, who, form, now)

    async def give_back(
        self, tx: Transaction, who: Principal, form_id: UUID, base: int, reason: str, items: Mapping[str, str],
        now: datetime,
    ) -> Shown:  # fmt: skip
        """Return a form with reasons, of the whole and of items. Raises: as `_matter`; Invalid (bad_form)"""
        matter = await self._matter(tx, who, RETURN, form_id, base, now)
        form, known = matter.form, self._dictionaries.catalogue(matter.form.kind, now).items
        faults = [
            Fault(f"/items{pointer(code).removeprefix('/values')}", "unknown_item", code[:80], "an item of the form")
            for code in items
            if code not in known
        ]
        if faults:
            raise errors.not_items(faults)
        assert form.key is not None
        sealed_by, said = new_id(), {"reason": reason, "items": dict(items)}
        sealed = self._ring.seal(form.key, form.subject, sealed_by, said)
        closed = Closed(Outcome.RETURNED, now, who.actor, sorted(items), sealed_by, sealed)
        form = await self._forms.give_back(tx, form, State.RETURNED, closed)
        event = RegistrationReturned(**facts(form), items=tuple(sorted(items)))
        await self._forms.publish(tx, event, form, who.actor, now)
        return await self._forms.show(tx, who, form, now)
