"""The organisation tree: units are opened, changed, moved, closed. Called by routes, by staff and by the directory.

Whoever writes to the directory (units, people, lines) holds it first (`hold`), so that writers come one after another:
no two moves can make a circle, and nobody enters a unit while it is being closed. Readers wait for nobody.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Set
from dataclasses import replace
from datetime import datetime
from typing import Any, Protocol

from services.identity.org import errors, moving, repository
from services.identity.org.rules import Unit
from shared.auth import Principal, Scope, within
from shared.clock import day_of
from shared.db import Record, Transaction
from shared.edits import Edit, before_and_after, clashes, clashing, differing, version_ahead
from shared.errors import Fault
from shared.events import OrgChanged
from shared.ids import new_id
from shared.outbox import Outbox
from shared.regime import Regimes

READ, CHANGE, MOVE = "unit.read", "unit.change", "unit.move"
KINDS = "unit_kind"


class Recheck(Protocol):
    """Whoever knows what people hold; a feature above."""

    async def __call__(
        self, tx: Transaction, who: Principal, below: Callable[[Transaction, str], Awaitable[Set[str]]]
    ) -> None:
        """Whether the caller may still do what they could when they asked. Raises: Forbidden (authority_changed)"""
        ...


class Org:
    """Organisation units. `recheck`: none where tokens alone say who may do what."""

    def __init__(self, outbox: Outbox, regimes: Regimes, recheck: Recheck | None = None) -> None:
        self._outbox = outbox
        self._regimes = regimes
        self._recheck = recheck

    async def hold(self, tx: Transaction, who: Principal | None) -> None:
        """Be the only writer of the directory until the transaction ends; `who` asks for it, none if a job does.

        Raises: Forbidden (authority_changed), if whoever asks may do less than when they asked
        """
        holder = await repository.hold(tx)
        if who is not None and self._recheck is not None and holder != who.actor:
            await self._recheck(tx, who, self.below)
            await repository.name_holder(tx, who.actor)

    async def known(self, tx: Transaction, units: Iterable[str]) -> dict[str, Unit]:
        """Those of the units that there are."""
        return await repository.known(tx, list(units))

    async def below(self, tx: Transaction, unit: str) -> set[str]:
        """A unit and all units under it."""
        return await repository.below(tx, unit)

    async def page(self, tx: Transaction, scope: Scope, after: str, limit: int) -> list[Unit]:
        """Units within a reach, by id, after one of them."""
        return await repository.page(tx, scope, after, limit)

    async def read(self, tx: Transaction, who: Principal, unit: str, action: str = READ) -> Unit:
        """A unit within reach. Raises: NotFound"""
        found = await repository.get(tx, unit)
        if found is None:
            raise errors.no_such_unit()
        within(who, action, unit)
        return found

    async def history(self, tx: Transaction, who: Principal, unit: str, below: int, limit: int) -> list[Record]:
        """Versions below `below`, newest first. Raises: NotFound"""
        await self.read(tx, who, unit)
        return await repository.history(tx, unit, below, limit)

    async def open(self, tx: Transaction, who: Principal, unit: Unit, now: datetime) -> Unit:
        """A new unit. Raises: Invalid, Conflict (unit_taken, parent_closed), Forbidden (parent_out_of_reach)"""
        await self.hold(tx, who)
        self._check_kind(unit.kind, now)
        await self._check_parent(tx, who, CHANGE, unit.parent)
        if await repository.get(tx, unit.id) is not None:
            raise errors.unit_taken(unit.id)
        return await self.add(tx, unit, who.actor, now)

    async def add(self, tx: Transaction, unit: Unit, actor: str, now: datetime) -> Unit:
        """A unit that was checked, or that the directory file vouches for."""
        unit = replace(unit, version=1)
        await repository.add(tx, unit)
        await self._publish(tx, unit, before_and_after({}, unit.items), actor, now)
        return unit

    async def announce(self, tx: Transaction, now: datetime) -> int:
        """Publish units that were carried over from before there were events; how many."""
        units = [replace(unit, version=1) for unit in await repository.unpublished(tx)]
        for unit in units:
            await repository.store(tx, unit)
            await self._publish(tx, unit, before_and_after({}, unit.items), "system", now)
        return len(units)

    async def restate(self, tx: Transaction, actor: str, now: datetime) -> int:
        """Publish every unit once more, as a new version in which nothing changed; how many."""
        units = [replace(unit, version=unit.version + 1) for unit in await repository.every(tx)]
        for unit in units:
            await repository.store(tx, unit)
            await self._publish(tx, unit, {}, actor, now)
        return len(units)

    async def change(
        self, tx: Transaction, who: Principal, unit: str, base: int, wanted: Mapping[str, Any], now: datetime
    ) -> Unit:
        """Change items (`kind`, `title`, `closed`) of a unit that the caller read at version `base`.

        Edits of other items since then are merged. Nothing to change: the same version again.
        Raises: NotFound, Invalid, Forbidden, Conflict, PreconditionFailed
        """
        return await self._edit(tx, who, CHANGE, unit, base, wanted, now)

    async def move(
        self, tx: Transaction, who: Principal, unit: str, base: int, parent: str | None, now: datetime
    ) -> Unit:
        """Put a unit below another, or at the top (None). Raises: as `change`, Forbidden (see `moving`)"""
        return await self._edit(tx, who, MOVE, unit, base, {"parent": parent}, now)

    async def _edit(
        self, tx: Transaction, who: Principal, action: str, unit: str, base: int, wanted: Mapping[str, Any],
        now: datetime,
    ) -> Unit:  # fmt: skip
        await self.hold(tx, who)
        found = await self.read(tx, who, unit, action)
        if base > found.version:
            raise version_ahead(found.version)
        since = [Edit(row["version"], row["changes"]) for row in await repository.since(tx, unit, base)]
        if met := clashes(wanted, found.items, since):
            raise clashing(met, found.version)
        changed = differing(found.items, wanted)
        if not changed:
            return found
        await self._check(tx, who, found, changed, now)
        closed_at = (now if changed["closed"] else None) if "closed" in changed else found.closed_at
        rest = {item: value for item, value in changed.items() if item != "closed"}
        after = replace(found, **rest, closed_at=closed_at, version=found.version + 1)
        await repository.store(tx, after)
        await self._publish(tx, after, before_and_after(found.items, changed), who.actor, now)
        return after

    async def _check(
        self, tx: Transaction, who: Principal, unit: Unit, changed: Mapping[str, Any], now: datetime
    ) -> None:
        if unit.is_closed and changed.get("closed") is not False:
            raise errors.closed()
        if "kind" in changed:
            self._check_kind(changed["kind"], now)
        if "parent" in changed:
            await self._check_move(tx, who, unit.id, changed["parent"], now)
        if changed.get("closed") is False and unit.parent is not None:
            await self._check_open(tx, unit.parent)
        if changed.get("closed"):
            units, people = await repository.in_use(tx, unit.id, day_of(now))
            if units or people:
                raise errors.in_use(units, people)

    def _check_kind(self, kind: str, now: datetime) -> None:
        codes = self._regimes.codelist(KINDS, on=day_of(now)).codes
        if kind not in codes:
            raise errors.bad_unit([Fault("/kind", "not_listed", kind, list(codes))])

    async def _check_move(
        self, tx: Transaction, who: Principal, unit: str, parent: str | None, now: datetime
    ) -> None:  # fmt: skip
        await self._check_parent(tx, who, MOVE, parent)
        if parent is not None:
            above = await repository.above(tx, parent)
            if unit in above:
                raise errors.circle(parent)
            await moving.check(tx, self._regimes, who, unit, above, day_of(now))

    async def _check_parent(self, tx: Transaction, who: Principal, action: str, parent: str | None) -> None:
        scope = who.scope(action)
        if not (scope.everything if parent is None else scope.reaches(parent)):
            raise errors.parent_out_of_reach(parent)
        if parent is not None:
            await self._check_open(tx, parent)

    async def _check_open(self, tx: Transaction, parent: str) -> None:
        above = await repository.get(tx, parent)
        if above is None:
            raise errors.bad_unit([Fault("/parent", "unknown", parent, "the id of a unit")])
        if above.is_closed:
            raise errors.parent_closed(parent)

    async def _publish(self, tx: Transaction, unit: Unit, changes: dict[str, Any], actor: str, now: datetime) -> None:
        event_id = new_id()
        event = OrgChanged(
            unit=unit.id, parent=unit.parent, kind=unit.kind, title=unit.title, closed=unit.is_closed,
            version=unit.version,
        )  # fmt: skip
        envelope = self._outbox.envelope(
            event, feature="org", subject=f"unit/{unit.id}", actor=actor, sequence=unit.version, at=now,
            event_id=event_id,
        )  # fmt: skip
        await repository.note(tx, unit, event_id, now, actor, changes)
        await self._outbox.add(tx, envelope, event)
