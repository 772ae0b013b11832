"""Keeping attachments over HTTP: new ones, the same again, other versions, their end; and every refusal."""

from typing import Any
from uuid import uuid4

import httpx
import pytest

from shared.events import AttachmentEnded, AttachmentKept
from tests.customer.file.test_keys import erase
from tests.factories import customer as made
from tests.factories.customer import OTHER_UNIT, RunningCustomer, at_once
from tests.factories.documents import office, pdf
from tests.factories.pictures import PLACE, photograph, png
from tests.fakes import clamd
from tests.fakes.issuer import Issuer

pytestmark = pytest.mark.req("R5.3")
MANAGER = "department_manager"


async def keep(
    service: RunningCustomer, customer: str, content: bytes = pdf(), kind: str = "contract", name: str = "合同",
    role: str = MANAGER, headers: dict[str, str] | None = None, **query: str,
) -> httpx.Response:  # fmt: skip
    return await service.http.post(
        f"/v1/customers/{customer}/attachments", content=content, params={"kind": kind, "name": name, **query},
        headers={**(headers or service.as_(role)), "Content-Type": "application/x-msdownload"},
    )  # fmt: skip


async def kept(service: RunningCustomer) -> dict[str, int]:
    tables = ("attachment", "attachment_version", "stored_object")
    async with service.database.reading() as tx:
        return {each: await tx.fetchval(f"SELECT count(*) FROM {each}") for each in tables}


async def replace(
    service: RunningCustomer, path: str, version: int | None, content: bytes, **query: str
) -> httpx.Response:
    match = {} if version is None else {"If-Match": f'"{version}"'}
    return await service.http.put(path, content=content, params=query, headers={**service.as_(MANAGER), **match})


async def end(service: RunningCustomer, path: str, version: int, role: str = MANAGER, **body: Any) -> httpx.Response:
    headers = {**service.as_(role), "If-Match": f'"{version}"'}
    return await service.http.post(f"{path}/end", json={"reason": "已到期", **body}, headers=headers)


async def test_a_file_is_kept_sealed_listed_and_told_of(service: RunningCustomer) -> None:
    customer = (await service.register())["id"]
    answer = await keep(service, customer, pdf(text="甲方"), secrecy="secret")
    body = answer.json()
    assert (answer.status_code, answer.headers["etag"], body["kind"], body["secrecy"]) == (
        201,
        '"1"',
        "contract",
        "secret",
    )
    content = body["content"]
    assert (content["name"], content["media_type"], content["kept_by"]) == (
        "合同.pdf", "application/pdf", "staff/department_manager",
    )  # fmt: skip
    listed = (await service.get(f"/v1/customers/{customer}/attachments")).json()["items"]
    assert listed == [body]
    [(envelope, event)] = await service.outbox(AttachmentKept.type)
    assert (envelope.subject, event.attachment_id, event.kind, event.secrecy, event.format, event.size) == (
        f"customer/{customer}", body["id"], "contract", "secret", "pdf", len(pdf(text="甲方")),
    )  # fmt: skip
    async with service.database.reading() as tx:
        row = await tx.fetchrow("SELECT * FROM attachment_version JOIN stored_object ON stored_object.id = content_id")
    assert ("甲方".encode() in row["content"], "合同".encode() in row["sealed"]) == (False, False)


async def test_the_same_bytes_sent_twice_or_at_once_are_one(service: RunningCustomer) -> None:
    customer, other = (await service.register())["id"], (await service.register())["id"]
    answers = await at_once(*(lambda: keep(service, customer) for _ in range(4)))
    assert sorted(each.status_code for each in answers) == [200, 200, 200, 201]
    assert len({each.json()["id"] for each in answers}) == 1
    assert len(await service.outbox(AttachmentKept.type)) == 1
    elsewhere = [await keep(service, customer, kind="other"), await keep(service, other)]
    assert [each.status_code for each in elsewhere] == [201, 201]


