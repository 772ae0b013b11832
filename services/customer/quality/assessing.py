"""Judges files anew whenever something happened to them, what is declared has changed, or a day of theirs has come.

Called by consumers and jobs. Rows are locked first and files read afterwards, so that no two judgements of a file
interleave and none stores what is older than the event that it came for. Of an event only the customer counts.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from functools import lru_cache
from hashlib import sha256
from typing import Any, TypeAlias
from uuid import UUID

from services.customer.dictionary.service import Dictionaries
from services.customer.file.service import reference
from services.customer.quality import repository
from services.customer.quality.repository import FIGURES, MARKS
from services.customer.quality.rules import Assessment, Assessor, File
from services.customer.review.standing import Standings
from shared.clock import CHINA, day_of
from shared.db import Record, Transaction
from shared.errors import NotFound
from shared.events import Envelope, Event, QualityChanged
from shared.outbox import Outbox
from shared.regime import Codelist, Covers, QualityPolicy, Regimes, policy_for

_ACTOR = "system/customer"
Row: TypeAlias = Mapping[str, Any] | Record
_NOTHING: dict[str, Any] = {"level": None, "failing": []}


class Assessing:
    """Keeps the quality of files in step with them."""

    def __init__(self, regimes: Regimes, dictionaries: Dictionaries, standings: Standings, outbox: Outbox) -> None:
        self._regimes = regimes
        self._dictionaries = dictionaries
        self._standings = standings
        self._outbox = outbox
        self._compiled = lru_cache(maxsize=32)(self._compile)

    def assessor(self, kind: str, now: datetime) -> Assessor | None:
        """The policy of a kind of customer, compiled for the day; None if none is in force, or no dictionary."""
        return self._compiled(kind, day_of(now))

    def _compile(self, kind: str, day: date) -> Assessor | None:
        noon = datetime.combine(day, time(12), CHINA)
        policy = policy_for(kind, self._regimes.all(QualityPolicy, on=day))
        try:
            catalogue = self._dictionaries.catalogue(kind, noon)
        except NotFound:
            return None
        if policy is None:
            return None
        return Assessor(
            policy, catalogue, self._dictionaries.accuracy(catalogue, noon), self._standings.cadences(kind, noon),
            lambda item: self._dictionaries.codes(item, day), day,
            prompt=Covers.REALTIME in self._dictionaries.cadences(kind, noon),
        )  # fmt: skip

    async def follow(self, tx: Transaction, customer_ids: Collection[UUID], now: datetime) -> None:
        """Judge these files as they stand now; one that is erased, merged away or exempt is not judged any more."""
        if not customer_ids:
            return
        before = await repository.lock(tx, customer_ids)
        checked = await self._standings.checked(tx, before)
        rows = [self._row(file, checked.get(file["id"]), now) for file in await repository.files(tx, list(before))]
        await self._store(tx, before, rows, now)

    def _row(self, file: Record, checked_at: datetime | None, now: datetime) -> dict[str, Any]:
        row = {
            "customer_id": str(file["id"]), "kind": file["kind"], "unit": file["unit"],
            "manager": file["manager"] or "", "file_version": file["version"], "assessed_at": now,
        }  # fmt: skip
        is_open = file["erased_at"] is None and file["merged_into"] is None
        assessor = self.assessor(file["kind"], now) if is_open else None
        if assessor is None:
            return {**row, **_NOTHING}
        seen = File(file["status"], file["created_at"], checked_at, file["values"], file["meta"])
        found = assessor.assess(seen)
        return {**row, **_NOTHING} if found is None else {**row, **_columns(found, assessor.policy)}

    async def _store(
        self, tx: Transaction, before: Mapping[UUID, Record], rows: Iterable[dict[str, Any]], now: datetime
    ) -> None:
        pairs = [(before[UUID(row["customer_id"])], row) for row in rows]
        await repository.store(tx, [row for _, row in pairs])
        await repository.add(tx, _sums(pairs), _counts(pairs), day_of(now).replace(day=1))
        await self._outbox.add_many(
            tx,
            [
                self._fact(old, new, now)
                for old, new in pairs
                if old["level"] and new["level"] not in {None, old["level"]}
            ],
        )

    def _fact(self, before: Record, row: Mapping[str, Any], now: datetime) -> tuple[Envelope, Event]:
        assessor = self.assessor(row["kind"], now)
        assert assessor is not None
        event = QualityChanged(
            customer_id=row["customer_id"], kind=row["kind"], unit=row["unit"], manager=row["manager"] or None,
            before=before["level"], quality=row["level"], customer_version=row["file_version"],
            policy=reference(assessor.policy.ref),
        )  # fmt: skip
        subject = f"customer/{row['customer_id']}"
        return self._outbox.envelope(event, feature="quality", subject=subject, actor=_ACTOR, at=now), event

    async def forget(self, tx: Transaction, customer_id: UUID, now: datetime) -> None:
        """That a file is judged no more, nor counted."""
        before = await repository.lock(tx, [customer_id])
        rows = [{**dict(row), "customer_id": str(customer_id), **_BLANK, "assessed_at": now} for row in before.values()]
        await self._store(tx, before, rows, now)

    async def turn_due(self, tx: Transaction, now: datetime, *, limit: int = 500) -> int:
        """Judge the next files of which a day has come, such as that after the last one of a review; how many.

        A job calls it until it returns 0.
        """
        ids = await repository.turned(tx, day_of(now), limit)
        await self.follow(tx, ids, now)
        return len(ids)

    async def round_due(self, tx: Transaction, now: datetime, *, limit: int = 500) -> int:
        """The next batch of a round over all files, when a policy, dictionary, cadence, calendar or list has changed.

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
        day = day_of(now)
        texts = [
            each.ref.hash for each in (*self._regimes.all(QualityPolicy, on=day), *self._regimes.all(Codelist, on=day))
        ]
        for kind in self._dictionaries.kinds(now):
            texts.append(self._dictionaries.catalogue(kind, now).ref.hash)
            for cadence in self._dictionaries.cadences(kind, now).values():
                texts += [cadence.ref.hash, self._dictionaries.calendar(cadence, now).ref.hash]
        return sha256("".join(texts).encode()).hexdigest()


