"""Use cases of grading: re-check after a change, in rounds, on demand, under an override. Requirements R0.3, R1.5.

A re-check locks the grade rows first and reads the files afterwards, so it sees at least what the event told of. When
the grade stays, only the latest check is renewed: no history, no event. When nothing that counts is different, only the
moment of the check is.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from hashlib import sha256
from types import MappingProxyType
from typing import Any, TypeAlias
from uuid import UUID

import orjson

from services.customer.dealings import rules as dealings
from services.customer.dealings.totals import Totals
from services.customer.dictionary.service import Dictionaries
from services.customer.file.service import reference
from services.customer.grading import patience, repository, rules
from services.customer.grading.archive import Archive, Basis, basis_of
from services.customer.grading.patience import Course, Held
from services.customer.grading.rules import Check, Policy
from shared.clock import day_of
from shared.db import Record, Transaction
from shared.events import (
    CustomerChanged,
    CustomerMerged,
    CustomerRegistered,
    CustomerUnmerged,
    DealingsRecorded,
    Envelope,
    Event,
    GradeChanged,
)
from shared.outbox import Outbox
from shared.regime import GradePolicy, Regimes, dump_value
from shared.telemetry import span

Causes: TypeAlias = Mapping[UUID, str | None]
_ACTOR = "system/customer"
_UNKNOWN = "unknown"
LANES = 4
"""How many parts a large round has; a worker process runs as many of them as no other does."""
_MANY = 20_000
_TOLD = ("customer_id", "serial", "before", "grade", "policy_hash", "customer_version", "customer_class", "basis",
         "totals", "course")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Override:
    """A grade that people set, in force until a moment."""

    id: UUID
    grade: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Graded:
    """A check of one customer: the grade in force before and after it, and how it came about."""

    file: Record
    before: str | None
    grade: str | None
    serial: int
    check: Check
    totals: Sequence[str | None]
    course: Course


class Grading:
    """Checks grades."""

    def __init__(
        self, regimes: Regimes, dictionaries: Dictionaries, totals: Totals, outbox: Outbox, archive: Archive
    ) -> None:
        self._regimes = regimes
        self._dictionaries = dictionaries
        self._totals = totals
        self._outbox = outbox
        self._archive = archive
        self._compiled = lru_cache(maxsize=64)(self._compile)

    def policy(self, kind: str, now: datetime) -> Policy | None:
        """The policy in force for a kind of customer, compiled."""
        return self.policy_on(kind, day_of(now))

    def policy_on(self, kind: str, day: date) -> Policy | None:
        """The policy in force on a day."""
        basis = self.basis_on(kind, day)
        return None if basis is None else basis.policy

    def basis_on(self, kind: str, day: date) -> Basis | None:
        """The policy in force on a day, with the texts that it rests on."""
        return self._compiled(kind, day)

    def _compile(self, kind: str, day: date) -> Basis | None:
        declared = self._regimes.find(GradePolicy, kind, on=day)
        if declared is None:
            return None
        return basis_of(self.candidate(declared, day), self._regimes, day)

    def candidate(self, declared: GradePolicy, day: date) -> Policy:
        """A policy compiled for a day, in force or not."""
        catalogue = self._regimes.catalogue(declared.kind, on=day)
        return Policy(declared, catalogue, self._totals.formulas(catalogue, day), self._regimes.labels(on=day))

    async def outcomes(
        self, tx: Transaction, policy: Policy, customer_ids: Sequence[UUID], now: datetime
    ) -> list[tuple[UUID, str | None, str | None]]:
        """The grade of each customer, and the one under this policy: by the score alone, as it would take effect, or
        by the override in force. Locks and writes nothing."""
        held = await repository.standing(tx, customer_ids)
        found = []
        for file, values, figures in await self._facts(tx, policy, customer_ids, now):
            row = held.get(file["id"])
            imposed = row is not None and _override(policy, row, now) is not None
            after = row["override_grade"] if row is not None and imposed else policy.check(values, figures).grade
            found.append((file["id"], None if row is None else row["grade"], after))
        return found

    async def _facts(
        self, tx: Transaction, policy: Policy, customer_ids: Sequence[UUID], now: datetime
    ) -> list[tuple[Record, dict[str, Any], dict[str, Decimal | None]]]:
        """File, values of items, and figures by name, of those customers that are of the policy's kind."""
        rows = await repository.facts(tx, customer_ids, policy.items)
        files = [file for file in rows if file["kind"] == policy.declared.kind]
        ids = [file["id"] for file in files]
        totals = await self._totals.of(tx, policy.catalogue, ids, day_of(now), policy.totals)
        first = repository.FIRST_ITEM
        return [
            (file, dict(zip(policy.items, file[first:], strict=True)), dealings.row_of(totals[file["id"]]))
            for file in files
        ]

    def counts(self, event: Event, now: datetime) -> UUID | None:
        """The customer whose grade an event may change; None if what it touched does not count."""
        if isinstance(event, CustomerRegistered | CustomerMerged | CustomerUnmerged):
            return UUID(event.customer_id)
        if not isinstance(event, CustomerChanged | DealingsRecorded):
            return None
        policy = self.policy(event.kind, now)
        touched = event.items if isinstance(event, CustomerChanged) else event.totals
        return UUID(event.customer_id) if policy is not None and rules.touches(policy, touched) else None

    async def recheck(
        self, tx: Transaction, customer_ids: Collection[UUID], now: datetime, causes: Causes = MappingProxyType({}),
        *, quarterly: bool = False,
    ) -> int:  # fmt: skip
        """Check these customers again; how many grades changed. Customers without a policy are left alone.

        `causes`: the traceparent of what made a check due, so that a trace leads on to the change of grade.
        """
        before = await repository.lock(tx, list(customer_ids)) if customer_ids else {}
        changed = 0
        for kind in self._dictionaries.kinds(now) if before else ():
            basis = self.basis_on(kind, day_of(now))
            if basis is not None:
                graded, same = await self._check(tx, basis, before, now, quarterly=quarterly)
                if same:
                    await repository.touch(tx, same, now)
                changed += await self._store(tx, basis, graded, now, causes)
        return changed

    async def hold(self, tx: Transaction, customer_id: UUID) -> None:
        """Keep others from checking or setting the grade until the transaction ends; before the file is locked."""
        await repository.lock(tx, [customer_id])

    async def impose(self, tx: Transaction, customer_id: UUID, override: Override | None, now: datetime) -> None:
        """Put an override in force, or none, and check the grade under it. Raises: no refusal; checked before."""
        await repository.lock(tx, [customer_id])
        which = (None, None, None) if override is None else (override.id, override.grade, override.until)
        await repository.override(tx, customer_id, *which)
        await self.recheck(tx, [customer_id], now)

    async def _check(
        self, tx: Transaction, basis: Basis, before: dict[UUID, Record], now: datetime, *, quarterly: bool
    ) -> tuple[list[Graded], list[UUID]]:
        """New checks, and those customers of whom nothing is different."""
        policy, day = basis.policy, day_of(now)
        graded, same = [], []
        for file, values, figures in await self._facts(tx, policy, list(before), now):
            held = before[file["id"]]
            kept = [_text(figures[name]) for name in policy.totals]
            if _is_same(basis, held, file, kept, now):
                same.append(file["id"])
            else:
                check = policy.check(values, figures)
                override = _override(policy, held, now)
                graded.append(_graded(policy, file, held, check, kept, override, day, quarterly=quarterly))
        return graded, same

    async def _store(
        self, tx: Transaction, basis: Basis, graded: Sequence[Graded], now: datetime, causes: Causes
    ) -> int:
        if not graded:
            return 0
        await self._archive.keep(tx, basis, now)
        rows = [_row(basis, each, now) for each in graded]
        await repository.store(tx, rows)
        changed = [(each, row) for each, row in zip(graded, rows, strict=True) if each.grade != each.before]
        if changed:
            await repository.store_changes(tx, [row for _, row in changed])
            facts = [self._fact(basis, each, row, now, causes.get(each.file["id"])) for each, row in changed]
            await self._outbox.add_many(tx, facts)
        return len(changed)

    def _fact(
        self, basis: Basis, graded: Graded, row: Mapping[str, Any], now: datetime, cause: str | None
    ) -> tuple[Envelope, GradeChanged]:
        file = graded.file
        event = GradeChanged(
            customer_id=str(file["id"]), unit=file["unit"], manager=file["manager"], before=graded.before,
            grade=graded.grade or _UNKNOWN, policy=reference(basis.policy.declared.ref),
            customer_version=file["version"], override=graded.course.override, digest=row["digest"],
        )  # fmt: skip
        with span("grade_changed", parent=cause):
            envelope = self._outbox.envelope(
                event, feature="grading", subject=f"customer/{file['id']}", actor=_ACTOR, sequence=graded.serial, at=now
            )
        return envelope, event

    async def round_due(self, tx: Transaction, now: datetime, *, lane: int = 0, limit: int = 1000) -> int:
        """The next batch of a round over all customers: each quarter, and when a policy or dictionary takes effect.

        A job calls it until it returns 0; stopped anywhere, it goes on behind the last customer that was checked. The
        lanes of a large round go side by side, in one process or in several.
        """
        for kind in self._dictionaries.kinds(now):
            policy = self.policy(kind, now)
            if policy is None:
                continue
            occasion = occasion_of(policy, day_of(now))
            state = await repository.round_state(tx, kind, occasion, lane, now, many=_MANY, lanes=LANES)
            if state is not None and state["done_at"] is None:
                ids = await repository.next_of_round(tx, kind, state, limit)
                await self._round(tx, kind, occasion, ids, now)
                done = len(ids) < limit
                await repository.move_round(tx, kind, occasion, lane, ids[-1] if ids else None, now if done else None)
                if ids:
                    return len(ids)
        return 0

    async def _round(self, tx: Transaction, kind: str, occasion: str, ids: list[UUID], now: datetime) -> None:
        """Check a batch, and keep the snapshot of the quarter if this is its first round."""
        quarter = quarter_of(day_of(now))
        quarterly = not await repository.quarter_done(tx, kind, quarter, occasion)
        await self.recheck(tx, ids, now, quarterly=quarterly)
        if quarterly:
            await repository.snapshot(tx, ids, quarter)