@pytest.mark.req("R1.6")
async def test_an_attached_picture_is_cleaned_as_photographs_are(service: RunningCustomer) -> None:
    customer, sent = (await service.register())["id"], photograph(place=True, orientation=6)
    body = (await keep(service, customer, sent, "licence_copy", "证.png")).json()
    shown = await service.get(f"/v1/customers/{customer}/attachments/{body['id']}/content")
    assert (body["content"]["name"], PLACE in sent, PLACE in shown.content) == ("证.jpg", True, False)
    assert (await keep(service, customer, sent, "licence_copy")).status_code == 200, "known by what was sent"
    refused = await keep(service, customer, png()[:-30], "licence_copy")
    assert (refused.status_code, refused.json()["code"]) == (422, "bad_picture")


async def test_another_version_takes_its_place_and_the_earlier_one_stays(service: RunningCustomer) -> None:
    customer = (await service.register())["id"]
    path = f"/v1/customers/{customer}/attachments/{(await keep(service, customer)).json()['id']}"
    second = await replace(service, path, 1, office(), name="补充协议.docx")
    assert (second.status_code, second.headers["etag"], second.json()["content"]["name"]) == (
        200,
        '"2"',
        "补充协议.docx",
    )
    again = await replace(service, path, 1, office())
    assert (again.status_code, again.json()["version"]) == (200, 2), "a repeated request"
    third = await replace(service, path, 2, office(parts={"a": b"x"}))
    assert (third.json()["version"], third.json()["content"]["name"]) == (3, "补充协议.docx")
    whole = (await service.get(path)).json()
    assert [(each["version"], each["name"]) for each in whole["versions"]] == [
        (1, "合同.pdf"), (2, "补充协议.docx"), (3, "补充协议.docx"),
    ]  # fmt: skip
    assert (await service.get(f"{path}/content", version=1)).content == pdf()
    assert (await service.get(f"{path}/content", version=4)).status_code == 404


async def test_of_two_who_replace_at_once_one_is_told(service: RunningCustomer) -> None:
    customer = (await service.register())["id"]
    path = f"/v1/customers/{customer}/attachments/{(await keep(service, customer)).json()['id']}"
    contents = [pdf(text=each) for each in ("a", "b", "c")]
    answers = await at_once(*(lambda each=each: replace(service, path, 1, each) for each in contents))
    assert sorted(each.status_code for each in answers) == [200, 412, 412]
    late = next(each for each in answers if each.status_code == 412)
    assert (late.json()["code"], late.headers["etag"]) == ("attachment_changed", '"2"')
    assert (await kept(service))["stored_object"] == 2
    codes = [(await replace(service, path, version, pdf(text="d"))).json()["code"] for version in (None, 9)]
    assert codes == ["if_match_required", "version_unknown"]
    refused = await replace(service, path, 2, b"text")
    assert refused.json()["errors"][0]["code"] == "format_not_allowed"


async def test_an_end_has_a_reason_and_leaves_it_to_be_read(service: RunningCustomer) -> None:
    customer = (await service.register())["id"]
    path = f"/v1/customers/{customer}/attachments/{(await keep(service, customer)).json()['id']}"
    assert (await end(service, path, 1, reason="  ")).status_code == 422
    assert (await end(service, path, 1, "customer_manager")).status_code == 403
    over = await end(service, path, 1)
    assert (over.json()["version"], over.json()["ended_by"], over.json()["end_reason"]) == (
        2, "staff/department_manager", "已到期",
    )  # fmt: skip
    for answer in (await end(service, path, 2), await replace(service, path, 2, office())):
        assert (answer.status_code, answer.json()["code"]) == (409, "attachment_ended")
    assert (await end(service, path, 1)).json()["code"] == "attachment_changed"
    assert (await service.get(f"{path}/content")).content == pdf()
    assert len(await service.outbox(AttachmentEnded.type)) == 1
    assert (await keep(service, customer)).status_code == 201, "the same bytes may be kept anew"
    listed = {
        ended: [each["version"] for each in (await service.get(path.rpartition("/")[0], ended=ended)).json()["items"]]
        for ended in (True, False)
    }
    assert listed == {True: [2], False: [1]}


