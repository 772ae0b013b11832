"""Reading entries over HTTP: pages, filters, values opened by their owner, refusals."""

from datetime import timedelta
from typing import Any

import pytest

from tests.factories import audit
from tests.factories.audit import AT, RunningAudit, append, change, changes, events_of, garbage
from tests.fakes.issuer import Issuer
from tests.fakes.values_owner import ValuesOwner


async def indexes(service: RunningAudit, **query: Any) -> list[int]:
    answer = await service.get("/v1/entries", **query)
    assert answer.status_code == 200, answer.text
    return [each["index"] for each in answer.json()["items"]]


@pytest.mark.req("R0.4")
async def test_an_entry_shows_who_did_what_when_and_which_items(service: RunningAudit) -> None:
    await append(service.database, change("c9", 4, actor="staff/manager1"), at=AT + timedelta(seconds=1))
    entry = (await service.get("/v1/entries")).json()["items"][0]
    assert {name: entry[name] for name in ("index", "type", "source", "subject", "sequence", "actor", "items")} == {
        "index": 0,
        "type": "customer.changed",
        "source": "/customer/file",
        "subject": "customer/c9",
        "sequence": 4,
        "actor": "staff/manager1",
        "items": ["contact_phone"],
    }
    assert (entry["occurred_at"], entry["received_at"]) == ("2026-11-24T08:00:00Z", "2026-11-24T08:00:01Z")
    assert len(entry["leaf_hash"]) == 64
    assert entry["data"]["customer_id"] == "c9"
    assert "sealed" not in entry["data"]
    assert (await service.get("/v1/entries/0")).json() == entry


@pytest.mark.req("R0.4")
async def test_pages_go_through_the_whole_log_in_both_directions(service: RunningAudit) -> None:
    await append(service.database, *changes(25))
    for order, expected in (("asc", list(range(25))), ("desc", list(range(24, -1, -1)))):
        seen: list[int] = []
        query: dict[str, Any] = {"limit": 10, "order": order}
        while True:
            page = (await service.get("/v1/entries", **query)).json()
            seen += [each["index"] for each in page["items"]]
            if page["next_cursor"] is None:
                break
            query["cursor"] = page["next_cursor"]
        assert seen == expected


@pytest.mark.req("R0.4")
async def test_filters_narrow_and_combine(service: RunningAudit) -> None:
    await append(
        service.database,
        change("c1", 2),
        change("c2", 2, actor="staff/other"),
        change("c1", 3, at=AT + timedelta(hours=1)),
        audit.raw_event("access.refused", {"action": "x"}),
    )
    assert await indexes(service, subject="customer/c1") == [0, 2]
    assert await indexes(service, actor="staff/other") == [1]
    assert await indexes(service, type="access.refused") == [3]
    assert await indexes(service, subject="customer/c1", actor="staff/other") == []
    later = (AT + timedelta(minutes=30)).isoformat()
    assert await indexes(service, **{"from": later}) == [2]
    assert await indexes(service, to=later) == [0, 1, 3]
    assert await indexes(service, **{"from": AT.isoformat(), "to": AT.isoformat()}) == []


async def test_of_a_message_that_was_no_event_only_its_place_is_shown(service: RunningAudit) -> None:
    await append(service.database, garbage(b"secret \xff", position=77))
    entry = (await service.get("/v1/entries/0")).json()
    assert entry["type"] == "undecodable"
    assert entry["data"] == {"topic": "kehu.customer", "partition": 0, "position": 77}


@pytest.mark.parametrize(
    "query",
    [{"cursor": "x"}, {"cursor": "WyJhIl0"}, {"limit": 0}, {"limit": 9999}, {"order": "up"}, {"from": "yesterday"},
     {"from": "2026-01-01T00:00:00"}, {"to": "9999-12-31T23:59:59-12:00"}, {"subject": ""}, {"subject": "x" * 600}],
)  # fmt: skip
async def test_a_question_that_cannot_be_read_is_refused_with_its_place(
    service: RunningAudit, query: dict[str, Any]
) -> None:
    answer = await service.get("/v1/entries", **query)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"].startswith("query:")


async def test_a_forged_cursor_finds_nothing_and_breaks_nothing(service: RunningAudit) -> None:
    await append(service.database, change())
    for forged in ("WzEwMDAwMDAwMDAwMDAwMDAwMDAwMF0", "Wy01XQ", "WzkyMjMzNzIwMzY4NTQ3NzU4MDdd"):
        for order in ("asc", "desc"):
            assert (await service.get("/v1/entries", cursor=forged, order=order)).status_code in (200, 422)


