"""Use case of verifying: items of a file are confirmed without a change (R1.2, R7.3).

It goes the way of every change: the row is locked, the next version is one history row and one event. No value differs,
so that it clashes with no edit of other items, and nothing that looks at values (grades, system items) is touched.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any, TypeAlias
from uuid import UUID

from services.customer.dictionary.service import Dictionaries
from services.customer.file import errors, repository
from services.customer.file.reads import Reads
from services.customer.file.repository import Written
from services.customer.file.service import READ
from shared.auth import Principal, Sight, within
from shared.clock import CHINA, day_of
from shared.db import Record, Transaction
from shared.edits import Clash, Edit, clashing, version_ahead
from shared.errors import Fault, PreconditionFailed
from shared.events import CustomerVerified
from shared.ids import new_id
from shared.outbox import Outbox
from shared.regime import Catalogue, Maintenance
from shared.sealing import KeyRing, WrappedKey, to_text

_LAST = time(23, 59, 59, tzinfo=CHINA)


@dataclass(frozen=True, slots=True)
class Statement:
    """What a customer answered, by which channel, on which day; `answered_by`: who spoke for them, if it was said."""

    channel: str
    on: date
    answer: str
    answered_by: str | None


@dataclass(frozen=True, slots=True)
class Present:
    """A file under its lock: which items have a value, and when each was verified last."""

    kind: str
    status: str | None
    opened_at: datetime
    verified_at: Mapping[str, datetime]


@dataclass(frozen=True, slots=True)
class Choice:
    """What is to be verified. `named`: by the caller, so that what cannot be verified is refused, not left out.

    `whole`: the file as a whole, besides its items.
    """

    codes: Sequence[str]
    whole: bool = False
    named: bool = False


Choose: TypeAlias = Callable[[Present, Catalogue], Awaitable[Choice]]
"""What is to be verified of a file that is locked."""


@dataclass(frozen=True, slots=True)
class Verified:
    """What became of it: the items, those that are not the caller's to see and stay as they are, the version."""

    id: UUID
    version: int
    items: tuple[str, ...]
    withheld: tuple[str, ...]
    whole: bool
    at: datetime
    key: WrappedKey


class Verifying:
    """Verifies items."""

    def __init__(self, dictionaries: Dictionaries, ring: KeyRing, outbox: Outbox, reads: Reads) -> None:
        self._dictionaries = dictionaries
        self._ring = ring
        self._outbox = outbox
        self._reads = reads

    async def verify(
        self, tx: Transaction, who: Principal, action: str, customer_id: UUID, base: int | None, choose: Choose,
        said: Statement, now: datetime,
    ) -> Verified | PreconditionFailed:  # fmt: skip
        """Confirm items of a file that the caller read at version `base` (None: as they are now).

        An item that somebody changed since then is a clash of three values, returned like that of a change.
        Raises: NotFound, Forbidden, Invalid, Conflict (customer_erased, nothing_due), PreconditionFailed.
        """
        file = await repository.lock_whole(tx, customer_id)
        if file is None:
            raise errors.no_such_customer()
        sight = within(who, action, file["unit"], file["manager"])
        if file["erased_at"] is not None:
            raise errors.erased()
        if base is not None and base > file["version"]:
            raise version_ahead(file["version"])
        catalogue = self._dictionaries.catalogue(file["kind"], now)
        present = _present(file, catalogue)
        choice = await choose(present, catalogue)
        shown = self._shown(sight, who.sight(READ, file["unit"], file["manager"]), catalogue, choice.codes)
        at = now if said.on == day_of(now) else datetime.combine(said.on, _LAST)
        items = _checked(choice, shown, present, catalogue, at)
        if not items and not choice.whole:
            raise errors.nothing_due()
        key = WrappedKey(file["kek"], file["wrapped"])
        if base is not None and base < file["version"]:
            since = await self._since(tx, customer_id, key, base)
            if found := _clashes(items, file["values"], since):
                await self._reads.note(tx, who, sight, catalogue, customer_id, [each.item for each in found], now)
                return clashing(found, file["version"], "/items")
        withheld = tuple(sorted(set(choice.codes) - shown))
        verified = Verified(new_id(), file["version"] + 1, items, withheld, choice.whole, at, key)
        await self._write(tx, who, customer_id, file, verified, said, now)
        return verified

    def _shown(self, may: Sight, reads: Sight, catalogue: Catalogue, codes: Collection[str]) -> set[str]:
        """Those items that the caller may verify and also sees: nobody confirms blindly."""
        seen, _ = self._reads.clear(may, catalogue, codes)
        return self._reads.clear(reads, catalogue, seen)[0]

    async def _since(self, tx: Transaction, customer_id: UUID, key: WrappedKey, base: int) -> list[Edit]:
        rows = await repository.events_since(tx, customer_id, base)
        opened = (self._ring.open(key, str(customer_id), row["event_id"], row["sealed"]) for row in rows)
        return [Edit(row["version"], values) for row, values in zip(rows, opened, strict=True)]

    async def _write(
        self, tx: Transaction, who: Principal, customer_id: UUID, file: Record, verified: Verified, said: Statement,
        now: datetime,
    ) -> None:  # fmt: skip
        subject, event_id = str(customer_id), verified.id
        answer = self._ring.seal(
            verified.key, subject, event_id, {"answer": said.answer, "answered_by": said.answered_by}
        )
        event = CustomerVerified(
            customer_id=subject, kind=file["kind"], unit=file["unit"], manager=file["manager"],
            version=verified.version, items=verified.items, whole=verified.whole, channel=said.channel, on=said.on,
            sealed=to_text(answer),
        )  # fmt: skip
        envelope = self._outbox.envelope(
            event, feature="file", subject=f"customer/{subject}", actor=who.actor, sequence=verified.version, at=now,
            event_id=event_id,
        )  # fmt: skip
        default = [file["created_by"], file["created_at"].isoformat(), ""]
        moment = verified.at.isoformat()
        stood = {code: file["meta"].get(code, default) for code in verified.items}
        meta = {code: [*found[:2], moment, *found[3:]] for code, found in stood.items()}
        items = list(verified.items)
        written = Written(verified.version, event_id, event.type, now, who.actor, items, None)
        await repository.verify(tx, customer_id, meta, written, self._outbox.row(envelope, event))


