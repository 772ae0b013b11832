"""Every input from the bus: what happened to customers, for grades, reviews, quality, the search and duplicates."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from services.customer.duplicate.indexing import Index
from services.customer.grading.service import Grading
from services.customer.quality.assessing import Assessing
from services.customer.review.standing import Standings
from services.customer.search.index import SearchIndex
from shared.bus import Delivery
from shared.clock import now
from shared.db import Transaction
from shared.events import (
    EVENTS,
    CustomerChanged,
    CustomerMerged,
    CustomerRegistered,
    CustomerUnmerged,
    DealingsRecorded,
    Envelope,
    SubjectKeyDestroyed,
)
from shared.ids import parse_id
from shared.inbox import Consumer, Handle, first_seen
from shared.process import Parts
from shared.telemetry import EVENT_DELAY

GRADING = "customer-grading"
REVIEW = "customer-review"
SEARCH = "customer-search"
_FILE, _SUBJECT = "/customer/file", "customer/"
DUPLICATES = "customer-duplicate"
QUALITY = "customer-quality"
_GATHER_S = 0.05
"""A burst of changes to one customer is one re-check."""
_FILES = (CustomerRegistered, CustomerChanged, CustomerMerged, CustomerUnmerged)
_MERGES = {event.type for event in (CustomerMerged, CustomerUnmerged)}
_TYPES = {event.type for event in (*_FILES, DealingsRecorded)}
Follow: TypeAlias = Callable[[Transaction, Collection[UUID], datetime], Awaitable[None]]
_COMPARED = {event.type for event in (*_FILES, SubjectKeyDestroyed)}


def table(parts: Parts, grading: Grading, standings: Standings, index: Index, searched: SearchIndex) -> list[Consumer]:
    """The consumers of this service, but for that of quality."""
    groups = {
        GRADING: recheck(grading),
        REVIEW: follow(REVIEW, standings.follow),
        DUPLICATES: compare(index),
        SEARCH: reindex(searched),
    }
    return [_consumer(parts, group, handle) for group, handle in groups.items()]


def judge(parts: Parts, assessing: Assessing) -> Consumer:
    """That of quality."""
    return _consumer(parts, QUALITY, follow(QUALITY, assessing.follow))


def _consumer(parts: Parts, group: str, handle: Handle) -> Consumer:
    topics, database, transport = parts.topics("customer"), parts.database, parts.transport
    return Consumer(group, topics, handle, database=database, transport=transport, gather_s=_GATHER_S)


def recheck(grading: Grading) -> Handle:
    """Re-check each customer of a batch once, however many of its events may change the grade."""

    async def handle(tx: Transaction, batch: Sequence[Delivery]) -> None:
        wanted = [(envelope, each) for each in batch if (envelope := Envelope.of(each)).type in _TYPES]
        if not wanted:
            return
        fresh = await first_seen(tx, GRADING, [envelope.id for envelope, _ in wanted])
        moment = now()
        causes: dict[UUID, str | None] = {}
        for envelope, each in wanted:
            if envelope.id in fresh:
                customer_id = grading.counts(EVENTS[envelope.type].model_validate_json(each.value), moment)
                if customer_id is not None:
                    causes[customer_id] = envelope.traceparent
                EVENT_DELAY.labels(GRADING).observe(max(0.0, (moment - envelope.time).total_seconds()))
        await grading.recheck(tx, causes.keys(), moment, causes)

    return handle


def follow(group: str, reckon: Follow) -> Handle:
    """Reckon anew what follows from each file of a batch, once, whatever happened to it."""

    async def handle(tx: Transaction, batch: Sequence[Delivery]) -> None:
        envelopes = [envelope for each in batch if _is_of_file(envelope := Envelope.of(each))]
        fresh = await first_seen(tx, group, [each.id for each in envelopes]) if envelopes else set()
        moment = now()
        told = [each for each in envelopes if each.id in fresh]
        found = (parse_id(each.subject.removeprefix(_SUBJECT)) for each in told if each.subject.startswith(_SUBJECT))
        await reckon(tx, {each for each in found if each is not None}, moment)
        for each in told:
            EVENT_DELAY.labels(group).observe(max(0.0, (moment - each.time).total_seconds()))

    return handle


def _is_of_file(envelope: Envelope) -> bool:
    return envelope.source == _FILE or envelope.type in _MERGES


def compare(index: Index) -> Handle:
    """Find the duplicates of each customer of a batch once, if an event touched what is compared."""

    async def handle(tx: Transaction, batch: Sequence[Delivery]) -> None:
        wanted = [(envelope, each) for each in batch if (envelope := Envelope.of(each)).type in _COMPARED]
        if not wanted:
            return
        fresh = await first_seen(tx, DUPLICATES, [envelope.id for envelope, _ in wanted])
        moment = now()
        touched = [
            index.counts(EVENTS[envelope.type].model_validate_json(each.value), moment)
            for envelope, each in wanted
            if envelope.id in fresh
        ]
        await index.refresh(tx, {each for each in touched if each is not None}, moment)

    return handle


def reindex(index: SearchIndex) -> Handle:
    """Keep in the index what files are found by, each file of a batch once."""

    async def handle(tx: Transaction, batch: Sequence[Delivery]) -> None:
        moment = now()
        wanted: dict[UUID, tuple[Envelope, UUID]] = {}
        for each in batch:
            envelope = Envelope.of(each)
            customer_id = parse_id(envelope.subject.removeprefix("customer/"))
            if envelope.source != _FILE or customer_id is None:
                continue
            if index.concerns(EVENTS[envelope.type].model_validate_json(each.value), moment):
                wanted[envelope.id] = envelope, customer_id
        fresh = await first_seen(tx, SEARCH, list(wanted)) if wanted else set()
        await index.refresh(tx, {wanted[event_id][1] for event_id in fresh}, moment)
        for event_id in fresh:
            EVENT_DELAY.labels(SEARCH).observe(max(0.0, (moment - wanted[event_id][0].time).total_seconds()))

    return handle
