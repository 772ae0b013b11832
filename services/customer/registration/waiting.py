"""Forms that wait: for an approver's word, or for their proposer to mend them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from services.customer.file.waiting import Task
from services.customer.registration import repository
from services.customer.registration.rules import APPROVE, SUBMIT, Asked, Form, State
from shared.auth import Principal
from shared.db import Transaction

_DECIDE, _MEND = "registration.decide", "registration.mend"


class WaitingForms:
    """Registration forms as tasks."""

    types: tuple[str, ...] = (_DECIDE, _MEND)

    async def tasks(self, tx: Transaction, who: Principal, now: datetime, limit: int) -> Sequence[Task]:
        """Forms to decide on, and forms that came back to the person who proposed them."""
        decide = await repository.waiting(tx, who.scope(APPROVE), who.actor, None, limit, now)
        asked = Asked(state=State.RETURNED, proposer=who.name)
        mend = await repository.page(tx, who.scope(SUBMIT), asked, limit)
        return [*(_task(_DECIDE, each) for each in decide), *(_task(_MEND, each) for each in mend)]


def _task(kind: str, form: Form) -> Task:
    since = form.submitted_at or form.updated_at
    return Task(kind, str(form.id), f"/v1/registrations/{form.id}", form.unit, since, form.expires_at)
