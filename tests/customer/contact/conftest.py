"""What tests of contacts say, and people whom the directory knows with the lines that they have."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import httpx
import pytest

from services.customer.dictionary.service import Dictionaries
from shared.clock import now
from tests.factories.customer import UNIT, RunningCustomer

AT = "2026-11-24T09:00:00+08:00"
VISIT = {"purpose": "首次拜访", "preparation": "查阅档案", "summary": "面谈订货方式"}
LINE, OTHERS_LINE, FAX_LINE = (f"0190a5b2-7c3d-7e4f-8a9b-0c1d2e3f4a{n:02d}" for n in range(3))
Say = Callable[..., Awaitable[httpx.Response]]


def line(key: str, channel: str = "phone", from_on: str = "2026-01-01", until_on: str | None = None) -> dict[str, Any]:
    return {"id": key, "channel": channel, "from_on": from_on, "until_on": until_on}


def knows(service: RunningCustomer, people: Mapping[str, list[dict[str, Any]]]) -> None:
    """As if the directory had said who is there with which lines."""
    roster = service.parts.authenticator.roster
    for name, lines in people.items():
        person = {"name": name, "unit": UNIT, "state": "active", "first_day": "2026-01-01", "version": 1}
        row = {"kind": "person", "id": name, "data": {**person, "lines": lines}, "serial": roster.serial + 1}
        roster.take([row])


@pytest.fixture
async def customer(service: RunningCustomer) -> str:
    return str((await service.register(customer_manager="lu"))["id"])


@pytest.fixture
def say(service: RunningCustomer) -> Say:
    """Records a contact: a visit of two, but for what is named."""

    async def said(
        customer_id: str, role: str = "customer_manager", path: str = "", headers: Mapping[str, str] | None = None,
        unit: str = UNIT, **body: Any,
    ) -> httpx.Response:  # fmt: skip
        given = {"kind": "visit", "at": AT, "staff": ["a", "b"], "record": VISIT, **body}
        asked = {**service.as_(role, unit), **(headers or {})}
        return await service.http.post(f"/v1/customers/{customer_id}/contacts{path}", json=given, headers=asked)

    return said


def call(**more: Any) -> dict[str, Any]:
    """The body of a telephone call."""
    return {
        "kind": "call",
        "staff": ["a"],
        "record": {"summary": "来电询价"},
        "line": {"number": "13900001111"},
        **more,
    }


async def a_dealer(service: RunningCustomer) -> str:
    """A customer of a kind that is visited every quarter."""
    values = Dictionaries(service.parts.regimes).examples(now())["dealer"]
    body = {"kind": "dealer", "values": {**values, "customer_manager": "lu"}}
    answer = await service.http.post("/v1/customers", json=body, headers=service.as_("department_manager"))
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def faults(answer: httpx.Response, status: int = 422, code: str = "bad_contact") -> list[tuple[str, str]]:
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    return [(each["pointer"], each["code"]) for each in answer.json().get("errors", ())]


def recorded(answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code in (200, 201), answer.text
    found: dict[str, Any] = answer.json()
    return found
