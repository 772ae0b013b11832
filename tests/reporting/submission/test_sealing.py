"""Nothing that was filed lies open in the database, and it is gone with its key."""

import zlib

import httpx
import orjson
import pytest

from services.reporting.submission.vault import Part, Vault
from shared.db import Database
from shared.errors import NotFound
from shared.ids import new_id
from shared.sealing import KeyRing, Unopenable
from tests.factories.reporting import KEK, RESIDENT_ID, csv_of, file_upload, loan, loans

RING = KeyRing.parse(KEK)


@pytest.mark.req("R15.1")
async def test_content_and_findings_are_stored_sealed_and_open_with_the_submissions_key(
    http: httpx.AsyncClient, partner: dict[str, str], unit: str, database: Database
) -> None:
    content = csv_of([*loans(3), loan(4, customer_name="虚构泄露")])
    body = (await file_upload(http, partner, unit, content)).json()
    async with database.reading() as tx:
        row = await tx.fetchrow("SELECT * FROM submission WHERE id = $1", body["id"])
        sealed = await tx.fetchval("SELECT sealed FROM content WHERE submission_id = $1", body["id"])
        pages = await tx.fetch("SELECT sealed FROM finding_page WHERE submission_id = $1", body["id"])
        outbox = await tx.fetch("SELECT value FROM outbox WHERE key = $1", body["id"].encode())
    assert row is not None
    stored = [
        sealed,
        *(page["sealed"] for page in pages),
        *(event["value"] for event in outbox),
        repr(dict(row)).encode(),
    ]
    for secret in (RESIDENT_ID.encode(), "虚构泄露".encode(), zlib.compress(content, 1)[20:40]):
        assert not any(secret in each for each in stored)
    vault = Vault(RING)
    findings = orjson.loads(vault.open(dict(row), Part.FINDINGS, pages[0]["sealed"]))
    assert [seen for _, _, _, seen in findings] == ["虚构泄露"]
    assert zlib.decompress(vault.open(dict(row), Part.CONTENT, sealed)) == content


async def test_with_its_key_destroyed_a_submission_keeps_its_verdict_and_loses_what_it_quoted(
    http: httpx.AsyncClient, partner: dict[str, str], unit: str, database: Database
) -> None:
    body = (await file_upload(http, partner, unit, csv_of([loan(1, amount="1")]))).json()
    async with database.transaction() as tx:
        await tx.execute("UPDATE submission SET kek = NULL, wrapped = NULL WHERE id = $1", body["id"])
    findings = await http.get(f"/v1/submissions/{body['id']}/findings", headers=partner)
    assert (findings.status_code, findings.json()["code"]) == (404, "content_erased")
    [listed] = (await http.get("/v1/submissions", headers=partner)).json()["items"]
    assert listed["verdict"] == "rejected"


def test_a_part_cannot_be_passed_off_as_another() -> None:
    vault, submission_id = Vault(RING), new_id()
    key = vault.new_key(submission_id)
    row = {"id": submission_id, "kek": key.kek, "wrapped": key.wrapped}
    page = vault.seal(key, submission_id, Part.FINDINGS, orjson.dumps([1]), 3)
    assert vault.open(row, Part.FINDINGS, page, 3) == b"[1]"
    for part, number in ((Part.FINDINGS, 2), (Part.FIGURES, 3)):
        with pytest.raises(Unopenable):
            vault.open(row, part, page, number)
    with pytest.raises(NotFound):
        vault.open({**row, "kek": None}, Part.FINDINGS, page, 3)
