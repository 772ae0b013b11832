"""Data keys: erasure that leaves proofs whole, and rotation of the key-encryption key (R15.1)."""

import pytest

from tests.customer.file.test_history import opened, sealed_of
from tests.factories import customer as made
from tests.factories.customer import RunningCustomer
from tests.fakes.issuer import Issuer


async def erase(
    service: RunningCustomer, customer: str, reason: str = "data subject's request", role: str = "security_officer"
):
    return await service.http.request(
        "DELETE", f"/v1/customers/{customer}/key", json={"reason": reason}, headers=service.as_(role)
    )


@pytest.mark.req("R15.1")
async def test_destroying_the_key_erases_personal_values_everywhere_and_keeps_every_entry(
    service: RunningCustomer,
) -> None:
    customer = await service.register()
    await service.patch(customer["id"], 1, contact_person="李示例")
    before = await sealed_of(service)
    answer = await erase(service, customer["id"])
    assert (answer.status_code, answer.headers["etag"]) == (204, '"3"')
    file = await service.file(customer["id"])
    assert file["erased_at"] is not None
    assert {"contact_person", "contact_phone"}.isdisjoint(file["values"])
    assert file["values"]["shop_name"]["value"] == "示例便利店"
    history = (await service.get(f"/v1/customers/{customer['id']}/history")).json()["items"]
    assert [entry["version"] for entry in history] == [3, 2, 1]
    assert {entry["state"] for entry in history} == {"erased"}
    assert all(item["before"] is item["after"] is None for entry in history for item in entry["items"])
    assert await sealed_of(service) == before, "no event was touched"
    for found in await opened(service, before):
        assert (found["state"], found["values"]) == ("erased", None)
    [(envelope, event)] = await service.outbox("customer.key_destroyed")
    assert (envelope.sequence, event.reason) == (3, "data subject's request")


@pytest.mark.req("R15.1")
async def test_an_erased_customer_is_closed(service: RunningCustomer) -> None:
    customer = await service.register()
    await erase(service, customer["id"])
    again = await erase(service, customer["id"])
    change = await service.patch(customer["id"], 2, main_goods="文具")
    assert {(answer.status_code, answer.json()["code"]) for answer in (again, change)} == {(409, "customer_erased")}


async def test_erasure_needs_a_reason_and_the_right(service: RunningCustomer) -> None:
    customer = await service.register()
    assert (await erase(service, customer["id"], role="department_manager")).status_code == 403
    assert (await erase(service, customer["id"], reason="   ")).status_code == 422
    assert (await erase(service, "019aaaaa-0000-7000-8000-000000000000")).status_code == 404
    assert await service.outbox("customer.key_destroyed") == []


@pytest.mark.req("R15.1")
async def test_a_change_during_an_erasure_never_seals_under_a_destroyed_key(service: RunningCustomer) -> None:
    customer = await service.register()
    answers = await made.at_once(
        lambda: erase(service, customer["id"]),
        *(lambda n=n: service.patch(customer["id"], 1, main_goods=f"{n}") for n in range(4)),
    )
    assert answers[0].status_code == 204
    async with service.database.reading() as tx:
        rows = await tx.fetch("SELECT version, type FROM customer_event ORDER BY version")
    versions = [row["version"] for row in rows]
    assert versions == list(range(1, len(rows) + 1))
    assert rows[-1]["type"] == "customer.key_destroyed", "nothing follows an erasure"


@pytest.mark.req("R15.1")
async def test_keys_are_wrapped_anew_after_the_key_encryption_key_changed(
    service: RunningCustomer, dsn: str, issuer: Issuer
) -> None:
    customer = await service.register()
    async with made.running(dsn, issuer, kek=made.NEWER_KEK) as newer:
        assert (await newer.patch(customer["id"], 1, contact_person="李示例")).status_code == 200
        [job] = [job for job in newer.parts.jobs if job.name == "rewrap_keys_due"]
        assert [await job.once(newer.database), await job.once(newer.database)] == [1, 0]
        async with newer.database.reading() as tx:
            assert await tx.fetchval("SELECT kek FROM subject_key") == "k2"
        history = (await newer.get(f"/v1/customers/{customer['id']}/history")).json()["items"]
        assert [entry["state"] for entry in history] == ["open", "open"]
    only_newest = made.NEWER_KEK.partition(",")[0]
    async with made.running(dsn, issuer, kek=only_newest) as newest:
        assert (await newest.patch(customer["id"], 2, contact_person="王示例")).status_code == 200
