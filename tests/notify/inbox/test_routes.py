"""Whose inbox it is, in which order, what is unread, and what is withheld."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import httpx
import pytest

from services.notify.inbox import service as inbox
from services.notify.settings import NotifySettings
from shared.clock import now
from shared.db import Database
from shared.events import AccessRefused
from shared.ids import new_id
from tests.factories.notify import outbox, serving, settings_of
from tests.fakes.issuer import Issuer

TEXT = {"zh": "文", "en": "Text"}


@pytest.fixture
def settings(notify_dsn: str, issuer: Issuer) -> NotifySettings:
    """No bus is read here, so that none is made."""
    return settings_of(notify_dsn, notify_dsn, issuer.url)


@pytest.fixture
async def http(settings: NotifySettings) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(settings) as client:
        yield client


@pytest.fixture
async def database(settings: NotifySettings) -> AsyncIterator[Database]:
    database = Database(settings.database_url.get_secret_value())
    await database.start()
    yield database
    await database.close()


@pytest.fixture
def manager(issuer: Issuer) -> dict[str, str]:
    return issuer.bearer("manager1", ["customer_manager"], "north")


async def put(database: Database, *recipients: str, secrecy: str = "internal", unit: str | None = "north") -> list[str]:
    """One entry for each recipient, about a grade in a unit, in this order; their ids."""
    rows: list[dict[str, Any]] = [
        {
            "id": new_id(),
            "recipient": recipient,
            "about": "customer/c-1",
            "event_type": "customer.grade_changed",
            "shown_by": "customer.grade.read",
            "unit": unit,
            "manager": "manager1",
            "secrecy": secrecy,
            "subject": TEXT,
            "body": TEXT,
            "template": {"id": "company/message/test", "version": "2025-01-01", "hash": "0"},
            "delivered_at": now(),
        }
        for recipient in recipients
    ]
    async with database.transaction() as tx:
        await inbox.put(tx, rows)
        await inbox.put(tx, rows[:1])  # what is delivered twice stands there once
    return [str(row["id"]) for row in rows]


async def ids(http: httpx.AsyncClient, headers: dict[str, str], **query: Any) -> list[str]:
    answer = await http.get("/v1/inbox", params=query, headers=headers)
    assert answer.status_code == 200, answer.text
    return [entry["id"] for entry in answer.json()["items"]]


@pytest.mark.req("R0.3")
async def test_the_own_inbox_and_the_units_are_shown_newest_first(
    http: httpx.AsyncClient, database: Database, manager: dict[str, str]
) -> None:
    mine = await put(database, "staff/manager1", "unit/north", "staff/manager2", "unit/south", "staff/manager1")
    assert await ids(http, manager) == [mine[4], mine[1], mine[0]]


async def test_an_administrator_does_not_see_other_peoples_inboxes(
    http: httpx.AsyncClient, database: Database, issuer: Issuer
) -> None:
    await put(database, "staff/manager1", "unit/north")
    assert await ids(http, issuer.bearer("admin", ["admin"], "hq", ["hq", "north"])) == []


async def test_an_entry_tells_all_that_a_reader_needs(
    http: httpx.AsyncClient, database: Database, manager: dict[str, str]
) -> None:
    [entry_id] = await put(database, "staff/manager1")
    [entry] = (await http.get("/v1/inbox", headers=manager)).json()["items"]
    assert entry.pop("delivered_at")
    assert entry == {
        "id": entry_id,
        "recipient": "staff/manager1",
        "about": "customer/c-1",
        "event_type": "customer.grade_changed",
        "secrecy": "internal",
        "withheld": False,
        "subject": TEXT,
        "body": TEXT,
        "template": {"id": "company/message/test", "version": "2025-01-01", "hash": "0"},
        "read_at": None,
    }


@pytest.mark.req("R2.4")
async def test_text_above_the_readers_clearance_is_withheld(
    http: httpx.AsyncClient, database: Database, manager: dict[str, str], issuer: Issuer
) -> None:
    await put(database, "unit/north", secrecy="secret")
    [entry] = (await http.get("/v1/inbox", headers=manager)).json()["items"]
    assert (entry["withheld"], entry["subject"], entry["body"]) == (True, None, None)
    cleared = issuer.bearer("head", ["department_manager"], "north")
    [entry] = (await http.get("/v1/inbox", headers=cleared)).json()["items"]
    assert (entry["withheld"], entry["subject"]) == (False, TEXT)


@pytest.mark.req("R2.2")
@pytest.mark.parametrize("role", ["report_entry", "auditor", "security_officer", "admin"])
async def test_who_shares_an_inbox_sees_only_of_what_their_roles_show(
    http: httpx.AsyncClient, database: Database, issuer: Issuer, role: str
) -> None:
    await put(database, "unit/north")
    [entry] = (await http.get("/v1/inbox", headers=issuer.bearer("somebody", [role], "north"))).json()["items"]
    assert (entry["about"], entry["withheld"], entry["subject"], entry["body"]) == ("customer/c-1", True, None, None)


@pytest.mark.req("R5.7")
async def test_who_was_transferred_does_not_go_on_reading_of_the_former_units_customers(
    http: httpx.AsyncClient, database: Database, manager: dict[str, str], issuer: Issuer
) -> None:
    await put(database, "staff/manager1")
    [entry] = (await http.get("/v1/inbox", headers=manager)).json()["items"]
    assert (entry["withheld"], entry["subject"], entry["body"]) == (False, TEXT, TEXT)
    elsewhere = issuer.bearer("manager1", ["customer_manager"], "south")
    [entry] = (await http.get("/v1/inbox", headers=elsewhere)).json()["items"]
    assert (entry["withheld"], entry["subject"], entry["body"]) == (True, None, None)


async def test_what_belongs_to_no_unit_is_told_only_to_whose_reach_is_everywhere(
    http: httpx.AsyncClient, database: Database, manager: dict[str, str], issuer: Issuer
) -> None:
    await put(database, "staff/manager1", "unit/north", unit=None)
    assert all(entry["withheld"] for entry in (await http.get("/v1/inbox", headers=manager)).json()["items"])
    leader = issuer.bearer("leader", ["responsible_leader"], "north")
    [entry] = (await http.get("/v1/inbox", headers=leader)).json()["items"]
    assert (entry["withheld"], entry["subject"]) == (False, TEXT)


async def test_pages_follow_one_another_without_gap_or_overlap(
    http: httpx.AsyncClient, database: Database, manager: dict[str, str]
) -> None:
    put_in = await put(database, *["staff/manager1", "unit/north", "staff/other"] * 7)
    expected = [each for position, each in enumerate(put_in) if position % 3 != 2][::-1]
    seen: list[str] = []
    cursor = None
    for _ in range(10):
        query = {"limit": 4} | ({"cursor": cursor} if cursor else {})
        page = (await http.get("/v1/inbox", params=query, headers=manager)).json()
        assert len(page["items"]) <= 4
        seen += [entry["id"] for entry in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == expected


async def test_reading_is_noted_once_and_for_each_reader(
    http: httpx.AsyncClient, database: Database, manager: dict[str, str], issuer: Issuer
) -> None:
    [shared_entry, own] = await put(database, "unit/north", "staff/manager1")
    assert (await http.post(f"/v1/inbox/{shared_entry}/read", headers=manager)).status_code == 204
    [_, first] = (await http.get("/v1/inbox", headers=manager)).json()["items"]
    assert first["read_at"]
    assert (await http.post(f"/v1/inbox/{shared_entry}/read", headers=manager)).status_code == 204
    [_, again] = (await http.get("/v1/inbox", headers=manager)).json()["items"]
    assert again["read_at"] == first["read_at"]
    assert await ids(http, manager, unread=True) == [own]
    colleague = issuer.bearer("manager3", ["customer_manager"], "north")
    assert await ids(http, colleague, unread=True) == [shared_entry]


@pytest.mark.req("R2.2")
async def test_somebody_elses_message_looks_like_none_and_the_try_is_recorded(
    http: httpx.AsyncClient, database: Database, manager: dict[str, str]
) -> None:
    [theirs] = await put(database, "staff/manager2")
    hidden = await http.post(f"/v1/inbox/{theirs}/read", headers=manager)
    absent = new_id()
    none = await http.post(f"/v1/inbox/{absent}/read", headers=manager)
    assert (hidden.status_code, none.status_code) == (404, 404)
    assert {key: value for key, value in hidden.json().items() if key != "instance"} == {
        key: value for key, value in none.json().items() if key != "instance"
    }
    told = {"action": "inbox.read", "code": "not_found", "method": "POST", "route": "/v1/inbox/{entry_id}/read"}
    assert [event for _, event in await outbox(database)] == [
        AccessRefused(**told, record=str(each)) for each in (theirs, absent)
    ]
    async with database.reading() as tx:
        assert await tx.fetchval("SELECT count(*) FROM inbox_reading") == 0


async def test_who_may_not_read_an_inbox_is_refused(http: httpx.AsyncClient, issuer: Issuer) -> None:
    partner = issuer.bearer("partner1", ["partner_reporter"], client_id="partner1")
    for method, path in (("GET", "/v1/inbox"), ("POST", f"/v1/inbox/{new_id()}/read")):
        assert (await http.request(method, path)).status_code == 401
        assert (await http.request(method, path, headers=partner)).status_code == 403


async def test_bad_input_is_named(http: httpx.AsyncClient, manager: dict[str, str]) -> None:
    for query in (
        {"cursor": "x"},
        {"cursor": "WyJ4Il0"},
        {"cursor": "é"},
        {"limit": 0},
        {"limit": 201},
        {"unread": "so"},
    ):
        answer = await http.get("/v1/inbox", params=query, headers=manager)
        assert answer.status_code == 422, query
        assert answer.json()["errors"][0]["pointer"] == f"query:{next(iter(query))}"
    assert (await http.post("/v1/inbox/not-an-id/read", headers=manager)).status_code == 422


async def test_an_idempotency_key_repeats_the_answer(
    http: httpx.AsyncClient, database: Database, manager: dict[str, str]
) -> None:
    [entry] = await put(database, "staff/manager1")
    headers = {**manager, "Idempotency-Key": str(UUID(int=7))}
    first = await http.post(f"/v1/inbox/{entry}/read", headers=headers)
    second = await http.post(f"/v1/inbox/{entry}/read", headers=headers)
    assert (first.status_code, second.status_code) == (204, 204)
    assert second.headers["idempotency-replayed"] == "true"
