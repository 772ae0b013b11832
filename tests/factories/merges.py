"""Makes what tests of merges need: two files, a merge of them, and a feature that keeps records of customers."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import httpx

from services.customer.file.related import Happening
from shared.auth import Principal
from shared.db import Transaction
from tests.factories.customer import RunningCustomer

TAKEN = {"shop_name": "loser", "contact_phone": "loser", "address": "survivor"}
REASON = "两份档案为同一家店铺"


async def two_files(service: RunningCustomer, **loser: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """A survivor and a loser, who differ in name and telephone."""
    survivor = await service.register()
    return survivor, await service.register(**{"shop_name": "示例超市", "contact_phone": "13811112222", **loser})


def wish(survivor: Mapping[str, Any], loser: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """The body of a merge of two files as they were read."""
    as_read = {name: {"id": each["id"], "version": each["version"]} for name, each in
               (("survivor", survivor), ("loser", loser))}  # fmt: skip
    return {**as_read, "take": TAKEN, "reason": REASON, **more}


async def merge(
    service: RunningCustomer, body: Mapping[str, Any], role: str = "department_manager", **headers: str
) -> httpx.Response:
    return await service.http.post("/v1/merges", json=body, headers={**service.as_(role), **headers})


async def merged(service: RunningCustomer, survivor: Mapping[str, Any], loser: Mapping[str, Any], **more: Any) -> Any:
    """The merge of two files."""
    answer = await merge(service, wish(survivor, loser, **more))
    assert answer.status_code == 201, answer.text
    return answer.json()


async def undo(
    service: RunningCustomer, merge_id: str, role: str = "department_manager", **body: Any
) -> httpx.Response:
    body = {"reason": "两家店铺，误合并", **body}
    return await service.http.post(f"/v1/merges/{merge_id}/undo", json=body, headers=service.as_(role))


class Notes:
    """A feature of the tests' own with a record a line; `sealed` under nobody's key."""

    name = "note"
    action = "customer.read"

    async def prepare(self, tx: Transaction) -> None:
        await tx.execute("CREATE TABLE note (id text PRIMARY KEY, customer_id uuid NOT NULL)")

    async def add(self, tx: Transaction, customer_id: str, *ids: str) -> None:
        for each in ids:
            await tx.execute("INSERT INTO note (id, customer_id) VALUES ($1, $2)", each, customer_id)

    async def of(self, tx: Transaction, customer_id: str) -> list[str]:
        rows = await tx.fetch("SELECT id FROM note WHERE customer_id = $1 ORDER BY id", customer_id)
        return [row["id"] for row in rows]

    async def happenings(self, tx: Transaction, customer_id: UUID, before: datetime, limit: int) -> Sequence[Happening]:
        return []

    async def move(
        self, tx: Transaction, source: UUID, target: UUID, records: Sequence[str] | None = None
    ) -> list[str]:
        rows = await tx.fetch(
            "UPDATE note SET customer_id = $2 WHERE customer_id = $1 AND ($3::text[] IS NULL OR id = ANY($3))"
            " RETURNING id",
            source, target, records,
        )  # fmt: skip
        return [row["id"] for row in rows]

    async def erase(self, tx: Transaction, customer_id: UUID) -> None:
        return None

    async def disclose(self, tx: Transaction, who: Principal, customer_id: UUID, now: datetime) -> Mapping[str, Any]:
        return {}
