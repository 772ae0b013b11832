"""What every worker does beside its own work: refresh gauges, and drop what was kept long enough.

Answers to repeat are kept for a day; seen event ids for longer than any bus keeps its messages; messages of the
embedded bus for a week. Used by shared.process only.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

from shared.bus import Transport
from shared.bus.postgres import PostgresLog
from shared.clock import now
from shared.db import Database, is_passing
from shared.ids import first_id_at
from shared.inbox import Consumer
from shared.outbox import Relay
from shared.telemetry import log

_OBSERVE_S = 5.0
_TIDY_S = 3600.0
_BUS_KEEP = timedelta(days=7)
_ANSWERS_KEEP = timedelta(days=1)
_SEEN_KEEP = timedelta(days=30)

_DROP_ANSWERS = "DELETE FROM idempotency WHERE at < $1"
_DROP_SEEN = "DELETE FROM consumed WHERE consumer_group = ANY($1::text[]) AND event_id < $2"


async def observe(relay: Relay, consumers: Sequence[Consumer], stop: asyncio.Event) -> None:
    """Refresh the gauges of outbox and consumers every few seconds."""

    async def once() -> None:
        await relay.observe()
        for consumer in consumers:
            await consumer.observe()

    await _again(once, _OBSERVE_S, stop)


async def tidy(database: Database, transport: Transport, groups: Sequence[str], stop: asyncio.Event) -> None:
    """Drop what was kept long enough, every hour."""

    async def once() -> None:
        await drop_old(database, groups)
        if isinstance(transport, PostgresLog):
            await transport.trim(_BUS_KEEP)

    await _again(once, _TIDY_S, stop)


async def drop_old(database: Database, groups: Sequence[str]) -> int:
    """Drop old answers and seen event ids (their time is in the id); how many rows went."""
    moment = now()
    async with database.transaction() as tx:
        gone = await tx.execute(_DROP_ANSWERS, moment - _ANSWERS_KEEP)
        return gone + await tx.execute(_DROP_SEEN, list(groups), first_id_at(moment - _SEEN_KEEP))


async def _again(work: Callable[[], Awaitable[None]], every_s: float, stop: asyncio.Event) -> None:
    """Do it in a rhythm until `stop`; an outage is seen elsewhere, so it is only noted here."""
    while not stop.is_set():
        try:
            await work()
        except Exception as error:
            if not is_passing(error):
                raise
            log(part="upkeep").warning("upkeep_waits", error=type(error).__name__)
        try:
            await asyncio.wait_for(stop.wait(), every_s)
        except TimeoutError:
            continue
