"""Overrides in the timeline, given away in a merge, and told to the customer."""

from datetime import timedelta
from uuid import UUID

import pytest

from services.customer.override.related import RelatedOverrides
from shared.clock import now
from shared.sealing import KeyRing
from tests.customer.override.test_override import graded, in_force, propose, step
from tests.factories.customer import KEK, RunningCustomer


def related_of(service: RunningCustomer) -> RelatedOverrides:
    """With the service's own parts, as its jobs hold them."""
    jobs = {job.name: getattr(job.due, "__self__", None) for job in service.parts.jobs}
    return RelatedOverrides(KeyRing.parse(KEK), jobs["overrides_due"]._files, jobs["rewrap_keys_due"])


@pytest.mark.req("R5.3")
async def test_each_step_is_a_line_of_the_timeline(service: RunningCustomer) -> None:
    path = await graded(service)
    override = await in_force(service, path)
    await step(service, path, override, "lifting")
    customer = UUID(path.split("/")[3])
    async with service.database.transaction() as tx:
        found = await related_of(service).happenings(tx, customer, now() + timedelta(1), 10)
        [last] = await related_of(service).happenings(tx, customer, now() + timedelta(1), 1)
    assert [each.type.partition("_")[2] for each in found] == ["lifted", "agreed", "proposed"]
    assert last == found[0]
    assert {each.facts["grade"] for each in found} == {"A"}


async def test_those_that_are_over_move_with_their_reasons_and_an_open_one_stays(service: RunningCustomer) -> None:
    path, other = await graded(service), await graded(service)
    over = (await propose(service, path, reason="旧事由")).json()["id"]
    await step(service, path, over, "refusal")
    still_open = (await propose(service, path)).json()["id"]
    source, target = (UUID(each.split("/")[3]) for each in (path, other))
    async with service.database.transaction() as tx:
        assert await related_of(service).move(tx, source, target) == [over]
    [moved] = (await service.get(f"{other}/overrides")).json()["items"]
    assert (moved["id"], moved["reason"], moved["end_reason"]) == (over, "旧事由", "理由")
    async with service.database.transaction() as tx:
        assert await related_of(service).move(tx, target, source, [over]) == [over]
    assert [each["id"] for each in (await service.get(f"{path}/overrides")).json()["items"]] == [still_open, over]


@pytest.mark.req("R15.1")
async def test_the_customer_is_told_of_it(service: RunningCustomer) -> None:
    path = await graded(service)
    await propose(service, path, reason="说明")
    told = await service.get(f"{path[:-6]}/disclosure", "security_officer")
    assert told.status_code == 200, told.text
    assert "说明" in told.text
