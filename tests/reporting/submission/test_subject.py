"""Authority over a submission is explained by where it belongs and by the columns that it was filed with."""

import httpx
import pytest

from services.reporting.app import compose
from services.reporting.settings import ReportingSettings
from shared.auth import GENERAL
from shared.clock import now
from shared.db import Database
from shared.ids import new_id
from shared.regime import Secrecy
from tests.factories.reporting import KEK, REGIMES, RunningReporting, file_json, loan


@pytest.mark.req("R2.2")
async def test_authority_over_a_submission_is_explained_by_its_institution_and_columns(
    service: RunningReporting, http: httpx.AsyncClient, partner: dict[str, str], unit: str, database: Database
) -> None:
    filed = (await file_json(http, partner, unit, [loan(1)])).json()
    settings = ReportingSettings.model_validate(
        {"database_url": service.dsn, "bus_url": service.dsn, "issuer": service.issuer.url, "kek": KEK,
         "regimes_path": REGIMES}
    )  # fmt: skip
    look = compose(settings).subjects["submission"]
    async with database.reading() as tx:
        found = await look(tx, filed["id"], now())
        assert [await look(tx, key, now()) for key in (str(new_id()), "none")] == [None, None]
    assert found is not None
    assert (found.unit, found.assignee) == (unit, None)
    assert found.fields["amount"] == (Secrecy.CONFIDENTIAL, GENERAL)
