"""Use cases of showing grades: the latest check, and every change, as far as the reader is cleared (R1.5)."""

from __future__ import annotations

from datetime import date, datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from services.customer.dealings.totals import Totals
from services.customer.dictionary.service import Dictionaries
from services.customer.file.reads import Reads
from services.customer.file.service import Files
from services.customer.grading import errors, explanation, repository
from services.customer.grading.explanation import READ, Explainer
from services.customer.grading.service import Grading
from shared.auth import Principal
from shared.clock import day_of
from shared.db import Record, Transaction
from shared.regime import Catalogue

RECHECK = "customer.grade.recheck"
_OF_QUARTER = ("quarter", "grade", "serial", "policy_version", "customer_version", "checked_at")


class Grades:
    """Shows grades."""

    def __init__(
        self, grading: Grading, files: Files, dictionaries: Dictionaries, totals: Totals, reads: Reads
    ) -> None:
        self._grading = grading
        self._files = files
        self._dictionaries = dictionaries
        self._totals = totals
        self._reads = reads
        self._explainers = lru_cache(maxsize=64)(self._explainer)

    def _explainer(self, catalogue: Catalogue, today: date, day: date, digest: str) -> Explainer | None:
        """Explains checks by the policy text of `day`, if it still is the text that they were made with, to who may see
        them by the dictionary of today."""
        policy = self._grading.policy_on(catalogue.kind, day)
        if policy is None or policy.declared.ref.hash != digest:
            return None
        then, formulas = self._totals.formulas(policy.catalogue, day), self._totals.formulas(catalogue, today)
        return Explainer(policy, then, catalogue, formulas)

    async def latest(self, tx: Transaction, who: Principal, customer_id: UUID, now: datetime) -> dict[str, Any]:
        """The latest check. Raises: NotFound (not_found, not_graded_yet)."""
        file = await self._files.reach(tx, who, READ, customer_id)
        row = await repository.latest(tx, customer_id)
        if row is None:
            raise errors.not_graded_yet()
        return (await self._explained(tx, who, READ, file, [row], now, advise=True))[0]

    async def quarters(
        self, tx: Transaction, who: Principal, customer_id: UUID, below: str, limit: int
    ) -> tuple[list[dict[str, Any]], bool]:
        """The grades of quarters before one, newest first, and whether there are more. Raises: NotFound."""
        await self._files.reach(tx, who, READ, customer_id)
        rows = await repository.quarters(tx, customer_id, below, limit + 1)
        return [{name: row[name] for name in _OF_QUARTER} for row in rows[:limit]], len(rows) > limit

    async def changes(
        self, tx: Transaction, who: Principal, customer_id: UUID, below: int, limit: int, now: datetime
    ) -> tuple[list[dict[str, Any]], bool]:
        """Changes of grade below a serial, newest first, and whether there are more. Raises: NotFound."""
        file = await self._files.reach(tx, who, READ, customer_id)
        rows = await repository.changes(tx, customer_id, below, limit + 1)
        return await self._explained(tx, who, READ, file, rows[:limit], now), len(rows) > limit

    async def all_of(
        self, tx: Transaction, who: Principal, action: str, customer_id: UUID, now: datetime
    ) -> dict[str, Any]:
        """The latest check and every change, oldest first, as far as the sight of another action goes.

        Raises: NotFound
        """
        file = await self._files.reach(tx, who, action, customer_id)
        rows = await repository.all_changes(tx, customer_id)
        latest = await repository.latest(tx, customer_id)
        views = await self._explained(tx, who, action, file, [*rows, *([latest] if latest else [])], now)
        return {"latest": views.pop() if latest else None, "changes": views}

    async def _explained(
        self,
        tx: Transaction,
        who: Principal,
        action: str,
        file: Record,
        rows: list[Record],
        now: datetime,
        *,
        advise: bool = False,
    ) -> list[dict[str, Any]]:
        read: set[str] = set()
        views = []
        sight = who.sight(action, file["unit"], file["manager"])
        catalogue = self._dictionaries.catalogue(file["kind"], now)
        for row in rows:
            explainer = self._explainers(catalogue, day_of(now), row["policy_version"], row["policy_hash"])
            view, shown = (
                (explanation.without_words(row), set[str]())
                if explainer is None
                else explainer.explain(sight, row, advise=advise)
            )
            read |= shown
            views.append({**view, "before": row["before"]} if "before" in row else view)
        await self._reads.note(tx, who, sight, catalogue, file["id"], read, now)
        return views

    async def recheck(self, tx: Transaction, who: Principal, customer_id: UUID, now: datetime) -> dict[str, Any]:
        """Check one customer at once, and show the outcome. Raises: NotFound, Conflict (no_grade_policy)."""
        file = await self._files.reach(tx, who, RECHECK, customer_id)
        if self._grading.policy(file["kind"], now) is None:
            raise errors.no_policy()
        await self._grading.recheck(tx, [customer_id], now)
        return await self.latest(tx, who, customer_id, now)
