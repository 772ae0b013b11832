"""Makes what tests of exchange need: files of customers, and imports carried on step by step."""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

import httpx
from python_calamine import CalamineWorkbook

from services.customer.app import compose
from shared.process import Parts
from tests.factories.customer import MINIMAL, UNIT, RunningCustomer

HEADER = ("customer_code", "shop_name", "address", "contact_person", "contact_phone")


def line(number: str, **items: str) -> dict[str, str]:
    """A row of a new customer."""
    return {"customer_code": number, **MINIMAL, **items}


def sheet(*rows: Mapping[str, str], encoding: str = "utf-8", columns: Sequence[str] | None = None) -> bytes:
    """A CSV file of rows; its heading is their items, if not said otherwise."""
    text = io.StringIO()
    names = columns or list(dict.fromkeys(name for row in rows for name in row))
    writer = csv.DictWriter(text, names)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode(encoding)


async def send(
    service: RunningCustomer, content: bytes, role: str = "department_manager", *, name: str = "", **fields: str
) -> httpx.Response:
    form = {"kind": "retail", "mode": "create", **fields}
    headers = service.as_(role, name=name) if name else service.as_(role)
    return await service.http.post("/v1/imports", data=form, files={"file": ("x", content)}, headers=headers)


async def work(
    service: RunningCustomer, *, steps: int | None = None, parts: Parts | None = None, name: str = "import_steps"
) -> int:
    """Let a job of the worker take steps, all that there are if not said otherwise; how many it took."""
    job = next(each for each in (parts or service.parts).jobs if each.name == name)
    taken = 0
    while steps is None or taken < steps:
        if not await job.once(service.database):
            break
        taken += 1
    return taken


def another_worker(service: RunningCustomer) -> Parts:
    """The parts of a process that knows nothing of what the others had in memory."""
    return compose(service.settings)


async def outcome(service: RunningCustomer, answer: httpx.Response, role: str = "department_manager") -> dict[str, Any]:
    """What became of an import, once there is nothing to do any more."""
    assert answer.status_code == 202, answer.text
    await work(service)
    return await seen(service, answer.json()["id"], role)


async def seen(service: RunningCustomer, import_id: str, role: str = "department_manager") -> dict[str, Any]:
    answer = await service.get(f"/v1/imports/{import_id}", role)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def imported(service: RunningCustomer, content: bytes, **fields: str) -> dict[str, Any]:
    """Send a file and see what becomes of it."""
    return await outcome(service, await send(service, content, **fields))


def faults(found: Mapping[str, Any]) -> list[tuple[int, str | None, str]]:
    return [(each["row"], each["column"], each["code"]) for each in found["first_faults"]]


def counts(found: Mapping[str, Any]) -> tuple[int, int, int, int, int]:
    """Rows read, valid, refused, applied, unchanged."""
    return found["rows"], found["valid"], found["refused"], found["applied"], found["unchanged"]


async def ask(
    service: RunningCustomer, role: str = "department_manager", *, unit: str = UNIT, **body: Any
) -> httpx.Response:
    """Ask for an export."""
    return await service.http.post("/v1/exports", json={"kind": "retail", **body}, headers=service.as_(role, unit))


async def exported(service: RunningCustomer, role: str = "department_manager", **body: Any) -> dict[str, Any]:
    """What became of an export."""
    answer = await ask(service, role, **body)
    assert answer.status_code == 202, answer.text
    await work(service, name="exports_due")
    return (await service.get(f"/v1/exports/{answer.json()['id']}", role)).json()


async def fetched(service: RunningCustomer, export_id: str, role: str = "department_manager") -> bytes:
    answer = await service.get(f"/v1/exports/{export_id}/file", role)
    assert answer.status_code == 200, answer.text
    return answer.content


async def table(
    service: RunningCustomer, found: Mapping[str, Any], role: str = "department_manager"
) -> list[list[Any]]:
    """The cells of an export's file."""
    content = await fetched(service, found["id"], role)
    if found["format"] == "csv":
        return list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))
    return CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()