_BLANK = {**dict.fromkeys((*MARKS, "looked", "policy", "turns_on")), **_NOTHING}


def _columns(found: Assessment, policy: QualityPolicy) -> dict[str, Any]:
    return {
        "level": found.level,
        "score": str(found.score),
        **{part.value: str(mark) for part, mark in found.marks.items()},
        "looked": {part.value: n for part, n in found.looked.items()},
        "failing": list(found.failing),
        "policy": policy.ref.as_json(),
        "turns_on": found.turns_on,
    }


def _sums(pairs: Iterable[tuple[Record, Row]]) -> list[dict[str, Any]]:
    """What the figures of each unit, manager, kind and level differ by."""
    moved: defaultdict[tuple[str, ...], dict[str, Decimal]] = defaultdict(lambda: dict.fromkeys(FIGURES, Decimal(0)))
    for old, new in pairs:
        for row, sign in ((old, -1), (new, 1)):
            if row["level"] is None:
                continue
            figures = moved[row["unit"], row["manager"], row["kind"], row["level"]]
            figures["n"] += sign
            for name in MARKS:
                mark = dict(row).get(name)
                if mark is not None:
                    figures[name] += sign * Decimal(mark)
                    if name != "score":
                        figures[f"{name}_n"] += sign
    return [
        {
            **dict(zip(("unit", "manager", "kind", "level"), key, strict=True)),
            **{name: str(n) for name, n in found.items()},
        }
        for key, found in sorted(moved.items())
        if any(found.values())
    ]


def _counts(pairs: Iterable[tuple[Record, Row]]) -> list[dict[str, Any]]:
    """What the counts of what fails differ by."""
    moved: Counter[tuple[str, ...]] = Counter()
    for old, new in pairs:
        for row, sign in ((old, -1), (new, 1)):
            for failing in row["failing"]:
                moved[row["unit"], row["manager"], row["kind"], failing] += sign
    names = ("unit", "manager", "kind", "failing")
    return [{**dict(zip(names, key, strict=True)), "n": n} for key, n in sorted(moved.items()) if n]
