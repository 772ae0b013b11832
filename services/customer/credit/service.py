"""Use cases of forms for credit: put forward, approve, return, end, show, let lapse. Requirement R7.5.

Whoever changes one holds the file, then the account: of two who decide at once one comes too late.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from services.customer.credit import errors, repository, rules
from services.customer.credit.journal import Journal, of
from services.customer.credit.rules import Form, State
from services.customer.credit.showing import Showing
from services.customer.credit.standing import Standing
from services.customer.file.keys import Keys
from services.customer.file.reads import Reads
from services.customer.file.service import Files, reference
from shared.approvals import Approvers, Given, Procedure, roles_in
from shared.auth import Principal, Sight
from shared.clock import day_of
from shared.db import Record, Transaction
from shared.errors import Conflict, Forbidden
from shared.events import (
    CreditApproved,
    CreditEnded,
    CreditLapsed,
    CreditProposed,
    CreditReturned,
    CreditStepApproved,
)
from shared.ids import new_id
from shared.regime import Approval, Regimes, Step
from shared.sealing import WrappedKey

READ, PROPOSE = "credit.read", "credit.propose"
APPROVE, RETURN, END = "credit.approve", "credit.return", "credit.end"
_AGREED = {CreditStepApproved.type, CreditApproved.type}
_SYSTEM = "system/customer"
_BATCH = 100


@dataclass(frozen=True, slots=True)
class _Matter:
    """A form that somebody may do something with: its file and key, and what they see of it."""

    file: Record
    key: WrappedKey
    sight: Sight
    form: Form


class Terms:
    """Forms for credit, and the terms that are in force."""

    def __init__(
        self, regimes: Regimes, files: Files, keys: Keys, reads: Reads, approvers: Approvers, journal: Journal,
        showing: Showing, standing: Standing,
    ) -> None:  # fmt: skip
        self._regimes = regimes
        self._files = files
        self._keys = keys
        self._reads = reads
        self._approvers = approvers
        self._journal = journal
        self._showing = showing
        self._standing = standing

    async def propose(
        self, tx: Transaction, who: Principal, customer_id: UUID, term_days: int, limit_fen: int,
        raw: Mapping[str, Any], now: datetime,
    ) -> dict[str, Any]:  # fmt: skip
        """Put a form forward, with what was found out about the customer.

        Raises: NotFound, Invalid (bad_credit_form), Forbidden (answer_not_cleared), Conflict (credit_form_open,
        customer_erased, customer_merged)
        """
        file, credit, today = (
            await self._files.reach(tx, who, PROPOSE, customer_id),
            self._standing.credit(now),
            day_of(now),
        )
        lists = {
            each.codelist: self._regimes.codelist(each.codelist, on=today).codes
            for each in credit.questions if each.codelist is not None
        }  # fmt: skip
        answers, faults = rules.read_form(credit, term_days, raw, lists, today)
        if faults:
            raise errors.bad_form(faults)
        _, key = await self._keys.hold(tx, who, PROPOSE, customer_id)
        approval = self._regimes.get(Approval, credit.approval, on=today)
        form = Form(
            new_id(), customer_id, State.PROPOSED, term_days, limit_fen, who.actor, now, approval.ends(now),
            credit.ref.as_json(), None, None,
        )  # fmt: skip
        sight = who.sight(PROPOSE, file["unit"], file["manager"])
        if hidden := sorted(set(self._showing.hidden(sight, form)) & answers.keys()):
            raise errors.not_readable(hidden)
        over = [each for each in await repository.forms(tx, customer_id) if each.state_at(now) is not each.state]
        locked = [await repository.lock_form(tx, customer_id, each.id) for each in over]
        await self._lapse(tx, [each for each in locked if each is not None and each.state is State.PROPOSED], now)
        try:
            await repository.add_form(tx, form)
        except repository.Taken:
            raise errors.form_open() from None
        said = self._journal.seal(key, customer_id, answers)
        first = self._procedure(file, form).open(())[0]
        event = CreditProposed(
            **_facts(file, form), limit_fen=limit_fen, definition=reference(credit.ref), sealed=said.text,
            desk=self._approvers.desk(first, APPROVE, file["unit"], {who.actor}, now),
        )  # fmt: skip
        await self._journal.note(tx, event, who.actor, now, matter=form.id, said=said)
        return await self._shown(tx, who, _Matter(file, key, sight, form), now)

    async def approve(
        self, tx: Transaction, who: Principal, customer_id: UUID, form_id: UUID, now: datetime
    ) -> dict[str, Any]:
        """Agree to a form; with the last agreement the customer has credit, by these terms in place of former ones.

        Raises: NotFound, Conflict (credit_form_closed …), Forbidden (same_person, not_in_charge, answer_not_cleared)
        """
        matter = await self._open(tx, who, APPROVE, customer_id, form_id, State.PROPOSED, now)
        file, form = matter.file, matter.form
        if hidden := self._showing.hidden(matter.sight, form):
            raise errors.not_readable(hidden)
        step, waiting, but = self._step(who, file, form, await repository.steps(tx, [form.id]), now)
        if waiting is not None:
            desk = self._approvers.desk(waiting, APPROVE, file["unit"], but, now)
            event = CreditStepApproved(**_facts(file, form), step=step.id, desk=desk)
            await self._journal.note(tx, event, who.actor, now, matter=form.id)
            return await self._shown(tx, who, matter, now)
        await self._replace(tx, file, form, who.actor, now)
        form = replace(form, state=State.IN_FORCE, from_on=day_of(now))
        await repository.store_form(tx, form)
        approved = CreditApproved(**_facts(file, form), step=step.id, from_on=day_of(now))
        await self._journal.note(tx, approved, who.actor, now, matter=form.id)
        return await self._shown(tx, who, replace(matter, form=form), now)

    def _step(
        self, who: Principal, file: Record, form: Form, steps: Sequence[Record], now: datetime
    ) -> tuple[Step, Step | None, set[str]]:
        """The step to which somebody agrees, the one that is open then (None: it was the last), and whoever had a hand
        in it by then. Raises: Conflict, Forbidden"""
        self._approvers.require_other(who, APPROVE, [(form.proposed_by, PROPOSE)], now)
        given = [Given(each["facts"]["step"], each["actor"]) for each in steps if each["type"] in _AGREED]
        hands = {form.proposed_by, *(each.by for each in given)}
        is_there = self._approvers.others(APPROVE, file["unit"], hands, now)
        procedure, sight = self._procedure(file, form), who.sight(APPROVE, file["unit"], file["manager"])
        step = procedure.step_for(who.actor, roles_in(sight), given, is_there)
        waiting = procedure.open([*given, Given(step.id, who.actor)])
        return step, waiting[0] if waiting else None, {*hands, who.actor}

    async def awaiting(self, tx: Transaction, who: Principal, now: datetime, limit: int) -> list[tuple[Form, str]]:
        """Forms to which somebody could agree now, with the unit of their customer; first what lapses first."""
        found = []
        proposed = await repository.proposed(tx, who.scope(APPROVE), now, limit)
        steps = await repository.steps(tx, [form.id for _, form in proposed])
        for file, form in proposed:
            sight = who.sight(APPROVE, file["unit"], file["manager"])
            with suppress(Conflict, Forbidden):
                self._step(who, file, form, [each for each in steps if each["matter"] == form.id], now)
                if not self._showing.hidden(sight, form):
                    found.append((form, file["unit"]))
        return found

    async def _replace(self, tx: Transaction, file: Record, by: Form, actor: str, now: datetime) -> None:
        """End the terms that are in force; what was supplied until today stays under them."""
        for old in await repository.granted(tx, [by.customer_id]):
            if old.state is State.IN_FORCE:
                await repository.store_form(tx, replace(old, state=State.REPLACED, ended_on=day_of(now)))
                event = CreditEnded(**_facts(file, old), replaced_by=str(by.id))
                await self._journal.note(tx, event, actor, now, matter=old.id)

    async def give_back(
        self, tx: Transaction, who: Principal, customer_id: UUID, form_id: UUID, reason: str, now: datetime
    ) -> dict[str, Any]:
        """Return a form with reasons; a better one may follow. Raises: NotFound, Conflict, Forbidden (same_person)"""
        matter = await self._open(tx, who, RETURN, customer_id, form_id, State.PROPOSED, now)
        self._approvers.require_other(who, RETURN, [(matter.form.proposed_by, PROPOSE)], now)
        form = replace(matter.form, state=State.RETURNED)
        await repository.store_form(tx, form)
        said = self._journal.seal(matter.key, customer_id, {"reason": reason})
        event = CreditReturned(**_facts(matter.file, form), sealed=said.text)
        await self._journal.note(tx, event, who.actor, now, matter=form.id, said=said)
        return await self._shown(tx, who, replace(matter, form=form), now)

    async def end(
        self, tx: Transaction, who: Principal, customer_id: UUID, form_id: UUID, reason: str, now: datetime
    ) -> dict[str, Any]:
        """End terms that are in force, with a reason; bills stay due as they are. Raises: NotFound, Conflict"""
        matter = await self._open(tx, who, END, customer_id, form_id, State.IN_FORCE, now)
        form = replace(matter.form, state=State.ENDED, ended_on=day_of(now))
        await repository.store_form(tx, form)
        said = self._journal.seal(matter.key, customer_id, {"reason": reason})
        event = CreditEnded(**_facts(matter.file, form), sealed=said.text)
        await self._journal.note(tx, event, who.actor, now, matter=form.id, said=said)
        return await self._shown(tx, who, replace(matter, form=form), now)

    async def page(
        self, tx: Transaction, who: Principal, customer_id: UUID, below: UUID | None, limit: int, now: datetime
    ) -> list[dict[str, Any]]:
        """Forms of a customer, newest first. Raises: NotFound, Conflict (customer_erased)"""
        _, key, sight = await self._keys.look(tx, who, READ, customer_id)
        forms = await repository.forms(tx, customer_id, below, limit)
        views, told = await self._showing.forms(tx, sight, key, forms, now)
        await self._reads.record(tx, who, sight, customer_id, told, now)
        return views

    async def lapse_due(self, tx: Transaction, now: datetime) -> int:
        """Close what nobody decided about in time; how many. A job."""
        lapsed = await repository.lock_lapsed(tx, now, _BATCH)
        await self._lapse(tx, lapsed, now)
        return len(lapsed)

    async def _lapse(self, tx: Transaction, forms: Sequence[Form], now: datetime) -> None:
        files = await repository.places(tx, [each.customer_id for each in forms])
        for form in forms:
            await repository.store_form(tx, replace(form, state=State.LAPSED))
            event = CreditLapsed(**_facts(files[form.customer_id], form))
            await self._journal.note(tx, event, _SYSTEM, now, matter=form.id)

    async def _open(
        self,
        tx: Transaction,
        who: Principal,
        action: str,
        customer_id: UUID,
        form_id: UUID,
        state: State,
        now: datetime,
    ) -> _Matter:
        """A form, locked with file and account, if it is in the state from which a step leads on."""
        _, key = await self._keys.hold(tx, who, action, customer_id)
        await repository.lock(tx, [customer_id], opening=True)
        form = await repository.lock_form(tx, customer_id, form_id)
        if form is None:
            raise errors.no_such_form()
        if form.state_at(now) is not state:
            raise errors.form_closed(form.state_at(now))
        file = await self._files.reach(tx, who, action, customer_id)
        return _Matter(file, key, who.sight(action, file["unit"], file["manager"]), form)

    def _procedure(self, file: Record, form: Form) -> Procedure:
        """How it is approved, by what was declared when it was put forward."""
        approval = self._regimes.get(Approval, self._showing.asked(form).approval, on=day_of(form.proposed_at))
        limit = f"{form.limit_fen // 100}.{form.limit_fen % 100:02}"
        return Procedure(approval, {"kind": file["kind"], "term_days": form.term_days, "limit": limit})

    async def _shown(self, tx: Transaction, who: Principal, matter: _Matter, now: datetime) -> dict[str, Any]:
        [view], told = await self._showing.forms(tx, matter.sight, matter.key, [matter.form], now)
        await self._reads.record(tx, who, matter.sight, matter.form.customer_id, told, now)
        return view


def _facts(file: Record, form: Form) -> dict[str, Any]:
    """What every event says of a form."""
    proposer = form.proposed_by.partition("/")[2]
    return {**of(file), "form": str(form.id), "proposer": proposer, "term_days": form.term_days}
