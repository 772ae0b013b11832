"""Makes what tests of hand-overs need: customers of a person, a hand-over of them, the directory's word on leavers."""

from datetime import date
from typing import Any
from uuid import UUID

import httpx

from shared.events import CustomerChanged
from tests.factories.customer import UNIT, RunningCustomer

LEAVER, SUCCESSOR = "manager1", "manager2"
WISH = {"predecessor": LEAVER, "successor": SUCCESSOR, "reason": "leaving"}


async def customers_of(service: RunningCustomer, count: int, manager: str = LEAVER) -> list[str]:
    """Ids of fresh customers of a person, in order."""
    return sorted([(await service.register(customer_manager=manager))["id"] for _ in range(count)])


async def managers(service: RunningCustomer, *customers: str) -> list[str]:
    """Who looks after each."""
    async with service.database.reading() as tx:
        rows = await tx.fetch("SELECT id, manager FROM customer WHERE id = ANY($1)", [UUID(each) for each in customers])
    found = {str(row["id"]): row["manager"] for row in rows}
    return [found[each] for each in customers]


async def propose(
    service: RunningCustomer, role: str = "department_manager", name: str | None = None, at: str = UNIT, **wish: Any
) -> httpx.Response:
    headers = service.as_(role, at, name=name or role)
    return await service.http.post("/v1/handovers", json={**WISH, **wish}, headers=headers)


async def step(
    service: RunningCustomer, handover: str, what: str, role: str = "customer_manager", name: str = SUCCESSOR,
    unit: str = UNIT, **body: Any,
) -> httpx.Response:  # fmt: skip
    given = body or {"reason": "other"}
    sent = {} if what in ("approval", "acceptance") else {"json": given}
    headers = service.as_(role, unit, name=name)
    return await service.http.post(f"/v1/handovers/{handover}/{what}", headers=headers, **sent)


async def offered(service: RunningCustomer, **wish: Any) -> str:
    """A hand-over that waits for the successor."""
    answer = await propose(service, **wish)
    assert (answer.status_code, answer.json().get("state")) == (201, "offered"), answer.text
    return str(answer.json()["id"])


async def accepted(service: RunningCustomer, **wish: Any) -> str:
    """A hand-over in force."""
    handover = await offered(service, **wish)
    answer = await step(service, handover, "acceptance", name=wish.get("successor", SUCCESSOR))
    assert (answer.status_code, answer.json().get("state")) == (200, "accepted"), answer.text
    return handover


async def undo(service: RunningCustomer, handover: str, **given: Any) -> httpx.Response:
    return await step(service, handover, "undo", **{"role": "department_manager", "name": "dept", **given})


async def leaves(service: RunningCustomer, name: str, last_day: date | None, unit: str = UNIT) -> None:
    """As the directory says on which day somebody leaves: in the table that jobs read, and in memory."""
    grant = {"role": "customer_manager", "unit": unit, "from_on": "2026-01-01"}
    person = {
        "name": name, "unit": unit, "state": "leaving" if last_day else "active", "held": [grant],
        "first_day": "2026-01-01", "last_day": last_day and last_day.isoformat(), "version": 1,
    }  # fmt: skip
    async with service.database.transaction() as tx:
        await tx.execute(
            "INSERT INTO roster (kind, id, version, data) VALUES ('person', $1, 1, $2)"
            " ON CONFLICT (kind, id) DO UPDATE SET data = excluded.data, serial = DEFAULT",
            name, person,
        )  # fmt: skip
    roster = service.parts.authenticator.roster
    roster.take([{"kind": "person", "id": name, "data": person, "serial": roster.serial + 1}])


async def run_job(service: RunningCustomer, name: str, **at: Any) -> int:
    """One round of a job."""
    [job] = [job for job in service.parts.jobs if job.name == name]
    async with service.database.transaction() as tx:
        done: int = await job.due(tx, **at)
    return done


async def changes(service: RunningCustomer) -> list[CustomerChanged]:
    """What was published of changed files."""
    return [event for _, event in await service.outbox(CustomerChanged.type) if isinstance(event, CustomerChanged)]
