"""Waits until a suite has nothing left to do, and reads from its databases what the checker wants to see.

Nothing is asked of the services: what counts is what is stored. Values are opened with the keys from the settings,
grades are computed from the history alone.
"""

import asyncio
import base64
import hashlib
import json
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from services.audit import consumers as audit
from services.audit.log.note import Signer
from services.audit.log.verify import verify
from services.customer import consumers as customer
from services.customer.dealings.rules import row_of
from services.customer.dealings.totals import Totals
from services.customer.dictionary.service import Dictionaries
from services.customer.grading.archive import Archive
from services.customer.grading.service import Grading
from services.notify import consumers as notify
from shared.bus import Partition, Transport, Watermark, connect
from shared.clock import now
from shared.db import Database, Record, is_passing
from shared.events import PRODUCERS, topic_of
from shared.outbox import Outbox
from shared.regime import Regimes, load
from shared.sealing import KeyRing, WrappedKey
from tests.factories.customer import REGIMES
from tests.reliability.checker import (
    CHANGED,
    DELIVERED,
    GRADE_CHANGED,
    REGISTERED,
    Change,
    Entry,
    Evidence,
    Grade,
    GradeChange,
    Offset,
)
from tests.reliability.load import MARK, Journal
from tests.reliability.suite import SERVICES, Suite

DRAIN_LIMIT_S: Final = 60.0
_ORIGIN: Final = "kehu.example/audit"
_GROUPS: Final = frozenset(
    {
        customer.GRADING,
        customer.REVIEW,
        customer.SEARCH,
        customer.DUPLICATES,
        customer.QUALITY,
        audit.GROUP,
        notify.GROUP,
    }
)
_TYPES: Final = (REGISTERED, CHANGED, GRADE_CHANGED, DELIVERED)


@dataclass(frozen=True, slots=True)
class Scene:
    """A suite's databases and its bus, opened from outside."""

    suite: Suite
    databases: Mapping[str, Database]
    transport: Transport

    async def fetch(self, service: str, sql: str, *args: Any) -> list[Record]:
        async with self.databases[service].reading() as tx:
            return await tx.fetch(sql, *args)

    async def marks(self) -> dict[Partition, Watermark]:
        """Where every partition of the suite ends."""
        found: dict[Partition, Watermark] = {}
        for producer in PRODUCERS:
            found |= await self.transport.watermarks(topic_of(self.suite.topic_prefix, producer))
        return found


@asynccontextmanager
async def opened(suite: Suite) -> AsyncIterator[Scene]:
    """The scene of a suite whose servers are up."""
    async with AsyncExitStack() as stack:
        databases = {}
        for service in SERVICES:
            databases[service] = Database(suite.dsn(service), pool=2, application="kehu-evidence")
            await databases[service].start()
            stack.push_async_callback(databases[service].close)
        transport = connect(suite.servers.bus, suite.bus_url)
        await transport.start()
        stack.push_async_callback(transport.close)
        yield Scene(suite, databases, transport)


async def drain(scene: Scene, limit_s: float = DRAIN_LIMIT_S) -> float:
    """Wait until two looks in a row find nothing under way and nothing new; the seconds that took, or the limit."""
    started, before = time.monotonic(), None
    while (passed := time.monotonic() - started) < limit_s:
        try:
            under_way, seen = await _look(scene)
        except Exception as error:
            if not is_passing(error):
                raise
            under_way, seen = 1, None
        if not under_way and seen == before:
            return passed
        before = None if under_way else seen
        await asyncio.sleep(0.15)
    return limit_s + 1


async def _look(scene: Scene) -> tuple[int, int]:
    """How much is under way, and how much there is in all. Who has not begun to read has all of it before him."""
    outboxes = await _outboxes(scene)
    offsets, published = await _offsets(scene)
    queued = await _queued(scene)
    absent = published * len(_GROUPS - {each.lane.partition(" ")[0] for each in offsets})
    return sum(outboxes.values()) + queued + absent + sum(each.end - each.read for each in offsets), published


async def _outboxes(scene: Scene) -> dict[str, int]:
    return {
        service: (await scene.fetch(service, "SELECT count(*) AS rows FROM outbox"))[0]["rows"] for service in SERVICES
    }


async def _queued(scene: Scene) -> int:
    rows = await scene.fetch("notify", "SELECT count(*) AS rows FROM delivery WHERE state = 'queued'")
    return int(rows[0]["rows"])


async def _offsets(scene: Scene) -> tuple[list[Offset], int]:
    marks = await scene.marks()
    found = []
    for service in SERVICES:
        for row in await scene.fetch(service, "SELECT * FROM consumer_offset"):
            mark = marks.get(Partition(row["topic"], row["partition"]))
            if mark is not None:
                lane = f"{row['consumer_group']} {row['topic']}/{row['partition']}"
                found.append(Offset(lane, max(row["next_position"], mark.low), mark.high))
    return found, sum(mark.high for mark in marks.values())


