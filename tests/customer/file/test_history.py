"""History, and sealed values opened for those who may see them."""

import base64

import pytest

from tests.factories.customer import OTHER_UNIT, RunningCustomer


async def test_history_is_newest_first_page_by_page(service: RunningCustomer) -> None:
    customer = await service.register()
    for version in range(1, 6):
        await service.patch(customer["id"], version, main_goods=f"货 {version}")
    path = f"/v1/customers/{customer['id']}/history"
    first = (await service.get(path, limit=4)).json()
    assert [entry["version"] for entry in first["items"]] == [6, 5, 4, 3]
    assert first["items"][0]["items"] == [{"code": "main_goods", "before": "货 4", "after": "货 5"}]
    assert first["items"][0]["actor"] == "staff/department_manager"
    last = (await service.get(path, limit=4, cursor=first["next_cursor"])).json()
    assert [entry["version"] for entry in last["items"]] == [2, 1]
    assert last["next_cursor"] is None
    assert last["items"][1]["type"] == "customer.registered"


@pytest.mark.req("R2.2")
async def test_history_withholds_what_the_reader_is_not_cleared_for(service: RunningCustomer) -> None:
    customer = await service.register()
    await service.patch(customer["id"], 1, watchlisted=True, main_goods="文具")
    history = await service.get(f"/v1/customers/{customer['id']}/history", "customer_manager", limit=1)
    [entry] = history.json()["items"]
    assert entry["withheld"] == ["watchlisted"]
    assert {item["code"]: item["after"] for item in entry["items"]} == {"watchlisted": None, "main_goods": "文具"}


@pytest.mark.req("R2.2")
async def test_classified_values_in_a_history_are_a_recorded_read(service: RunningCustomer) -> None:
    customer = await service.register()
    await service.get(f"/v1/customers/{customer['id']}/history")
    [(_, read)] = await service.outbox("access.read")
    assert "contact_phone" in read.items


async def sealed_of(service: RunningCustomer) -> list[dict[str, str]]:
    events = await service.outbox("customer.registered", "customer.changed")
    return [
        {"event_id": str(envelope.id), "subject": envelope.subject, "sealed": event.sealed}
        for envelope, event in events
    ]


async def opened(service: RunningCustomer, items: list[dict[str, str]], role: str = "auditor", **claims: str):
    answer = await service.http.post(
        "/v1/values/open", json={"items": items}, headers=service.through("audit", role, **claims)
    )
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


@pytest.mark.req("R0.2")
async def test_an_authorised_reader_opens_the_values_of_an_event(service: RunningCustomer) -> None:
    customer = await service.register()
    await service.patch(customer["id"], 1, contact_person="李示例", watchlisted=True)
    sealed = await sealed_of(service)
    _, change = await opened(service, sealed)
    assert change["event_id"] == sealed[1]["event_id"]
    assert change["state"] == "open"
    assert change["values"]["contact_person"] == {"before": "张示例", "after": "李示例"}
    assert change["values"]["watchlisted"] == {"before": None, "after": True}
    [_, less] = await opened(service, sealed, "customer_manager")
    assert (less["values"].keys(), less["withheld"]) == ({"contact_person"}, ["watchlisted"])
    reads = [event for _, event in await service.outbox("access.read")]
    assert [read.level for read in reads] == ["secret", "confidential"]
    assert [read.purpose for read in reads] == ["audit", "customer_service"]


@pytest.mark.req("R2.2")
async def test_events_out_of_reach_stay_shut_as_if_unknown(service: RunningCustomer) -> None:
    await service.register()
    [event] = await sealed_of(service)
    assert await opened(service, [event], "customer_manager", unit=OTHER_UNIT) == []
    assert await opened(service, [{**event, "subject": "customer/019aaaaa-0000-7000-8000-000000000000"}]) == []
    assert await opened(service, [{**event, "subject": "report/7"}]) == []
    assert await service.outbox("access.read") == []
    headers = service.through("audit", "report_entry")
    refused = await service.http.post("/v1/values/open", json={"items": [event]}, headers=headers)
    assert refused.status_code == 403


@pytest.mark.req("R2.2")
async def test_only_services_of_the_suite_ask_for_sealed_values(service: RunningCustomer) -> None:
    await service.register()
    body = {"items": await sealed_of(service)}
    person = service.as_("auditor")
    partner = service.issuer.token("p1", ["partner_reporter"], client_id="p1")
    for own in (None, person["Authorization"], f"Bearer {partner}"):
        headers = person if own is None else {**person, "Service-Authorization": own}
        answer = await service.http.post("/v1/values/open", json=body, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "peers_only")
    forged = {**person, "Service-Authorization": "Bearer e30.e30.e30"}
    assert (await service.http.post("/v1/values/open", json=body, headers=forged)).status_code == 401
    alone = service.issuer.bearer("audit", ["peer_service"], client_id="audit")
    other = service.issuer.bearer("notify", ["peer_service"], client_id="notify")
    for second in (alone, other):  # a program asks in no person's name, not even for another
        both = {**alone, "Service-Authorization": second["Authorization"]}
        answer = await service.http.post("/v1/values/open", json=body, headers=both)
        assert (answer.status_code, answer.json()["code"]) == (403, "peers_only")


async def test_bytes_that_were_moved_or_changed_do_not_open(service: RunningCustomer) -> None:
    first, second = await service.register(), await service.register()
    one, other = await sealed_of(service)
    flipped = bytearray(base64.b64decode(one["sealed"]))
    flipped[-1] ^= 1
    forged = [
        {**one, "event_id": other["event_id"]},
        {**one, "subject": f"customer/{second['id']}"},
        {**one, "sealed": base64.b64encode(flipped).decode()},
        {**one, "sealed": "not base64!"},
        {**one, "sealed": ""},
    ]
    answers = await opened(service, forged)
    assert [(answer["state"], answer["values"]) for answer in answers] == [("unopenable", {})] * len(forged)
    assert first["id"] != second["id"]
