"""Imports: each row by the one path, a dry run first if asked, all that is wrong told, nothing stored twice."""

import io
from collections.abc import AsyncIterator

import pytest
from python_calamine import CalamineWorkbook

from shared.events import CustomerChanged, CustomerRegistered, ImportEnded, ImportReceived
from tests.customer.conftest import Issuer
from tests.factories import customer
from tests.factories.customer import OTHER_UNIT, UNIT, RunningCustomer, at_once
from tests.factories.exchange import another_worker, counts, faults, imported, line, outcome, seen, send, sheet, work
from tests.factories.workbooks import workbook

pytestmark = pytest.mark.req("R15.2")
APPLY = {"on_fault": "stop"}


@pytest.fixture
async def small(served: customer.Served) -> AsyncIterator[RunningCustomer]:
    """The service with steps of two rows, and a limit of six."""
    change = (
        "company/clock/exchange.yaml",
        "en: Rows that are checked or stored in one step}, count: 500",
        "en: S}, count: 2",
    )
    limit = ("company/clock/exchange.yaml", "en: Rows of one import}, count: 50000", "en: R}, count: 6")
    async with served(change, limit) as running:
        yield running


async def apply(service: RunningCustomer, import_id: str, on_fault: str = "stop") -> dict[str, object]:
    answer = await service.http.post(
        f"/v1/imports/{import_id}/apply", json={"on_fault": on_fault}, headers=service.as_("department_manager")
    )
    return await outcome(service, answer)


async def test_rows_of_a_csv_file_become_customers_each_with_one_event_and_its_history(
    service: RunningCustomer,
) -> None:
    found = await imported(service, sheet(line("X-1"), line("X-2", business_area="60", model_shop="是")))
    assert (found["state"], found["verdict"], counts(found)) == ("applied", "accepted", (2, 2, 0, 2, 0))
    events = await service.outbox("customer.registered")
    assert [(head.actor, event.unit, event.manager) for head, event in events] == [
        ("staff/department_manager", UNIT, None)
    ] * 2
    file = await service.file(str(events[1][1].customer_id))
    assert (file["version"], file["manager"], file["values"]["business_area"]["value"]) == (1, None, 60)
    assert file["values"]["model_shop"]["value"] is True
    history = await service.get(f"/v1/customers/{file['id']}/history")
    assert [(each["version"], each["actor"]) for each in history.json()["items"]] == [(1, "staff/department_manager")]
    others = [event for _, event in await service.outbox() if isinstance(event, ImportReceived | ImportEnded)]
    assert [type(event) for event in others] == [ImportReceived, ImportEnded]
    assert others[1].applied == 2


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030"])
async def test_encodings_are_told_apart(service: RunningCustomer, encoding: str) -> None:
    found = await imported(service, sheet(line("X-1", shop_name="平安便利店"), encoding=encoding))
    assert counts(found)[3] == 1
    [(_, event)] = await service.outbox("customer.registered")
    assert (await service.file(str(event.customer_id)))["name"] == "平安便利店"


async def test_a_workbook_with_labels_dates_and_numbers_is_as_good(service: RunningCustomer) -> None:
    content = workbook(
        ["客户代码", "Shop name", "address", "联系人 [contact_person] *", "contact_phone", "零售业态", "business_area"],
        ["X-1", "店", "路 1 号", "张示例", 13900000000.0, "便利店", 60.0],
    )
    found = await imported(service, content)
    assert (faults(found), counts(found)) == ([], (1, 1, 0, 1, 0))
    [(_, event)] = await service.outbox("customer.registered")
    shown = (await service.file(str(event.customer_id)))["values"]
    assert (shown["contact_phone"]["value"], shown["business_area"]["value"]) == ("13900000000", 60)
    assert shown["retail_format"]["value"] != "便利店"


async def test_a_dry_run_stores_nothing_until_it_is_applied(service: RunningCustomer) -> None:
    found = await imported(service, sheet(line("X-1")), dry_run="true")
    assert (found["state"], counts(found)) == ("checked", (1, 1, 0, 0, 0))
    assert await service.outbox("customer.registered") == []
    applied = await apply(service, found["id"])
    assert (applied["state"], counts(applied)) == ("applied", (1, 1, 0, 1, 0))
    assert (await apply(service, found["id"]))["applied"] == 1
    assert len(await service.outbox("customer.registered")) == 1


