"""Use cases of customer files: register, change, read, list. Requirements R0.2, R1.1, R1.2, R1.3.

A change locks the row, reads only what it touches, and writes file, history and outbox row in one statement. Callers
(routes, other features) hold the transaction; nothing here commits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from types import MappingProxyType
from typing import Any
from uuid import UUID

from services.customer.dictionary.service import Dictionaries
from services.customer.file import columns, errors, lateness, listing, pictures, repository, rules
from services.customer.file.computed import Computed
from services.customer.file.lateness import Learnt, LearntAt
from services.customer.file.pictures import Pictures
from services.customer.file.reads import Reads
from services.customer.file.repository import Locked, Opening, Revision, Written
from services.customer.file.showing import Row, beside, shown_value, stored
from shared.auth import Principal, Sight, Subject, within
from shared.db import Record, Transaction
from shared.edits import (
    Edit,
    before_and_after,
    clashes,
    clashing,
    differing,
    touched_since,
    version_ahead,
)
from shared.errors import Fault, NotFound, PreconditionFailed
from shared.events import CustomerChanged, CustomerChangedLate, CustomerRegistered, RegimeRef
from shared.ids import new_id, parse_id
from shared.outbox import Outbox
from shared.regime import Catalogue, Covers, Item, Ref, Use
from shared.sealing import KeyRing, WrappedKey, to_text

REGISTER, READ, CHANGE = "customer.register", "customer.read", "customer.change"


@dataclass(frozen=True, slots=True)
class Answer:
    """A version and what is shown of it."""

    version: int
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a customer was before, if somebody put it forward: the id and the data key that it keeps, in whose name it
    is registered, and the action by which others agreed to it."""

    customer_id: UUID
    key: WrappedKey
    by: str
    action: str


