"""Any grade of the past, reckoned anew from what was kept of it, bit by bit (R1.5).

The items come out of the sealed history of the file, the totals and the course out of the grade, the policy out of the
archive of texts: nothing that is in force today takes part.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from services.customer.file.history import Histories
from services.customer.file.service import Files
from services.customer.grading import errors, patience, repository
from services.customer.grading.archive import Archive, TextChanged
from services.customer.grading.patience import Course
from services.customer.grading.rules import Policy
from services.customer.grading.service import digest_of, stored
from shared.auth import Principal
from shared.db import Record, Transaction
from shared.regime import GradePolicy, Regimes
from shared.sealing import Unopenable

REPRODUCE = "grade.reproduce"


class Reproductions:
    """Reckons old grades anew."""

    def __init__(self, files: Files, histories: Histories, archive: Archive, regimes: Regimes) -> None:
        self._files = files
        self._histories = histories
        self._archive = archive
        self._declared = {each.ref.hash for each in regimes.definitions if isinstance(each, GradePolicy)}

    async def reproduce(self, tx: Transaction, who: Principal, customer_id: UUID, serial: int) -> dict[str, Any]:
        """Reckon a change of grade anew and say what does not come out as it was stored; names only, never values.

        Raises: NotFound, Conflict (grade_inputs_not_kept, customer_erased)
        """
        await self._files.reach(tx, who, REPRODUCE, customer_id)
        row = await repository.change(tx, customer_id, serial)
        if row is None:
            raise errors.no_such_grade()
        if row["basis"] is None:
            raise errors.inputs_not_kept()
        differences = await self._differences(tx, row)
        ref = {"id": row["policy_id"], "version": row["policy_version"], "hash": row["policy_hash"]}
        return {
            "customer_id": customer_id, "serial": serial, "grade": row["grade"], "reproduced": not differences,
            "differences": differences, "policy": ref, "declared": row["policy_hash"] in self._declared,
            "basis": row["basis"], "digest": row["digest"],
        }  # fmt: skip

    async def _differences(self, tx: Transaction, row: Record) -> list[str]:
        try:
            policy = await self._archive.policy(tx, row["basis"])
        except TextChanged:
            return ["policy_text"]
        try:
            values = await self._histories.values_at(tx, row["customer_id"], row["customer_version"])
        except Unopenable:
            return ["items"]
        return sorted(_differing(policy, row, values))


def _differing(policy: Policy, row: Record, values: Mapping[str, Any]) -> Iterator[str]:
    """Names of what comes out otherwise than it is stored."""
    course = Course(**row["course"])
    figures = dict(zip(policy.totals, (None if each is None else Decimal(each) for each in row["totals"]), strict=True))
    check = policy.check(values, figures)
    held, day = patience.held_before(course), date.fromisoformat(course.day)
    settled = patience.settle(policy.declared, held, check, day, quarterly=course.quarterly)
    again = patience.course_of(held, check, settled, day, quarterly=course.quarterly, override=course.override)
    found: dict[str, tuple[object, object]] = {
        "indicators": (row["indicators"], list(stored(check))),
        "score": (_exact(row["score"]), _exact(check.score)),
        "customer_class": (row["customer_class"], check.customer_class),
        "course": (course, again),
        "grade": (row["grade"], settled.grade if course.override is None else row["grade"]),
        "policy": (row["policy_hash"], policy.declared.ref.hash),
        "digest": (row["digest"], digest_of(row)),
    }
    yield from (name for name, (kept, reckoned) in found.items() if kept != reckoned)


def _exact(score: Decimal | None) -> str | None:
    return None if score is None else format(score, "f")
