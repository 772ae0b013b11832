"""A small process with every door of a service, that may be told to die at a crash point: see test_crash.py.

`python -m tests.fakes.victim SERVICE_DSN BUS_DSN` writes three changes, relays and consumes their events (the second
one is poison until somebody mends it), replays the dead letter and runs a job; started again it goes on where it died.
"""

import asyncio
import sys
from datetime import datetime

from shared.bus.postgres import PostgresLog
from shared.db import Database, Record, Transaction
from shared.deadletters import replay
from shared.events import DealingsRecorded, Envelope
from shared.inbox import Consumer, dispatch
from shared.jobs import Job
from shared.outbox import Outbox, Relay
from tests.factories.waiting import until_query

CHANGES = 3
TABLES = """
CREATE TABLE IF NOT EXISTS change (sequence int PRIMARY KEY);
CREATE TABLE IF NOT EXISTS effect (door text NOT NULL, sequence int NOT NULL);
CREATE TABLE IF NOT EXISTS mended (at timestamptz);
CREATE TABLE IF NOT EXISTS due (sequence int);
"""


async def write(database: Database, outbox: Outbox) -> None:
    """What a client does: repeat each change until it stands."""
    for sequence in range(CHANGES):
        async with database.transaction("writer") as tx:
            if await tx.execute("INSERT INTO change VALUES ($1) ON CONFLICT DO NOTHING", sequence):
                event = DealingsRecorded(customer_id="c-1", kind="retail", totals=())
                head = outbox.envelope(event, feature="file", subject="customer/c-1", actor="x", sequence=sequence)
                await outbox.add(tx, head, event)
                await tx.execute("INSERT INTO due VALUES ($1)", sequence)


async def apply(tx: Transaction, envelope: Envelope, _event: DealingsRecorded) -> None:
    """The effect; impossible for the second event until mended."""
    await tx.execute("INSERT INTO effect VALUES ('consumer', $1)", envelope.sequence)
    if envelope.sequence == 1 and not await tx.fetchval("SELECT count(*) FROM mended"):
        raise ValueError("poison")


async def mend(database: Database, consumer: Consumer) -> None:
    """What operations staff do: repair the cause, replay."""
    async with database.transaction() as tx:
        await tx.execute("INSERT INTO mended VALUES (now())")

    async def record(_tx: Transaction, _row: Record) -> None:
        """Nobody to tell."""

    async with database.reading() as tx:
        letters = await tx.fetch("SELECT id FROM dead_letter")
    for letter in letters:
        await replay(database, letter["id"], {consumer.group: consumer.handle}, record)


async def due(tx: Transaction, _at: datetime) -> int:
    """The job's effect: one due row at a time."""
    sequence = await tx.fetchval("DELETE FROM due WHERE ctid = (SELECT ctid FROM due LIMIT 1) RETURNING sequence")
    if sequence is None:
        return 0
    return await tx.execute("INSERT INTO effect VALUES ('job', $1)", sequence)


async def live(service_dsn: str, bus_dsn: str) -> None:
    """All of it, once."""
    database, transport, outbox = Database(service_dsn), PostgresLog(bus_dsn, partitions=1), Outbox("customer")
    await database.start()
    await transport.start()
    await transport.ensure_topics([outbox.topic])
    async with database.transaction() as tx:
        await tx.execute(TABLES)
    consumer = Consumer(
        "g", [outbox.topic], dispatch("g", {DealingsRecorded: apply}), database=database, transport=transport, lease_s=1
    )
    job = Job("due", 0.1, due)
    await write(database, outbox)
    stop = asyncio.Event()
    loops = [Relay("customer", database, transport).run(stop), consumer.run(stop), job.run(database, stop)]
    tasks = [asyncio.create_task(loop) for loop in loops]
    await until_query(database, "SELECT count(*) FROM outbox", 0)
    marks = await transport.watermarks(outbox.topic)
    high = sum(mark.high for mark in marks.values())
    await until_query(database, f"SELECT count(*) FROM consumer_offset WHERE next_position = {high}", 1)
    await until_query(database, "SELECT count(*) FROM due", 0)
    await mend(database, consumer)
    stop.set()
    await asyncio.gather(*tasks)
    await transport.close()
    await database.close()


if __name__ == "__main__":
    asyncio.run(live(*sys.argv[1:]))
