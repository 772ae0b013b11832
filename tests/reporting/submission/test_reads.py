"""Who reads what a finding quotes is recorded, from the declared level on and with the answer."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from shared.db import Database
from shared.events import ClassifiedRead
from tests.factories import reporting
from tests.factories.reporting import REGIMES, RunningReporting, csv_of, file_upload, loan

pytestmark = pytest.mark.req("R2.2")
RESOURCE = "company/resource/submission.yaml"


async def recorded(database: Database, submission: str) -> list[dict[str, Any]]:
    """The reads of a submission, as they were announced."""
    async with database.reading() as tx:
        rows = await tx.fetch("SELECT value, headers FROM outbox ORDER BY id")
    about = f"submission/{submission}".encode()
    found = [orjson.loads(row["value"]) for row in rows if about in bytes(row["headers"])]
    return [each for each in found if each.keys() == ClassifiedRead.model_fields.keys()]


async def test_a_read_is_recorded_but_not_of_whoever_filed_it(
    service: RunningReporting, http: httpx.AsyncClient, partner: dict[str, str], unit: str, database: Database
) -> None:
    body = (await file_upload(http, partner, unit, csv_of([loan(1, amount="1")]))).json()
    assert (await http.get(f"/v1/submissions/{body['id']}", headers=partner)).json()["findings"][0]["seen"] == "1"
    assert await recorded(database, body["id"]) == []
    seen = (await http.get(f"/v1/submissions/{body['id']}", headers=service.reviewer())).json()
    assert seen["findings"][0]["seen"] == "1"
    [read] = await recorded(database, body["id"])
    assert (read["items"], read["level"]) == (["amount"], "confidential")


@pytest.fixture
def lenient(service: RunningReporting, tmp_path: Path) -> Iterator[RunningReporting]:
    """The service beside itself, with reads recorded from a higher level on."""
    root = Path(shutil.copytree(REGIMES, tmp_path / "regimes"))
    text = (root / RESOURCE).read_text("utf-8")
    (root / RESOURCE).write_text(text.replace("recorded_from: confidential", "recorded_from: secret"), "utf-8")
    with reporting.running(service.dsn, service.issuer, tmp_path, REGIMES_PATH=str(root)) as running:
        yield running


async def test_from_which_level_on_is_declared(
    service: RunningReporting, lenient: RunningReporting, http: httpx.AsyncClient, partner: dict[str, str], unit: str,
    database: Database,
) -> None:  # fmt: skip
    body = (await file_upload(http, partner, unit, csv_of([loan(1, amount="1")]))).json()
    path = f"/v1/submissions/{body['id']}"
    async with lenient.http() as asked:
        assert (await asked.get(path, headers=service.reviewer())).json()["findings"][0]["seen"] == "1"
    assert await recorded(database, body["id"]) == []
    await http.get(path, headers=service.reviewer())
    assert len(await recorded(database, body["id"])) == 1
