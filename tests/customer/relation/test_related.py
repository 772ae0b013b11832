"""Relations that move with a merge, and back: parties sealed anew, both sides followed."""

from uuid import UUID

import pytest

from services.customer.relation.related import RelatedRelations
from tests.customer.relation.test_relations import PERSON, add, relations
from tests.factories.customer import RunningCustomer

pytestmark = pytest.mark.req("R4.1")


def related_of(service: RunningCustomer) -> RelatedRelations:
    """As it is composed."""
    [keys] = [job.due.__self__ for job in service.parts.jobs if job.name == "rewrap_keys_due"]
    return next(each for each in keys._related if isinstance(each, RelatedRelations))


async def test_relations_of_both_sides_move_and_go_back(service: RunningCustomer) -> None:
    source, target, third = [(await service.register())["id"] for _ in range(3)]
    outside = await add(service, source, "guarantor", party=PERSON)
    other_side = await add(service, third, "guarantor", customer_id=source)
    between = await add(service, target, "affiliate", customer_id=source)
    related = related_of(service)
    async with service.database.transaction() as tx:
        records = await related.move(tx, UUID(source), UUID(target))
    assert sorted(records) == sorted([outside["id"], other_side["id"]]), "the two are not related to themselves"
    found = {each["id"]: each for each in await relations(service, target)}
    assert found.keys() == {outside["id"], other_side["id"], between["id"]}
    assert (found[outside["id"]]["party"], found[other_side["id"]]["customer_id"]) == (PERSON, third)
    assert [each["id"] for each in await relations(service, source)] == [between["id"]]
    async with service.database.transaction() as tx:
        assert sorted(await related.move(tx, UUID(target), UUID(source), records)) == sorted(records)
    back = {each["id"]: each for each in await relations(service, source)}
    assert back[outside["id"]]["party"] == PERSON
    assert back.keys() == {outside["id"], other_side["id"], between["id"]}
