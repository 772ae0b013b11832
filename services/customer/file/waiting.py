"""What waits for a person in the features above the file, as the list of tasks sees it: one `Waiting` each (R7.3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from shared.auth import Principal
from shared.db import Transaction


@dataclass(frozen=True, slots=True)
class Task:
    """Something that is for a person to do. `record` is unique among those of a type; `address`: where it is done.

    `due`: when it has to be done by; None if nothing says so.
    """

    type: str
    record: str
    address: str
    unit: str
    since: datetime
    due: datetime | None = None
    customer_id: UUID | None = None


class Waiting(Protocol):
    """A feature in which something may wait for a person. `types` of tasks that it knows."""

    types: tuple[str, ...]

    async def tasks(self, tx: Transaction, who: Principal, now: datetime, limit: int) -> Sequence[Task]:
        """What this person may do and nobody has done yet, the most pressing of each type: at most so many of it."""
        ...
