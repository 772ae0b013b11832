"""Grades as the file sees them: in the timeline, as of a moment, and told to the customer (R1.5, R5.3, R15.1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from services.customer.file.related import DISCLOSE, Happening
from services.customer.grading import repository
from services.customer.grading.explanation import READ
from services.customer.grading.reading import Grades
from shared.auth import Principal
from shared.db import Record, Transaction
from shared.events import GradeChanged


class RelatedGrades:
    """Checks and changes of grade."""

    name = "grading"
    action = READ

    def __init__(self, grades: Grades) -> None:
        self._grades = grades

    async def happenings(self, tx: Transaction, customer_id: UUID, before: datetime, limit: int) -> Sequence[Happening]:
        """The last changes of grade, newest first."""
        return [_happening(row) for row in await repository.happenings(tx, customer_id, before, limit)]

    async def grade_at(self, tx: Transaction, customer_id: UUID, at: datetime) -> str | None:
        """The grade that a customer had at a moment."""
        return await repository.grade_at(tx, customer_id, at)

    async def move(
        self, tx: Transaction, source: UUID, target: UUID, records: Sequence[str] | None = None  # noqa: ARG002
    ) -> list[str]:  # fmt: skip
        """Nothing: a grade speaks of the file that was checked, and the other one is checked anew."""
        return []

    async def erase(self, tx: Transaction, customer_id: UUID) -> None:
        """Nothing: no policy reads a personal item, so no explanation holds one (`shared/regime/grade.py`)."""

    async def disclose(
        self, tx: Transaction, who: Principal, customer_id: UUID, now: datetime
    ) -> Mapping[str, Any]:  # fmt: skip
        """The latest check and every change with its explanation, oldest first."""
        return await self._grades.all_of(tx, who, DISCLOSE, customer_id, now)


def _happening(row: Record) -> Happening:
    facts = {"before": row["before"], "grade": row["grade"], "policy": row["policy_id"]}
    return Happening(row["checked_at"], GradeChanged.type, "system/customer", str(row["serial"]), facts)