async def test_updates_change_what_differs_leave_blanks_alone_and_clear_by_the_marker(service: RunningCustomer) -> None:
    file = await service.register(customer_code="X-1", business_area=60, model_shop=True)
    rows = sheet({"customer_code": "X-1", "shop_name": "新名", "business_area": "", "model_shop": "【清空】"})
    found = await imported(service, rows, mode="update")
    assert counts(found) == (1, 1, 0, 1, 0)
    after = await service.file(file["id"])
    assert (after["version"], after["name"], after["values"]["business_area"]["value"]) == (2, "新名", 60)
    assert "model_shop" not in after["values"]
    [(head, event)] = await service.outbox("customer.changed")
    assert isinstance(event, CustomerChanged)
    assert (head.actor, set(event.items)) == ("staff/department_manager", {"shop_name", "model_shop"})
    again = await imported(service, rows, mode="update")
    assert counts(again) == (1, 1, 0, 0, 1)
    assert (await service.file(file["id"]))["version"] == 2


async def test_upsert_opens_and_changes_by_the_number(service: RunningCustomer) -> None:
    await service.register(customer_code="X-1")
    found = await imported(service, sheet(line("X-1", shop_name="改名"), line("X-2")), mode="upsert")
    assert counts(found) == (2, 2, 0, 2, 0)
    assert len(await service.outbox("customer.registered")) == 2
    assert len(await service.outbox("customer.changed")) == 1


async def test_all_that_is_wrong_is_told_row_by_row_and_nothing_is_stored(service: RunningCustomer) -> None:
    await service.register(customer_code="X-0")
    rows = sheet(
        line("X-1"),
        line("X-1"),
        line("X-0"),
        line(""),
        line("X-2", shop_name="=cmd|'/c calc'!A1"),
        line("X-3", business_area="1,234.5", valid_until="2026/1/2"),
        line("X-4", retail_format="nothing"),
        line("X-5", contact_person=""),
        line("X-6", violation_count="5"),
        line("X-7", unit=OTHER_UNIT),
    )
    found = await imported(service, rows)
    assert (found["state"], found["verdict"], counts(found)) == ("refused", "partly", (10, 1, 9, 0, 0))
    told = faults(found)
    assert [each for each in told if each[0] in (3, 4, 5, 6)] == [
        (3, "customer_code", "repeated_key"), (4, "customer_code", "number_taken"), (5, "customer_code", "key_missing"),
        (6, "shop_name", "formula"),
    ]  # fmt: skip
    assert {each for each in told if each[0] > 6} == {
        (7, "business_area", "wrong_type"), (7, "valid_until", "wrong_type"), (8, "retail_format", "not_in_list"),
        (9, "contact_person", "required"), (10, "violation_count", "system_item"),
        (11, "unit", "out_of_reach"),
    }  # fmt: skip
    assert len(await service.outbox("customer.registered")) == 1


async def test_the_good_rows_alone_are_stored_for_who_says_so(service: RunningCustomer) -> None:
    rows = sheet(line("X-1"), line("X-2", contact_phone="no"))
    found = await imported(service, rows, dry_run="true")
    assert (found["state"], found["verdict"]) == ("checked", "partly")
    refused = await service.http.post(
        f"/v1/imports/{found['id']}/apply", json=APPLY, headers=service.as_("department_manager")
    )
    assert (refused.status_code, refused.json()["code"]) == (409, "has_faults")
    applied = await apply(service, found["id"], "skip")
    assert (applied["state"], counts(applied)) == ("applied", (2, 1, 1, 1, 0))
    assert counts(await imported(service, sheet(line("X-3"), line("X-4", contact_phone="no")), on_fault="skip"))[3] == 1


async def test_who_may_not_register_may_not_by_a_file_either(service: RunningCustomer) -> None:
    await service.register(customer_code="X-1")
    refused = await send(service, sheet(line("X-2")), "customer_manager")
    assert (refused.status_code, refused.json()["code"]) == (403, "needs_approval")
    rows = sheet(line("X-1", shop_name="改名"), line("X-2"))
    found = await outcome(service, await send(service, rows, "customer_manager", mode="upsert"), "customer_manager")
    assert faults(found) == [(3, None, "needs_approval")]


