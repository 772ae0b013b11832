"""The reviews of files, reckoned anew whenever a file or what is declared has changed. Called by consumers and jobs.

`review_due` follows the files: a batch of them is locked first and read afterwards, so that no two reckonings of a file
interleave and none stores what is older than the event that it came for.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import date, datetime, time
from functools import lru_cache
from hashlib import sha256
from types import MappingProxyType
from typing import Any
from uuid import UUID

from services.customer.dictionary.service import Dictionaries
from services.customer.review import repository
from services.customer.review.rules import Cadences, Standing
from shared.clock import CHINA, day_of
from shared.db import Record, Transaction
from shared.errors import NotFound
from shared.events import Envelope, Event, ReviewOverdue, ReviewOverdueCounted
from shared.outbox import Outbox

_ACTOR = "system/customer"


class Standings:
    """Reckons reviews, and tells which became overdue."""

    def __init__(self, dictionaries: Dictionaries, outbox: Outbox) -> None:
        self._dictionaries = dictionaries
        self._outbox = outbox
        self._compiled = lru_cache(maxsize=64)(self._compile)

    def cadences(self, kind: str, now: datetime) -> Cadences | None:
        """The reviews of a kind of customer; None if no dictionary of it is in force."""
        return self._compiled(kind, day_of(now))

    def _compile(self, kind: str, day: date) -> Cadences | None:
        noon = datetime.combine(day, time(12), CHINA)
        try:
            catalogue = self._dictionaries.catalogue(kind, noon)
        except NotFound:
            return None
        declared = self._dictionaries.cadences(kind, noon)
        calendars = {each.id: self._dictionaries.calendar(each, noon) for each in declared.values()}
        return Cadences(catalogue, declared, calendars)

    async def follow(
        self, tx: Transaction, customer_ids: Collection[UUID], now: datetime,
        checked_at: Mapping[UUID, datetime] = MappingProxyType({}),
        visited_at: Mapping[UUID, datetime | None] = MappingProxyType({}),
    ) -> None:  # fmt: skip
        """Reckon the reviews of these files as they stand now; of an erased file there are none.

        `checked_at`: when some of them were verified as a whole just now; `visited_at`: the last visits of some.
        """
        if not customer_ids:
            return
        checked = await repository.lock(tx, customer_ids)
        if checked_at:
            checked |= await repository.set_checked(tx, checked_at)
        if visited_at:
            checked |= await repository.set_visited(tx, visited_at)
        rows = [
            row
            for file in await repository.files(tx, list(checked))
            for row in self._rows(file, checked[file["id"]], now)
        ]
        await repository.store(tx, list(checked), rows)

    async def checked(self, tx: Transaction, customer_ids: Collection[UUID]) -> Mapping[UUID, datetime | None]:
        """When each of these files as a whole was verified last; those that never were may be missing."""
        return await repository.checked_of(tx, list(customer_ids))

    async def set_visited(self, tx: Transaction, visited_at: Mapping[UUID, datetime | None]) -> None:
        """When customers were visited last, for whoever moves visits; the event of that has their reviews reckoned."""
        await repository.lock(tx, visited_at)
        await repository.set_visited(tx, visited_at)

    def _rows(self, file: Record, checked: Record, now: datetime) -> Iterator[dict[str, Any]]:
        cadences = self.cadences(file["kind"], now)
        if cadences is None or file["erased_at"] is not None or file["merged_into"] is not None:
            return
        for review in cadences.of(standing_of(file, checked["checked_at"], checked["visited_at"]), day_of(now)):
            yield {
                "customer_id": str(file["id"]), "cadence": review.cadence.id, "kind": file["kind"],
                "unit": file["unit"], "manager": file["manager"] or "", "opens_on": str(review.window.opens_on),
                "due_on": str(review.window.due_on),
            }  # fmt: skip

    async def place_due(self, tx: Transaction, now: datetime, *, limit: int = 500) -> int:
        """The next batch of a round over all files, when cadences, calendars or dictionaries have changed.

        A job calls it until it returns 0; stopped anywhere, it goes on behind the last file.
        """
        occasion = self._occasion(now)
        state = await repository.round_state(tx, occasion, now)
        if state["done_at"] is not None:
            return 0
        ids = await repository.next_of_round(tx, state["last_id"], limit)
        await self.follow(tx, ids, now)
        done = len(ids) < limit
        await repository.move_round(tx, occasion, ids[-1] if ids else None, now if done else None)
        return len(ids)

    def _occasion(self, now: datetime) -> str:
        """Which texts are in force: not on which day, so that a round is made only where something differs."""
        known = self._dictionaries.kinds(now)
        texts = [self._dictionaries.catalogue(kind, now).ref.hash for kind in known]
        for kind in known:
            for cadence in self._dictionaries.cadences(kind, now).values():
                texts += [cadence.ref.hash, self._dictionaries.calendar(cadence, now).ref.hash]
        return sha256("".join(texts).encode()).hexdigest()

    async def overdue_due(self, tx: Transaction, now: datetime, *, limit: int = 500) -> int:
        """Tell of the next customers whose reviews became overdue, then of each unit how many did.

        A review is marked in the transaction of its event, hence told of once. A job calls it until it returns 0.
        """
        today = day_of(now)
        late = await repository.late(tx, today, limit)
        if not late:
            return await self._count(tx, today, now)
        await self.follow(tx, late, now)  # what was verified just now may not have been reckoned yet
        told: dict[UUID, list[Record]] = {}
        for row in await repository.tell(tx, late, today):
            told.setdefault(row["customer_id"], []).append(row)
        await self._outbox.add_many(
            tx, [self._fact(customer_id, told[customer_id], now) for customer_id in sorted(told)]
        )
        return len(late)

    def _fact(self, customer_id: UUID, rows: list[Record], now: datetime) -> tuple[Envelope, Event]:
        row = rows[0]
        event = ReviewOverdue(
            customer_id=str(customer_id), kind=row["kind"], unit=row["unit"], manager=row["manager"] or None,
            cadences=tuple(sorted(each["cadence"] for each in rows)), reviews=len(rows),
            due_on=min(each["due_on"] for each in rows),
        )  # fmt: skip
        return self._outbox.envelope(
            event, feature="review", subject=f"customer/{customer_id}", actor=_ACTOR, at=now
        ), event

    async def _count(self, tx: Transaction, today: date, now: datetime) -> int:
        facts: list[tuple[Envelope, Event]] = []
        for row in await repository.overdue_units(tx, today):
            event = ReviewOverdueCounted(
                unit=row["unit"], due_on=row["due_on"], reviews=row["reviews"], managers=row["managers"]
            )
            subject = f"unit/{row['unit']}"
            facts.append((self._outbox.envelope(event, feature="review", subject=subject, actor=_ACTOR, at=now), event))
        await self._outbox.add_many(tx, facts)
        return len(facts)


def standing_of(file: Record, checked_at: datetime | None, visited_at: datetime | None = None) -> Standing:
    """A file as the rules see it."""
    opened_at, meta = file["created_at"], file["meta"]
    verified_at = {code: datetime.fromisoformat(meta[code][2]) if code in meta else opened_at for code in file["codes"]}
    return Standing(file["kind"], file["status"], opened_at, verified_at, checked_at, visited_at)