class Files:
    """Customer files."""

    def __init__(
        self, dictionaries: Dictionaries, ring: KeyRing, outbox: Outbox, reads: Reads, computed: Computed,
        album: Pictures,
    ) -> None:  # fmt: skip
        self._dictionaries = dictionaries
        self._ring = ring
        self._outbox = outbox
        self._reads = reads
        self._computed = computed
        self._album = album

    async def register(
        self, tx: Transaction, who: Principal, kind: str, raw: Mapping[str, Any], unit: str | None, now: datetime,
        proposal: Proposal | None = None,
    ) -> Answer:  # fmt: skip
        """Open a file at version 1. Raises: Invalid, Forbidden (unit, clearance), Conflict (number_taken)."""
        catalogue = self.catalogue_of(kind, now)
        opening = self.opening(who, catalogue, raw, unit, now, proposal)
        try:
            await repository.register(tx, opening)
        except repository.NumberTaken:
            raise errors.number_taken(_code_of(catalogue, Use.NUMBER)) from None
        customer_id, listed, values = opening.customer_id, opening.columns, opening.values
        file = {
            "id": customer_id, "kind": kind, "unit": opening.unit, "number": listed.get("number"),
            "name": listed["name"], "manager": listed.get("manager"), "status": listed.get("status"), "grade": None,
            "version": 1, "created_by": opening.by, "created_at": now, "updated_at": now, "erased_at": None,
            "merged_into": None,
        }  # fmt: skip
        computed = await self._computed.items_of(tx, catalogue, customer_id, now)
        return Answer(1, self._view(who, catalogue, file, values, {}, computed, now)[0])

    def opening(
        self, who: Principal, catalogue: Catalogue, raw: Mapping[str, Any], unit: str | None, now: datetime,
        proposal: Proposal | None = None,
    ) -> Opening:  # fmt: skip
        """A new file, ready to be stored: checked as far as it goes without the others, sealed, with its event.

        Raises: Invalid, Forbidden (unit, clearance)
        """
        action = REGISTER if proposal is None else proposal.action
        by = who.actor if proposal is None else proposal.by
        values, faults = self._dictionaries.read_values(catalogue, raw, now, complete=True)
        faults += pictures.too_early(pictures.named(catalogue, values))
        if faults:
            raise errors.bad_values(faults)
        values = {code: value for code, value in values.items() if value is not None}
        listed = {"name": "", "name_key": b"", **rules.columns_of(catalogue.uses, values)}
        unit = self._unit_for(who, action, unit, listed.get("manager"))
        sight = who.sight(action, unit, listed.get("manager"))
        self._refuse_unreadable(sight, catalogue, values)
        self._refuse_unkept(sight, catalogue, values.keys() - catalogue.required)
        customer_id = new_id() if proposal is None else proposal.customer_id
        wrapped = self._ring.new_key(str(customer_id)) if proposal is None else proposal.key
        event_id, items = new_id(), list(values)
        text, sealed = self._seal(wrapped, customer_id, event_id, before_and_after({}, values))
        event = CustomerRegistered(
            customer_id=str(customer_id), kind=catalogue.kind, unit=unit, manager=listed.get("manager"), version=1,
            items=tuple(items), sealed=text, dictionary=reference(catalogue.ref),
        )  # fmt: skip
        envelope = self._outbox.envelope(
            event, feature="file", subject=f"customer/{customer_id}", actor=who.actor, sequence=1, at=now,
            event_id=event_id,
        )  # fmt: skip
        written = Written(1, event_id, event.type, now, who.actor, items, sealed)
        row = self._outbox.row(envelope, event)
        return Opening(customer_id, catalogue.kind, unit, listed, values, wrapped, by, written, row)

    def catalogue_of(self, kind: str, now: datetime) -> Catalogue:
        """The dictionary of a kind. Raises: Invalid (unknown_kind)"""
        try:
            return self._dictionaries.catalogue(kind, now)
        except NotFound:
            raise errors.unknown_kind(kind, self._dictionaries.kinds(now)) from None

    def _unit_for(self, who: Principal, action: str, unit: str | None, manager: str | None) -> str:
        chosen = who.unit if unit is None else unit
        if not chosen:
            raise errors.unit_missing()
        if not who.scope(action).reaches(chosen, manager):
            raise errors.unit_out_of_reach(chosen)
        return chosen

    def read_change(
        self, sight: Sight, catalogue: Catalogue, file: Locked, raw: Mapping[str, Any], now: datetime
    ) -> tuple[dict[str, Any], dict[str, Any], list[Fault]]:
        """New values of a file as they are stored, those that differ, and what is wrong beside the rest of it.

        Raises: Forbidden (item_not_cleared, item_not_kept)
        """
        values, faults = self._dictionaries.read_values(catalogue, raw, now)
        self._refuse_unreadable(sight, catalogue, values)
        changed = differing(file.present, values)
        self._refuse_unkept(sight, catalogue, changed)
        faults += self._dictionaries.contradictions(catalogue, file.present, values, raw, _shows(sight), now)
        return values, changed, faults

    def _refuse_unreadable(self, sight: Sight, catalogue: Catalogue, values: Mapping[str, Any]) -> None:
        shows = _shows(sight)
        if unreadable := [code for code in values if not shows(catalogue.items[code])]:
            raise errors.not_readable(unreadable)

    def _refuse_unkept(self, sight: Sight, catalogue: Catalogue, codes: Iterable[str]) -> None:
        """Not asked of what is there already, which somebody may send along, nor of what no file can begin without."""
        items = [catalogue.items[code] for code in sorted(codes)]
        unkept = [item for item in items if not sight.sets(item.secrecy, item.field_class, item.maintained_by)]
        if unkept:
            raise errors.not_kept({item.code: item.maintained_by for item in unkept})

    def _seal(self, key: WrappedKey, customer_id: UUID, event_id: UUID, values: Any) -> tuple[str, bytes]:
        sealed = self._ring.seal(key, str(customer_id), event_id, values)
        return to_text(sealed), sealed

    async def change(
        self, tx: Transaction, who: Principal, customer_id: UUID, base: int, raw: Mapping[str, Any], now: datetime,
        *, learnt: LearntAt | None = None,
    ) -> Answer | PreconditionFailed:  # fmt: skip
        """Change items of a file that the caller read at version `base`, and that they learnt of at some moment.

        The answer holds every item that differs from that version. Edits of other items since then are merged; a clash
        is returned, not raised, so that what it shows is recorded as read. Nothing to change: the same version again.
        Raises: NotFound, Invalid, Forbidden, Conflict (customer_erased, number_taken), PreconditionFailed.
        """
        file = await repository.lock(tx, customer_id, self._dictionaries.with_companions(raw, now))
        if file is None:
            raise errors.no_such_customer()
        sight = within(who, CHANGE, file.unit, file.manager)
        catalogue = self._dictionaries.catalogue(file.kind, now)
        values, changed, faults = self.read_change(sight, catalogue, file, raw, now)
        if photos := pictures.named(catalogue, values):
            faults += pictures.foreign(photos, await self._album.items_of(tx, customer_id, photos.values()))
        if learnt is not None:
            opened_at = await repository.opened_at(tx, customer_id)
            faults += lateness.faults(learnt, values.keys(), opened_at, now)
        if faults:
            raise errors.bad_values(faults)
        key = errors.key_of_open(file.key, file.merged_into)
        if base > file.version:
            raise version_ahead(file.version)
        others: set[str] = set()
        if base < file.version:
            since = await self._edits_since(tx, customer_id, key, base)
            if found := clashes(values, file.present, since):
                await self._reads.note(tx, who, sight, catalogue, customer_id, [each.item for each in found], now)
                return clashing(found, file.version, "/values")
            others = touched_since(since)
        version = file.version + 1 if changed else file.version
        late = {} if learnt is None else self._measured(learnt, catalogue, changed, now)
        if changed:
            revision = self.revision(who, customer_id, file, catalogue, changed, now, late)
            try:
                await repository.change(tx, revision)
            except repository.NumberTaken:
                raise errors.number_taken(_code_of(catalogue, Use.NUMBER)) from None
            if any(each.is_late for each in late.values()):
                await self._tell_late(tx, file, revision, late)
        shown = {code: shown_value(value, who.actor, now, now, *beside(late, code)) for code, value in changed.items()}
        others -= changed.keys()
        if others:
            shown |= await self._others(tx, who, sight, customer_id, catalogue, others, now)
        return Answer(version, {"id": customer_id, "kind": file.kind, "version": version, "values": shown})

    async def _edits_since(self, tx: Transaction, customer_id: UUID, key: WrappedKey, base: int) -> list[Edit]:
        rows = await repository.events_since(tx, customer_id, base)
        subject = str(customer_id)
        return [Edit(row["version"], self._ring.open(key, subject, row["event_id"], row["sealed"])) for row in rows]

    def revision(
        self, who: Principal, customer_id: UUID, file: Locked, catalogue: Catalogue, changed: Mapping[str, Any],
        now: datetime, late: Mapping[str, Learnt] = MappingProxyType({}),
    ) -> Revision:  # fmt: skip
        """The next version of a locked file, ready to be stored: sealed, with its event."""
        assert file.key is not None
        version, event_id, items = file.version + 1, new_id(), list(changed)
        values = before_and_after(file.present, changed)
        text, sealed = self._seal(file.key, customer_id, event_id, values)
        listed = rules.columns_of(catalogue.uses, changed)
        event = CustomerChanged(
            customer_id=str(customer_id), kind=file.kind, unit=file.unit, manager=listed.get("manager", file.manager),
            version=version, items=tuple(items), sealed=text, dictionary=reference(catalogue.ref),
        )  # fmt: skip
        envelope = self._outbox.envelope(
            event, feature="file", subject=f"customer/{customer_id}", actor=who.actor, sequence=version, at=now,
            event_id=event_id,
        )  # fmt: skip
        moment = now.isoformat()
        meta = {code: [who.actor, moment, moment, *beside(late, code)] for code in changed}
        written = Written(version, event_id, event.type, now, who.actor, items, sealed)
        return Revision(customer_id, changed, meta, listed, written, self._outbox.row(envelope, event))

    def _measured(
        self, learnt: LearntAt, catalogue: Catalogue, changed: Iterable[str], now: datetime
    ) -> dict[str, Learnt]:
        cadence = self._dictionaries.cadences(catalogue.kind, now).get(Covers.REALTIME)
        if cadence is None:
            return {}
        return lateness.measured(learnt, catalogue, cadence, self._dictionaries.calendar(cadence, now), changed, now)

    async def _tell_late(self, tx: Transaction, file: Locked, revision: Revision, late: Mapping[str, Learnt]) -> None:
        event = revision.event
        fact = CustomerChangedLate(
            customer_id=str(revision.customer_id), kind=file.kind, unit=file.unit,
            manager=revision.columns.get("manager", file.manager), version=event.version,
            items={code: each.as_fact() for code, each in late.items() if each.is_late},
        )  # fmt: skip
        told = self._outbox.envelope(
            fact, feature="file", subject=f"customer/{revision.customer_id}", actor=event.actor,
            sequence=event.version, at=event.at,
        )  # fmt: skip
        await self._outbox.add(tx, told, fact)

    async def _others(
        self, tx: Transaction, who: Principal, sight: Sight, customer_id: UUID, catalogue: Catalogue, codes: set[str],
        now: datetime,
    ) -> dict[str, Any]:  # fmt: skip
        """What other people changed meanwhile, so that the new ETag covers only what the caller has seen."""
        seen, _ = self._reads.clear(sight, catalogue, codes)
        file = await self._row(tx, customer_id)
        await self._reads.note(tx, who, sight, catalogue, customer_id, seen, now)
        return {code: stored(file["values"].get(code), file["meta"].get(code), file) for code in sorted(seen)}

    async def _row(self, tx: Transaction, customer_id: UUID) -> Record:
        row = await repository.get(tx, customer_id)
        if row is None:
            raise errors.no_such_customer()
        return row

    async def read(
        self, tx: Transaction, who: Principal, customer_id: UUID, now: datetime, *, known: int | None = None,
        action: str = READ,
    ) -> Answer | None:  # fmt: skip
        """The file as far as the reader is cleared for an action; None if it still is at the `known` version."""
        file = await self._row(tx, customer_id)
        sight = within(who, action, file["unit"], file["manager"])
        if file["version"] == known:
            return None
        catalogue = self._dictionaries.catalogue(file["kind"], now)
        computed = await self._computed.items_of(tx, catalogue, customer_id, now)
        body, seen = self._view(who, catalogue, file, file["values"], file["meta"], computed, now, action)
        await self._reads.note(tx, who, sight, catalogue, customer_id, seen, now)
        return Answer(file["version"], body)

    def _view(
        self, who: Principal, catalogue: Catalogue, file: Row, values: Mapping[str, Any],
        meta: Mapping[str, Any], computed: Mapping[str, Any], now: datetime, action: str = READ,
    ) -> tuple[dict[str, Any], set[str]]:  # fmt: skip
        sight = who.sight(action, file["unit"], file["manager"])
        seen, withheld = self._reads.clear(sight, catalogue, (*values, *computed))
        shown = {code: stored(value, meta.get(code), file) for code, value in values.items() if code in seen}
        shown |= {code: shown_value(value, "system", now, now) for code, value in computed.items() if code in seen}
        body = {
            **{name: file[name] for name in listing.SHOWN},
            "erased_at": file["erased_at"],
            "values": shown,
            "withheld": sorted(withheld),
        }
        return columns.without_hidden(who, catalogue, body), seen

    async def page(
        self, tx: Transaction, who: Principal, wanted: listing.Wanted, limit: int, now: datetime
    ) -> tuple[list[dict[str, Any]], tuple[bytes, UUID] | None]:
        """A page of the list by name, and where the next one begins; only of files whose filter columns are in sight.

        A kind without a dictionary in force is not listed: nothing says who may see what it is found and sorted by.
        Raises: Forbidden (filter_not_cleared), if the reader sees a filter's column of no file at all
        """
        kinds = [wanted.filters["kind"]] if "kind" in wanted.filters else self._dictionaries.kinds(now)
        catalogues = {kind: self._dictionaries.catalogue(kind, now) for kind in kinds}
        scope = columns.scope_for(who, catalogues.values(), wanted.asked)
        rows = await listing.page(tx, replace(wanted, scope=scope, kinds=kinds), limit + 1)
        after = (rows[limit - 1]["name_key"], rows[limit - 1]["id"]) if len(rows) > limit else None
        shown = [{name: row[name] for name in listing.SHOWN} for row in rows[:limit]]
        return [columns.without_hidden(who, catalogues[row["kind"]], row) for row in shown], after

    async def numbers_taken(self, tx: Transaction, catalogue: Catalogue, values: Mapping[str, Any]) -> Sequence[Fault]:
        """What would be wrong with a new file of these values: another customer of the kind has its number."""
        code = next((code for code, use in catalogue.uses.items() if use is Use.NUMBER and values.get(code)), None)
        if code is None or not await repository.has_number(tx, catalogue.kind, values[code]):
            return ()
        return errors.number_taken(code).faults

    async def rows(
        self, tx: Transaction, who: Principal, customer_ids: Sequence[UUID], now: datetime
    ) -> dict[UUID, dict[str, Any]]:
        """Files as lists show them, as far as the reader sees them; those out of reach are missing."""
        scope, found = who.scope(READ), {}
        for row in await listing.rows(tx, customer_ids):
            if scope.reaches(row["unit"], row["manager"]):
                catalogue = self._dictionaries.catalogue(row["kind"], now)
                place = row["unit"], row["manager"]
                found[row["id"]] = columns.without_hidden(who, catalogue, dict(row), place)
        return found

    async def subject(self, tx: Transaction, key: str, now: datetime) -> Subject | None:
        """A file as authority sees it, for explanations."""
        customer_id = parse_id(key)
        row = None if customer_id is None else (await repository.reach(tx, [customer_id])).get(customer_id)
        if row is None:
            return None
        items = self._dictionaries.catalogue(row["kind"], now).items
        fields = {code: (item.secrecy, item.field_class) for code, item in items.items()}
        keepers = {code: item.maintained_by for code, item in items.items()}
        return Subject(row["unit"], row["manager"], fields, keepers)

    async def reach(self, tx: Transaction, who: Principal, action: str, customer_id: UUID) -> Record:
        """Unit, manager, kind and version of a file that `action` reaches. Raises: NotFound."""
        row = (await repository.reach(tx, [customer_id])).get(customer_id)
        if row is None:
            raise errors.no_such_customer()
        within(who, action, row["unit"], row["manager"])
        return row

    async def reach_many(
        self, tx: Transaction, who: Principal, action: str, customer_ids: Sequence[UUID]
    ) -> dict[UUID, Record]:
        """The same for many files; those out of reach are missing, like those that do not exist."""
        scope = who.scope(action)
        rows = await repository.reach(tx, customer_ids)
        return {found: row for found, row in rows.items() if scope.reaches(row["unit"], row["manager"])}


def _shows(sight: Sight) -> Callable[[Item], bool]:
    return lambda item: sight.shows(item.secrecy, item.field_class)


def _code_of(catalogue: Catalogue, use: Use) -> str:
    return next(code for code, found in catalogue.uses.items() if found is use)


@lru_cache(maxsize=64)
def reference(ref: Ref) -> RegimeRef:
    """The same reference as events carry it."""
    return RegimeRef.model_validate(ref.as_json())
