"""The live stream: every entry once, in order, resumed exactly; a reader's authority is looked at again."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

import httpx
import pytest

from services.audit.stream import frames as live
from services.audit.stream import tail as tail_module
from services.audit.stream.rules import StoredEntry
from services.audit.stream.tail import Tail
from shared.auth import Principal
from shared.db import Database
from shared.errors import Forbidden
from tests.factories.audit import (
    ORIGIN,
    RunningAudit,
    append,
    change,
    changed,
    changes,
    events_of,
    stored,
    values_of,
)
from tests.factories.audit import reader as opener
from tests.fakes.values_owner import ValuesOwner


def stream(
    service: RunningAudit, last: int | str | None = None, **query: Any
) -> AbstractAsyncContextManager[httpx.Response]:
    headers = service.as_("auditor") | ({} if last is None else {"Last-Event-ID": str(last)})
    return service.http.stream("GET", "/v1/stream", params=query, headers=headers)


@pytest.mark.req("R0.4")
async def test_a_new_entry_appears_in_an_open_stream(service: RunningAudit) -> None:
    await append(service.database, *changes(3))
    async with stream(service) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        await append(service.database, change("new", 2), change("new", 3))
        events = await events_of(response, 2)
    assert [(each["id"], each["event"], each["data"]["subject"]) for each in events] == [
        ("3", "entry", "customer/new"),
        ("4", "entry", "customer/new"),
    ]


@pytest.mark.req("R0.4")
async def test_a_stream_goes_on_exactly_behind_the_last_event_seen(service: RunningAudit) -> None:
    await append(service.database, *changes(500))
    async with stream(service, last=41) as response:
        first = await events_of(response, 300)
        seen = [int(each["id"]) for each in first]
    await append(service.database, *changes(40, prefix="later"))
    async with stream(service, last=seen[-1]) as response:
        seen += [int(each["id"]) for each in await events_of(response, 540 - 1 - seen[-1])]
    assert seen == list(range(42, 540))


@pytest.mark.req("R0.4")
async def test_a_filtered_stream_shows_what_fits_and_nothing_twice(service: RunningAudit) -> None:
    await append(service.database, *changes(450, customers=3))
    async with stream(service, last=0, subject="customer/c1", type="customer.changed") as response:
        await append(service.database, change("c0", 900), change("c1", 900))
        events = await events_of(response, 151)
    assert [int(each["id"]) for each in events] == [*range(1, 450, 3), 451]


@pytest.mark.parametrize("last", ["x", "-1", "3", "999999999999999999999", "1_0", "１"])
async def test_a_place_that_the_stream_never_had_is_refused(service: RunningAudit, last: str) -> None:
    await append(service.database, *changes(3))
    headers = {**service.as_("auditor"), "Last-Event-ID": last.encode()}
    answer = await service.http.get("/v1/stream", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_event_id")


async def many(*batches: Sequence[StoredEntry]) -> AsyncIterator[Sequence[StoredEntry]]:
    for batch in batches:
        yield batch


def principal() -> Principal:
    return Principal("a", "staff/a", "u", (), {}, 0.0, "token")


async def test_a_heartbeat_has_no_id(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "HEARTBEAT_S", 0.0)

    async def reader() -> Principal:
        return principal()

    values = values_of("http://127.0.0.1:9")
    seen = [frame async for frame in live.frames(many([], []), reader, values, opened=False)]
    assert seen == [b"retry: 2000\n\n", b": alive\n\n", b": alive\n\n"]
    await values.close()


@pytest.mark.req("R2.2")
@pytest.mark.parametrize("batch", [[], [stored(changed())]], ids=["silent", "busy"])
async def test_a_batch_is_for_nobody_whose_role_was_taken_away_before_it(batch: Sequence[StoredEntry]) -> None:
    answers = [principal()]

    async def reader() -> Principal:
        if not answers:
            raise Forbidden("not_allowed")
        return answers.pop()

    values = values_of("http://127.0.0.1:9")
    seen = [frame async for frame in live.frames(many([], batch), reader, values, opened=False)]
    assert seen == [b"retry: 2000\n\n", b'event: closed\ndata: {"code":"not_allowed"}\n\n']
    await values.close()


@pytest.mark.req("R2.2")
async def test_values_that_were_opened_meanwhile_are_not_shown_under_authority_that_is_gone() -> None:
    batch = [stored(changed())]
    moments = [opener(), principal(), principal()]

    async def reader() -> Principal:
        return moments.pop(0)

    with ValuesOwner() as owner:
        owner.values = {batch[0].event_id: {"contact_phone": {"before": "1", "after": "2"}}}
        values = values_of(owner.url)
        seen = [frame async for frame in live.frames(many(batch), reader, values, opened=True)]
        await values.close()
    assert len(owner.asked) == 1
    [_, entry] = seen
    assert b"event: entry" in entry
    assert b'"values"' not in entry


@pytest.mark.timed
@pytest.mark.req("R2.2")
@pytest.mark.parametrize("writes", [False, True], ids=["silent", "busy"])
async def test_an_open_stream_ends_within_two_seconds_of_the_end_of_its_readers_role(
    service: RunningAudit, writes: bool
) -> None:
    service.stand("auditor", "auditor")
    async with stream(service) as response:
        service.stand("auditor", version=2)
        if writes:
            await append(service.database, change())
        async with asyncio.timeout(2):
            text = await response.aread()
    assert text.startswith(b"retry: 2000\n\nevent: closed\n")


async def test_the_tail_is_woken_by_the_writer(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tail_module, "_POLL_S", 60.0)
    tail = Tail(database, ORIGIN)
    await append(database, change("c1", 2))
    assert await tail.beyond(0, 5) == 1
    waiting = asyncio.create_task(tail.beyond(1, 5))
    await append(database, change("c1", 3))
    assert await waiting == 2
    assert await tail.beyond(2, 0.05) == 2, "nothing came"
    await tail.close()


async def test_the_tail_survives_a_lost_notification_and_a_lost_connection(database: Database) -> None:
    tail = Tail(database, ORIGIN)
    await append(database, change("c1", 2))
    assert await tail.beyond(0, 5) == 1
    async with database.transaction() as tx:
        await tx.execute("UPDATE head SET size = 3, peaks = peaks || peaks")
    assert await tail.beyond(1, 5) == 3, "a silent growth is seen by asking"
    async with database.reading() as tx:
        killed = await tx.fetchval(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        await tx.execute("UPDATE head SET size = 5")
    assert killed >= 1
    assert await tail.beyond(3, 5) == 5
    await tail.close()
