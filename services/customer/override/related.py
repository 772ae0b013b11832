"""Overrides as the file sees them: in the timeline, in merges, and told to the customer (R5.3, R15.1)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from services.customer.file.keys import Keys
from services.customer.file.related import DISCLOSE, Happening
from services.customer.file.service import Files
from services.customer.grading.explanation import READ
from services.customer.override import repository
from services.customer.override.rules import Override, State
from services.customer.override.sealing import opened, sealed_anew
from shared.auth import Principal
from shared.db import Transaction
from shared.sealing import KeyRing

_ALL = 10_000
_ENDS = {State.REFUSED, State.LIFTED, State.EXPIRED}


class RelatedOverrides:
    """Grades that people set."""

    name = "override"
    action = READ

    def __init__(self, ring: KeyRing, files: Files, keys: Keys) -> None:
        self._ring = ring
        self._files = files
        self._keys = keys

    async def happenings(self, tx: Transaction, customer_id: UUID, before: datetime, limit: int) -> Sequence[Happening]:
        """Each step of each override, newest first."""
        found = [step for each in await repository.page(tx, customer_id, None, _ALL) for step in _steps(each)]
        earlier = [each for each in found if each.at < before]
        return sorted(earlier, key=lambda each: (each.at, each.record), reverse=True)[:limit]

    async def move(
        self, tx: Transaction, source: UUID, target: UUID, records: Sequence[str] | None = None
    ) -> list[str]:
        """Give those that are over to another customer; an open one stays: it speaks of the file that was looked at."""
        moved = [
            each for each in await repository.page(tx, source, None, _ALL)
            if each.state in _ENDS and (records is None or str(each.id) in records)
        ]  # fmt: skip
        keys = await self._keys.of(tx, [source, target]) if moved else {}
        for each in moved:
            fresh = sealed_anew(self._ring, each, keys[source], target, keys[target])
            await repository.give(tx, each.id, target, *fresh)
        return [str(each.id) for each in moved]

    async def erase(self, tx: Transaction, customer_id: UUID) -> None:
        """Nothing: reasons are sealed under the key that is destroyed."""

    async def disclose(
        self, tx: Transaction, who: Principal, customer_id: UUID, now: datetime
    ) -> Mapping[str, Any]:  # fmt: skip
        """Every override with its reasons, newest first."""
        await self._files.reach(tx, who, DISCLOSE, customer_id)
        key = (await self._keys.of(tx, [customer_id])).get(customer_id)
        return {
            "overrides": [
                {
                    "id": str(each.id), "grade": each.grade, "expires_on": each.expires_on.isoformat(),
                    "state": each.state_at(now).value, "proposed_at": each.proposed_at.isoformat(),
                    "reasons": None if key is None else list(opened(self._ring, key, each)),
                }
                for each in await repository.page(tx, customer_id, None, _ALL)
            ]
        }  # fmt: skip


def _steps(override: Override) -> Iterator[Happening]:
    facts = {"override": str(override.id), "grade": override.grade, "expires_on": override.expires_on.isoformat()}
    steps = [("proposed", override.proposed_at, override.proposed_by)]
    steps += [("agreed", datetime.fromisoformat(each["at"]), each["by"]) for each in override.agreed]
    if override.ended_at is not None and override.ended_by is not None:
        steps.append((override.state.value, override.ended_at, override.ended_by))
    for number, (step, at, actor) in enumerate(steps):
        yield Happening(at, f"grade.override_{step}", actor, f"{override.id}/{number}", facts)
