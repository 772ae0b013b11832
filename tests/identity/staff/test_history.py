"""What happened to people: sealed at rest, opened for those who may see it."""

import base64
import shutil
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from shared.events.directory import StaffEvent
from tests.factories.directory import Directory, problem, running_directory
from tests.factories.identity import KEK, REGIMES

FRESH = f"k2:{base64.b64encode(bytes(range(32))).decode()}"
LIN = {"name": "lin", "full_name": "林一（虚构）", "unit": "north-1", "first_day": "2026-01-05"}
HISTORIAN = """
id: historian
title: {zh: 档案人员, en: Historian}
requirement: R2.2
effective_from: 2025-01-01
owner: admin
units: all
clearance: secret
grants:
  - {resource: staff, actions: [history.read, values.open]}
examples:
  - {action: staff.history.read, allowed: true}
  - {action: line.read, allowed: false}
"""
pytestmark = [pytest.mark.req("R0.2"), pytest.mark.req("R15.1")]


async def sealed_events(directory: Directory, name: str) -> list[dict[str, Any]]:
    return [
        {"event_id": str(envelope.id), "subject": envelope.subject, "sealed": event.sealed}
        for envelope, event in await directory.events(f"staff/{name}")
        if isinstance(event, StaffEvent)
    ]


async def open_values(directory: Directory, who: dict[str, str], items: list[dict[str, Any]]) -> httpx.Response:
    return await directory.call(who | await directory.service(), "POST", "/v1/values/open", {"items": items})


async def renamed(directory: Directory) -> None:
    root = await directory.root()
    await directory.call(root, "POST", "/v1/staff", LIN)
    name = {"full_name": "林二（虚构）"}
    await directory.call(root, "PATCH", "/v1/staff/lin", name, **{"If-Match": '"1"'})


async def test_the_history_shows_before_and_after_newest_first(directory: Directory) -> None:
    await renamed(directory)
    first = (await directory.call(await directory.root(), "GET", "/v1/staff/lin/history?limit=1")).json()
    [entry] = first["items"]
    assert (entry["version"], entry["type"], entry["actor"]) == (2, "staff.changed", "staff/root")
    assert entry["items"] == [{"code": "full_name", "before": "林一（虚构）", "after": "林二（虚构）"}]
    path = f"/v1/staff/lin/history?cursor={first['next_cursor']}"
    rest = (await directory.call(await directory.root(), "GET", path)).json()
    assert [entry["version"] for entry in rest["items"]] == [1]
    assert [item["code"] for item in rest["items"][0]["items"]] == ["full_name", "first_day", "post"]


async def test_nothing_personal_stands_in_clear_in_history_or_outbox(directory: Directory) -> None:
    await renamed(directory)
    line = {"channel": "phone", "value": "13912345678", "holder": "lin"}
    await directory.call(await directory.root(), "POST", "/v1/lines", line)
    async with directory.identity.database.reading() as tx:
        rows = await tx.fetch("SELECT sealed FROM staff_event") + await tx.fetch("SELECT value AS sealed FROM outbox")
    for text in ("林一", "林二", "13912345678"):
        assert [row for row in rows if text.encode() in row["sealed"]] == []
        assert [row for row in rows if text.encode("unicode_escape") in row["sealed"]] == []


@pytest.mark.req("R2.2")
async def test_sealed_values_are_opened_within_reach_only(directory: Directory) -> None:
    await renamed(directory)
    items = [*await sealed_events(directory, "lin"), *await sealed_events(directory, "other")]
    guard, branch = await directory.guard(), await directory.branch()
    opened = (await open_values(directory, guard, items)).json()["items"]
    assert [each["state"] for each in opened] == ["open"] * 3
    assert opened[1]["values"] == {"full_name": {"before": "林一（虚构）", "after": "林二（虚构）"}}
    assert [each["event_id"] for each in (await open_values(directory, branch, items)).json()["items"]] == [
        each["event_id"] for each in items[:2]
    ]
    clerk = await directory.token("clerk", "customer_manager", "north-1")
    problem(await open_values(directory, clerk, items), 403, "not_allowed")
    problem(await open_values(directory, await directory.root(), items), 403, "not_allowed")


