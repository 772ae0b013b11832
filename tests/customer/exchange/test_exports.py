"""Exports: what may leave, for whom, in a file that is sealed until it is fetched, and told in the log."""

import asyncio
import hashlib
import signal
import time
from collections.abc import AsyncIterator
from uuid import UUID

import pytest

from services.customer.exchange.grants import Leaving
from shared.events import Exported, ExportFetched
from tests.customer.exchange.test_crash import work as work_elsewhere
from tests.factories import customer
from tests.factories.customer import OTHER_UNIT, RunningCustomer, values
from tests.factories.exchange import ask, exported, fetched, imported, line, sheet, table, work

pytestmark = pytest.mark.req("R15.2")
ITEMS = ["customer_code", "shop_name", "contact_phone", "business_area"]


@pytest.fixture
async def small(served: customer.Served) -> AsyncIterator[RunningCustomer]:
    """The service with at most two rows a workbook."""
    async with served(
        (
            "company/clock/exchange.yaml",
            "（Excel）, en: Rows of an exported workbook}, count: 100000",
            "x, en: R}, count: 2",
        )
    ) as running:
        yield running


@pytest.mark.parametrize("format_", ["xlsx", "csv"])
async def test_customers_within_reach_go_out_with_the_items_asked_for(service: RunningCustomer, format_: str) -> None:
    for number in ("X-1", "X-2"):
        await service.register(customer_code=number, business_area=60)
    body = {"kind": "retail", "unit": OTHER_UNIT, "values": values(customer_code="Y-1")}
    await service.http.post("/v1/customers", json=body, headers=service.as_("department_manager", OTHER_UNIT))
    found = await exported(service, items=ITEMS, format=format_)
    assert (found["state"], found["rows"], found["left_out"]) == ("ready", 2, [])
    head, *rows = await table(service, found)
    assert head[0] == "所属机构 Unit [unit]"
    assert [cell.rpartition("[")[2].rstrip("]") for cell in head[1:]] == ITEMS
    assert [str(row[1]) for row in rows] == ["X-1", "X-2"]
    assert {str(row[3]) for row in rows} == {"13900000000"}


async def test_what_went_out_comes_in_again_and_changes_nothing(service: RunningCustomer) -> None:
    await service.register(customer_code="X-1", business_area=60, model_shop=True, valid_until="2027-01-31")
    items = [*ITEMS, "model_shop", "valid_until"]
    content = await fetched(service, (await exported(service, items=items))["id"])
    again = await imported(service, content, mode="update")
    assert (again["state"], again["unchanged"], again["applied"]) == ("applied", 1, 0)
    content = await fetched(service, (await exported(service, items=items, format="csv"))["id"])
    assert (await imported(service, content, mode="update"))["unchanged"] == 1


async def test_text_that_a_spreadsheet_would_compute_is_plain_in_both_forms(service: RunningCustomer) -> None:
    await service.register(customer_code="X-1", shop_name="=1+1", contact_phone="+8613900000000")
    rows = await table(service, await exported(service, items=ITEMS, format="csv"))
    assert rows[1][2:4] == ["'=1+1", "'+8613900000000"]
    rows = await table(service, await exported(service, items=ITEMS))
    assert rows[1][2] == "=1+1"  # a text cell, not a formula: it has no <f>


async def test_filters_narrow_and_hidden_columns_are_no_filter(service: RunningCustomer) -> None:
    for number in ("X-1", "X-2"):
        await service.register(customer_code=number)
    assert (await exported(service, items=ITEMS, filters={"number": "X-2"}))["rows"] == 1
    assert (await exported(service, items=ITEMS, filters={"unit": OTHER_UNIT}))["rows"] == 0


@pytest.mark.req("R2.2")
async def test_items_above_clearance_are_left_out_and_named(service: RunningCustomer) -> None:
    await service.register(customer_code="X-1", watchlisted=True)
    found = await exported(service)
    assert found["left_out"] == ["watchlisted"]  # needs a grant, and was not asked for by name
    assert "watchlisted" not in found["items"]
    refused = await ask(service, items=["customer_code", "watchlisted"])
    assert (refused.status_code, refused.json()["code"]) == (403, "grant_needed")
    assert [each["pointer"] for each in refused.json()["errors"]] == ["/items/watchlisted"]


