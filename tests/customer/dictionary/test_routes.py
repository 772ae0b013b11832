"""The dictionary as clients read it."""

import pytest

from tests.factories.customer import RunningCustomer


@pytest.mark.req("R1.1")
async def test_every_item_is_told_with_labels_type_and_keeper(service: RunningCustomer) -> None:
    answer = await service.get("/v1/dictionary", kind="retail")
    body = answer.json()
    assert answer.status_code == 200
    assert len(body["items"]) == 102
    assert [group["id"] for group in body["groups"]] == ["basic", "network", "management", "sales", "image", "personal"]
    found = {item["code"]: item for item in body["items"]}
    phone = found["contact_phone"]
    assert phone["label"] == {"zh": "联系电话", "en": "Contact phone"}
    assert (phone["group"], phone["required"], phone["personal"]) == ("personal", True, True)
    assert (phone["maintenance"], phone["secrecy"]) == ("realtime", "confidential")
    assert found["tax_type"]["codes"], "the codes of a code list are spelled out"
    assert found["credit_level"]["codes"]["A"] == {"zh": "优", "en": "Excellent"}
    assert found["purchase_amount"]["maintenance"] == "system"
    assert body["dictionary"].keys() == {"id", "version", "hash"}
    assert (found["region"]["codelist"], found["region"]["codes"]["330113"]["zh"]) == ("region", "浙江省杭州市临平区")
    assert found["unified_credit_code"]["check"] == "uscc"
    rules = {rule["id"]: rule for rule in body["rules"]}
    assert rules["licence-dates"]["reads"] == ["issued_on", "valid_until"]


async def test_a_dictionary_that_is_known_already_is_not_sent_again(service: RunningCustomer) -> None:
    first = await service.get("/v1/dictionary", kind="retail")
    headers = {**service.as_("department_manager"), "If-None-Match": first.headers["etag"]}
    again = await service.http.get("/v1/dictionary?kind=retail", headers=headers)
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])


async def test_a_kind_that_nobody_declared_is_unknown(service: RunningCustomer) -> None:
    answer = await service.get("/v1/dictionary", kind="wholesale")
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_kind")
    assert (await service.http.get("/v1/dictionary?kind=retail")).status_code == 401
    assert (await service.get("/v1/dictionary", "report_entry", kind="retail")).status_code == 403