async def test_everything_that_is_wrong_is_said_at_once_and_nothing_kept(service: RunningCustomer) -> None:
    customer = (await service.register())["id"]
    wrong = await keep(service, customer, b"letter", "contract", "../x", secrecy="public")
    assert [(each["pointer"], each["code"]) for each in wrong.json()["errors"]] == [
        ("", "format_not_allowed"), ("query:name", "bad_name"),
    ]  # fmt: skip
    low = await keep(service, customer, kind="contract", secrecy="public")
    unknown = await keep(service, customer, kind="gossip", name=".")
    assert [each["code"] for each in (low.json()["errors"] + unknown.json()["errors"])] == [
        "secrecy_too_low", "unknown_kind", "bad_name",
    ]  # fmt: skip
    executable = await keep(service, customer, b"MZ\0\0", name="合同.pdf")
    assert (executable.status_code, executable.json()["code"]) == (415, "unknown_format")
    assert executable.json()["errors"][0]["seen"].startswith("4 bytes that begin with 4d 5a")
    active = await keep(service, customer, pdf(b"<< /S /JavaScript >>"))
    assert (active.status_code, active.json()["code"], active.json()["errors"][0]["seen"]) == (
        422, "unfit_content", "JavaScript",
    )  # fmt: skip
    assert set((await kept(service)).values()) == {0}


async def test_what_is_too_large_is_refused(dsn: str, issuer: Issuer) -> None:
    async with made.running(dsn, issuer, attachment_limit_bytes=2000, body_limit_bytes=1024) as service:
        customer = (await service.register())["id"]
        sizes = [(await keep(service, customer, b"x" * size, "other")).status_code for size in (2000, 2001)]
        assert sizes == [201, 413]


@pytest.mark.req("R2.2")
async def test_who_may_not_read_it_may_not_keep_it(service: RunningCustomer) -> None:
    customer = (await service.register())["id"]
    for kind, level in (("financial_report", {}), ("contract", {"secrecy": "secret"})):
        refused = await keep(service, customer, kind=kind, role="customer_manager", **level)
        assert (refused.status_code, refused.json()["code"]) == (403, "attachment_not_cleared")
    stranger = service.as_("department_manager", OTHER_UNIT)
    assert (await keep(service, customer, headers=stranger)).status_code == 404
    assert (await keep(service, str(uuid4()))).status_code == 404
    assert (await keep(service, customer, role="auditor")).status_code == 403
    assert set((await kept(service)).values()) == {0}


async def test_infected_content_is_refused_recorded_and_not_kept(dsn: str, issuer: Issuer) -> None:
    infected = b"letter " + clamd.SIGNATURE
    async with (
        clamd.running(daemon := clamd.Clamd()) as url,
        made.running(dsn, issuer, scanner_url=url) as service,
    ):
        customer = (await service.register())["id"]
        refused = await keep(service, customer, infected, "other")
        assert (refused.status_code, refused.json()["code"]) == (422, "infected")
        [(envelope, event)] = await service.outbox("attachment.refused")
        assert (envelope.subject, event.finding, event.size) == (f"customer/{customer}", clamd.FOUND, len(infected))
        stranger = service.as_("department_manager", OTHER_UNIT)
        assert (await keep(service, customer, infected, "other", headers=stranger)).status_code == 404
        assert len(await service.outbox("attachment.refused")) == 1
        kept_one = (await keep(service, customer, b"clean", "other")).json()["id"]
        path = f"/v1/customers/{customer}/attachments/{kept_one}"
        assert (await replace(service, path, 1, infected)).json()["code"] == "infected"
        assert ((await kept(service))["stored_object"], daemon.streams[1]) == (1, infected)


@pytest.mark.req("R15.1")
async def test_attachments_end_with_the_customer_and_with_no_other(service: RunningCustomer) -> None:
    customer, other = (await service.register())["id"], (await service.register())["id"]
    path = f"/v1/customers/{customer}/attachments/{(await keep(service, customer)).json()['id']}"
    await replace(service, path, 1, office())
    await keep(service, other)
    await erase(service, customer)
    assert set((await kept(service)).values()) == {1}
    answers = [await keep(service, customer), await service.get(path), await service.get(f"{path}/content")]
    assert {(each.status_code, each.json()["code"]) for each in answers} == {(409, "customer_erased")}
