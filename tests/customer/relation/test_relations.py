"""Relations: added, changed, ended, seen from both sides; refusals and races."""

from typing import Any

import httpx
import pytest

from shared.clock import now
from tests.customer.file.test_keys import erase
from tests.factories.customer import OTHER_UNIT, RunningCustomer, at_once, values

pytestmark = pytest.mark.req("R4.1")
PERSON = {"type": "person", "name": "示例甲", "certificate_type": "passport", "certificate_number": "E00000001"}
NOBODY = "019aaaaa-0000-7000-8000-000000000000"


async def added(
    service: RunningCustomer, customer: str, kind: str, role: str = "department_manager", **more: Any
) -> httpx.Response:
    path = f"/v1/customers/{customer}/relations"
    return await service.http.post(path, json={"kind": kind, **more}, headers=service.as_(role))


async def add(service: RunningCustomer, customer: str, kind: str, **more: Any) -> dict[str, Any]:
    answer = await added(service, customer, kind, **more)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def send(
    service: RunningCustomer, method: str, path: str, version: int, role: str = "department_manager", **body: Any
) -> httpx.Response:
    headers = {**service.as_(role), "If-Match": f'"{version}"'}
    return await service.http.request(method, path, json=body, headers=headers)


async def relations(service: RunningCustomer, customer: str, role: str = "department_manager", **query: Any):
    answer = await service.get(f"/v1/customers/{customer}/relations", role, **query)
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


def path_of(customer: str, relation: dict[str, Any]) -> str:
    return f"/v1/customers/{customer}/relations/{relation['id']}"


@pytest.mark.req("R5.2")
async def test_a_relation_of_two_customers_is_seen_from_both_sides(service: RunningCustomer) -> None:
    company, holder = (await service.register())["id"], (await service.register())["id"]
    answer = await added(service, company, "shareholder", customer_id=holder, share="33.5", since="2026-01-01")
    assert (answer.status_code, answer.headers["etag"]) == (201, '"1"')
    [own] = await relations(service, company)
    assert own == answer.json()
    assert (own["label"]["en"], own["own"], own["customer_id"], own["share"]) == ("Shareholder", True, holder, "33.5")
    [seen] = await relations(service, holder)
    assert (seen["label"]["en"], seen["own"], seen["customer_id"]) == ("Holds shares in it", False, company)
    [(envelope, event)] = await service.outbox("relation.added")
    assert (envelope.subject, event.other_id, event.share, event.sealed) == (
        f"customer/{company}", holder, "33.5", None,
    )  # fmt: skip


@pytest.mark.req("R15.1")
async def test_somebody_outside_is_sealed_and_shown_to_the_cleared(service: RunningCustomer) -> None:
    customer = (await service.register())["id"]
    before = len(await service.outbox("access.read"))
    made = await add(service, customer, "guarantor", party=PERSON)
    assert (made["party"], made["withheld"], made["customer_id"]) == (PERSON, False, None)
    [(_, event)] = await service.outbox("relation.added")
    assert "示例甲" not in event.model_dump_json()
    async with service.database.reading() as tx:
        row = await tx.fetchrow("SELECT * FROM relation")
    assert "示例甲".encode() not in row["sealed"]
    [less] = await relations(service, customer, "auditor")
    assert (less["party"], less["withheld"], less["kind"]) == (None, True, "guarantor")
    assert (await relations(service, customer))[0]["party"] == PERSON
    reads = [read.items for _, read in (await service.outbox("access.read"))[before:]]
    assert reads == [("relation_party",)] * 2, "who saw who it is, is recorded; who did not, is not"


