"""A grade change reaches whom it concerns exactly once, whatever happens on the way."""

import asyncio
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from services.notify.app import compose
from services.notify.settings import NotifySettings
from shared.bus import connect
from shared.clock import now
from shared.db import Database
from shared.events import CustomerRegistered, MessageDelivered
from shared.ids import new_id
from tests.factories.events import delivery
from tests.factories.notify import (
    POLICY,
    REGIMES,
    Bus,
    count,
    envelope_of,
    eventually,
    grade_changed,
    outbox,
    settings_of,
    working,
)

REGISTERED = """
id: registered
title: {zh: 客户建档, en: Customer registered}
requirement: R1.3
effective_from: 2025-01-01
owner: admin
event: customer.registered
audience: responsible_unit
shown_by: customer.read
secrecy: internal
slots:
  customer: {label: {zh: 客户, en: Customer}, path: data.customer_id}
subject: {zh: "{customer}已建档", en: "{customer} was registered"}
body: {zh: "{customer}已建档", en: "{customer} was registered"}
examples:
  - event: {data: {customer_id: c-1}}
    subject: {zh: c-1已建档, en: c-1 was registered}
    body: {zh: c-1已建档, en: c-1 was registered}
"""


async def delivered(database: Database, number: int) -> None:
    async def stands() -> bool:
        return await count(database, "inbox_entry") >= number

    await eventually(stands)


@pytest.mark.req("R0.3")
async def test_the_manager_is_told_of_a_grade_change(settings: NotifySettings, bus: Bus) -> None:
    event = grade_changed()
    async with working(settings) as parts:
        await bus.publish(event)
        await delivered(parts.database, 1)
        async with parts.database.reading() as tx:
            entry = await tx.fetchrow("SELECT * FROM inbox_entry")
            sent = await tx.fetchrow("SELECT * FROM delivery")
        assert entry is not None
        assert sent is not None
        assert (entry["recipient"], entry["about"]) == ("staff/manager1", f"customer/{event.customer_id}")
        assert entry["subject"] == {"zh": "客户等级变为A", "en": "The grade is now A"}
        assert event.customer_id in entry["body"]["zh"]
        assert (entry["shown_by"], entry["unit"], entry["manager"]) == ("customer.grade.read", "north", "manager1")
        assert entry["template"]["id"] == "company/message/grade-changed"
        assert len(entry["template"]["hash"]) == 64
        assert (sent["state"], sent["delivered_at"]) == ("delivered", entry["delivered_at"])
        [(envelope, published)] = await outbox(parts.database)
    assert isinstance(published, MessageDelivered)
    assert (published.recipient, published.channel) == ("staff/manager1", "inbox")
    assert envelope.subject == f"message/{sent['message_id']}"
    assert published.template.model_dump() == entry["template"]


@pytest.mark.req("R0.3")
async def test_an_event_that_comes_again_and_again_is_told_once(settings: NotifySettings, bus: Bus) -> None:
    event, event_id = grade_changed(), new_id()
    async with working(settings) as parts:
        for _ in range(3):
            await bus.publish(event, event_id=event_id)
            await asyncio.sleep(0.2)
        await bus.publish(grade_changed())
        await delivered(parts.database, 2)
        for table in ("message", "delivery", "inbox_entry", "outbox"):
            assert await count(parts.database, table) == 2


async def test_a_forgotten_event_id_still_does_not_double_a_message(settings: NotifySettings, bus: Bus) -> None:
    event, event_id = grade_changed(), new_id()
    async with working(settings) as parts:
        await bus.publish(event, event_id=event_id)
        await delivered(parts.database, 1)
        async with parts.database.transaction() as tx:
            await tx.execute("DELETE FROM consumed")
        await bus.publish(event, event_id=event_id)
        await bus.publish(grade_changed())
        await delivered(parts.database, 2)
        assert await count(parts.database, "message") == 2


async def race(settings: NotifySettings, bus: Bus) -> None:
    events = [grade_changed(manager=f"manager{number % 3}") for number in range(120)]
    async with working(settings) as first, working(settings):
        await asyncio.gather(*(bus.publish(*events[start::6]) for start in range(6)))
        await bus.publish(*events[:30])
        await delivered(first.database, 150)
        for table in ("message", "delivery", "inbox_entry", "outbox"):
            assert await count(first.database, table) == 150
        async with first.database.reading() as tx:
            assert await tx.fetchval("SELECT count(DISTINCT cause) FROM message") == 150
            assert await tx.fetchval("SELECT count(*) FROM delivery WHERE state = 'queued'") == 0


@pytest.mark.req("R0.3")
async def test_two_workers_deliver_each_message_once(settings: NotifySettings, bus: Bus) -> None:
    await race(settings, bus)


