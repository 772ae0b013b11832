"""Use cases of handing a form in and taking it back; forms that nobody decided in time (R7.2)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from services.customer.registration import errors, repository, rules
from services.customer.registration.judging import Judging
from services.customer.registration.repository import Closed
from services.customer.registration.rules import (
    APPROVAL,
    SUBMIT,
    WITH_APPROVERS,
    Outcome,
    State,
)
from services.customer.registration.service import Forms, Shown, facts
from shared.approvals import Approvers, Procedure
from shared.auth import Principal
from shared.clock import day_of
from shared.db import Transaction
from shared.events import RegimeRef, RegistrationSubmitted, RegistrationWithdrawn
from shared.regime import Approval, Regimes

_BATCH = 100


class Submissions:
    """Hands in and takes back."""

    def __init__(self, forms: Forms, judging: Judging, approvers: Approvers, regimes: Regimes) -> None:
        self._forms = forms
        self._judging = judging
        self._approvers = approvers
        self._regimes = regimes

    async def submit(self, tx: Transaction, who: Principal, form_id: UUID, base: int, now: datetime) -> Shown:
        """Hand a whole form in, in one's own name. What it resembles is a warning, and for the approver to decide.

        Raises: NotFound, Conflict, PreconditionFailed (form_changed), Invalid (bad_form, with all faults)
        """
        form = await self._forms.lock_own(tx, who, SUBMIT, form_id, base, now)
        values = self._forms.values_of(form)
        judged = await self._judging.judge(tx, who, form, values, now)
        if judged.faults:
            raise errors.incomplete(rules.shown(judged.faults, self._forms.hidden(who, form, now)) or judged.faults)
        await repository.note_hand(tx, form.id, who.actor, SUBMIT)
        procedure = self.procedure(judged.important, now)
        declared = procedure.declared
        until = declared.ends(now)
        waits = {"state": State.SUBMITTED, "proposer": who.name, "submitted_at": now, "expires_at": until}
        form = await self._forms.store(tx, replace(form, **waits, round=form.round + 1), now)  # type: ignore[arg-type]
        approval = declared.ref.as_json()
        await repository.begin_round(tx, form, who.actor, judged.important, approval)
        hands = {actor for actor, _ in await repository.hands(tx, form.id)}
        first = procedure.open(())[0]
        event = RegistrationSubmitted(
            **facts(form), items=tuple(form.items), important=judged.important, staff=len(form.staff),
            desk=self._approvers.desk(first, declared.action, form.unit, hands, now), until=until,
            approval=RegimeRef.model_validate(approval),
        )  # fmt: skip
        await self._forms.publish(tx, event, form, who.actor, now)
        return await self._forms.show(tx, who, form, now)

    def procedure(self, important: bool, submitted_at: datetime) -> Procedure:
        """How a form is approved that was handed in at a moment; what is declared later does not concern it."""
        return Procedure(self._regimes.get(Approval, APPROVAL, on=day_of(submitted_at)), {"important": important})

    async def withdraw(self, tx: Transaction, who: Principal, form_id: UUID, base: int, now: datetime) -> Shown:
        """Take a form back to go on with it. Raises: NotFound, Conflict, PreconditionFailed (form_changed)"""
        form = await self._forms.lock(tx, who, SUBMIT, form_id)
        rules.require(form, base, WITH_APPROVERS, now)
        form = await self._forms.give_back(tx, form, State.DRAFT, Closed(Outcome.WITHDRAWN, now, who.actor))
        await self._forms.publish(tx, RegistrationWithdrawn(**facts(form)), form, who.actor, now)
        return await self._forms.show(tx, who, form, now)

    async def lapse_due(self, tx: Transaction, now: datetime) -> int:
        """Give back what nobody decided in time; how many. A job."""
        lapsed = await repository.lock_lapsed(tx, now, _BATCH)
        for form in lapsed:
            await self._forms.lapse(tx, form, now)
        return len(lapsed)
