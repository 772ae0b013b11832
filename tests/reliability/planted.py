"""Bugs planted on purpose, each a patch of a few lines, to prove that the checker sees them.

`python -m tests.reliability.planted [--plant NAME] [--pause POINT[:N]] services.<name> api | worker` runs that service
with the bug, or stopping itself (SIGSTOP) at the n-th passage of a crash point. No product module knows of this one.
"""

import argparse
import os
import runpy
import signal
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final
from uuid import UUID

from services.customer.grading.service import Grading
from shared import crash, inbox
from shared.bus import Delivery, Message
from shared.db import Connection, Record, Transaction, Work
from shared.inbox import Consumer
from shared.leases import Membership
from shared.outbox import Relay


@dataclass(frozen=True, slots=True)
class Plant:
    """A bug: what it is, which members have it, what must go from the databases for it to bite, and what it breaks."""

    what: str
    apply: Callable[[], None]
    members: tuple[str, ...]
    breaks: str
    """Kind of the violation that the checker must name."""
    schema: Mapping[str, str] = field(default_factory=dict)


def _early_offset() -> None:
    async def commit(self: Consumer, batch: Sequence[Delivery], membership: Membership) -> None:
        moved = {each.lane: each.position + 1 for each in batch}
        async with self._database.transaction() as tx:
            await membership.advance(tx, moved)
        membership.advanced(moved)
        async with self._database.transaction("consumer") as tx:
            await self.handle(tx, batch)

    _patch(Consumer, "_commit", commit)


def _id_cursor() -> None:
    cursor = 0

    async def drain(self: Relay, session: Connection, shards: Sequence[int]) -> int:
        nonlocal cursor
        rows = await session.fetch(_READ, shards, cursor, self._batch)
        if rows:
            await self._publish(rows)
            cursor = rows[-1][0]
            await self._delete(session, [row[0] for row in rows])
        return len(rows)

    _patch(Relay, "drain", drain)


def _delete_first() -> None:
    async def drain(self: Relay, session: Connection, shards: Sequence[int]) -> int:
        rows = await session.fetch(_READ, shards, 0, self._batch)
        if rows:
            await self._delete(session, [row[0] for row in rows])
            await self._publish(rows)
        return len(rows)

    _patch(Relay, "drain", drain)


def _out_of_order() -> None:
    async def publish(self: Relay, rows: Sequence[Record]) -> None:
        for part in (rows[1::2], rows[::2]):
            await self._transport.publish([Message(row[1], row[2], row[3], packed=row[4]) for row in part])

    _patch(Relay, "_publish", publish)


def _mixed_payloads() -> None:
    async def publish(self: Relay, rows: Sequence[Record]) -> None:
        first = {row[2]: row[3] for row in reversed(rows)}
        await self._transport.publish([Message(row[1], row[2], first[row[2]], packed=row[4]) for row in rows])

    _patch(Relay, "_publish", publish)


def _no_unique_key() -> None:
    """The keys that go from the database are all of it: the log asks nothing else whether it knows an event."""


def _swallowed_commit() -> None:
    commit = Work.commit

    async def careless(self: Work) -> None:
        try:
            await commit(self)
        except Exception:
            return

    _patch(Work, "commit", careless)


def _error_acknowledged() -> None:
    async def apply(self: Consumer, batch: Sequence[Delivery], membership: Membership) -> None:
        try:
            await self._commit(batch, membership)
        except Exception:
            moved = {each.lane: each.position + 1 for each in batch}
            async with self._database.transaction() as tx:
                await membership.advance(tx, moved)
            membership.advanced(moved)

    _patch(Consumer, "_apply", apply)


def _no_fence() -> None:
    async def advance(self: Membership, tx: Transaction, moved: Mapping[Any, int]) -> None:
        for lane, position in moved.items():
            await tx.execute(_ADVANCE_UNFENCED, self._group, lane.topic, lane.number, position)

    _patch(Membership, "advance", advance)


def _grade_check_skipped() -> None:
    recheck, calls = Grading.recheck, count(1)

    async def lazy(self: Grading, tx: Transaction, customer_ids: Any, *rest: Any) -> int:
        return await recheck(self, tx, customer_ids if next(calls) < 5 else (), *rest)

    _patch(Grading, "recheck", lazy)


def _told_again() -> None:
    async def all_new(_tx: Transaction, _group: str, event_ids: Iterable[UUID]) -> set[UUID]:
        return set(event_ids)

    _patch(inbox, "first_seen", all_new)


_READ: Final = """
SELECT id, topic, key, value, headers FROM outbox WHERE shard = ANY($1::smallint[]) AND id > $2 ORDER BY id LIMIT $3
"""
_ADVANCE_UNFENCED: Final = """
UPDATE consumer_offset SET next_position = $4 WHERE consumer_group = $1 AND topic = $2 AND partition = $3
"""
_DROP_KEYS: Final = """
ALTER TABLE entry DROP CONSTRAINT entry_pkey;
SELECT format('DROP INDEX %I', indexname) FROM pg_indexes WHERE indexname LIKE 'entry%natural' \\gexec
"""
_DROP_CAUSE: Final = "ALTER TABLE message DROP CONSTRAINT message_cause_template_id_key;"

PLANTS: Final[Mapping[str, Plant]] = {
    "early_offset": Plant("the offset is committed before the effect", _early_offset, ("audit.worker",), "lost"),
    "id_cursor": Plant("the relay follows a cursor on the id", _id_cursor, ("customer.worker",), "lost"),
    "delete_first": Plant("the relay deletes before the bus has it", _delete_first, ("customer.worker",), "lost"),
    "out_of_order": Plant("several batches race to the bus", _out_of_order, ("customer.worker",), "disorder"),
    "mixed_payloads": Plant("a batch keeps one payload a key", _mixed_payloads, ("customer.worker",), "altered"),
    "no_unique_key": Plant(
        "the log has no key to know a repetition by",
        _no_unique_key,
        ("audit.worker",),
        "doubled",
        {"audit": _DROP_KEYS},
    ),
    "swallowed_commit": Plant("a failed COMMIT is answered 200", _swallowed_commit, ("customer.api",), "lost"),
    "error_acknowledged": Plant("what fails is passed over", _error_acknowledged, ("audit.worker",), "lost"),
    "no_fence": Plant("a member that stood still may commit", _no_fence, ("audit.worker",), "regressed"),
    "grade_check_skipped": Plant("grades are not checked", _grade_check_skipped, ("customer.worker",), "grade"),
    "told_again": Plant(
        "notify does not know what it has told",
        _told_again,
        ("notify.worker",),
        "doubled",
        {"notify": _DROP_CAUSE},
    ),
}


def _patch(target: Any, name: str, replacement: Any) -> None:
    assert hasattr(target, name), f"{target} has no {name} any more: plant this bug anew"
    setattr(target, name, replacement)


def _pause_at(spec: str) -> None:
    name, _, number = spec.partition(":")
    assert name in crash.POINTS, name
    passages = count(1)

    def point(passed: str) -> None:
        if passed == name and next(passages) == int(number or "1"):
            os.kill(os.getpid(), signal.SIGSTOP)

    _patch(crash, "point", point)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--plant", choices=PLANTS)
    parser.add_argument("--pause")
    parser.add_argument("module")
    parser.add_argument("verb")
    given = parser.parse_args()
    if given.plant:
        PLANTS[given.plant].apply()
    if given.pause:
        _pause_at(given.pause)
    sys.argv = [given.module, given.verb]
    runpy.run_module(given.module, run_name="__main__")


if __name__ == "__main__":
    main()