@pytest.mark.parametrize(("index", "status"), [("1", 404), ("-1", 422), ("x", 422), ("99999999999999999999", 422)])
async def test_an_entry_that_is_not_there_is_refused(service: RunningAudit, index: str, status: int) -> None:
    await append(service.database, change())
    assert (await service.get(f"/v1/entries/{index}")).status_code == status


@pytest.mark.req("R2.2")
@pytest.mark.parametrize("path", ["/v1/entries", "/v1/entries/0", "/v1/stream"])
async def test_entries_are_for_those_who_hold_the_action(service: RunningAudit, path: str) -> None:
    assert (await service.http.get(path)).status_code == 401
    refused = await service.get(path, role="customer_manager")
    assert (refused.status_code, refused.json()["code"]) == (403, "not_allowed")
    async with service.database.reading() as tx:
        assert await tx.fetchval("SELECT count(*) FROM outbox") == 1, "a refusal is a fact for the log itself"


@pytest.mark.req("R2.2")
@pytest.mark.parametrize("role", ["auditor", "security_officer"])
async def test_a_grade_is_for_those_who_may_see_grades_wherever_it_is_told(service: RunningAudit, role: str) -> None:
    event = audit.grade_changed()
    await append(service.database, audit.delivered(event, audit.envelope(event, sequence=2)))
    [told] = (await service.get("/v1/entries", "general_manager")).json()["items"]
    assert (told["data"]["before"], told["data"]["grade"], told["withheld"]) == (None, "B", [])
    [listed] = (await service.get("/v1/entries", role)).json()["items"]
    alone = (await service.get("/v1/entries/0", role)).json()
    headers = {**service.as_(role), "Last-Event-ID": "0"}
    async with service.http.stream("GET", "/v1/stream", headers=headers) as response:
        await append(service.database, audit.delivered(event, audit.envelope(event, sequence=3)))
        [live] = await events_of(response, 1)
    for entry in (listed, alone, live["data"]):
        assert sorted(entry["withheld"]) == ["before", "digest", "grade", "override"]
        assert entry["data"].keys() == {"customer_id", "unit", "manager", "policy", "customer_version"}
    assert told["leaf_hash"] == listed["leaf_hash"]


@pytest.mark.req("R2.2")
async def test_an_authorised_reader_sees_values_that_their_owner_opens(dsn: str, issuer: Issuer) -> None:
    with ValuesOwner() as owner:
        async with audit.running(dsn, issuer, owner.url) as service:
            events = [change("c1", 2), change("c2", 2), change("c3", 2)]
            await append(service.database, *events)
            ids = [dict(each.headers)["ce_id"].decode() for each in events]
            owner.values = {ids[0]: {"contact_phone": {"before": "1", "after": "2"}}, ids[1]: None}
            items = (await service.get("/v1/entries")).json()["items"]
            assert items[0]["data"]["values"] == {"contact_phone": {"before": "1", "after": "2"}}
            assert items[1]["data"]["values"] == "erased"
            assert "values" not in items[2]["data"]
            assert owner.asked[0]["subject"] == "customer/c1"
            assert owner.bearers[0].startswith("Bearer ")


async def test_values_are_not_asked_for_when_they_are_not_wanted(dsn: str, issuer: Issuer) -> None:
    with ValuesOwner() as owner:
        async with audit.running(dsn, issuer, owner.url) as service:
            await append(service.database, change())
            assert "values" not in (await service.get("/v1/entries", values="false")).json()["items"][0]["data"]
            assert owner.asked == []


@pytest.mark.parametrize("status", [401, 403])
async def test_a_reader_whom_the_owner_refuses_sees_item_codes_only(dsn: str, issuer: Issuer, status: int) -> None:
    with ValuesOwner(status=status) as owner:
        async with audit.running(dsn, issuer, owner.url) as service:
            await append(service.database, change())
            entry = (await service.get("/v1/entries/0")).json()
            assert entry["items"] == ["contact_phone"]
            assert "values" not in entry["data"]


@pytest.mark.parametrize("status", [500, 503])
async def test_values_are_unavailable_while_their_owner_is_away(dsn: str, issuer: Issuer, status: int) -> None:
    with ValuesOwner(status=status) as owner:
        async with audit.running(dsn, issuer, owner.url) as service:
            await append(service.database, change())
            for _ in range(2):
                entry = (await service.get("/v1/entries/0")).json()
                assert (entry["items"], entry["data"]["values"]) == (["contact_phone"], "unavailable")
            assert len(owner.asked) == 1, "after a failure the owner is left alone for a while"
