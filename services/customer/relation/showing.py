"""Relations as a reader sees them from one side. Opens what is sealed, as far as their sight of the file goes."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from services.customer.relation import rules
from shared.auth import Sight
from shared.db import Record
from shared.regime import Regimes, Relation, Secrecy
from shared.sealing import KeyRing, WrappedKey

PARTY = "relation_party"
"""What a record of reading calls who somebody outside is."""
_SAME = ("id", "kind", "since", "ended_on", "version", "added_at", "added_by")


class Showing:
    """Makes views of relations."""

    def __init__(self, regimes: Regimes, ring: KeyRing) -> None:
        self._regimes = regimes
        self._ring = ring

    def views(
        self, sight: Sight, customer_id: UUID, key: WrappedKey | None, rows: Sequence[Record],
        reached: Collection[UUID], day: date,
    ) -> tuple[list[dict[str, Any]], dict[str, tuple[Secrecy, str]]]:  # fmt: skip
        """One view each, and which classified fields they show. `key`: of the customer, None once it is erased;
        `reached`: the other sides that the reader may know of."""
        told: dict[str, tuple[Secrecy, str]] = {}
        views = []
        for row in rows:
            kind = self._regimes.find(Relation, row["kind"], on=day)
            own, other = row["customer_id"] == customer_id, rules.other_side(row, customer_id)
            party = None
            if kind is not None and row["party"] is not None and sight.shows(kind.secrecy, kind.field_class):
                party = self._opened(key, row)
            if kind is not None and party is not None:
                told[PARTY] = (kind.secrecy, kind.field_class)
            views.append(
                {
                    **{name: row[name] for name in _SAME},
                    "label": rules.label(kind, from_other_side=not own),
                    "own": own,
                    "customer_id": other if other in reached else None,
                    "party": party,
                    "withheld": other not in reached if other is not None else party is None,
                    "share": None if row["share"] is None else f"{row['share'].normalize():f}",
                }
            )
        return views, told

    def _opened(self, key: WrappedKey | None, row: Record) -> Mapping[str, Any] | None:
        if key is None or row["sealed"] is None:
            return None
        known = self._ring.open(key, str(row["customer_id"]), row["id"], row["sealed"])
        return {"type": row["party"], "certificate_type": None, "certificate_number": None, **known}
