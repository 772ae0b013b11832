"""Likely doubles: shown with the form, and the certain ones acknowledged by whoever approves it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest

from services.customer.dealings.totals import Totals
from services.customer.dictionary.importance import Importances
from services.customer.dictionary.service import Dictionaries
from services.customer.file.reads import Reads
from services.customer.file.service import Files
from services.customer.photo.album import Album
from services.customer.registration.decision import Decisions
from services.customer.registration.judging import Duplicates, Judging
from services.customer.registration.rules import Likeness
from services.customer.registration.service import Forms
from services.customer.registration.submission import Submissions
from shared.approvals import Approvers
from shared.auth import Principal
from shared.clock import now
from shared.db import Transaction
from shared.errors import Conflict
from shared.ids import new_id
from shared.sealing import KeyRing
from tests.factories.customer import KEK, RunningCustomer
from tests.factories.registration import APPROVER, opened, submitted

pytestmark = [pytest.mark.req("R7.2"), pytest.mark.req("R5.2")]
SAME, LIKE = new_id(), new_id()
CERTAIN = Likeness(str(SAME), SAME, "老店", certain=True, rules=("licence",))
POSSIBLE = Likeness(str(LIKE), LIKE, "新店", certain=False, rules=("name", "phone"))
HIDDEN = Likeness("hidden-1", None, None, certain=True, rules=("licence",))


class Found:
    """Finds what it was given, and remembers what it was asked about."""

    def __init__(self, *likenesses: Likeness) -> None:
        self.likenesses = likenesses
        self.asked: list[Mapping[str, Any]] = []

    async def alike(
        self, _tx: Transaction, _who: Principal, _kind: str, values: Mapping[str, Any], _now: datetime
    ) -> Sequence[Likeness]:
        self.asked.append(values)
        return self.likenesses


def parts_with(service: RunningCustomer, duplicates: Duplicates) -> tuple[Forms, Submissions, Decisions]:
    """The feature as the service composes it, with these duplicates."""
    parts, ring = service.parts, KeyRing.parse(KEK)
    dictionaries, reads = Dictionaries(parts.regimes), Reads(parts.outbox, parts.regimes)
    files = Files(dictionaries, ring, parts.outbox, reads, Totals(parts.regimes), Album())
    judging = Judging(dictionaries, Importances(parts.regimes), files, parts.authenticator, duplicates)
    forms, approvers = Forms(dictionaries, ring, parts.outbox, reads, judging), Approvers(parts.authenticator)
    submissions = Submissions(forms, judging, approvers, parts.regimes)
    return forms, submissions, Decisions(forms, submissions, judging, files, dictionaries, ring, approvers)


async def somebody(service: RunningCustomer, role: str) -> Principal:
    return await service.parts.authenticator.principal(service.as_(role)["Authorization"])


async def test_handing_in_warns_and_does_not_refuse(service: RunningCustomer) -> None:
    form, found = await opened(service, contact_phone="13900000009"), Found(CERTAIN, POSSIBLE)
    _, submissions, _ = parts_with(service, found)
    async with service.database.transaction() as tx:
        who = await somebody(service, "customer_manager")
        shown = await submissions.submit(tx, who, UUID(form["id"]), 1, now())
    assert shown.body["duplicates"] == [
        {"id": str(SAME), "customer_id": SAME, "name": "老店", "certain": True, "rules": ["licence"]},
        {"id": str(LIKE), "customer_id": LIKE, "name": "新店", "certain": False, "rules": ["name", "phone"]},
    ]
    assert found.asked[0]["contact_phone"] == "13900000009"


async def test_a_certain_double_is_acknowledged_before_it_is_approved(service: RunningCustomer) -> None:
    form, approver = await submitted(service), await somebody(service, APPROVER)
    _, _, decisions = parts_with(service, Found(CERTAIN, POSSIBLE, HIDDEN))
    for acknowledged in ((), (str(LIKE),), (str(SAME),)):
        async with service.database.transaction() as tx:
            with pytest.raises(Conflict, match="duplicate_not_acknowledged") as refused:
                await decisions.approve(tx, approver, UUID(form["id"]), 2, acknowledged, now())
        missing = sorted({str(SAME), "hidden-1"} - set(acknowledged))
        assert [each.seen for each in refused.value.faults] == missing == refused.value.members["duplicates"]
    async with service.database.transaction() as tx:
        shown = await decisions.approve(tx, approver, UUID(form["id"]), 2, [str(SAME), "hidden-1"], now())
    assert shown.body["state"] == "approved"
    [(_, event)] = await service.outbox("registration.approved")
    assert event.duplicates == (str(SAME), str(LIKE), "hidden-1")


async def test_what_is_only_possible_needs_no_word(service: RunningCustomer) -> None:
    form, approver = await submitted(service), await somebody(service, APPROVER)
    _, _, decisions = parts_with(service, Found(POSSIBLE))
    async with service.database.transaction() as tx:
        shown = await decisions.approve(tx, approver, UUID(form["id"]), 2, (), now())
    assert shown.body["state"] == "approved"
