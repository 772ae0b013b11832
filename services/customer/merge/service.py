"""Use cases of merges: make one file of two, take them apart again, show what was merged (R5.2).

Each is one transaction. Both files are locked first, in order of id, so that of two merges, or a merge and an edit, one
comes later and finds another version. The survivor changes by the one path of all changes; records of other features
move by `Related`. The loser keeps its values, its history and its key; it only gives up its number if that was taken.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from services.customer.dictionary.service import Dictionaries
from services.customer.file.closing import Closing
from services.customer.file.related import Related
from services.customer.file.repository import Locked
from services.customer.file.service import Files
from services.customer.merge import errors, repository, rules
from shared.auth import Principal
from shared.clock import day_of
from shared.db import Record, Transaction
from shared.edits import before_and_after, differing
from shared.errors import Fault, PreconditionFailed
from shared.events import CustomerMerged, CustomerUnmerged, Envelope, Event
from shared.ids import new_id
from shared.outbox import Outbox
from shared.regime import Catalogue, Clock, Regimes, Use
from shared.sealing import KeyRing

PERFORM, UNDO = "merge.perform", "merge.undo"
_TERMS, _UNDO_TERM = "merge", "undo"


@dataclass(frozen=True, slots=True)
class Wish:
    """Two files as they were read, by id and version, and from which of them an item comes; from the survivor, if not
    said."""

    survivor: tuple[UUID, int]
    loser: tuple[UUID, int]
    take: Mapping[str, str]
    reason: str | None = None

    @property
    def taken(self) -> list[str]:
        """The items that come from the loser."""
        return sorted(code for code, side in self.take.items() if side == rules.LOSER)


@dataclass(frozen=True, slots=True)
class Two:
    """The two files of a merge, locked."""

    survivor_id: UUID
    loser_id: UUID
    survivor: Locked
    loser: Locked


class Merges:
    """Merges files."""

    def __init__(
        self, dictionaries: Dictionaries, regimes: Regimes, files: Files, closing: Closing, ring: KeyRing,
        outbox: Outbox, related: Sequence[Related],
    ) -> None:  # fmt: skip
        self._dictionaries = dictionaries
        self._regimes = regimes
        self._files = files
        self._closing = closing
        self._ring = ring
        self._outbox = outbox
        self._related = related

    async def perform(self, tx: Transaction, who: Principal, wish: Wish, now: datetime) -> UUID:
        """Merge; the id of the merge.

        Raises: NotFound, Invalid (merge_with_itself, bad_choice, bad_values), Forbidden (item_not_cleared), Conflict
        (customer_erased, customer_merged, other_kind, number_taken), PreconditionFailed (merge_on_old_version).
        """
        two, catalogue = await self._held(tx, who, wish, now)
        taken = self._taken(who, wish, two, catalogue)
        moved = {each.name: await each.move(tx, two.loser_id, two.survivor_id) for each in self._related}
        number, had = _number(catalogue, two.loser)
        merge_id, items = new_id(), tuple(taken)
        facts = self._facts(lambda facts: CustomerMerged(**facts), who, two, merge_id, items, moved, now)
        kept = None if number in taken else had
        await self._closing.close(tx, two.loser_id, two.loser, two.survivor_id, kept, facts[1])
        version = await self._change(tx, who, two, {code: was["after"] for code, was in taken.items()}, now)
        await self._outbox.add(tx, *facts[0])
        assert two.survivor.key is not None
        content = {"values": taken, "reason": wish.reason}
        sealed = self._ring.seal(two.survivor.key, str(two.survivor_id), merge_id, content)
        until = self._regimes.get(Clock, _TERMS, on=day_of(now)).ends(_UNDO_TERM, now)
        files, versions = (two.survivor_id, two.loser_id), (version, two.loser.version + 1)
        await repository.add(tx, merge_id, files, versions, now, who.actor, items, moved, sealed, until)
        return merge_id

    async def _held(self, tx: Transaction, who: Principal, wish: Wish, now: datetime) -> tuple[Two, Catalogue]:
        """Both files, open, of one kind and as the caller read them."""
        if wish.survivor[0] == wish.loser[0]:
            raise errors.with_itself()
        numbers = _numbers(self._dictionaries, now)
        codes = {*wish.taken, *numbers}
        held = await self._closing.hold(tx, who, PERFORM, (wish.survivor[0], wish.loser[0]), codes)
        two = Two(wish.survivor[0], wish.loser[0], held[wish.survivor[0]], held[wish.loser[0]])
        _require_open(two)
        if two.survivor.kind != two.loser.kind:
            raise errors.other_kind(two.survivor.kind, two.loser.kind)
        versions = {
            rules.SURVIVOR: (wish.survivor[1], two.survivor.version),
            rules.LOSER: (wish.loser[1], two.loser.version),
        }
        if old := {place: pair for place, pair in versions.items() if pair[0] != pair[1]}:
            raise errors.stale(old)
        return two, self._dictionaries.catalogue(two.survivor.kind, now)

    def _taken(self, who: Principal, wish: Wish, two: Two, catalogue: Catalogue) -> dict[str, dict[str, Any]]:
        """What the survivor gets: before and after by item, where the two differ."""
        if faults := list(rules.wrong_choices(catalogue, wish.take)):
            raise errors.bad_choice(faults)
        sight = who.sight(PERFORM, two.loser.unit, two.loser.manager)
        items = [catalogue.items[code] for code in wish.taken]
        if hidden := [item.code for item in items if not sight.shows(item.secrecy, item.field_class)]:
            raise errors.not_readable(hidden)
        wanted = {code: two.loser.present.get(code) for code in wish.taken}
        return before_and_after(two.survivor.present, differing(two.survivor.present, wanted))

    async def _change(self, tx: Transaction, who: Principal, two: Two, values: Mapping[str, Any], now: datetime) -> int:
        """The survivor by the one path; its version afterwards."""
        if not values:
            return two.survivor.version
        answer = await self._files.change(tx, who, two.survivor_id, two.survivor.version, values, now)
        if isinstance(answer, PreconditionFailed):  # pragma: no cover - the file is locked at just this version
            raise answer
        return answer.version

    def _facts(
        self, told: Callable[[dict[str, Any]], Event], who: Principal, two: Two, merge_id: UUID,
        items: Sequence[str], moved: Mapping[str, Sequence[str]], now: datetime,
    ) -> tuple[tuple[Envelope, Event], tuple[Envelope, Event]]:  # fmt: skip
        """The same fact of the survivor and of the loser."""
        counts = {name: len(records) for name, records in moved.items() if records}

        def fact(part: str, about: UUID, file: Locked, other: UUID) -> tuple[Envelope, Event]:
            event = told(
                {
                    "customer_id": str(about), "kind": file.kind, "unit": file.unit, "manager": file.manager,
                    "part": part, "other_id": str(other), "merge": str(merge_id), "items": items, "moved": counts,
                }
            )  # fmt: skip
            envelope = self._outbox.envelope(
                event, feature="merge", subject=f"customer/{about}", actor=who.actor, at=now,
                sequence=file.version + 1 if part == rules.LOSER else None,
            )  # fmt: skip
            return envelope, event

        return (
            fact(rules.SURVIVOR, two.survivor_id, two.survivor, two.loser_id),
            fact(rules.LOSER, two.loser_id, two.loser, two.survivor_id),
        )

    async def undo(
        self, tx: Transaction, who: Principal, merge_id: UUID, reason: str, keep: Collection[str], now: datetime
    ) -> None:
        """Take two files apart as they were: records go back, the survivor's items get their former values.

        Raises: NotFound, Conflict (merge_undone, undo_term_over, customer_erased, customer_merged, merge_conflicts,
        number_taken).
        """
        row = await repository.get(tx, merge_id)
        if row is None:
            raise errors.no_such_merge()
        catalogue, two = await self._held_again(tx, who, row, now)
        assert two.survivor.key is not None
        key, subject = two.survivor.key, str(two.survivor_id)
        taken: Mapping[str, Mapping[str, Any]] = self._ring.open(key, subject, merge_id, row["sealed"])["values"]
        values = rules.put_back(taken, two.survivor.present)
        number = _number(catalogue, two.loser)
        if faults := [
            *rules.not_to_be_put_back(taken, two.survivor.present, keep),
            *rules.astray(
                rules.pictures(catalogue),
                {**two.survivor.present, **values},
                {record for records in row["moved"].values() for record in records},
            ),
            *await self._number_faults(tx, two, number),
        ]:
            raise errors.changed_since(faults)
        if not await repository.undo(
            tx, merge_id, now, who.actor, self._ring.seal(key, subject, merge_id, {"reason": reason})
        ):
            raise errors.undone_already()  # pragma: no cover - it was looked at under the lock of both files
        await self._change(tx, who, two, values, now)
        moved = {
            each.name: await each.move(tx, two.survivor_id, two.loser_id, row["moved"][each.name])
            for each in reversed(self._related)
            if row["moved"].get(each.name)
        }
        facts = self._facts(lambda facts: CustomerUnmerged(**facts), who, two, merge_id, tuple(values), moved, now)
        await self._closing.reopen(tx, two.loser_id, two.loser, number, facts[1])
        await self._outbox.add(tx, *facts[0])

    async def _held_again(self, tx: Transaction, who: Principal, row: Record, now: datetime) -> tuple[Catalogue, Two]:
        """The two files of a merge that is in force and can be undone."""
        kinds = self._dictionaries.kinds(now)
        pictures = {code for kind in kinds for code in rules.pictures(self._dictionaries.catalogue(kind, now))}
        codes = {*row["items"], *pictures, *_numbers(self._dictionaries, now)}
        held = await self._closing.hold(tx, who, UNDO, (row["survivor"], row["loser"]), codes)
        again = await repository.get(tx, row["id"])
        if again is None or again["undone_at"] is not None:
            raise errors.undone_already()
        two = Two(row["survivor"], row["loser"], held[row["survivor"]], held[row["loser"]])
        _require_open(two, loser=False)
        if now > row["undo_until"]:
            raise errors.term_over(row["undo_until"])
        return self._dictionaries.catalogue(two.survivor.kind, now), two

    async def _number_faults(self, tx: Transaction, two: Two, number: tuple[str, str | None]) -> list[Fault]:
        """The loser's number, given up by the merge, may be a third customer's by now."""
        item, value = number
        kind, own = two.loser.kind, (two.survivor_id, two.loser_id)
        if value is None or await self._closing.number_is_free(tx, kind, value, *own):
            return []
        return [Fault(f"/loser/{item}", "taken", item, "a number that no other customer has")]


def _require_open(two: Two, *, loser: bool = True) -> None:
    """Neither is erased, and neither was merged into another, save a loser that is to be opened again."""
    sides = {rules.SURVIVOR: two.survivor, rules.LOSER: two.loser}
    faults = [Fault(f"/{place}/id", "erased", None, "an open file") for place, file in sides.items() if not file.key]
    asked = sides if loser else {rules.SURVIVOR: two.survivor}
    merged = {place: file.merged_into for place, file in asked.items() if file.merged_into is not None}
    faults += [Fault(f"/{place}/id", "merged", str(into), "an open file") for place, into in merged.items()]
    if faults:
        raise errors.not_open(faults, next(iter(merged.values()), None))


def _numbers(dictionaries: Dictionaries, now: datetime) -> set[str]:
    """The items that serve as a customer's number, of all kinds."""
    found = (dictionaries.catalogue(kind, now).used_as(Use.NUMBER) for kind in dictionaries.kinds(now))
    return {item.code for item in found if item is not None}


def _number(catalogue: Catalogue, file: Locked) -> tuple[str, str | None]:
    """The item that serves as a customer's number, and its value in a file."""
    item = catalogue.used_as(Use.NUMBER)
    return ("", None) if item is None else (item.code, file.present.get(item.code))