async def test_items_above_clearance_and_customers_out_of_reach_are_refused(service: RunningCustomer) -> None:
    await service.register(customer_code="X-1")
    rows = sheet({"customer_code": "X-1", "watchlisted": "是"})
    found = await outcome(service, await send(service, rows, "customer_manager", mode="update"), "customer_manager")
    assert faults(found) == [(2, "watchlisted", "not_cleared")]
    headers = service.as_("customer_manager", OTHER_UNIT)
    form = {"kind": "retail", "mode": "update"}
    answer = await service.http.post("/v1/imports", data=form, files={"file": ("x", rows)}, headers=headers)
    await work(service)
    shown = (await service.http.get(f"/v1/imports/{answer.json()['id']}", headers=headers)).json()
    assert faults(shown) == [(2, "customer_code", "no_such_customer")]


async def test_an_import_is_its_senders_alone(service: RunningCustomer) -> None:
    sent = (await send(service, sheet(line("X-1")), dry_run="true")).json()
    await work(service)
    other = service.as_("department_manager", name="somebody-else")
    for method, path in (("GET", ""), ("GET", "/workbook"), ("GET", "/faults.csv"), ("POST", "/cancel")):
        answer = await service.http.request(method, f"/v1/imports/{sent['id']}{path}", headers=other)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert (await service.http.get("/v1/imports", headers=other)).json()["items"] == []
    assert [each["id"] for each in (await service.get("/v1/imports")).json()["items"]] == [sent["id"]]


async def test_a_change_since_the_check_is_merged_or_told_as_a_clash(service: RunningCustomer) -> None:
    one, two = await service.register(customer_code="X-1"), await service.register(customer_code="X-2")
    rows = sheet({"customer_code": "X-1", "shop_name": "甲"}, {"customer_code": "X-2", "shop_name": "乙"})
    found = await imported(service, rows, mode="update", dry_run="true")
    await service.patch(one["id"], 1, business_area=70)
    await service.patch(two["id"], 1, shop_name="丙")
    applied = await apply(service, found["id"])
    assert (counts(applied), faults(applied)) == ((2, 1, 1, 1, 0), [(3, "shop_name", "changed_meanwhile")])
    assert [(await service.file(each["id"]))["name"] for each in (one, two)] == ["甲", "丙"]
    assert (await service.file(one["id"]))["values"]["business_area"]["value"] == 70


async def test_a_number_that_is_taken_between_check_and_storing_is_told(service: RunningCustomer) -> None:
    found = await imported(service, sheet(line("X-1"), line("X-2")), dry_run="true")
    await service.register(customer_code="X-1")
    applied = await apply(service, found["id"])
    assert (counts(applied), faults(applied)) == ((2, 1, 1, 1, 0), [(2, "customer_code", "taken")])


async def test_steps_go_on_where_another_worker_stopped_and_nothing_comes_twice(small: RunningCustomer) -> None:
    sent = (await send(small, sheet(*(line(f"X-{number}") for number in range(5))))).json()
    await work(small, steps=1)
    assert counts(await seen(small, sent["id"]))[0] == 2
    await work(small, steps=3, parts=another_worker(small))
    assert counts(await seen(small, sent["id"])) == (5, 5, 0, 2, 0)
    await work(small, parts=another_worker(small))
    assert counts(await seen(small, sent["id"])) == (5, 5, 0, 5, 0)
    numbers = [event.customer_id for _, event in await small.outbox("customer.registered")]
    assert len(numbers) == len(set(numbers)) == 5


async def test_the_same_file_under_way_is_the_same_import_and_a_cancelled_one_goes_no_further(
    small: RunningCustomer,
) -> None:
    content = sheet(*(line(f"X-{number}") for number in range(5)))
    first, second = (await send(small, content)).json(), (await send(small, content)).json()
    assert first["id"] == second["id"]
    await work(small, steps=4)
    headers = small.as_("department_manager")
    cancelled = (await small.http.post(f"/v1/imports/{first['id']}/cancel", headers=headers)).json()
    assert (cancelled["state"], cancelled["applied"], cancelled["kept"]) == ("cancelled", 2, False)
    assert await work(small) == 0
    gone = await small.get(f"/v1/imports/{first['id']}/workbook")
    assert (gone.status_code, gone.json()["code"]) == (409, "exchange_over")
    assert (await send(small, content)).json()["id"] != first["id"]