@pytest.mark.req("R2.2")
async def test_a_grant_lets_what_it_is_for_leave(service: RunningCustomer, monkeypatch: pytest.MonkeyPatch) -> None:
    used: list[Leaving] = []

    async def require(_self: object, _tx: object, _who: object, leaving: Leaving, _now: object) -> None:
        used.append(leaving)

    monkeypatch.setattr("services.customer.exchange.grants.NoGrants.require", require)
    await service.register(customer_code="X-1", watchlisted=True)
    found = await exported(service, items=["customer_code", "watchlisted"])
    assert [(str(each.export_id), each.recipient, dict(each.items)) for each in used] == [
        (found["id"], "staff/department_manager", {"watchlisted": "secret"})
    ]
    assert (await table(service, found))[1][1:] == ["X-1", True]


@pytest.mark.req("R2.4")
async def test_the_manifest_is_told_before_a_byte_leaves_and_each_fetch_too(
    service: RunningCustomer, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = await service.register(customer_code="X-1")
    monkeypatch.setattr(
        "services.customer.exchange.grants.Unmarked.name", lambda _self, _id, recipient: f"for {recipient}"
    )
    found = await exported(service, items=ITEMS, filters={"number": "X-1"}, format="csv")
    content = await fetched(service, found["id"])
    [(head, manifest), (_, fetch)] = await service.outbox("exchange.exported", "exchange.fetched")
    assert isinstance(manifest, Exported) and isinstance(fetch, ExportFetched)
    digest = hashlib.sha256(content).hexdigest()
    assert (head.subject, head.actor) == (f"export/{found['id']}", "staff/department_manager")
    assert (manifest.sha256, fetch.sha256, found["sha256"]) == (digest, digest, digest)
    assert manifest.customers_sha256 == hashlib.sha256(f"{file['id']} 1\n".encode()).hexdigest()
    assert (manifest.rows, manifest.filters, manifest.items) == (1, {"number": "X-1"}, tuple(ITEMS))
    assert (manifest.level, manifest.personal, manifest.purpose) == ("confidential", True, "management")
    assert (manifest.mark, fetch.times) == ("for staff/department_manager", 1)
    assert content.decode("utf-8-sig").count("X-1") == 1


async def test_a_copy_bears_the_mark_of_its_recipient(
    service: RunningCustomer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def marked(_self: object, _id: UUID, recipient: str, rows: list[dict[str, object]]) -> list[dict[str, object]]:
        return [*rows, {"customer_code": f"canary of {recipient}"}]

    monkeypatch.setattr("services.customer.exchange.grants.Unmarked.marked", marked)
    await service.register(customer_code="X-1")
    rows = await table(service, await exported(service, items=ITEMS))
    assert [row[1] for row in rows[1:]] == ["X-1", "canary of staff/department_manager"]


async def test_only_who_asked_fetches_the_file_and_only_after_a_recent_sign_in(service: RunningCustomer) -> None:
    await service.register(customer_code="X-1")
    found = await exported(service, items=ITEMS)
    path = f"/v1/exports/{found['id']}/file"
    other = await service.http.get(path, headers=service.as_("department_manager", name="somebody-else"))
    assert (other.status_code, other.json()["code"]) == (404, "not_found")
    old = service.as_("department_manager", auth_time=int(time.time()) - 3600)
    late = await service.http.get(path, headers=old)
    assert (late.status_code, late.json()["code"]) == (401, "sign_in_too_old")
    moved = await service.http.get(path, headers=service.as_("department_manager", OTHER_UNIT))
    assert (moved.status_code, moved.json()["code"]) == (403, "authority_changed")
    for role in ("customer_manager", "auditor"):
        assert (await ask(service, role)).status_code == 403


async def test_requests_that_cannot_be_are_refused_with_all_faults(service: RunningCustomer) -> None:
    refused = await ask(service, items=["nothing", "shop_photo", "shop_name", "shop_name"])
    assert (refused.status_code, refused.json()["code"]) == (422, "bad_export")
    assert [each["pointer"] for each in refused.json()["errors"]] == ["/items/0", "/items/1", "/items/3"]
    assert (await ask(service, filters={"colour": "red"})).status_code == 422
    waiting = [await ask(service, items=ITEMS) for _ in range(4)]
    assert [each.status_code for each in waiting] == [202, 202, 202, 429]
    early = await service.get(f"/v1/exports/{waiting[0].json()['id']}/file")
    assert (early.status_code, early.json()["code"]) == (409, "wrong_state")


async def test_more_rows_than_may_be_are_refused_and_leave_nothing(small: RunningCustomer) -> None:
    for number in ("X-1", "X-2", "X-3"):
        await small.register(customer_code=number)
    found = await exported(small, items=ITEMS)
    assert (found["state"], found["reason"], found["kept"]) == ("refused", "too_many_rows", False)
    async with small.database.reading() as tx:
        assert (
            await tx.fetchval("SELECT (SELECT count(*) FROM exchange_part) + (SELECT count(*) FROM export_customer)")
            == 0
        )
    assert (await exported(small, items=ITEMS, format="csv"))["rows"] == 3


@pytest.mark.req("R15.1")
async def test_files_are_sealed_end_with_their_term_and_with_an_erased_customer(service: RunningCustomer) -> None:
    file = await service.register(customer_code="X-1", address="秘密路 9 号")
    one = await exported(service, items=[*ITEMS, "address"], format="csv")
    async with service.database.reading() as tx:
        assert "秘密路".encode() not in await tx.fetchval("SELECT sealed FROM exchange_part")
    headers = service.as_("security_officer")
    body = {"reason": "asked for it"}
    answer = await service.http.request("DELETE", f"/v1/customers/{file['id']}/key", json=body, headers=headers)
    assert answer.status_code == 204, answer.text
    gone = await service.get(f"/v1/exports/{one['id']}/file")
    assert (gone.status_code, gone.json()["code"]) == (409, "exchange_over")
    await service.register(customer_code="X-2")
    two = await exported(service, items=ITEMS)
    assert two["rows"] == 1
    async with service.database.reading() as tx:
        await tx.execute("UPDATE export_job SET kept_until = now()")
    assert await work(service, name="exports_over") == 1
    async with service.database.reading() as tx:
        assert await tx.fetchval("SELECT count(*) FROM exchange_part") == 0
    assert (await service.get(f"/v1/exports/{two['id']}")).json()["kept"] is False


async def test_an_export_stands_on_the_customers_timeline(service: RunningCustomer) -> None:
    file = await service.register(customer_code="X-1")
    found = await exported(service, items=ITEMS)
    async with service.database.reading() as tx:
        rows = await tx.fetch("SELECT export_id, version FROM export_customer WHERE customer_id = $1", UUID(file["id"]))
    assert [(str(row["export_id"]), row["version"]) for row in rows] == [(found["id"], 1)]


@pytest.mark.slow
async def test_a_worker_that_dies_over_an_export_leaves_nothing_and_the_next_one_makes_it(
    dsn: str, served: customer.Served
) -> None:
    async with served() as service:
        await imported(service, sheet(*(line(f"X-{number}") for number in range(3))))
        sent = (await ask(service, items=ITEMS)).json()
        died = await asyncio.to_thread(work_elsewhere, service, dsn, "job.before_commit", "exports_due")
        assert died == -signal.SIGKILL
        async with service.database.reading() as tx:
            assert await tx.fetchval("SELECT count(*) FROM exchange_part WHERE owner = $1", UUID(sent["id"])) == 0
        assert await asyncio.to_thread(work_elsewhere, service, dsn, "", "exports_due") == 0
        found = (await service.get(f"/v1/exports/{sent['id']}")).json()
        assert (found["state"], found["rows"]) == ("ready", 3)
        assert len(await service.outbox("exchange.exported")) == 1