async def collect(
    scene: Scene,
    journal: Journal,
    drain_s: float,
    drain_limit_s: float = DRAIN_LIMIT_S,
) -> Evidence:
    """Read everything; the suite has to be quiet."""
    rows = await _history(scene)
    offsets, published = await _offsets(scene)
    log = await verify(scene.databases["audit"], _ORIGIN, [_signer(scene.suite).verifier])
    parked, regressions = [], []
    for service in SERVICES:
        parked += [str(row["event_id"]) for row in await scene.fetch(service, "SELECT event_id FROM dead_letter")]
        for row in await scene.fetch(service, "SELECT * FROM offset_regression"):
            regressions.append(f"{row['lane']} went from {row['before']} to {row['after']}")
    return Evidence(
        attempts=journal.attempts,
        versions={str(row["id"]): row["version"] for row in await scene.fetch("customer", _VERSIONS)},
        changes=[_change(row, values) for row, values in rows],
        entries=[_entry(row) for row in await scene.fetch("audit", _ENTRIES, list(_TYPES))],
        log_size=log.size,
        log_faults=[f"{each.kind} at {each.index}: {each.detail}" for each in log.findings],
        grades=await _grades(scene, rows),
        grade_changes=[
            GradeChange(str(row["customer_id"]), row["serial"], row["before"], row["grade"])
            for row in await scene.fetch("customer", "SELECT * FROM grade_change")
        ],
        told=[str(row["cause"]) for row in await scene.fetch("notify", _TOLD)],
        queued=await _queued(scene),
        outboxes=await _outboxes(scene),
        parked=parked,
        offsets=offsets,
        regressions=regressions,
        published=published,
        drain_s=drain_s,
        drain_limit_s=drain_limit_s,
    )


_VERSIONS: Final = "SELECT id, version FROM customer"
_HISTORY: Final = """
SELECT e.customer_id, e.version, e.event_id, e.items, e.sealed, k.kek, k.wrapped
FROM customer_event e JOIN subject_key k USING (customer_id) ORDER BY e.customer_id, e.version
"""
_ENTRIES: Final = "SELECT index, event_id, type, subject, sequence, payload FROM entry WHERE type = ANY($1)"
_TOLD: Final = """
SELECT m.cause FROM inbox_entry e JOIN delivery d ON d.id = e.id JOIN message m ON m.id = d.message_id
"""
_GRADES: Final = """
SELECT c.id, c.kind, g.grade FROM customer c LEFT JOIN grade g ON g.customer_id = c.id
"""


def _signer(suite: Suite) -> Signer:
    return Signer.of(_ORIGIN, base64.b64decode(suite.checkpoint_seed))


async def _history(scene: Scene) -> list[tuple[Record, dict[str, Any]]]:
    """Every committed change with its opened values."""
    ring = KeyRing.parse(scene.suite.kek)
    rows = await scene.fetch("customer", _HISTORY)
    return [
        (
            row,
            ring.open(
                WrappedKey(row["kek"], row["wrapped"]),
                str(row["customer_id"]),
                UUID(str(row["event_id"])),
                row["sealed"],
            ),
        )
        for row in rows
    ]


def _change(row: Record, values: Mapping[str, Any]) -> Change:
    mark = values.get(MARK, {}).get("after")
    digest = _digest(row["items"], hashlib.sha256(row["sealed"]).hexdigest())
    return Change(str(row["customer_id"]), row["version"], str(row["event_id"]), digest, mark)


def _digest(items: Iterable[str], sealed: str) -> str:
    return f"{','.join(items)} {sealed}"


def _entry(row: Record) -> Entry:
    data = json.loads(row["payload"])["data"]
    customer = row["subject"].partition("/")[2]
    return Entry(
        row["index"], str(row["event_id"]), row["type"], customer, row["sequence"] or 0, _said(row["type"], data)
    )


def _said(kind: str, data: Mapping[str, Any]) -> str:
    """What an entry says, in the form that the digest of its origin has."""
    try:
        if kind == GRADE_CHANGED:
            return f"{data['before']}>{data['grade']}"
        if kind == DELIVERED:
            return str(data["cause"])
        return _digest(data["items"], hashlib.sha256(base64.b64decode(data["sealed"])).hexdigest())
    except KeyError as missing:
        return f"no {missing}"


async def _grades(scene: Scene, history: list[tuple[Record, dict[str, Any]]]) -> list[Grade]:
    """The grade in force beside what the policy says of the values that the history adds up to."""
    regimes, moment = load(REGIMES), now()
    totals = Totals(regimes)
    grading = Grading(regimes, Dictionaries(regimes), totals, Outbox("customer"), Archive())
    values: dict[str, dict[str, Any]] = {}
    for row, changed in history:
        file = values.setdefault(str(row["customer_id"]), {})
        file.update({code: each["after"] for code, each in changed.items()})
    found = []
    for row in await scene.fetch("customer", _GRADES):
        grade = await _recomputed(scene, regimes, grading, totals, row, values.get(str(row["id"]), {}), moment)
        found.append(Grade(str(row["id"]), row["grade"], grade))
    return found


async def _recomputed(
    scene: Scene,
    regimes: Regimes,
    grading: Grading,
    totals: Totals,
    row: Record,
    values: Mapping[str, Any],
    moment: datetime,
) -> str | None:
    policy = grading.policy(row["kind"], moment)
    assert policy is not None, f"{regimes.hash} declares no policy for {row['kind']}"
    async with scene.databases["customer"].reading() as tx:
        figures = await totals.of(tx, policy.catalogue, [row["id"]], moment.date())
    return policy.check(values, row_of(figures[row["id"]])).grade