async def test_two_workers_at_once_store_each_row_once(small: RunningCustomer) -> None:
    sent = (await send(small, sheet(*(line(f"X-{number}") for number in range(6))))).json()
    other = another_worker(small)
    while counts(await seen(small, sent["id"]))[3] < 6:
        await at_once(lambda: work(small, steps=1), lambda: work(small, steps=1, parts=other))  # type: ignore[arg-type]
    assert len(await small.outbox("customer.registered")) == 6


async def test_files_and_staged_rows_are_sealed_and_go_when_the_term_is_over(service: RunningCustomer) -> None:
    sent = (await send(service, sheet(line("X-1", address="秘密路 9 号")), dry_run="true")).json()
    await work(service)
    async with service.database.reading() as tx:
        parts = await tx.fetch("SELECT part, sealed FROM exchange_part")
        assert {row["part"] for row in parts} == {"file", "rows", "faults"}
        assert not any("秘密路".encode() in row["sealed"] for row in parts)
        await tx.execute("UPDATE import_job SET kept_until = now()")
    job = next(each for each in service.parts.jobs if each.name == "imports_over")
    assert await job.once(service.database) == 1
    async with service.database.reading() as tx:
        assert await tx.fetchval("SELECT count(*) FROM exchange_part") == 0
        assert await tx.fetchval("SELECT count(*) FROM import_job WHERE wrapped IS NOT NULL") == 0
    assert (await seen(service, sent["id"]))["kept"] is False


async def test_authority_that_changed_meanwhile_halts_an_import_until_its_sender_asks_again(
    dsn: str, issuer: Issuer, service: RunningCustomer
) -> None:
    sent = (await send(service, sheet(line("X-1")), dry_run="true")).json()
    await work(service)
    await service.http.post(f"/v1/imports/{sent['id']}/apply", json=APPLY, headers=service.as_("department_manager"))
    directory = customer.compose(customer.settings_of(dsn, issuer=issuer.url, authority="directory"))
    roster = directory.authenticator.roster
    roster.is_whole, roster.read_at = True, float("inf")
    await work(service, parts=directory)
    assert (await seen(service, sent["id"]))["state"] == "halted"
    assert await service.outbox("customer.registered") == []
    assert (await apply(service, sent["id"]))["state"] == "applied"


async def test_the_senders_own_workbook_comes_back_with_results(service: RunningCustomer) -> None:
    found = await imported(service, wrong_workbook())
    answer = await service.get(f"/v1/imports/{found['id']}/workbook")
    assert answer.status_code == 200, answer.text
    lines = CalamineWorkbook.from_filelike(io.BytesIO(answer.content)).get_sheet_by_index(0).to_python()
    assert lines[0][-1] == "结果 Result"
    assert lines[1][-1] == ""
    assert "not_in_list" not in lines[2][-1]
    assert "零售业态" in lines[2][-1]
    assert lines[2][:5] == ["X-2", "店", "路 1 号", "张示例", 13900000000.0]
    listed = (await service.get(f"/v1/imports/{found['id']}/faults.csv")).text
    assert "3,retail_format,not_in_list" in listed


def wrong_workbook() -> bytes:
    head = ["customer_code", "shop_name", "address", "contact_person", "contact_phone", "retail_format"]
    row = ["店", "路 1 号", "张示例", 13900000000.0]
    return workbook(head, ["X-1", *row, "convenience_store"], ["X-2", *row, "nothing"])


async def test_registered_events_are_those_of_single_registrations(service: RunningCustomer) -> None:
    await service.register(**line("X-1"))
    await imported(service, sheet(line("X-2")))
    (_, one), (_, two) = await service.outbox("customer.registered")
    assert isinstance(one, CustomerRegistered) and isinstance(two, CustomerRegistered)
    same = {"customer_id", "sealed"}
    assert one.model_dump(exclude=same) == two.model_dump(exclude=same)
