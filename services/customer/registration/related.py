"""Forms as the file sees them: they follow a merge, stand in the timeline, are disclosed, end with the key (R15.1)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from services.customer.dictionary.service import Dictionaries
from services.customer.file.keys import Keys
from services.customer.file.reads import Reads
from services.customer.file.related import DISCLOSE, Happening
from services.customer.file.service import Files
from services.customer.registration import repository
from services.customer.registration.rules import READ, Form
from shared.auth import Principal
from shared.db import Transaction
from shared.ids import new_id, parse_id
from shared.regime import Catalogue
from shared.sealing import KeyRing, WrappedKey

Cleared = Callable[[Mapping[str, Any]], dict[str, Any]]
_TOLD = ("round", "submitted_by", "submitted_at", "outcome", "closed_at", "closed_by")


class RelatedForms:
    """What customers were before they were registered."""

    name = "registration"
    action = READ

    def __init__(self, dictionaries: Dictionaries, ring: KeyRing, files: Files, keys: Keys, reads: Reads) -> None:
        self._dictionaries = dictionaries
        self._ring = ring
        self._files = files
        self._keys = keys
        self._reads = reads

    async def happenings(self, tx: Transaction, customer_id: UUID, before: datetime, limit: int) -> Sequence[Happening]:
        """Each time that a form was handed in, and what came of it, newest first."""
        found = []
        for form in await repository.of_customer(tx, customer_id):
            for row in await repository.rounds(tx, form.id):
                ends = [("submitted", row["submitted_at"], row["submitted_by"])]
                if row["outcome"] is not None:
                    ends.append((row["outcome"], row["closed_at"], row["closed_by"]))
                facts = {"form": str(form.id), "round": row["round"]}
                found += [
                    Happening(at, f"registration.{what}", by, f"{form.id}/{row['round']}/{what}", facts)
                    for what, at, by in ends
                ]
        earlier = [each for each in found if each.at < before]
        return sorted(earlier, key=lambda each: (each.at, each.record), reverse=True)[:limit]

    async def move(
        self, tx: Transaction, source: UUID, target: UUID, records: Sequence[str] | None = None
    ) -> list[str]:
        """Give forms to another customer, sealed anew under that one's key; those of an erased one stay as they are."""
        keys = await self._keys.of(tx, [source, target])
        wanted = None if records is None else {parse_id(each) for each in records}
        forms = [each for each in await repository.of_customer(tx, source) if wanted is None or each.id in wanted]
        for form in forms:
            if source in keys and target in keys:
                await self._move(tx, form, keys[source], target, keys[target])
            else:
                await repository.move(tx, form.id, target, form.sealed_by, form.sealed)
        return [str(each.id) for each in forms]

    async def _move(self, tx: Transaction, form: Form, old: WrappedKey, target: UUID, new: WrappedKey) -> None:
        def anew(sealed_by: UUID, sealed: bytes) -> tuple[UUID, bytes]:
            opened, fresh = self._ring.open_bytes(old, form.subject, sealed_by, sealed), new_id()
            return fresh, self._ring.seal_bytes(new, str(target), fresh, opened)

        await repository.move(tx, form.id, target, *anew(form.sealed_by, form.sealed))
        for row in await repository.rounds(tx, form.id):
            if row["sealed"] is not None:
                await repository.reseal(tx, form.id, row["round"], *anew(row["sealed_by"], row["sealed"]))

    async def erase(self, tx: Transaction, customer_id: UUID) -> None:
        """Nothing: all that is personal is sealed under the key that is destroyed."""

    async def disclose(self, tx: Transaction, who: Principal, customer_id: UUID, now: datetime) -> Mapping[str, Any]:
        """What was put forward, and what was said of it, as far as `who` may disclose it."""
        file = await self._files.reach(tx, who, DISCLOSE, customer_id)
        sight, catalogue = who.sight(DISCLOSE, file["unit"], file["manager"]), self._catalogue(file["kind"], now)

        def cleared(values: Mapping[str, Any]) -> dict[str, Any]:
            seen, _ = self._reads.clear(sight, catalogue, values)
            return {code: value for code, value in values.items() if code in seen}

        forms = await repository.of_customer(tx, customer_id)
        return {"forms": [await self._disclosed(tx, form, cleared) for form in forms]}

    def _catalogue(self, kind: str, now: datetime) -> Catalogue:
        return self._dictionaries.catalogue(kind, now)

    async def _disclosed(self, tx: Transaction, form: Form, cleared: Cleared) -> dict[str, Any]:
        rounds = []
        for row in await repository.rounds(tx, form.id):
            said = self._opened(form, row["sealed_by"], row["sealed"])
            reasons = {"reason": said.get("reason"), "items": cleared(said.get("items", {}))}
            rounds.append({**{name: row[name] for name in _TOLD}, **reasons})
        values = cleared(self._opened(form, form.sealed_by, form.sealed))
        return {"id": str(form.id), "values": values, "rounds": rounds}

    def _opened(self, form: Form, sealed_by: UUID | None, sealed: bytes | None) -> dict[str, Any]:
        if form.key is None or sealed is None or sealed_by is None:
            return {}
        opened: dict[str, Any] = self._ring.open(form.key, form.subject, sealed_by, sealed)
        return opened