def quarter_of(day: date) -> str:
    """The calendar quarter of a day: 2027Q1."""
    return f"{day.year}Q{(day.month + 2) // 3}"


def occasion_of(policy: Policy, day: date) -> str:
    """Why a round is due: the quarter, and which texts of policy and dictionary are in force."""
    return f"{quarter_of(day)}/{policy.declared.ref.hash[:16]}/{policy.catalogue.ref.hash[:16]}"


def _held(policy: Policy, row: Record) -> Held:
    """What is held of the grade, by the same text of the policy."""
    if row["policy_hash"] != policy.declared.ref.hash:
        return Held()
    return Held(row["grade"]) if row["course"] is None else patience.held_after(Course(**row["course"]))


def _override(policy: Policy, row: Record, now: datetime) -> UUID | None:
    """The override in force, if the policy has its grade."""
    until = row["override_until"]
    if until is None or until <= now:
        return None
    return row["override_id"] if row["override_grade"] in {rank.grade for rank in policy.declared.ranks} else None


def _is_same(basis: Basis, row: Record, file: Record, totals: Sequence[str | None], now: datetime) -> bool:
    """Whether a check would come to what the latest one came to, by the same inputs and under the same override."""
    if row["basis"] != basis.hash or row["customer_version"] != file["version"] or row["totals"] != totals:
        return False
    override, course = _override(basis.policy, row, now), Course(**row["course"])
    return course.override == (override and str(override)) and not course.leaning and course.why not in patience.STAYS


