"""Several people at one form at once, and a process that dies while it approves one."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from kehu.child import stop
from kehu.plan import PROJECT
from kehu.programs import ServiceProcess
from tests.factories.customer import KEK, RunningCustomer, at_once
from tests.factories.ports import free_ports
from tests.factories.registration import (
    APPROVER,
    PATH,
    approve,
    change,
    codes,
    do,
    give_back,
    read,
    submitted,
)
from tests.factories.waiting import settled

pytestmark = [pytest.mark.req("R7.2"), pytest.mark.req("R0.2")]


async def test_of_two_approvers_at_once_one_wins(service: RunningCustomer) -> None:
    form = await submitted(service)
    answers = await at_once(*(lambda n=n: approve(service, form, name=f"approver{n}") for n in range(3)))
    assert sorted(each.status_code for each in answers) == [200, 409, 409]
    assert {each.json()["code"] for each in answers if each.status_code == 409} == {"form_decided"}
    assert len(await service.outbox("customer.registered")) == 1


async def test_an_approval_and_a_return_at_once_are_one_decision(service: RunningCustomer) -> None:
    form = await submitted(service)
    answers = await at_once(lambda: approve(service, form, name="one"), lambda: give_back(service, form, name="other"))
    assert sorted(each.status_code for each in answers) == [200, 409]
    assert len(await service.outbox("registration.approved", "registration.returned")) == 1


async def test_an_approval_meets_a_withdrawal(service: RunningCustomer) -> None:
    form = await submitted(service)
    approved, withdrawn = await at_once(lambda: approve(service, form), lambda: do(service, form, "withdrawal"))
    outcome = (approved.status_code, withdrawn.status_code)
    assert outcome in {(200, 409), (412, 200)}
    if approved.status_code == 412:
        assert (approved.json()["code"], approved.json()["seen"], approved.json()["version"]) == ("form_changed", 2, 3)
    assert len(await service.outbox("customer.registered")) == (approved.status_code == 200)


async def test_two_forms_with_one_number_at_once_make_one_customer(service: RunningCustomer) -> None:
    forms = [await submitted(service, customer_code="R-0001") for _ in range(2)]
    answers = await at_once(*(lambda form=form: approve(service, form) for form in forms))
    assert sorted(each.status_code for each in answers) == [200, 409]
    [lost] = [each for each in answers if each.status_code == 409]
    assert codes(lost)[2] == {"/values/customer_code": "taken"}
    states = {(await read(service, form))["state"] for form in forms}
    assert states == {"approved", "submitted"}


async def test_a_key_approves_once_however_often_it_is_sent(service: RunningCustomer) -> None:
    form = await submitted(service)
    first, second = [await approve(service, form, key="same") for _ in range(2)]
    assert (first.status_code, second.status_code) == (200, 200)
    assert (second.headers["idempotency-replayed"], second.json()) == ("true", first.json())
    assert len(await service.outbox("registration.approved")) == 1


@asynccontextmanager
async def dying(service: RunningCustomer, dsn: str, point: str, folder: Path) -> AsyncIterator[str]:
    """A second api on the same database, which dies when it first passes a point."""
    [port] = free_ports(1)
    named = {
        "database_url": dsn, "bus_url": dsn, "issuer": service.issuer.url, "kek": KEK, "port": str(port),
        "authority": "claims", "regimes_path": str(PROJECT / "regimes"),
    }  # fmt: skip
    environment = {f"CUSTOMER_{name.upper()}": value for name, value in named.items()}
    environment |= {"KEHU_TEST_BUILD": "1", "KEHU_CRASH": point}
    url, log = f"http://127.0.0.1:{port}", folder / "log"
    command = [sys.executable, "-m", "services.customer", "api"]
    api = ServiceProcess(command, environment, url=url, directory=folder / "api", log=log)
    api.start()
    assert api.process is not None
    try:
        async with asyncio.timeout(120):
            while not await asyncio.to_thread(api.is_ready):
                assert api.pid is not None, log.read_text()
                await asyncio.sleep(0.1)
        yield url
        assert await asyncio.to_thread(api.process.wait, 30) == -signal.SIGKILL
    finally:
        stop([api.process], signal.SIGKILL, 5)


@pytest.mark.parametrize(("point", "approved"), [("writer.before_commit", False), ("writer.after_commit", True)])
async def test_an_approval_that_dies_is_whole_or_did_not_happen(
    service: RunningCustomer, dsn: str, tmp_path: Path, point: str, approved: bool
) -> None:
    form = await submitted(service)
    headers = {**service.as_(APPROVER), "If-Match": '"2"', "Idempotency-Key": "once"}
    async with dying(service, dsn, point, tmp_path) as url, httpx.AsyncClient(base_url=url, trust_env=False) as http:
        with pytest.raises(httpx.TransportError):
            await http.post(f"{PATH}/{form['id']}/approval", json={"acknowledged": []}, headers=headers, timeout=60)
    types = ("customer.registered", "registration.approved")
    assert (await read(service, form))["state"] == ("approved" if approved else "submitted")
    assert [each.type for each, _ in await service.outbox(*types)] == (list(types) if approved else [])
    again = await settled(lambda: approve(service, form, key="once"))
    assert (again.status_code, again.json()["state"]) == (200, "approved")
    assert again.headers.get("idempotency-replayed") == ("true" if approved else None)
    assert [each.type for each, _ in await service.outbox(*types)] == list(types)
    assert (await service.file(form["id"]))["version"] == 1


async def test_changes_and_submissions_at_once_leave_one_truth(service: RunningCustomer) -> None:
    form = await submitted(service)
    await do(service, form, "withdrawal")
    form = await read(service, form)
    answers = await at_once(
        lambda: do(service, form, "submission"),
        *(lambda n=n: change(service, form, main_goods=f"货{n}") for n in range(3)),
    )
    assert sorted(each.status_code for each in answers).count(200) == 1
    assert {each.status_code for each in answers} <= {200, 409, 412}
