"""Attachments in the timeline, sealed anew in a merge and its undoing, told to the customer, and through a crash."""

from uuid import UUID

import pytest

from tests.customer.attachment.test_keep import MANAGER, end, keep, kept, replace
from tests.factories.customer import RunningCustomer
from tests.factories.documents import office, pdf

pytestmark = pytest.mark.req("R5.3")


async def test_each_version_and_the_end_are_lines_of_the_timeline(service: RunningCustomer) -> None:
    customer = (await service.register())["id"]
    path = f"/v1/customers/{customer}/attachments/{(await keep(service, customer)).json()['id']}"
    await replace(service, path, 1, office())
    await end(service, path, 2)
    lines = (await service.get(f"/v1/customers/{customer}/timeline")).json()["items"]
    found = [each for each in lines if each["type"].startswith("attachment.")]
    assert [(each["type"], each["facts"].get("format")) for each in found] == [
        ("attachment.ended", None), ("attachment.kept", "docx"), ("attachment.kept", "pdf"),
    ]  # fmt: skip
    assert "合同" not in str(found)


async def test_a_merge_takes_them_along_and_its_undoing_back(service: RunningCustomer) -> None:
    survivor, loser = (await service.register())["id"], (await service.register())["id"]
    path = f"/v1/customers/{loser}/attachments/{(await keep(service, loser)).json()['id']}"
    await replace(service, path, 1, office())
    await end(service, path, 2)
    own = (await keep(service, survivor)).json()["id"]
    body = {"survivor": {"id": survivor, "version": 1}, "loser": {"id": loser, "version": 1}}
    merge = await service.http.post("/v1/merges", json=body, headers=service.as_(MANAGER))
    assert merge.status_code == 201, merge.text
    moved = path.replace(loser, survivor)
    whole = (await service.get(moved)).json()
    assert ([each["name"] for each in whole["versions"]], whole["end_reason"]) == (["合同.pdf", "合同.docx"], "已到期")
    contents = [(await service.get(f"{moved}/content", version=version)).content for version in (1, 2)]
    assert contents == [pdf(), office()]
    assert (await kept(service)) == {"attachment": 2, "attachment_version": 3, "stored_object": 3}
    undo = await service.http.post(
        f"/v1/merges/{merge.json()['id']}/undo", json={"reason": "误并档案"}, headers=service.as_(MANAGER)
    )
    assert undo.status_code == 200, undo.text
    assert (await service.get(f"{path}/content")).content == office()
    [left] = (await service.get(f"/v1/customers/{survivor}/attachments")).json()["items"]
    assert left["id"] == own


@pytest.mark.req("R15.1")
async def test_the_customer_is_told_of_them(service: RunningCustomer) -> None:
    customer = (await service.register())["id"]
    attachment = (await keep(service, customer)).json()["id"]
    told = (await service.get(f"/v1/customers/{customer}/disclosure", "security_officer")).json()
    assert UUID(attachment)
    assert f"/v1/customers/{customer}/attachments/{attachment}/content" in str(told)
    assert "合同.pdf" in str(told)
