"""Showing attachments: in pages, to who is cleared, recorded where classified, never to be run by a browser."""

from uuid import uuid4

import pytest

from tests.customer.attachment.test_keep import keep
from tests.factories.customer import OTHER_UNIT, RunningCustomer
from tests.factories.documents import pdf

pytestmark = [pytest.mark.req("R5.3"), pytest.mark.req("R5.5")]


async def test_content_leaves_as_a_download_under_its_name(service: RunningCustomer) -> None:
    customer = (await service.register())["id"]
    kept = (await keep(service, customer, "第一行".encode("gb18030"), "other", "备 注.html")).json()
    answer = await service.get(f"/v1/customers/{customer}/attachments/{kept['id']}/content")
    assert (answer.content.decode(), answer.headers["content-type"]) == ("第一行", "text/plain; charset=utf-8")
    assert answer.headers["content-disposition"] == (
        "attachment; filename*=UTF-8''%E5%A4%87%20%E6%B3%A8.html.txt"
    )  # fmt: skip
    assert (answer.headers["x-content-type-options"], answer.headers["content-security-policy"]) == (
        "nosniff",
        "sandbox",
    )
    assert answer.headers["cache-control"] == "no-store"
    assert await service.outbox("access.read") == [], "other material is not classified"


async def test_a_list_comes_in_pages_and_by_kind(service: RunningCustomer) -> None:
    customer = (await service.register())["id"]
    kept = [(await keep(service, customer, b"%d" % number, "other", "x")).json()["id"] for number in range(3)]
    path = f"/v1/customers/{customer}/attachments"
    first = (await service.get(path, limit=2)).json()
    second = (await service.get(path, limit=2, cursor=first["next_cursor"])).json()
    assert [each["id"] for each in first["items"] + second["items"]] == kept[::-1]
    assert second["next_cursor"] is None
    assert (await service.get(path, kind="contract")).json()["items"] == []
    assert (await service.get(path, cursor="x")).json()["code"] == "bad_cursor"


@pytest.mark.req("R2.2")
async def test_classified_ones_are_shown_to_the_cleared_only_and_recorded(service: RunningCustomer) -> None:
    customer = (await service.register())["id"]
    kept = (await keep(service, customer, kind="licence_copy", name="执照")).json()["id"]
    path, before = f"/v1/customers/{customer}/attachments", len(await service.outbox("access.read"))
    [withheld] = (await service.get(path, "auditor")).json()["items"]  # no identity papers
    assert (withheld["withheld"], withheld["content"]["name"], withheld["kind"]) == (True, None, "licence_copy")
    refused = await service.get(f"{path}/{kept}/content", "auditor")
    assert (refused.status_code, refused.json()["code"]) == (403, "attachment_not_cleared")
    assert (await service.get(f"{path}/{kept}", "auditor")).json()["versions"][0]["name"] is None
    assert len(await service.outbox("access.read")) == before, "nothing classified was seen"
    assert (await service.get(f"{path}/{kept}/content")).content == pdf()
    assert (await service.get(path)).json()["items"][0]["content"]["name"] == "执照.pdf"
    reads = (await service.outbox("access.read"))[before:]
    assert [(event.items, event.level) for _, event in reads] == [(("attachment_licence_copy",), "confidential")] * 2


async def test_what_is_out_of_reach_of_another_customer_or_of_nobody_is_not_there(service: RunningCustomer) -> None:
    customer, other = (await service.register())["id"], (await service.register())["id"]
    kept = (await keep(service, customer)).json()["id"]
    stranger, path = service.as_("department_manager", OTHER_UNIT), f"/v1/customers/{customer}/attachments"
    answers = [
        await service.http.get(f"{path}/{kept}", headers=stranger),
        await service.http.get(f"{path}/{kept}/content", headers=stranger),
        await service.http.get(path, headers=stranger),
        await service.get(f"/v1/customers/{other}/attachments/{kept}/content"),
        await service.get(f"{path}/{uuid4()}"),
    ]
    assert {(each.status_code, each.json()["code"]) for each in answers} == {(404, "not_found")}
    assert (await service.http.get(path)).status_code == 401
    assert (await service.get(path, "report_entry")).status_code == 403
