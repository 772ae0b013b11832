"""Writes what happened to a person: the next version, its sealed history row, and the event, in one transaction.

All changes of people end here, so that no version is without its event. Called by the services of this feature, and by
features above whose things a person holds (lines, custody). The caller holds the directory (`Org.hold`).
"""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, TypeAlias, TypedDict

from services.identity.staff import repository
from services.identity.staff.rules import standing_of
from shared.clock import day_of
from shared.db import Transaction
from shared.edits import Edit
from shared.events import StaffChanged, Standing
from shared.events.directory import StaffEvent
from shared.ids import new_id
from shared.outbox import Outbox
from shared.sealing import KeyRing, WrappedKey, to_text

Changes: TypeAlias = Mapping[str, Mapping[str, Any]]
"""Item code -> {before, after}."""


class Fact(TypedDict):
    """What every event about a person says."""

    standing: Standing
    items: tuple[str, ...]
    sealed: str


def changed(fact: Fact) -> StaffEvent:
    """The event of most changes."""
    return StaffChanged(**fact)


class Chronicle:
    """The history of people."""

    def __init__(self, outbox: Outbox, ring: KeyRing) -> None:
        self._outbox = outbox
        self._ring = ring

    async def record(
        self, tx: Transaction, name: str, changes: Changes, actor: str, now: datetime,
        make: Callable[[Fact], StaffEvent] = changed,
    ) -> Standing:  # fmt: skip
        """The next version of a person: where they stand now."""
        person = await repository.next_version(tx, name)
        held, lines = await repository.held(tx, name), await repository.lines(tx, name)
        standing = standing_of(person, held, day_of(now), lines)
        event_id, items = new_id(), tuple(changes)
        sealed = self._ring.seal(await self._key(tx, name), name, event_id, changes)
        event = make(Fact(standing=standing, items=items, sealed=to_text(sealed)))
        envelope = self._outbox.envelope(
            event, feature="staff", subject=f"staff/{name}", actor=actor, sequence=person.version, at=now,
            event_id=event_id,
        )  # fmt: skip
        await repository.note(tx, person, event_id, event.type, now, actor, items, sealed)
        await self._outbox.add(tx, envelope, event)
        return standing

    async def since(self, tx: Transaction, name: str, version: int) -> list[Edit]:
        """What was changed after a version, oldest first."""
        rows = await repository.since(tx, name, version)
        key = (await repository.keys_of(tx, [name])).get(name)
        return [Edit(row["version"], self._ring.open(key, name, row["event_id"], row["sealed"])) for row in rows if key]

    async def _key(self, tx: Transaction, name: str) -> WrappedKey:
        known = (await repository.keys_of(tx, [name])).get(name)
        if known is not None:
            return known
        fresh = self._ring.new_key(name)
        await repository.add_key(tx, name, fresh)
        return fresh

    @asynccontextmanager
    async def heard_by_deputies(self, tx: Transaction, name: str, actor: str, now: datetime) -> AsyncIterator[None]:
        """Whatever the block changes of what a person's deputies hold in their place is a change of the deputies."""
        today = day_of(now)
        before = await repository.lent(tx, name, today)
        yield
        after = await repository.lent(tx, name, today)
        for deputy in sorted(before.keys() | after.keys()):
            was, has = before.get(deputy, []), after.get(deputy, [])
            if was != has:
                lists = {"before": [_dump(each) for each in was], "after": [_dump(each) for each in has]}
                await self.record(tx, deputy, {"deputising": lists}, actor, now)


def _dump(held: Any) -> Any:
    return held.model_dump(mode="json")
