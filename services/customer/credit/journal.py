"""What happened to forms and holds: a step here and an event outside, in one transaction. Seals what people wrote."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from services.customer.credit import repository
from shared.db import Record, Transaction
from shared.events.credit import CreditEvent
from shared.ids import new_id
from shared.outbox import Outbox
from shared.sealing import KeyRing, WrappedKey, to_text

_ELSEWHERE = {"customer_id", "unit", "manager", "sealed", "definition", "desk", "limit_fen"}


@dataclass(frozen=True, slots=True)
class Said:
    """What somebody wrote, sealed for the event of this id."""

    event_id: UUID
    sealed: bytes

    @property
    def text(self) -> str:
        """As events carry it."""
        return to_text(self.sealed)


class Journal:
    """Notes and publishes."""

    def __init__(self, ring: KeyRing, outbox: Outbox) -> None:
        self._ring = ring
        self._outbox = outbox

    def seal(self, key: WrappedKey, customer_id: UUID, content: Mapping[str, Any]) -> Said:
        """Seal what somebody wrote, by code, for an event to come."""
        event_id = new_id()
        values = {code: {"after": value} for code, value in content.items()}
        return Said(event_id, self._ring.seal(key, str(customer_id), event_id, values))

    def opened(self, key: WrappedKey, step: Record) -> dict[str, Any]:
        """What was written with a step, by code."""
        if step["sealed"] is None:
            return {}
        values = self._ring.open(key, str(step["customer_id"]), step["id"], step["sealed"])
        return {code: value["after"] for code, value in values.items()}

    async def note(
        self, tx: Transaction, event: CreditEvent, actor: str, now: datetime, *, matter: UUID | None = None,
        said: Said | None = None,
    ) -> None:  # fmt: skip
        """Publish; as a step of a form or hold, if it is about one."""
        envelope = self._outbox.envelope(
            event, feature="credit", subject=f"customer/{event.customer_id}", actor=actor, at=now,
            event_id=None if said is None else said.event_id,
        )  # fmt: skip
        if matter is not None:
            facts = event.model_dump(mode="json", exclude=_ELSEWHERE, exclude_none=True)
            step = {
                "id": envelope.id, "customer_id": UUID(event.customer_id), "matter": matter, "type": event.type,
                "at": now, "actor": actor, "facts": facts, "sealed": None if said is None else said.sealed,
            }  # fmt: skip
            await repository.add_step(tx, step)
        await self._outbox.add(tx, envelope, event)

    async def give(
        self, tx: Transaction, matters: Iterable[UUID], keys: Mapping[UUID, WrappedKey], target: UUID
    ) -> None:
        """Give the steps of matters to another customer, sealed anew; what no key opens any more stays sealed."""
        for step in await repository.steps(tx, matters):
            sealed, source = step["sealed"], step["customer_id"]
            if sealed is not None and source in keys and target in keys:
                content = self._ring.open_bytes(keys[source], str(source), step["id"], sealed)
                sealed = self._ring.seal_bytes(keys[target], str(target), step["id"], content)
            await repository.give_step(tx, step["id"], target, sealed)


def of(file: Record) -> dict[str, Any]:
    """What every event says of a customer; `file`: id, unit and manager."""
    return {"customer_id": str(file["id"]), "unit": file["unit"], "manager": file["manager"]}