@pytest.mark.kafka
async def test_two_workers_deliver_each_message_once_over_kafka(settings: NotifySettings, kafka: str) -> None:
    prefix = f"t{new_id().hex}"
    over_kafka = settings.model_copy(
        update={"bus": "kafka", "bus_url": settings_of("x", kafka).bus_url, "topic_prefix": prefix}
    )
    transport = connect("kafka", kafka)
    await transport.start()
    try:
        await race(over_kafka, Bus(transport, f"{prefix}.customer"))
    finally:
        await transport.close()


async def test_two_jobs_at_once_deliver_a_message_once(settings: NotifySettings) -> None:
    first, second = compose(settings), compose(settings)
    for parts in (first, second):
        await parts.database.start()
    event = grade_changed()
    async with first.database.transaction() as tx:
        await first.consumers[0].handle(tx, [delivery(envelope_of(event), event)])
    done = await asyncio.gather(*(parts.jobs[0].once(parts.database) for parts in (first, second)))
    assert sum(done) == 1
    assert await count(first.database, "outbox") == 1
    for parts in (first, second):
        await parts.database.close()


async def test_nothing_is_delivered_before_its_time(settings: NotifySettings) -> None:
    parts = compose(settings)
    await parts.database.start()
    async with parts.database.transaction() as tx:
        event = grade_changed()
        await parts.consumers[0].handle(tx, [delivery(envelope_of(event), event)])
        await tx.execute("UPDATE delivery SET not_before = $1", now() + timedelta(hours=1))
        assert await parts.jobs[0].due(tx, now()) == 0
        assert await parts.jobs[0].due(tx, now() + timedelta(hours=2)) == 1
        assert await parts.jobs[0].due(tx, now() + timedelta(hours=2)) == 0
    await parts.database.close()


async def test_without_a_manager_the_unit_is_told(settings: NotifySettings, bus: Bus) -> None:
    async with working(settings) as parts:
        await bus.publish(grade_changed(manager=None))
        await delivered(parts.database, 1)
        async with parts.database.reading() as tx:
            assert await tx.fetchval("SELECT recipient FROM inbox_entry") == "unit/north"


async def test_an_event_that_names_nobody_is_parked_and_the_next_one_goes_on(
    settings: NotifySettings, bus: Bus
) -> None:
    async with working(settings) as parts:
        await bus.publish(grade_changed(manager=None, unit=""), grade_changed())
        await delivered(parts.database, 1)
        async with parts.database.reading() as tx:
            parked = await tx.fetch("SELECT type, error FROM dead_letter")
        assert [tuple(row) for row in parked] == [("customer.grade_changed", "Unfillable")]


async def test_the_wording_is_that_of_the_events_day(settings: NotifySettings, bus: Bus, tmp_path: Path) -> None:
    regimes = shutil.copytree(REGIMES, tmp_path / "regimes")
    folder = regimes / "company" / "message"
    newer = yaml.safe_load((folder / "grade-changed.yaml").read_text("utf-8"))
    newer |= {"effective_from": "2026-12-01", "subject": {"zh": "新：{grade}", "en": "New: {grade}"}}
    (folder / "grade-changed.2026-12-01.yaml").write_text(yaml.safe_dump(newer, allow_unicode=True), "utf-8")
    async with working(settings.model_copy(update={"regimes_path": regimes})) as parts:
        # 16:30 UTC is the next day in China.
        await bus.publish(grade_changed(), at=datetime(2026, 11, 30, 15, 30, tzinfo=UTC))
        await bus.publish(grade_changed(), at=datetime(2026, 11, 30, 16, 30, tzinfo=UTC))
        await delivered(parts.database, 2)
        async with parts.database.reading() as tx:
            rows = await tx.fetch("SELECT subject, template FROM inbox_entry ORDER BY template->>'version'")
    assert [(row["subject"]["en"], row["template"]["version"]) for row in rows] == [
        ("The grade is now A", "2025-01-01"),
        ("New: A", "2026-12-01"),
    ]


@pytest.mark.req("R14.1")
async def test_a_new_message_needs_no_line_of_python(settings: NotifySettings, bus: Bus, tmp_path: Path) -> None:
    regimes = shutil.copytree(REGIMES, tmp_path / "regimes")
    (regimes / "company" / "message" / "registered.yaml").write_text(REGISTERED, "utf-8")
    event = CustomerRegistered(
        customer_id="c-9", kind="retail", unit="south", version=1, items=("shop_name",), sealed="", dictionary=POLICY
    )
    async with working(settings.model_copy(update={"regimes_path": regimes})) as parts:
        await bus.publish(event, grade_changed())
        await delivered(parts.database, 2)
        async with parts.database.reading() as tx:
            rows = await tx.fetch("SELECT recipient, subject FROM inbox_entry ORDER BY recipient")
    assert (rows[1]["recipient"], rows[1]["subject"]["zh"]) == ("unit/south", "c-9已建档")
