"""A new key-encryption key takes over, and what was sealed before still opens without the former one."""

import asyncio
import base64
from typing import Any
from uuid import UUID

import pytest

from services.reporting.app import SERVICE
from services.reporting.submission import repository
from services.reporting.submission.keys import Keys
from services.reporting.submission.vault import Part, Vault
from shared.clock import now
from shared.db import Database, Transaction
from shared.ids import new_id
from shared.migrations import upgrade
from shared.sealing import KeyRing, Unopenable
from tests.conftest import FreshDatabase
from tests.factories.reporting import KEK

FRESH = "next:" + base64.b64encode(bytes(32)).decode()


async def stored(tx: Transaction, vault: Vault, version: int) -> UUID:
    """A submission with sealed figures."""
    submission_id = new_id()
    key = vault.new_key(submission_id)
    plain: dict[str, Any] = {name: {} for name in ("definition", "counts", "groups", "stages")}
    texts = dict.fromkeys(("report", "period", "org", "media", "state", "verdict", "submitted_by"), "x")
    figures = vault.seal(key, submission_id, Part.FIGURES, b"sealed before")
    row = {
        "id": submission_id,
        "version": version,
        "content_sha256": bytes([version]),
        "row_count": 0,
        "figures": figures,
    }
    values = {**plain, **texts, **row, "submitted_at": now(), "kek": key.kek, "wrapped": key.wrapped}
    await repository.add(tx, values, b"", [])
    return submission_id


@pytest.mark.req("R15.1")
async def test_after_a_rotation_the_former_key_can_leave_the_settings(fresh_database: FreshDatabase) -> None:
    dsn = fresh_database("reporting")
    await asyncio.to_thread(upgrade, SERVICE.migrations, dsn)
    database = Database(dsn)
    await database.start()
    former, next_alone = Vault(KeyRing.parse(KEK)), Vault(KeyRing.parse(FRESH))
    async with database.transaction() as tx:
        ids = [await stored(tx, former, version) for version in (1, 2)]
        await tx.execute("UPDATE submission SET kek = NULL, wrapped = NULL WHERE id = $1", ids[1])
    keys = Keys(Vault(KeyRing.parse(f"{FRESH},{KEK}")))
    async with database.transaction() as tx:
        before = await repository.get(tx, ids[0])
        assert [await keys.rewrap_due(tx, now()) for _ in range(2)] == [1, 0]
        row, destroyed = await repository.get(tx, ids[0]), await repository.get(tx, ids[1])
    await database.close()
    assert before and row and destroyed
    assert (row["kek"], row["figures"], destroyed["kek"]) == ("next", before["figures"], None)
    assert next_alone.open(row, Part.FIGURES, row["figures"]) == b"sealed before"
    with pytest.raises(Unopenable):
        former.open(row, Part.FIGURES, row["figures"])
