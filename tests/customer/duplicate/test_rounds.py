"""Looking at all customers anew: when the text of the rules changes, or the key that keys are made with (R5.2)."""

import pytest

from tests.customer.duplicate.test_pairs import OTHERWISE, pairs
from tests.factories import customer as made
from tests.factories.customer import RunningCustomer
from tests.fakes.issuer import Issuer

pytestmark = pytest.mark.req("R5.2")
RULES = "company/duplicate/customer.yaml"


async def rounds(service: RunningCustomer) -> list[int]:
    """What each call of the job did, until it is done."""
    [job] = [job for job in service.parts.jobs if job.name == "duplicates_due"]
    done = []
    while not done or done[-1]:
        done.append(await job.once(service.database))
    return done


async def keys(service: RunningCustomer) -> set[int]:
    async with service.database.reading() as tx:
        return {row["key"] for row in await tx.fetch("SELECT key FROM duplicate_key")}


async def test_a_new_text_of_the_rules_looks_at_every_customer_once(
    service: RunningCustomer, served: made.Served
) -> None:
    for _ in range(2):
        await service.register()
    await service.register(**OTHERWISE)
    assert await rounds(service) == [3, 0]
    assert await rounds(service) == [0]
    assert len(await pairs(service)) == 1
    before = await keys(service)
    async with served((RULES, "      - 便利店\n", "")) as changed:
        assert await rounds(changed) == [3, 0]
        assert await keys(changed) != before
        assert len(await pairs(changed)) == 1


async def test_a_new_rule_finds_what_no_event_would_bring_up(service: RunningCustomer, served: made.Served) -> None:
    await service.register(shop_name="甲乙商贸", address="远山路 77 号")
    await service.register(shop_name="丙丁商贸", address="近水路 78 号")
    await rounds(service)
    assert await pairs(service) == []
    async with served((RULES, "possible: 60", "possible: 40")) as changed:
        assert await rounds(changed) == [2, 0]
        [pair] = await pairs(changed)
        assert [rule["id"] for rule in pair["rules"]] == ["phone"]


async def test_a_new_key_makes_new_keys_and_finds_by_the_old_ones_meanwhile(
    service: RunningCustomer, dsn: str, issuer: Issuer
) -> None:
    first = await service.register()
    await rounds(service)
    before = await keys(service)
    async with made.running(dsn, issuer, kek=made.NEWER_KEK) as newer:
        second = await newer.register()
        answer = await newer.get(f"/v1/customers/{second['id']}/duplicates")
        assert [each["customer"]["customer_id"] for each in answer.json()["items"]] == [first["id"]]
        assert await rounds(newer) == [2, 0]
        assert before.isdisjoint(await keys(newer))
        assert len(await pairs(newer)) == 1


async def test_a_round_goes_on_where_it_was_stopped(service: RunningCustomer) -> None:
    from shared.clock import now

    for _ in range(5):
        await service.register(**OTHERWISE)
    [job] = [job for job in service.parts.jobs if job.name == "duplicates_due"]
    index = job.due.__self__  # type: ignore[attr-defined]
    done = []
    for _ in range(4):
        async with service.database.transaction() as tx:
            done.append(await index.round_due(tx, now(), limit=2))
    assert done == [2, 2, 1, 0]
    assert len(await pairs(service)) == 10