async def test_what_cannot_be_is_told_all_at_once(service: RunningCustomer) -> None:
    customer, other = (await service.register())["id"], (await service.register())["id"]
    party = {"type": "company", "name": "示\u0007例", "certificate_type": "library_card"}
    bad = await added(service, customer, "representative", party=party, share="5", since="2099-01-01")
    assert bad.status_code == 422
    assert {(fault["pointer"], fault["code"]) for fault in bad.json()["errors"]} == {
        ("/party/type", "party_not_allowed"), ("/since", "in_the_future"), ("/party/name", "unsafe_text"),
        ("/party/certificate_type", "not_in_list"), ("/party/certificate_number", "half_a_certificate"),
    }  # fmt: skip
    for certificate, number in (("resident_id", "110101199001010000"), ("resident_id", "x")):
        party = {**PERSON, "certificate_type": certificate, "certificate_number": number}
        wrong = await added(service, customer, "guarantor", party=party)
        assert [fault["pointer"] for fault in wrong.json()["errors"]] == ["/party/certificate_number"]
    codes = {
        "unknown_relation": await added(service, customer, "friend", customer_id=other),
        "bad_relation": await added(service, customer, "affiliate", customer_id=customer),
        "invalid_request": await added(service, customer, "shareholder", customer_id=other, share="33.33333"),
    }
    assert {code: answer.json()["code"] for code, answer in codes.items()} == {code: code for code in codes}
    for more in ({}, {"customer_id": other, "party": PERSON}, {"customer_id": other, "share": "0"}):
        refused = await added(service, customer, "shareholder", **{"share": "1", **more})
        assert (refused.status_code, refused.json()["code"]) == (422, "bad_relation"), more
    assert await service.outbox("relation.added") == []


@pytest.mark.req("R2.2")
async def test_customers_of_other_units_are_not_there(service: RunningCustomer) -> None:
    customer = (await service.register())["id"]
    foreign = await service.http.post(
        "/v1/customers",
        json={"kind": "retail", "values": values()},
        headers=service.as_("department_manager", OTHER_UNIT),
    )
    other = foreign.json()["id"]
    for first, second in ((customer, other), (other, customer), (NOBODY, customer), (customer, NOBODY)):
        answer = await added(service, first, "affiliate", customer_id=second)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    stranger = service.as_("customer_manager", OTHER_UNIT)
    hidden = await service.http.get(f"/v1/customers/{customer}/relations", headers=stranger)
    assert hidden.status_code == 404
    assert (await added(service, customer, "guarantor", "auditor", party=PERSON)).status_code == 403
    assert (await service.get(f"/v1/customers/{customer}/relations", "report_entry")).status_code == 403


@pytest.mark.req("R2.2")
async def test_the_other_side_is_hidden_from_who_does_not_reach_it(service: RunningCustomer) -> None:
    customer, other = (await service.register())["id"], (await service.register())["id"]
    await add(service, customer, "affiliate", customer_id=other)
    async with service.database.transaction() as tx:
        await tx.execute("UPDATE customer SET unit = $2 WHERE id = $1", other, OTHER_UNIT)
    [seen] = await relations(service, customer)
    assert (seen["kind"], seen["customer_id"], seen["withheld"]) == ("affiliate", None, True)


async def test_shares_are_at_most_the_whole_even_if_two_come_at_once(service: RunningCustomer) -> None:
    company = (await service.register())["id"]
    holders = [(await service.register())["id"] for _ in range(4)]
    answers = await at_once(
        *(
            lambda holder=holder: added(service, company, "shareholder", customer_id=holder, share="40")
            for holder in holders
        )
    )
    assert sorted(answer.status_code for answer in answers) == [201, 201, 409, 409]
    refused = next(answer for answer in answers if answer.status_code == 409).json()
    assert (refused["code"], refused["errors"][0]["expected"]) == ("shares_exceed_whole", "at most 20")
    made = next(answer for answer in answers if answer.status_code == 201).json()
    more = await send(service, "PATCH", path_of(company, made), 1, share="60.0001")
    assert more.json()["code"] == "shares_exceed_whole"
    exact = await send(service, "PATCH", path_of(company, made), 1, share="60")
    assert (exact.status_code, exact.json()["share"], exact.headers["etag"]) == (200, "60", '"2"')


async def test_the_same_relation_of_the_same_two_stands_once(service: RunningCustomer) -> None:
    one, other = (await service.register())["id"], (await service.register())["id"]
    answers = await at_once(
        lambda: added(service, one, "affiliate", customer_id=other),
        lambda: added(service, other, "affiliate", customer_id=one),
    )
    assert sorted(answer.status_code for answer in answers) == [201, 409], "from either side, at once"
    assert len(await relations(service, one)) == 1
    await add(service, one, "guarantor", customer_id=other)
    await add(service, other, "guarantor", customer_id=one)
    twice = await added(service, one, "guarantor", customer_id=other)
    assert (twice.status_code, twice.json()["code"]) == (409, "relation_exists")