@pytest.mark.req("R7.1")
async def test_whose_a_number_was_is_told_to_no_reader_of_the_history_who_may_not_look_it_up(
    identity_dsn: str, tmp_path: Path
) -> None:
    shutil.copytree(REGIMES, tmp_path / "regimes")
    (tmp_path / "regimes" / "company" / "role" / "historian.yaml").write_text(HISTORIAN, encoding="utf-8")
    async with running_directory(identity_dsn, tmp_path) as directory:
        line = {"channel": "phone", "value": "13800000000", "holder": "clerk"}
        assert (await directory.call(await directory.root(), "POST", "/v1/lines", line)).status_code == 201
        facts = await sealed_events(directory, "clerk")
        historian = await directory.token("historian", "historian", "hq")
        for who, told in ((historian, False), (await directory.guard(), True)):
            read = await directory.call(who, "GET", "/v1/staff/clerk/history?limit=1")
            opened = (await open_values(directory, who, facts)).json()["items"]
            assert ("13800000000" in read.text, "13800000000" in str(opened)) == (told, told)
            [entry] = read.json()["items"]
            assert [item["code"] for item in entry["items"]] == ["line"]
            assert entry["withheld"] == opened[-1]["withheld"] == ([] if told else ["line"])
            assert set(opened[0]["values"]) == {"full_name", "first_day", "post", "role"}


async def test_bytes_that_were_moved_or_changed_are_not_opened(directory: Directory) -> None:
    await renamed(directory)
    first, second = await sealed_events(directory, "lin")
    harmed = [
        {**first, "sealed": second["sealed"]},
        {**first, "subject": "staff/clerk"},
        {**first, "event_id": str(uuid4())},
        {**first, "sealed": "no base64 at all"},
        {**first, "sealed": ""},
        {**first, "subject": "customer/lin"},
        {**first, "subject": "staff/nobody"},
    ]
    opened = (await open_values(directory, await directory.guard(), harmed)).json()["items"]
    assert [(each["state"], each["values"]) for each in opened] == [("unopenable", {})] * 5
    problem(await open_values(directory, await directory.guard(), [{**first, "key": "x"}]), 422, "invalid_request")


async def test_the_history_is_append_only(directory: Directory) -> None:
    for table in ("staff_event", "unit_event"):
        for statement in (f"UPDATE {table} SET actor = 'x'", f"DELETE FROM {table}"):
            with pytest.raises(Exception, match="append-only"):
                async with directory.identity.database.transaction() as tx:
                    await tx.execute(statement)


async def test_keys_are_wrapped_anew_after_the_key_ring_changed(identity_dsn: str, tmp_path: Path) -> None:
    async with running_directory(identity_dsn, tmp_path) as directory:
        await renamed(directory)
    async with running_directory(identity_dsn, tmp_path, kek=f"{FRESH},{KEK}") as directory:
        (job,) = (each for each in directory.identity.parts.jobs if each.name == "rewrap-staff-keys")
        assert await job.once(directory.identity.database) == 7
        assert await job.once(directory.identity.database) == 0
        history = (await directory.call(await directory.root(), "GET", "/v1/staff/lin/history")).json()
        assert history["items"][0]["items"][0]["after"] == "林二（虚构）"
        async with directory.identity.database.reading() as tx:
            assert await tx.fetchval("SELECT count(*) FROM staff_key WHERE kek <> 'k2'") == 0


async def test_only_services_of_the_suite_ask_for_sealed_values(directory: Directory) -> None:
    await renamed(directory)
    body = {"items": await sealed_events(directory, "lin")}
    guard = await directory.guard()
    problem(await directory.call(guard, "POST", "/v1/values/open", body), 403, "peers_only")
    twice = guard | {"Service-Authorization": guard["Authorization"]}
    problem(await directory.call(twice, "POST", "/v1/values/open", body), 403, "peers_only")