def _present(file: Record, catalogue: Catalogue) -> Present:
    opened_at, meta = file["created_at"], file["meta"]
    verified_at = {
        code: datetime.fromisoformat(meta[code][2]) if code in meta else opened_at
        for code in file["values"]
        if code in catalogue.items
    }
    return Present(file["kind"], file["status"], opened_at, verified_at)


def _checked(
    choice: Choice, shown: Collection[str], present: Present, catalogue: Catalogue, at: datetime
) -> tuple[str, ...]:
    """The items that are verified, as of a moment. Raises: Forbidden, Invalid."""
    if not choice.named:
        wanted = (code for code in choice.codes if code in shown)
        return tuple(code for code in wanted if present.verified_at[code] <= at)
    places = {code: place for place, code in enumerate(choice.codes)}
    faults = [fault for code in places for fault in _faults(code, places[code], present, catalogue, at)]
    if hidden := {code: places[code] for code in places if code in catalogue.items and code not in shown}:
        raise errors.not_verifiable(hidden)
    if faults:
        raise errors.bad_verification(faults)
    return tuple(places)


def _faults(code: str, place: int, present: Present, catalogue: Catalogue, at: datetime) -> Sequence[Fault]:
    item, pointer = catalogue.items.get(code), f"/items/{place}"
    if item is None:
        expected = f"an item of the dictionary of kind {catalogue.kind}"
        return [Fault(pointer, "unknown_item", code[:80], expected)]
    if item.maintenance is Maintenance.SYSTEM:
        return [Fault(pointer, "system_item", code, "an item that people keep: the system computes this one")]
    if code not in present.verified_at:
        return [Fault(pointer, "no_value", code, "an item that has a value")]
    if (last := present.verified_at[code]) > at:
        return [Fault(pointer, "set_later", code, f"an answer of {day_of(last)} or later")]
    return []


def _clashes(items: Sequence[str], current: Mapping[str, Any], since: Sequence[Edit]) -> list[Clash]:
    """Items that hold another value now than in the version that the caller saw."""
    found = []
    for item in items:
        touched = [edit.changes[item] for edit in since if item in edit.changes]
        if touched and touched[0].get("before") != current.get(item):
            original = touched[0].get("before")
            found.append(Clash(item, original, current.get(item), original))
    return found