def _graded(
    policy: Policy, file: Record, row: Record, check: Check, totals: Sequence[str | None],
    override: UUID | None, day: date, *, quarterly: bool,
) -> Graded:  # fmt: skip
    held = _held(policy, row)
    settled = patience.settle(policy.declared, held, check, day, quarterly=quarterly)
    grade = settled.grade if override is None else row["override_grade"]
    course = patience.course_of(
        held, check, settled, day, quarterly=quarterly, override=None if override is None else str(override)
    )
    return Graded(file, row["grade"], grade, row["serial"] + (grade != row["grade"]), check, totals, course)


def _row(basis: Basis, graded: Graded, now: datetime) -> dict[str, Any]:
    check, ref = graded.check, basis.policy.declared.ref
    row = {
        "customer_id": str(graded.file["id"]),
        "serial": graded.serial,
        "before": graded.before,
        "grade": graded.grade,
        "score": None if check.score is None else str(check.score),
        "policy_id": ref.id,
        "policy_version": ref.version,
        "policy_hash": ref.hash,
        "customer_version": graded.file["version"],
        "indicators": list(stored(check)),
        "checked_at": now,
        "customer_class": check.customer_class,
        "basis": basis.hash,
        "totals": graded.totals,
        "course": graded.course.as_json(),
        "override_id": graded.course.override,
    }
    return {**row, "digest": digest_of(row)}


def digest_of(row: Mapping[str, Any] | Record) -> str:
    """SHA-256 over what a check was made from and came to, but for the items, which the history keeps sealed."""
    told = {name: row[name] for name in _TOLD}
    score = None if row["score"] is None else str(row["score"])
    told |= {"customer_id": str(row["customer_id"]), "score": score}
    return sha256(orjson.dumps(told, option=orjson.OPT_SORT_KEYS)).hexdigest()


@lru_cache(maxsize=4096)
def _plain(points: Decimal) -> str:
    """Points as they are stored; there are few different ones."""
    return format(points.normalize(), "f")


def _text(figure: Decimal | None) -> str | None:
    return None if figure is None else format(figure, "f")


def stored(check: Check) -> Iterable[dict[str, Any]]:
    """The indicators of a check as they are stored."""
    for each in check.indicators:
        value = None if each.value is None else dump_value(each.value)
        points = None if each.points is None else _plain(each.points)
        yield {"id": each.id, "value": value, "points": points, "weight": each.weight}
