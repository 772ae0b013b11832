"""Whom a form resembles, by the rules of duplicates: over all units, no more told than the asker may know (R5.2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from services.customer.duplicate.service import CHECK, Duplicates, Match
from services.customer.registration.rules import Likeness
from shared.auth import Principal
from shared.db import Transaction
from shared.regime import Verdict


class Doubles:
    """Asks the feature below."""

    def __init__(self, duplicates: Duplicates) -> None:
        self._duplicates = duplicates

    async def alike(
        self, tx: Transaction, who: Principal, kind: str, values: Mapping[str, Any], now: datetime
    ) -> Sequence[Likeness]:
        """Customers who resemble one with these values, the likeliest first."""
        return [_likeness(each) for each in await self._duplicates.like(tx, who, CHECK, kind, values, now)]


def _likeness(match: Match) -> Likeness:
    row = match.other.row
    rules = tuple(rule.id for rule in match.rules)
    certain = match.verdict is Verdict.CERTAIN
    return Likeness(match.ref, None if row is None else row["id"], match.other.name, certain, rules)
