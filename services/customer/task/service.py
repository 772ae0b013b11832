"""Everything that waits for one person, out of what each feature says (R7.3): a list without a state of its own.

A task is gone once what it asks for is done, by whomever. How pressing: what is due first; then what has no day, by
how long it waits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from services.customer.file.service import Files
from services.customer.file.waiting import Task, Waiting
from services.customer.task import errors
from shared.auth import Principal
from shared.db import Transaction

READ = "task.read"
MOST = 200
"""Tasks of one type that are looked at."""
_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Found:
    """Tasks with the number and name of their customer, and how many there are by type (MOST stands for more)."""

    items: list[dict[str, Any]]
    counts: dict[str, int]


class Tasks:
    """What waits for people."""

    def __init__(self, files: Files, waiting: Sequence[Waiting]) -> None:
        self._files = files
        self._waiting = waiting

    async def of(self, tx: Transaction, who: Principal, kind: str | None, limit: int, now: datetime) -> Found:
        """The most pressing tasks of a person, perhaps of one type only. Raises: Invalid (unknown_task)"""
        types = [name for each in self._waiting for name in each.types]
        if kind is not None and kind not in types:
            raise errors.unknown_type(kind, types)
        found: list[Task] = []
        for each in self._waiting:
            if kind is None or kind in each.types:
                found += await each.tasks(tx, who, now, MOST)
        wanted = [each for each in found if kind in (None, each.type)]
        counts = dict.fromkeys(types if kind is None else [kind], 0)
        for task in wanted:
            counts[task.type] += 1
        first = sorted(wanted, key=_pressing)[:limit]
        return Found(await self._shown(tx, who, first, now), counts)

    async def _shown(
        self, tx: Transaction, who: Principal, tasks: Sequence[Task], now: datetime
    ) -> list[dict[str, Any]]:
        ids = list({each.customer_id for each in tasks if each.customer_id is not None})
        rows = await self._files.rows(tx, who, ids, now)
        shown = []
        for task in tasks:
            file = rows.get(task.customer_id, {}) if task.customer_id is not None else {}
            named = {name: file.get(name) for name in ("number", "name")}
            is_overdue = task.due is not None and task.due <= now
            shown.append({name: getattr(task, name) for name in Task.__slots__} | named | {"overdue": is_overdue})
        return shown


def _pressing(task: Task) -> tuple[datetime, datetime, str, str]:
    return task.due or _NEVER, task.since, task.type, task.record
