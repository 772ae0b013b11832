"""Use cases of relations: add, change, end, list from both sides. Requirements R4.1, R5.2.

A relation stands in one customer's file. Whoever adds or changes it holds that customer (and the other one), in order
of their ids, so that of two who do so at once one sees what the other did.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from services.customer.file.keys import Keys
from services.customer.file.reads import Reads
from services.customer.file.service import Files, reference
from services.customer.relation import errors, repository, rules
from services.customer.relation.rules import Outside, Wish
from services.customer.relation.showing import PARTY, Showing
from shared.auth import Principal
from shared.clock import day_of
from shared.db import Record, Transaction
from shared.edits import version_ahead
from shared.events import RelationAdded, RelationChanged, RelationEnded
from shared.events.relation import RelationEvent
from shared.ids import new_id
from shared.outbox import Outbox
from shared.regime import WHOLE, Codelist, Party, Regimes, Relation
from shared.sealing import KeyRing, WrappedKey, to_text

READ, CHANGE = "relation.read", "relation.change"


class Relations:
    """Keeps and shows relations."""

    def __init__(self, regimes: Regimes, ring: KeyRing, outbox: Outbox, files: Files, keys: Keys, reads: Reads) -> None:
        self._regimes = regimes
        self._ring = ring
        self._outbox = outbox
        self._files = files
        self._keys = keys
        self._reads = reads
        self.showing = Showing(regimes, ring)

    async def add(
        self, tx: Transaction, who: Principal, customer_id: UUID, wish: Wish, now: datetime
    ) -> dict[str, Any]:
        """A new relation in the file of a customer.

        Raises: NotFound (either customer), Invalid (bad_relation, unknown_relation), Forbidden (party_not_cleared),
        Conflict (customer_erased, relation_exists, shares_exceed_whole)
        """
        if wish.other == customer_id:
            raise errors.with_itself()
        key = await self._hold(tx, who, customer_id, wish.other)
        kind = await self._judge(tx, who, customer_id, wish, now)
        if wish.other is not None and await repository.is_there(
            tx, customer_id, wish.other, kind.id, either_way=kind.symmetric
        ):
            raise errors.there_already()
        relation_id = new_id()
        await self._check_share(tx, customer_id, wish, relation_id)
        columns = self._columns(key, customer_id, relation_id, wish)
        await repository.add(tx, relation_id, customer_id, columns, now, who.actor)
        event_id, facts = self._facts(kind, key, customer_id, relation_id, 1, wish, None)
        await self._tell(tx, who, event_id, RelationAdded(**facts), now)
        return await self._shown(tx, who, customer_id, relation_id, now)

    async def change(
        self, tx: Transaction, who: Principal, customer_id: UUID, relation_id: UUID, base: int,
        given: Mapping[str, Any], now: datetime,
    ) -> dict[str, Any]:  # fmt: skip
        """Another share, first day or party (`outside`) of a relation that goes on; nothing new: the same version.

        Raises: as `add`, Conflict (relation_ended), PreconditionFailed
        """
        key = await self._hold(tx, who, customer_id, None)
        row = await self._going_on(tx, customer_id, relation_id, base)
        before = self._wish_of(key, row)
        wish = replace(before, **given)
        kind = await self._judge(tx, who, customer_id, wish, now)
        if wish == before:
            return await self._shown(tx, who, customer_id, relation_id, now)
        await self._check_share(tx, customer_id, wish, relation_id)
        columns = self._columns(key, customer_id, relation_id, wish)
        await repository.change(tx, relation_id, {**columns, "ended_on": None})
        event_id, facts = self._facts(kind, key, customer_id, relation_id, row["version"] + 1, wish, None)
        await self._tell(tx, who, event_id, RelationChanged(**facts), now)
        return await self._shown(tx, who, customer_id, relation_id, now)

    async def end(
        self, tx: Transaction, who: Principal, customer_id: UUID, relation_id: UUID, base: int, ended_on: date,
        now: datetime,
    ) -> dict[str, Any]:  # fmt: skip
        """Let a relation be over. Raises: NotFound, Invalid (bad_relation), Conflict, PreconditionFailed"""
        key = await self._hold(tx, who, customer_id, None)
        row = await self._going_on(tx, customer_id, relation_id, base)
        if faults := list(rules.end_faults(row["since"], ended_on, day_of(now))):
            raise errors.bad_relation(faults)
        wish = self._wish_of(key, row)
        await repository.change(tx, relation_id, {**dict(row), "ended_on": ended_on})
        kind = self._kind(row["kind"], now)
        event_id, facts = self._facts(kind, key, customer_id, relation_id, row["version"] + 1, wish, ended_on)
        await self._tell(tx, who, event_id, RelationEnded(**facts), now)
        return await self._shown(tx, who, customer_id, relation_id, now)

    async def page(
        self, tx: Transaction, who: Principal, customer_id: UUID, below: UUID, limit: int, going_on: bool | None,
        now: datetime,
    ) -> tuple[list[dict[str, Any]], bool]:  # fmt: skip
        """Relations of a customer, those that stand in other files too, newest first; whether there are more."""
        await self._files.reach(tx, who, READ, customer_id)
        rows = await repository.page(tx, customer_id, below, limit + 1, going_on)
        return await self._views(tx, who, customer_id, rows[:limit], now), len(rows) > limit

    async def _hold(self, tx: Transaction, who: Principal, customer_id: UUID, other: UUID | None) -> WrappedKey:
        """The customer's key, both customers locked; to be related to, a customer need only be in sight."""
        keys = {}
        for each in sorted({customer_id, *([other] if other else [])}):
            action = CHANGE if each == customer_id else READ
            keys[each] = (await self._keys.hold(tx, who, action, each))[1]
        return keys[customer_id]

    async def _judge(self, tx: Transaction, who: Principal, customer_id: UUID, wish: Wish, now: datetime) -> Relation:
        """The kind of a wish that can be."""
        kind = self._kind(wish.kind, now)
        certificates = self._regimes.get(Codelist, kind.certificates, on=day_of(now))
        if faults := list(rules.faults(kind, certificates, wish, day_of(now))):
            raise errors.bad_relation(faults)
        file = await self._files.reach(tx, who, CHANGE, customer_id)
        sight = who.sight(CHANGE, file["unit"], file["manager"])
        if wish.outside is not None and not sight.shows(kind.secrecy, kind.field_class):
            raise errors.party_not_cleared()
        return kind

    def _kind(self, name: str, now: datetime) -> Relation:
        kind = self._regimes.find(Relation, name, on=day_of(now))
        if kind is None:
            raise errors.unknown_kind(name, [each.id for each in self._regimes.all(Relation, on=day_of(now))])
        return kind

    async def _check_share(self, tx: Transaction, customer_id: UUID, wish: Wish, relation_id: UUID) -> None:
        if wish.share is None:
            return
        others = await repository.shares(tx, customer_id, wish.kind, relation_id)
        if wish.share + others > WHOLE:
            raise errors.more_than_whole(wish.share, others)

    async def _going_on(self, tx: Transaction, customer_id: UUID, relation_id: UUID, base: int) -> Record:
        row = await repository.get(tx, customer_id, relation_id)
        if row is None:
            raise errors.no_such_relation()
        if base > row["version"]:
            raise version_ahead(row["version"])
        if base < row["version"]:
            raise errors.outdated(row["version"])
        if row["ended_on"] is not None:
            raise errors.over()
        return row

    def _columns(self, key: WrappedKey, customer_id: UUID, relation_id: UUID, wish: Wish) -> dict[str, Any]:
        outside, sealed = wish.outside, None
        if outside is not None:
            sealed = self._ring.seal(key, str(customer_id), relation_id, outside.kept())
        return {
            "kind": wish.kind, "other_id": wish.other, "party": outside.party if outside else None, "sealed": sealed,
            "share": wish.share, "since": wish.since,
        }  # fmt: skip

    def _wish_of(self, key: WrappedKey, row: Record) -> Wish:
        outside = None
        if row["party"] is not None:
            known = self._ring.open(key, str(row["customer_id"]), row["id"], row["sealed"])
            outside = Outside(Party(row["party"]), **known)
        return Wish(row["kind"], row["other_id"], outside, row["share"], row["since"])

    def _facts(
        self, kind: Relation, key: WrappedKey, customer_id: UUID, relation_id: UUID, version: int, wish: Wish,
        ended_on: date | None,
    ) -> tuple[UUID, dict[str, Any]]:  # fmt: skip
        """The id of an event, and what it says."""
        event_id, sealed = new_id(), None
        if wish.outside is not None:
            values = {PARTY: {"after": wish.outside.kept()}}
            sealed = to_text(self._ring.seal(key, str(customer_id), event_id, values))
        facts = {
            "relation_id": str(relation_id),
            "customer_id": str(customer_id),
            "version": version,
            "kind": kind.id,
            "other_id": None if wish.other is None else str(wish.other),
            "party": None if wish.outside is None else wish.outside.party.value,
            "share": None if wish.share is None else f"{wish.share:f}",
            "since": wish.since.isoformat() if wish.since else None,
            "ended_on": ended_on.isoformat() if ended_on else None,
            "sealed": sealed,
            "definition": reference(kind.ref),
        }
        return event_id, facts

    async def _tell(self, tx: Transaction, who: Principal, event_id: UUID, event: RelationEvent, now: datetime) -> None:
        """A line for timelines, and the event."""
        facts = event.model_dump(include={"kind", "share", "since", "ended_on"})
        await repository.note(tx, UUID(event.relation_id), event.version, event.type, now, who.actor, facts)
        subject = f"customer/{event.customer_id}"
        envelope = self._outbox.envelope(
            event, feature="relation", subject=subject, actor=who.actor, at=now, event_id=event_id
        )
        await self._outbox.add(tx, envelope, event)

    async def _shown(
        self, tx: Transaction, who: Principal, customer_id: UUID, relation_id: UUID, now: datetime
    ) -> dict[str, Any]:
        row = await repository.get(tx, customer_id, relation_id)
        assert row is not None
        return (await self._views(tx, who, customer_id, [row], now, action=CHANGE))[0]

    async def _views(
        self, tx: Transaction, who: Principal, customer_id: UUID, rows: Sequence[Record], now: datetime, *,
        action: str = READ,
    ) -> list[dict[str, Any]]:  # fmt: skip
        """Relations as one customer's reader sees them; that they saw who a party is, is recorded."""
        file = await self._files.reach(tx, who, action, customer_id)
        sight = who.sight(action, file["unit"], file["manager"])
        sides = {rules.other_side(row, customer_id) for row in rows} - {None}
        reached = await self._files.reach_many(tx, who, READ, [each for each in sides if each is not None])
        key = (await self._keys.of(tx, [customer_id])).get(customer_id)
        views, told = self.showing.views(sight, customer_id, key, rows, reached.keys(), day_of(now))
        await self._reads.record(tx, who, sight, customer_id, told, now)
        return views
