"""Forms of customers follow a merge, stand in a timeline, are disclosed, end with the key; keys of drafts rotate."""

import base64
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from services.customer.dealings.totals import Totals
from services.customer.dictionary.service import Dictionaries
from services.customer.file.keys import Keys
from services.customer.file.reads import Reads
from services.customer.file.service import Files
from services.customer.photo.album import Album
from services.customer.registration.related import RelatedForms
from shared.auth import Principal
from shared.clock import now
from shared.sealing import KeyRing
from tests.customer.file.test_keys import erase
from tests.factories import customer as made
from tests.factories.customer import KEK, NEWER_KEK, RunningCustomer
from tests.factories.registration import approve, change, done, give_back, opened, read, submitted
from tests.fakes.issuer import Issuer

pytestmark = pytest.mark.req("R7.2")


def related(service: RunningCustomer) -> RelatedForms:
    """The feature's part, as the service composes it."""
    parts, ring = service.parts, KeyRing.parse(KEK)
    dictionaries, reads = Dictionaries(parts.regimes), Reads(parts.outbox, parts.regimes)
    files = Files(dictionaries, ring, parts.outbox, reads, Totals(parts.regimes), Album())
    return RelatedForms(dictionaries, ring, files, Keys(dictionaries, ring, parts.outbox, []), reads)


async def somebody(service: RunningCustomer, role: str) -> Principal:
    """Somebody in a role, as the door knows them."""
    return await service.parts.authenticator.principal(service.as_(role)["Authorization"])


async def registered(service: RunningCustomer) -> Any:
    """A form that was returned once and then approved."""
    form = await submitted(service, contact_person="张示例丙")
    back = (await give_back(service, form)).json()
    again = await done(service, (await change(service, back, main_goods="茶")).json(), "submission")
    return (await approve(service, again)).json()


async def test_a_timeline_tells_each_round_newest_first(service: RunningCustomer) -> None:
    form = await registered(service)
    async with service.database.reading() as tx:
        found = await related(service).happenings(tx, UUID(form["id"]), now() + timedelta(days=1), 3)
    assert [(each.type, each.facts["round"]) for each in found] == [
        ("registration.approved", 2), ("registration.submitted", 2), ("registration.returned", 1),
    ]  # fmt: skip
    assert {each.facts["form"] for each in found} == {form["id"]}
    assert len({each.record for each in found}) == 3


@pytest.mark.req("R15.1")
async def test_a_subject_gets_all_that_was_said(service: RunningCustomer) -> None:
    form, who = await registered(service), await somebody(service, "security_officer")
    async with service.database.reading() as tx:
        shown = await related(service).disclose(tx, who, UUID(form["id"]), now())
    [told] = shown["forms"]
    assert (told["values"]["contact_person"], told["rounds"][1]["reason"]) == ("张示例丙", "地址不全")
    await erase(service, form["id"])
    async with service.database.reading() as tx:
        shown = await related(service).disclose(tx, who, UUID(form["id"]), now())
    assert (shown["forms"][0]["values"], shown["forms"][0]["rounds"][1]["reason"]) == ({}, None)


async def test_forms_follow_a_merge_and_come_back(service: RunningCustomer) -> None:
    form, other = await registered(service), (await service.register())["id"]
    source, target = UUID(form["id"]), UUID(other)
    async with service.database.transaction() as tx:
        assert await related(service).move(tx, source, target) == [form["id"]]
    assert (await read(service, form))["values"] == form["values"]
    assert (await read(service, form))["rounds"] == form["rounds"]
    async with service.database.transaction() as tx:
        assert await related(service).move(tx, target, source, [form["id"]]) == [form["id"]]
        assert await related(service).move(tx, source, target, []) == []
    await erase(service, other)
    assert (await read(service, form))["values"] == form["values"]


@pytest.mark.req("R15.1")
async def test_keys_of_drafts_are_wrapped_anew(dsn: str, issuer: Issuer) -> None:
    async with made.running(dsn, issuer) as service:
        form = await opened(service)
    async with made.running(dsn, issuer, kek=NEWER_KEK) as service:
        [job] = [each for each in service.parts.jobs if each.name == "rewrap_form_keys_due"]
        async with service.database.transaction() as tx:
            assert (await job.due(tx, now()), await job.due(tx, now())) == (1, 0)
    newest = f"k2:{base64.b64encode(b'customer test key number two 32!').decode()}"
    async with made.running(dsn, issuer, kek=newest) as service:
        assert await read(service, form) == form
