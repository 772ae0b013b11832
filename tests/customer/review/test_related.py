"""What other features get of verifications: happenings, a merge's move and its way back, disclosure, old versions."""

from typing import Any

import pytest

from services.customer.review.related import RelatedReviews
from shared.clock import now
from tests.customer.review.conftest import Register
from tests.customer.review.test_verify import ANSWER, verify
from tests.factories.customer import RunningCustomer

pytestmark = pytest.mark.req("R5.3")


def related_of(service: RunningCustomer) -> RelatedReviews:
    [keys] = [job.due.__self__ for job in service.parts.jobs if job.name == "rewrap_keys_due"]  # type: ignore[attr-defined]
    [found] = [each for each in keys._related if isinstance(each, RelatedReviews)]
    return found


async def disclosed(service: RunningCustomer, customer: str) -> list[dict[str, Any]]:
    answer = await service.get(f"/v1/customers/{customer}/disclosure", "security_officer")
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["records"]["review"]["verifications"]
    return found


@pytest.mark.req("R15.1")
async def test_verifications_move_with_a_merge_and_back_and_are_told_to_the_customer(
    service: RunningCustomer, register: Register
) -> None:
    one, other = await register(), await register()
    await verify(service, one["id"], 1, ["shop_name"], answered_by="店主")
    related = related_of(service)
    async with service.database.transaction() as tx:
        ids = {str(row["id"]): row["id"] for row in await tx.fetch("SELECT id FROM customer")}
        source, target = ids[one["id"]], ids[other["id"]]
        [happening] = await related.happenings(tx, source, now().replace(year=2027), 5)
        assert (happening.type, happening.actor, happening.facts["channel"]) == (
            "customer.verified", "staff/customer_manager", "phone",
        )  # fmt: skip
        assert ANSWER not in str(happening.facts)
        assert await related.happenings(tx, source, happening.at, 5) == []
        moved = await related.move(tx, source, target)
        assert moved == [happening.record]
    assert await disclosed(service, one["id"]) == []
    [found] = await disclosed(service, other["id"])
    assert (found["answer"], found["answered_by"], found["items"]) == (ANSWER, "店主", ["shop_name"])
    async with service.database.transaction() as tx:
        assert await related.move(tx, target, source, moved) == moved
    assert await disclosed(service, one["id"]) == [found]


@pytest.mark.req("R1.2")
async def test_an_old_version_says_when_its_values_were_verified_by_then(
    service: RunningCustomer, register: Register, clock: Any
) -> None:
    found = await register(main_goods="饮料")
    await verify(service, found["id"], 1, ["main_goods"])
    clock.move_to("2026-11-24T11:00:00+08:00")
    await service.patch(found["id"], 2, main_goods="文具")
    path = f"/v1/customers/{found['id']}"
    shown = {
        version: (await service.get(path, version=version)).json()["values"]["main_goods"] for version in (1, 2, 3)
    }
    assert [shown[version]["value"] for version in (1, 2, 3)] == ["饮料", "饮料", "文具"]
    assert shown[1]["set_at"] == shown[2]["set_at"] == shown[1]["verified_at"] < shown[2]["verified_at"]
    assert shown[2]["set_by"] == "staff/department_manager", "who verified did not set it"
    lines = (await service.get(f"{path}/timeline")).json()["items"]
    assert [line["type"] for line in lines].count("customer.verified") >= 1
    history = (await service.get(f"{path}/history")).json()["items"]
    assert [(entry["version"], entry["state"]) for entry in history] == [(3, "open"), (2, "open"), (1, "open")]
    assert history[1]["items"] == [{"code": "main_goods", "before": None, "after": None}]
