"""All that is kept of a customer, handed out and recorded; and gone once it is erased."""

import pytest

from services.customer.file.related import Related
from tests.customer.dealings.test_feed import feed, purchase, violation
from tests.customer.file.test_keys import erase
from tests.customer.photo.test_put import put
from tests.customer.relation.test_relations import PERSON, add
from tests.factories.customer import OTHER_UNIT, RunningCustomer
from tests.factories.pictures import png

pytestmark = pytest.mark.req("R15.1")
OFFICER = "security_officer"


async def known(service: RunningCustomer) -> str:
    """A customer of whom every feature keeps something."""
    customer = (await service.register(credit_level="A", business_area=90, watchlisted=True))["id"]
    await service.run_consumers()
    await put(service, customer, 1, png())
    await service.patch(customer, 2, contact_person="李示例")
    await feed(service, purchases=[purchase(customer)], violations=[violation(customer)])
    await add(service, customer, "guarantor", party=PERSON)
    return customer


async def test_everything_is_there_opened_with_what_it_is_read_for(service: RunningCustomer) -> None:
    customer = await known(service)
    answer = await service.get(f"/v1/customers/{customer}/disclosure", OFFICER)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-disposition"] == f'attachment; filename="customer-{customer}.json"'
    told = answer.json()
    items = {item["code"]: item for item in told["items"]}
    file = await service.file(customer, OFFICER)
    assert (items.keys(), told["withheld"], told["customer"]["id"]) == (file["values"].keys(), [], customer)
    assert (items["contact_person"]["value"], items["contact_person"]["personal"]) == ("李示例", True)
    assert items["contact_person"]["label"]["en"] == "Contact person"
    assert [entry["version"] for entry in told["history"]] == [3, 2, 1]
    assert told["history"][0]["items"] == [{"code": "contact_person", "before": "张示例", "after": "李示例"}]
    records = told["records"]
    assert records["relation"]["relations"][0]["party"] == PERSON
    assert records["dealings"]["purchases"][0]["amount_fen"] == 1_234_500
    assert records["dealings"]["violations"][0]["kind"] == "late renewal"
    grade = (await service.file(customer))["grade"]
    assert records["grading"]["latest"]["grade"] == grade == records["grading"]["changes"][-1]["grade"]
    assert records["grading"]["latest"]["indicators"][0]["withheld"] is False
    [photo] = records["photo"]["photographs"]
    assert (await service.get(photo["href"], OFFICER)).content == png()
    purposes = {each["purpose"]: each for each in told["purposes"]}
    assert {"customer_service", "management", "audit"} <= purposes.keys()
    [auditor] = [each for each in purposes["audit"]["readers"] if "customer.read" in each["actions"]]
    assert auditor["field_classes"] == ["contact", "financial", "general", "portrait"]


async def test_every_feature_that_keeps_records_is_asked(service: RunningCustomer) -> None:
    customer = await known(service)
    told = (await service.get(f"/v1/customers/{customer}/disclosure", OFFICER)).json()
    [keys] = [job.due.__self__ for job in service.parts.jobs if job.name == "rewrap_keys_due"]
    related: list[Related] = keys._related
    assert told["records"].keys() == {each.name for each in related} >= {"dealings", "photo", "grading", "relation"}


async def test_that_it_was_handed_out_is_recorded(service: RunningCustomer) -> None:
    customer = await known(service)
    before = len(await service.outbox("access.read"))
    await service.get(f"/v1/customers/{customer}/disclosure", OFFICER)
    [(envelope, event)] = await service.outbox("subject.disclosed")
    assert (envelope.subject, envelope.actor, event.version) == (f"customer/{customer}", "staff/security_officer", 3)
    assert {"dealings", "photo", "grading", "relation"} <= set(event.records)
    reads = [read for _, read in (await service.outbox("access.read"))[before:]]
    assert {read.purpose for read in reads} == {"subject_access"}
    assert "contact_phone" in {item for read in reads for item in read.items}


async def test_it_needs_the_right_within_reach(service: RunningCustomer) -> None:
    customer = await known(service)
    path = f"/v1/customers/{customer}/disclosure"
    for role in ("department_manager", "customer_manager", "auditor", "general_manager"):
        assert (await service.get(path, role)).status_code == 403
    nobody = await service.get("/v1/customers/019aaaaa-0000-7000-8000-000000000000/disclosure", OFFICER)
    assert (nobody.status_code, nobody.json()["code"]) == (404, "not_found")
    stranger = await service.http.get(path, headers=service.as_(OFFICER, OTHER_UNIT))
    assert stranger.status_code == 200, "a security officer reaches all units"
    assert len(await service.outbox("subject.disclosed")) == 1


async def test_after_an_erasure_nothing_personal_is_left_to_tell(service: RunningCustomer) -> None:
    customer = await known(service)
    await erase(service, customer)
    told = (await service.get(f"/v1/customers/{customer}/disclosure", OFFICER)).json()
    assert [item["code"] for item in told["items"] if item["personal"]] == []
    assert {entry["state"] for entry in told["history"]} == {"erased"}
    assert (told["records"]["photo"]["photographs"], told["records"]["relation"]["relations"][0]["party"]) == ([], None)
    for secret in ("李示例", "张示例", "13900000000", PERSON["name"], PERSON["certificate_number"]):
        assert secret not in str(told)
