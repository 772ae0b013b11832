"""What the features above the file keep about customers, as the file sees it: one `Related` each, given at composition.

Through it a merge moves their records, an erasure ends them, a timeline shows them and a subject gets them to read,
without the file knowing any of these features (R1, R5.3, R15.1).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from shared.auth import Principal
from shared.db import Transaction

DISCLOSE = "subject.disclose"
"""The action of whoever hands a customer what is kept of them; `disclose` shows what the sight of it shows."""


@dataclass(frozen=True, slots=True)
class Happening:
    """One line of a customer's timeline: no personal values, only codes, days and figures that `action` may show.

    `record` is unique among those of a feature.
    """

    at: datetime
    type: str
    actor: str
    record: str
    facts: Mapping[str, Any]


class Related(Protocol):
    """A feature that keeps records of customers. `name` is its folder; who may `action` sees its happenings."""

    name: str
    action: str

    async def happenings(self, tx: Transaction, customer_id: UUID, before: datetime, limit: int) -> Sequence[Happening]:
        """The latest happenings before a moment, newest first; those of one moment in an order that stays."""
        ...

    async def move(
        self, tx: Transaction, source: UUID, target: UUID, records: Sequence[str] | None = None
    ) -> list[str]:
        """Give records of one customer to another: all of them, or these, to undo a merge; which ones moved.

        Values that are sealed under the key of `source` are sealed anew under that of `target`.
        """
        ...

    async def erase(self, tx: Transaction, customer_id: UUID) -> None:
        """Remove what is personal and not sealed under the customer's key, which is destroyed."""
        ...

    async def disclose(self, tx: Transaction, who: Principal, customer_id: UUID, now: datetime) -> Mapping[str, Any]:
        """All that is kept of a customer, opened, as plain JSON, for the person whom it is about (R15.1)."""
        ...