async def test_a_change_names_the_version_that_it_was_made_on(service: RunningCustomer) -> None:
    customer = (await service.register())["id"]
    made = await add(service, customer, "guarantor", party=PERSON)
    path = path_of(customer, made)
    renamed = await send(service, "PATCH", path, 1, party={**PERSON, "name": "示例乙"}, since="2026-02-01")
    assert (renamed.json()["party"]["name"], renamed.json()["since"], renamed.headers["etag"]) == (
        "示例乙", "2026-02-01", '"2"',
    )  # fmt: skip
    same = await send(service, "PATCH", path, 2, since="2026-02-01")
    assert (same.status_code, same.headers["etag"]) == (200, '"2"')
    assert len(await service.outbox("relation.changed")) == 1
    late = await send(service, "PATCH", path, 1, since="2026-03-01")
    assert (late.status_code, late.json()["code"], late.headers["etag"]) == (412, "relation_changed", '"2"')
    ahead = await send(service, "PATCH", path, 7, since="2026-03-01")
    assert (ahead.status_code, ahead.json()["code"]) == (412, "version_unknown")
    missing = await service.http.patch(path, json={}, headers=service.as_("department_manager"))
    assert missing.status_code == 428
    other_kind = await send(service, "PATCH", path, 2, share="5")
    assert other_kind.json()["errors"][0]["code"] == "share_not_kept"
    both = await at_once(*(lambda day=day: send(service, "PATCH", path, 2, since=f"2026-04-0{day}") for day in (1, 2)))
    assert sorted(answer.status_code for answer in both) == [200, 412]


async def test_a_relation_ends_once_and_on_a_day_that_can_be(service: RunningCustomer) -> None:
    customer = (await service.register())["id"]
    made = await add(service, customer, "guarantor", party=PERSON, since="2026-02-01")
    path = path_of(customer, made) + "/end"
    for day, code in (("2026-01-31", "ends_before_it_starts"), ("2099-01-01", "in_the_future")):
        bad = await send(service, "POST", path, 1, ended_on=day)
        assert (bad.status_code, bad.json()["errors"][0]["code"]) == (422, code)
    today = now().date().isoformat()
    ended = await send(service, "POST", path, 1, ended_on=today)
    assert (ended.status_code, ended.json()["ended_on"], ended.json()["party"]) == (200, today, PERSON)
    [(_, event)] = await service.outbox("relation.ended")
    assert (event.ended_on, event.version) == (today, 2)
    for answer in (
        await send(service, "POST", path, 2, ended_on=today),
        await send(service, "PATCH", path_of(customer, made), 2, since="2026-02-02"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (409, "relation_ended")
    await add(service, customer, "guarantor", party=PERSON)
    assert len(await relations(service, customer)) == 2
    assert [each["ended_on"] for each in await relations(service, customer, going_on=True)] == [None]
    assert [each["ended_on"] for each in await relations(service, customer, going_on=False)] == [today]


async def test_relations_are_listed_page_by_page(service: RunningCustomer) -> None:
    customer, other = (await service.register())["id"], (await service.register())["id"]
    made = [(await add(service, customer, "guarantor", party=PERSON))["id"] for _ in range(2)]
    made.append((await add(service, other, "guarantor", customer_id=customer))["id"])
    path = f"/v1/customers/{customer}/relations"
    first = (await service.get(path, limit=2)).json()
    rest = (await service.get(path, limit=2, cursor=first["next_cursor"])).json()
    assert [each["id"] for each in first["items"] + rest["items"]] == made[::-1]
    assert rest["next_cursor"] is None


async def test_a_relation_is_changed_where_it_stands(service: RunningCustomer) -> None:
    customer, other = (await service.register())["id"], (await service.register())["id"]
    made = await add(service, customer, "affiliate", customer_id=other)
    for path in (path_of(other, made), path_of(customer, {"id": NOBODY})):
        answer = await send(service, "PATCH", path, 1, since="2026-01-01")
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.req("R15.1")
async def test_an_erased_customer_keeps_no_party_and_gets_no_relation(service: RunningCustomer) -> None:
    customer, other = (await service.register())["id"], (await service.register())["id"]
    await add(service, customer, "guarantor", party=PERSON)
    await add(service, other, "guarantor", customer_id=customer)
    await erase(service, customer)
    async with service.database.reading() as tx:
        assert await tx.fetchval("SELECT count(sealed) FROM relation") == 0
    seen = await relations(service, customer)
    assert [(each["party"], each["withheld"]) for each in seen] == [(None, False), (None, True)]
    for first, second in ((customer, other), (other, customer)):
        answer = await added(service, first, "affiliate", customer_id=second)
        assert (answer.status_code, answer.json()["code"]) == (409, "customer_erased")
