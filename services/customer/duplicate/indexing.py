"""Keeps the keys by which customers are found, and the list of pairs, in step with the files; for consumer and job.

Everything is computed from how the files are now, so events may come late or again, in any order. One writer at a time
holds the keys and reads the files after that; two customers registered at the same moment therefore find each other.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from services.customer.dictionary.service import Dictionaries
from services.customer.duplicate import repository
from services.customer.duplicate.matching import Compared, Matching
from services.customer.duplicate.rules import Finding
from shared.db import Record, Transaction
from shared.events import (
    CustomerChanged,
    CustomerMerged,
    CustomerRegistered,
    CustomerUnmerged,
    DuplicateFound,
    Envelope,
    Event,
    SubjectKeyDestroyed,
)
from shared.ids import new_id
from shared.outbox import Outbox
from shared.regime import Use

_ACTOR = "system/customer"
Files: TypeAlias = Mapping[UUID, Compared]
Pair: TypeAlias = tuple[UUID, UUID]


class Index:
    """Finds what is to be found."""

    def __init__(self, matching: Matching, dictionaries: Dictionaries, outbox: Outbox) -> None:
        self._matching = matching
        self._dictionaries = dictionaries
        self._outbox = outbox

    def counts(self, event: Event, now: datetime) -> UUID | None:
        """The customer whose pairs an event may change; None if what it touched is not compared."""
        if isinstance(event, CustomerChanged):
            manager = self._dictionaries.catalogue(event.kind, now).used_as(Use.MANAGER)
            watched = self._matching.codes(now) | ({manager.code} if manager is not None else set())
            return UUID(event.customer_id) if not watched.isdisjoint(event.items) else None
        if isinstance(event, CustomerRegistered | CustomerMerged | CustomerUnmerged | SubjectKeyDestroyed):
            return UUID(event.customer_id)
        return None

    async def refresh(self, tx: Transaction, customer_ids: Collection[UUID], now: datetime) -> None:
        """Bring keys and pairs of these customers up to date."""
        if not customer_ids:
            return
        await repository.hold(tx)
        files = await self._matching.files(tx, customer_ids, now)
        await repository.store_keys(tx, {each: self._matching.keys(file, now) for each, file in files.items()})
        asked = {each: self._matching.asked(file, now) for each, file in files.items() if not file.closed}
        near = await repository.near(tx, asked, self._matching.most(now))
        known = {(row["low"], row["high"]): row for row in await repository.pairs_of(tx, files)}
        pairs = {(min(pair), max(pair)) for pair in near} | known.keys()
        others = {each for pair in pairs for each in pair} - files.keys()
        files |= await self._matching.files(tx, others, now)
        found = {pair: self._matching.judge(files[pair[0]], files[pair[1]], now) for pair in pairs}
        await self._settle(tx, files, known, found, now)

    async def _settle(
        self, tx: Transaction, files: Files, known: Mapping[Pair, Record], found: Mapping[Pair, Finding | None],
        now: datetime,
    ) -> None:  # fmt: skip
        """Open pairs are what is found now; one that was dismissed opens again if more speaks for it than then."""
        gone = [row["id"] for pair, row in known.items() if found[pair] is None and row["dismissed_at"] is None]
        if gone:
            await repository.remove_pairs(tx, gone)
        rows, facts = [], []
        for pair, finding in sorted(found.items()):
            before = known.get(pair)
            if finding is None or not _opens(before, finding):
                continue
            rows.append(_row(pair, files, finding))
            if before is None or before["dismissed_at"] is not None:
                facts.append(self._fact(pair, files, finding, now))
        if rows:
            await repository.store_pairs(tx, rows, now)
        await self._outbox.add_many(tx, facts)

    def _fact(self, pair: Pair, files: Files, finding: Finding, now: datetime) -> tuple[Envelope, DuplicateFound]:
        """Told of the newer file: it is the one that should perhaps not be there."""
        older, newer = pair
        event = DuplicateFound(
            customer_id=str(newer), unit=files[newer].unit, manager=files[newer].manager, other_id=str(older),
            verdict=finding.verdict.value, rules=tuple(hit.rule for hit in finding.hits),
        )  # fmt: skip
        subject = f"customer/{newer}"
        return self._outbox.envelope(event, feature="duplicate", subject=subject, actor=_ACTOR, at=now), event

    async def round_due(self, tx: Transaction, now: datetime, *, limit: int = 200) -> int:
        """The next batch of a round over all customers, due when the rules or the key that keys are made with change.

        A job calls it until it returns 0; stopped anywhere, it goes on behind the last customer that was done.
        """
        occasion = self._matching.occasion(now)
        state = await repository.round_state(tx, occasion, now)
        if state["done_at"] is not None:
            return 0
        ids = await repository.next_of_round(tx, state["last_id"], limit)
        await self.refresh(tx, ids, now)
        done = len(ids) < limit
        await repository.move_round(tx, occasion, ids[-1] if ids else None, now if done else None)
        return len(ids)


def _opens(before: Record | None, finding: Finding) -> bool:
    return before is None or before["dismissed_at"] is None or finding.score > before["score"]


def _row(pair: Pair, files: Files, finding: Finding) -> dict[str, str | int | None]:
    low, high = pair
    return {
        "id": str(new_id()), "low": str(low), "high": str(high), "verdict": finding.verdict.value,
        "score": finding.score, "low_unit": files[low].unit, "low_manager": files[low].manager,
        "high_unit": files[high].unit, "high_manager": files[high].manager,
    }  # fmt: skip
