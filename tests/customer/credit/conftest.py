"""Customers with credit, and what is fed and asked about them."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from services.customer.credit.standing import Standing
from shared.clock import day_of, now
from tests.factories.customer import UNIT, RunningCustomer

TODAY = day_of(now())
ANSWERS = {
    "investigated_on": "2026-11-02", "means": "visit", "main_products": "示例食品", "operating_state": "normal",
    "payment_record": "punctual", "credit_standing": "资信良好（虚构）", "monthly_output": "120000",
}  # fmt: skip


def day(offset: int) -> str:
    """So many days from today."""
    return (TODAY + timedelta(offset)).isoformat()


@dataclass
class Desk:
    """Asks about one customer of UNIT, whom `manager1` looks after."""

    service: RunningCustomer
    customer: str

    @property
    def id(self) -> UUID:
        return UUID(self.customer)

    @property
    def path(self) -> str:
        return f"/v1/customers/{self.customer}"

    async def propose(self, role: str = "customer_manager", unit: str = UNIT, **given: Any) -> httpx.Response:
        body = {"term_days": 30, "limit_fen": 5_000_000, "answers": ANSWERS, **given}
        return await self.post("/credit/forms", body, role, unit)

    async def post(
        self, path: str, body: Any = None, role: str = "department_manager", unit: str = UNIT, **claims: Any
    ) -> httpx.Response:
        headers = self.service.as_(role, unit, **claims)
        return await self.service.http.post(f"{self.path}{path}", json=body, headers=headers)

    async def decide(
        self, form: str, what: str = "approval", role: str = "department_manager", **claims: Any
    ) -> httpx.Response:
        body = None if what == "approval" else {"reason": "理由"}
        return await self.post(f"/credit/forms/{form}/{what}", body, role, **claims)

    async def grant(self, days_ago: int = 60, **given: Any) -> str:
        """Credit that was agreed to some days ago."""
        form = (await self.propose(**given)).json()["id"]
        answer = await self.decide(form)
        assert (answer.status_code, answer.json()["state"]) == (200, "in_force"), answer.text
        async with self.service.database.transaction() as tx:
            await tx.execute(
                "UPDATE credit_form SET from_on = $2 WHERE id = $1", UUID(form), TODAY - timedelta(days_ago)
            )
        return str(form)

    async def forms(self, role: str = "department_manager") -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await self.service.get(f"{self.path}/credit/forms", role)).json()["items"]
        return found

    async def feed(self, role: str = "department_manager", unit: str = UNIT, **rows: Any) -> httpx.Response:
        headers = self.service.as_(role, unit)
        return await self.service.http.post("/v1/credit/bills", json=rows, headers=headers)

    def bill(self, source: str = "b-1", supplied: int = -10, due: int = 5, **more: Any) -> dict[str, Any]:
        known = {"source_id": source, "customer_id": self.customer, "supplied_on": day(supplied), "due_on": day(due)}
        return {**known, "amount_fen": 100_000, **more}

    async def owe(self, source: str = "b-1", due: int = -1, **more: Any) -> None:
        """A bill that is unpaid, overdue unless said otherwise."""
        answer = await self.feed(bills=[self.bill(source, -20, due, **more)])
        assert answer.status_code == 200, answer.text

    async def pay(self, source: str = "p-1", bill: str = "b-1", **more: Any) -> httpx.Response:
        payment = {"source_id": source, "bill": bill, "paid_on": day(0), "amount_fen": 100_000, **more}
        return await self.feed(payments=[payment])

    async def supply(self, role: str = "department_manager") -> dict[str, Any]:
        answer = await self.service.get(f"{self.path}/supply", role)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def due(self, role: str = "department_manager", unit: str = UNIT, **query: Any) -> dict[str, Any]:
        headers = self.service.as_(role, unit)
        answer = await self.service.http.get("/v1/credit/due", params=query, headers=headers)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def run(self, job: str = "credit_overdue", moment: datetime | None = None) -> int:
        """What a job does at a moment: how many it found, in all its rounds."""
        [found] = [each for each in self.service.parts.jobs if each.name == job]
        total = 0
        while True:
            async with self.service.database.transaction() as tx:
                if not (count := await found.due(tx, moment or now())):
                    return total
                total += count

    async def types(self) -> list[str]:
        """Types of the events of credit so far, without those of bills."""
        found = [envelope.type for envelope, _ in await self.service.outbox()]
        return [each for each in found if each.startswith("credit.") and each != "credit.bills_recorded"]


async def desk_of(service: RunningCustomer) -> Desk:
    found = await service.register(customer_manager="manager1")
    return Desk(service, found["id"])


@pytest.fixture
async def desk(service: RunningCustomer) -> Desk:
    return await desk_of(service)


def standing_of(service: RunningCustomer) -> Standing:
    """The part that settles, as its job holds it."""
    [job] = [each for each in service.parts.jobs if each.name == "credit_overdue"]
    found: Standing = job.due.__self__  # type: ignore[attr-defined]
    return found


def on(moment: date) -> datetime:
    """Noon of a day in China."""
    return datetime.fromisoformat(f"{moment}T12:00:00+08:00")
