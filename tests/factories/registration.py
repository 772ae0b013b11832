"""Registration forms as their people fill them in, hand them in and decide on them."""

from typing import Any

import httpx

from tests.factories.customer import UNIT, RunningCustomer, values

PROPOSER, APPROVER = "customer_manager", "department_manager"
PATH = "/v1/registrations"


async def opened(service: RunningCustomer, role: str = PROPOSER, staff: tuple[str, ...] = (), **items: Any) -> Any:
    """A draft of UNIT that is whole, but for the items that are None: the answer's body."""
    body = {"kind": "retail", "values": values(**items), "staff": list(staff)}
    answer = await service.http.post(PATH, json=body, headers=service.as_(role))
    assert answer.status_code == 201, answer.text
    return answer.json()


async def do(
    service: RunningCustomer, form: Any, what: str, role: str = PROPOSER, body: Any = None, unit: str = UNIT,
    version: int | None = None, key: str = "", **claims: Any,
) -> httpx.Response:  # fmt: skip
    """A step of a form's way at the version that the form is given at: submission, approval and so on."""
    headers = {**service.as_(role, unit, **claims), "If-Match": f'"{version or form["version"]}"'}
    if key:
        headers["Idempotency-Key"] = key
    return await service.http.post(f"{PATH}/{form['id']}/{what}", json=body, headers=headers)


async def done(service: RunningCustomer, form: Any, what: str, role: str = PROPOSER, body: Any = None) -> Any:
    """The same; it must go well: the form as it is then."""
    answer = await do(service, form, what, role, body)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def submitted(service: RunningCustomer, staff: tuple[str, ...] = (), **items: Any) -> Any:
    """A whole form that was handed in."""
    return await done(service, await opened(service, staff=staff, **items), "submission")


async def approve(
    service: RunningCustomer, form: Any, role: str = APPROVER, acknowledged: tuple[str, ...] = (), **how: Any
) -> httpx.Response:
    return await do(service, form, "approval", role, {"acknowledged": list(acknowledged)}, **how)


async def give_back(service: RunningCustomer, form: Any, role: str = APPROVER, **how: Any) -> httpx.Response:
    body = {"reason": "地址不全", "items": {"address": "请写到门牌号"}}
    return await do(service, form, "return", role, body, **how)


async def change(
    service: RunningCustomer, form: Any, role: str = PROPOSER, staff: list[str] | None = None,
    version: int | None = None, unit: str = UNIT, name: str = "", **items: Any,
) -> httpx.Response:  # fmt: skip
    claims = {"name": name} if name else {}
    headers = {**service.as_(role, unit, **claims), "If-Match": f'"{version or form["version"]}"'}
    body: dict[str, Any] = {"values": items} | ({} if staff is None else {"staff": staff})
    return await service.http.patch(f"{PATH}/{form['id']}", json=body, headers=headers)


async def read(service: RunningCustomer, form: Any, role: str = PROPOSER, **claims: Any) -> Any:
    answer = await service.http.get(f"{PATH}/{form['id']}", headers=service.as_(role, **claims))
    assert answer.status_code == 200, answer.text
    return answer.json()


def codes(answer: httpx.Response) -> tuple[int, str, dict[str, str]]:
    """Status, problem code, and fault codes by pointer."""
    problem = answer.json()
    return answer.status_code, problem["code"], {each["pointer"]: each["code"] for each in problem.get("errors", [])}


def person(name: str, role: str, unit: str = UNIT, serial: int = 2, **more: Any) -> dict[str, Any]:
    """A row of the roster: somebody who holds a role over a unit."""
    held = [{"role": role, "unit": unit, "from_on": "2026-01-01"}] if role else []
    standing = {"name": name, "version": 1, "state": "active", "unit": unit, "first_day": "2026-01-01", "held": held}
    return {"kind": "person", "id": name, "data": {**standing, **more}, "serial": serial}


def know(service: RunningCustomer, *people: dict[str, Any]) -> None:
    """Let the service know a directory in which UNIT lies below a company, and these people."""
    tree = {"company": None, UNIT: "company", "unit-2": "company"}
    units = [{"kind": "unit", "id": unit, "data": {"parent": parent}, "serial": 1} for unit, parent in tree.items()]
    service.parts.authenticator.roster.take([*units, *people])
