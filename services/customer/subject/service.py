"""Subject access: all that is kept of one customer, opened, for that customer (R15.1).

From the file, its history and every feature that keeps records of customers; with what the data are read for, as the
roles in force say. What is above the clearance of whoever hands it out is named and left out, as everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from services.customer.dictionary.service import Dictionaries
from services.customer.file.history import Histories
from services.customer.file.related import DISCLOSE, Related
from services.customer.file.service import Files
from shared.auth import Principal
from shared.clock import day_of
from shared.db import Transaction
from shared.events import SubjectDisclosed
from shared.outbox import Outbox
from shared.regime import Catalogue, Codelist, Regimes, Resource, Role
from shared.regime.role import PURPOSES

_PAGE = 500
_NEWEST = 2**31 - 1


class Subjects:
    """Tells people what is kept of them."""

    def __init__(
        self, regimes: Regimes, dictionaries: Dictionaries, outbox: Outbox, files: Files, histories: Histories,
        related: Sequence[Related],
    ) -> None:  # fmt: skip
        self._regimes = regimes
        self._dictionaries = dictionaries
        self._outbox = outbox
        self._files = files
        self._histories = histories
        self._related = related

    async def disclose(self, tx: Transaction, who: Principal, customer_id: UUID, now: datetime) -> dict[str, Any]:
        """Everything, as plain JSON; that it left is an event in the same transaction. Raises: NotFound"""
        answer = await self._files.read(tx, who, customer_id, now, action=DISCLOSE)
        assert answer is not None
        body = answer.body
        catalogue = self._dictionaries.catalogue(body["kind"], now)
        kept = {each.name: await each.disclose(tx, who, customer_id, now) for each in self._related}
        disclosed = {
            "customer": {name: value for name, value in body.items() if name not in ("values", "withheld")},
            "items": [_item(catalogue, code, value) for code, value in body["values"].items()],
            "withheld": body["withheld"],
            "history": await self._history(tx, who, customer_id, now),
            "records": kept,
            "purposes": _purposes(self._regimes, day_of(now)),
            "disclosed_at": now,
            "disclosed_by": who.actor,
        }
        event = SubjectDisclosed(
            customer_id=str(customer_id), version=answer.version, records=tuple(sorted(kept)),
            withheld=tuple(body["withheld"]),
        )  # fmt: skip
        subject = f"customer/{customer_id}"
        envelope = self._outbox.envelope(event, feature="subject", subject=subject, actor=who.actor, at=now)
        await self._outbox.add(tx, envelope, event)
        return disclosed

    async def _history(self, tx: Transaction, who: Principal, customer_id: UUID, now: datetime) -> list[dict[str, Any]]:
        """Every version, newest first."""
        entries: list[dict[str, Any]] = []
        more, below = True, _NEWEST
        while more:
            page, more = await self._histories.page(tx, who, customer_id, below, _PAGE, now, action=DISCLOSE)
            entries += page
            below = entries[-1]["version"]
        return entries


def _item(catalogue: Catalogue, code: str, value: Mapping[str, Any]) -> dict[str, Any]:
    item = catalogue.items[code]
    return {"code": code, "label": item.label.model_dump(), "personal": item.personal,
            "field_class": item.field_class, **value}  # fmt: skip


def _purposes(regimes: Regimes, day: date) -> list[dict[str, Any]]:
    """What this service's data are read for: each purpose, and which roles may see which classes of fields for it."""
    own = {resource.id for resource in regimes.all(Resource, on=day) if resource.service == "customer"}
    texts = regimes.get(Codelist, PURPOSES, on=day).codes
    readers: dict[str, list[dict[str, Any]]] = {}
    for role in regimes.all(Role, on=day):
        for grant in role.grants:
            if grant.purpose is not None and grant.resource in own:
                reader = {
                    "role": role.title.model_dump(),
                    "actions": grant.names,
                    "field_classes": None if grant.fields is None else sorted(grant.fields),
                }
                readers.setdefault(grant.purpose, []).append(reader)
    return [{"purpose": each, "title": texts[each].model_dump(), "readers": readers[each]} for each in sorted(readers)]
