"""Use cases of grading: re-check after a change, in rounds, on demand; and show a grade. Requirements R0.3, R1.5.

A re-check locks the grade rows first and reads the files afterwards, so it sees at least what the event told of. When
the grade stays, only the latest check is renewed: no history, no event.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from types import MappingProxyType
from typing import Any, TypeAlias
from uuid import UUID

from services.customer.dealings import rules as dealings
from services.customer.dealings.totals import Totals
from services.customer.dictionary.service import Dictionaries
from services.customer.file.service import reference
from services.customer.grading import repository, rules
from services.customer.grading.rules import Check, Policy
from shared.clock import day_of
from shared.db import Record, Transaction
from shared.events import CustomerChanged, CustomerRegistered, DealingsRecorded, Envelope, Event, GradeChanged
from shared.outbox import Outbox
from shared.regime import GradePolicy, Regimes, dump_value
from shared.telemetry import span

Causes: TypeAlias = Mapping[UUID, str | None]
_ACTOR = "system/customer"
_UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Graded:
    """A check of one customer beside the one before."""

    file: Record
    before: str | None
    serial: int
    check: Check


class Grading:
    """Checks grades."""

    def __init__(self, regimes: Regimes, dictionaries: Dictionaries, totals: Totals, outbox: Outbox) -> None:
        self._regimes = regimes
        self._dictionaries = dictionaries
        self._totals = totals
        self._outbox = outbox
        self._compiled = lru_cache(maxsize=64)(self._compile)

    def policy(self, kind: str, now: datetime) -> Policy | None:
        """The policy in force for a kind of customer, compiled."""
        return self.policy_on(kind, day_of(now))

    def policy_on(self, kind: str, day: date) -> Policy | None:
        """The policy in force on a day."""
        return self._compiled(kind, day)

    def _compile(self, kind: str, day: date) -> Policy | None:
        declared = self._regimes.find(GradePolicy, kind, on=day)
        if declared is None:
            return None
        catalogue = self._regimes.catalogue(kind, on=day)
        return Policy(declared, catalogue, self._totals.formulas(catalogue, day), self._regimes.labels(on=day))

    def counts(self, event: Event, now: datetime) -> UUID | None:
        """The customer whose grade an event may change; None if what it touched does not count."""
        if isinstance(event, CustomerRegistered):
            return UUID(event.customer_id)
        if not isinstance(event, CustomerChanged | DealingsRecorded):
            return None
        policy = self.policy(event.kind, now)
        touched = event.items if isinstance(event, CustomerChanged) else event.totals
        return UUID(event.customer_id) if policy is not None and rules.touches(policy, touched) else None

    async def recheck(
        self, tx: Transaction, customer_ids: Collection[UUID], now: datetime, causes: Causes = MappingProxyType({})
    ) -> int:
        """Check these customers again; how many grades changed. Customers without a policy are left alone.

        `causes`: the traceparent of what made a check due, so that a trace leads on to the change of grade.
        """
        before = await repository.lock(tx, list(customer_ids)) if customer_ids else {}
        changed = 0
        for kind in self._dictionaries.kinds(now) if before else ():
            policy = self.policy(kind, now)
            if policy is not None:
                graded = await self._check(tx, policy, kind, before, now)
                changed += await self._store(tx, policy, graded, now, causes)
        return changed

    async def _check(
        self, tx: Transaction, policy: Policy, kind: str, before: dict[UUID, Record], now: datetime
    ) -> list[Graded]:
        files = [file for file in await repository.facts(tx, list(before), policy.items) if file["kind"] == kind]
        totals = await self._totals.of(tx, policy.catalogue, [file["id"] for file in files], day_of(now))
        graded = []
        for file in files:
            check = policy.check(
                dict(zip(policy.items, file[repository.FIRST_ITEM :], strict=True)), dealings.row_of(totals[file["id"]])
            )
            held = before[file["id"]]
            changes = check.grade != held["grade"]
            graded.append(Graded(file, held["grade"], held["serial"] + changes, check))
        return graded

    async def _store(
        self, tx: Transaction, policy: Policy, graded: Sequence[Graded], now: datetime, causes: Causes
    ) -> int:
        rows = [_row(policy, each, now) for each in graded]
        changed = [each for each in graded if each.check.grade != each.before]
        if rows:
            await repository.store(tx, rows)
        if changed:
            await repository.store_changes(tx, [row for row in rows if row["grade"] != row["before"]])
            facts = [self._fact(policy, each, now, causes.get(each.file["id"])) for each in changed]
            await self._outbox.add_many(tx, facts)
        return len(changed)

    def _fact(self, policy: Policy, graded: Graded, now: datetime, cause: str | None) -> tuple[Envelope, GradeChanged]:
        file, check = graded.file, graded.check
        event = GradeChanged(
            customer_id=str(file["id"]), unit=file["unit"], manager=file["manager"], before=graded.before,
            grade=check.grade or _UNKNOWN, policy=reference(policy.declared.ref), customer_version=file["version"],
        )  # fmt: skip
        with span("grade_changed", parent=cause):
            envelope = self._outbox.envelope(
                event, feature="grading", subject=f"customer/{file['id']}", actor=_ACTOR, sequence=graded.serial, at=now
            )
        return envelope, event

    async def round_due(self, tx: Transaction, now: datetime, *, limit: int = 500) -> int:
        """The next batch of a round over all customers: each quarter, and when a policy or dictionary takes effect.

        A job calls it until it returns 0; stopped anywhere, it goes on behind the last customer that was checked.
        """
        for kind in self._dictionaries.kinds(now):
            policy = self.policy(kind, now)
            if policy is None:
                continue
            occasion = occasion_of(policy, day_of(now))
            state = await repository.round_state(tx, kind, occasion, now)
            if state["done_at"] is None:
                ids = await repository.next_of_round(tx, kind, state["last_id"], limit)
                await self.recheck(tx, ids, now)
                done = len(ids) < limit
                await repository.move_round(tx, kind, occasion, ids[-1] if ids else None, now if done else None)
                if ids:
                    return len(ids)
        return 0


def occasion_of(policy: Policy, day: date) -> str:
    """Why a round is due: the quarter, and which texts of policy and dictionary are in force."""
    quarter = f"{day.year}Q{(day.month + 2) // 3}"
    return f"{quarter}/{policy.declared.ref.hash[:16]}/{policy.catalogue.ref.hash[:16]}"


def _row(policy: Policy, graded: Graded, now: datetime) -> dict[str, Any]:
    check, ref = graded.check, policy.declared.ref
    return {
        "customer_id": str(graded.file["id"]),
        "serial": graded.serial,
        "before": graded.before,
        "grade": check.grade,
        "score": None if check.score is None else str(check.score),
        "policy_id": ref.id,
        "policy_version": ref.version,
        "policy_hash": ref.hash,
        "customer_version": graded.file["version"],
        "indicators": list(_stored(check)),
        "checked_at": now,
    }


def _stored(check: Check) -> Iterable[dict[str, Any]]:
    for each in check.indicators:
        value = None if each.value is None else dump_value(each.value)
        points = None if each.points is None else format(each.points.normalize(), "f")
        yield {"id": each.id, "value": value, "points": points, "weight": each.weight}
