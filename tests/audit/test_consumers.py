"""From the bus into the log: every event once, in order per subject, through redelivery and garbage, by two members."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from pydantic import SecretStr

from services.audit import consumers
from services.audit.app import compose
from services.audit.log.verify import verify
from services.audit.settings import AuditSettings
from shared.bus import Delivery, Message
from shared.db import Database
from shared.events import PRODUCERS
from shared.process import Parts
from tests.conftest import FreshDatabase
from tests.factories import audit
from tests.factories.audit import changes, garbage


@pytest.fixture(params=["postgres", pytest.param("kafka", marks=pytest.mark.kafka)])
def settings(request: pytest.FixtureRequest, dsn: str, fresh_database: FreshDatabase) -> AuditSettings:
    url = request.getfixturevalue("kafka") if request.param == "kafka" else fresh_database("bus")
    prefix = f"t{abs(hash(dsn)) % 10**8}"
    return audit.settings_of(dsn).model_copy(
        update={"bus": request.param, "bus_url": SecretStr(url), "topic_prefix": prefix, "append_batch": 50}
    )


@asynccontextmanager
async def started(settings: AuditSettings) -> AsyncIterator[Parts]:
    parts = compose(settings)
    await parts.database.start()
    await parts.transport.start()
    try:
        yield parts
    finally:
        await parts.transport.close()
        await parts.database.close()


@asynccontextmanager
async def consuming(parts: Parts) -> AsyncIterator[None]:
    stop = asyncio.Event()
    tasks = [asyncio.create_task(each.run(stop)) for each in parts.consumers]
    try:
        yield
    finally:
        stop.set()
        await asyncio.wait_for(asyncio.gather(*tasks), 20)


async def publish(parts: Parts, events: list[Delivery]) -> None:
    topic = parts.topics("customer")[0]
    await parts.transport.ensure_topics([topic])
    await parts.transport.publish([Message(topic, each.key, each.value, each.headers) for each in events])


async def until_size(database: Database, size: int) -> None:
    async with asyncio.timeout(30):
        while True:
            async with database.reading() as tx:
                if await tx.fetchval("SELECT coalesce(max(size), 0) FROM head") >= size:
                    return
            await asyncio.sleep(0.05)


async def test_the_log_listens_to_every_producer(settings: AuditSettings) -> None:
    parts = compose(settings)
    assert [each.group for each in parts.consumers] == [consumers.GROUP]
    assert len(parts.consumers[0].topics) == len(PRODUCERS)


@pytest.mark.req("R0.2")
async def test_every_event_is_an_entry_once_and_in_order_per_subject(settings: AuditSettings) -> None:
    events = changes(300)
    async with started(settings) as one, started(settings) as other:
        await publish(one, events[:150])
        async with consuming(one), consuming(other):
            await publish(one, events[100:])  # fifty of them a second time: the relay does so after a crash
            await until_size(one.database, 300)
        async with one.database.reading() as tx:
            rows = await tx.fetch("SELECT index, subject, sequence FROM entry ORDER BY index")
            assert await tx.fetchval("SELECT count(*) FROM dead_letter") == 0
        assert [row["index"] for row in rows] == list(range(300))
        versions: defaultdict[str, list[int]] = defaultdict(list)
        for row in rows:
            versions[row["subject"]].append(row["sequence"])
        assert all(seen == list(range(2, 2 + len(seen))) for seen in versions.values())
        assert (await verify(one.database, settings.origin, settings.verifiers)).ok


@pytest.mark.req("R0.2")
async def test_garbage_and_contradictions_are_parked_and_stop_nothing(settings: AuditSettings) -> None:
    events = changes(20)
    rival = audit.change("c1", 2)
    async with started(settings) as parts, consuming(parts):
        await publish(parts, [*events[:10], garbage(), rival, *events[10:]])
        await until_size(parts.database, 21)
        async with asyncio.timeout(20):
            while True:
                async with parts.database.reading() as tx:
                    letters = await tx.fetch("SELECT error FROM dead_letter ORDER BY error")
                if len(letters) == 2:
                    break
                await asyncio.sleep(0.05)
    assert [row["error"] for row in letters] == ["Contradiction", "Undecodable"]
