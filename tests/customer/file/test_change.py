"""Changing a customer: versions, merging, refusals."""

import pytest

from tests.factories.customer import RunningCustomer


@pytest.mark.req("R0.2")
async def test_a_change_makes_the_next_version_one_event_and_one_history_row(service: RunningCustomer) -> None:
    customer = await service.register()
    answer = await service.patch(customer["id"], 1, shop_name="新名便利店")
    assert answer.status_code == 200, answer.text
    assert answer.headers["etag"] == '"2"'
    assert answer.json()["values"]["shop_name"]["value"] == "新名便利店"
    file = await service.file(customer["id"])
    assert (file["version"], file["name"], file["values"]["shop_name"]["value"]) == (2, "新名便利店", "新名便利店")
    history = (await service.get(f"/v1/customers/{customer['id']}/history")).json()["items"]
    assert [entry["version"] for entry in history] == [2, 1]
    assert history[0]["items"] == [{"code": "shop_name", "before": "示例便利店", "after": "新名便利店"}]
    events = await service.outbox("customer.registered", "customer.changed")
    assert [(envelope.sequence, event.version) for envelope, event in events] == [(1, 1), (2, 2)]
    assert events[1][1].items == ("shop_name",)
