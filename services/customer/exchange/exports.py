"""Use cases of exports: ask for one, see how it goes, fetch its file (R15.2, R2.2). Called by routes.

What may leave is decided as it is asked for, and again for each row as it is read. A file is kept, sealed, for a short
declared term, for whoever asked for it and nobody else.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from services.customer.dictionary.service import Dictionaries
from services.customer.exchange import errors, repository
from services.customer.exchange.grants import Grants, Leaving
from services.customer.exchange.repository import EXPORT
from services.customer.exchange.rules import LIMITS, UNIT, Limits
from services.customer.exchange.standing import Standing
from services.customer.exchange.vault import FILE, Vault
from services.customer.file.columns import READ_GRADE, scope_for
from services.customer.file.service import READ
from shared.auth import Principal
from shared.clock import day_of
from shared.db import Database, Record, Transaction
from shared.errors import Fault
from shared.events import ExportFetched
from shared.ids import new_id
from shared.outbox import Outbox
from shared.regime import Catalogue, Clock, FieldType, Item, Regimes, Resource, highest

EXPORTING, FETCHING = "exchange.export", "exchange.fetch"
WAITING, READY, REFUSED = "waiting", "ready", "refused"
_RESOURCE = "exchange"


class Exports:
    """Takes requests for exports, and gives out their files."""

    def __init__(
        self, regimes: Regimes, dictionaries: Dictionaries, vault: Vault, outbox: Outbox, standing: Standing,
        grants: Grants,
    ) -> None:  # fmt: skip
        self._regimes = regimes
        self._dictionaries = dictionaries
        self._vault = vault
        self._outbox = outbox
        self._standing = standing
        self._grants = grants

    def limits(self, now: datetime) -> Limits:
        """Those in force."""
        return Limits.of(self._regimes.get(Clock, LIMITS, on=day_of(now)))

    async def request(
        self, tx: Transaction, who: Principal, kind: str, filters: Mapping[str, str], items: Sequence[str] | None,
        format_: str, now: datetime,
    ) -> Record:  # fmt: skip
        """Ask for a file.

        Raises: Invalid (bad_export), Forbidden (grant_needed, filter_not_cleared), TooManyRequests
        """
        kinds = self._dictionaries.kinds(now)
        if kind not in kinds:
            raise errors.bad_export([Fault("/kind", "unknown_kind", kind[:80], kinds)])
        catalogue = self._dictionaries.catalogue(kind, now)
        scope_for(who, [catalogue], filters)
        limits = self.limits(now)
        if await repository.open_count(tx, EXPORT, who.name, [WAITING]) >= limits.exports_open:
            raise errors.too_many_open(limits.exports_open)
        chosen, left_out = self._chosen(who, catalogue, items, now)
        export_id = new_id()
        classified = {code: chosen[code].secrecy.value for code in chosen if self._needs_grant(chosen[code], now)}
        if classified:
            leaving = Leaving(export_id, who.actor, kind, filters, classified)
            await self._grants.require(tx, who, leaving, now)
        key = self._vault.new_key(export_id)
        row = {
            "id": export_id, "kind": kind, "state": WAITING, "requester": who.name, "actor": who.actor,
            "authority": self._standing.kept(who, (EXPORTING, READ, READ_GRADE)), "kek": key.kek,
            "wrapped": key.wrapped, "created_at": now, "kept_until": now + limits.export_kept, "format": format_,
            "filters": dict(filters), "items": list(chosen), "left_out": left_out,
            "level": highest(item.secrecy for item in chosen.values()).value,
        }  # fmt: skip
        await repository.add(tx, EXPORT, row)
        return await self.get(tx, who, export_id)

    def _needs_grant(self, item: Item, now: datetime) -> bool:
        return self._regimes.get(Resource, _RESOURCE, on=day_of(now)).needs_grant(item.secrecy)

    def _chosen(
        self, who: Principal, catalogue: Catalogue, items: Sequence[str] | None, now: datetime
    ) -> tuple[dict[str, Item], list[str]]:
        """The items that may leave, and those that stay as they are above the reader's clearance.

        Where none is named, those that need a grant stay, too. Raises: Invalid (bad_export)
        """
        wanted = [code for code in catalogue.items if _is_exportable(catalogue.items[code])]
        if items is not None:
            faults = [
                Fault(f"/items/{place}", "unknown_item", code[:80], "an item of the kind that is no photograph, once")
                for place, code in enumerate(items)
                if code not in wanted or items.index(code) != place
            ]
            if faults:
                raise errors.bad_export(faults)
            wanted = list(items)
        chosen, left_out = dict[str, Item](), list[str]()
        for code in wanted:
            item = catalogue.items[code]
            seen = all(who.clears(action, item.secrecy, item.field_class) for action in (EXPORTING, READ))
            if seen and not (items is None and self._needs_grant(item, now)):
                chosen[code] = item
            else:
                left_out.append(code)
        if not chosen:
            fault = Fault("/items", "not_cleared", None, "at least one item that you may read")
            raise errors.bad_export([fault])
        return chosen, left_out

    async def get(self, tx: Transaction, who: Principal, export_id: UUID, *, lock: bool = False) -> Record:
        """An export of one's own. Raises: NotFound"""
        row = await repository.get(tx, EXPORT, export_id, who.name, lock=lock)
        if row is None:
            raise errors.no_such_job()
        return row

    async def page(self, tx: Transaction, who: Principal, before: UUID | None, limit: int) -> list[Record]:
        """One's own exports, newest first."""
        return await repository.page(tx, EXPORT, who.name, before, limit)

    async def fetch(self, tx: Transaction, who: Principal, export_id: UUID, now: datetime) -> Record:
        """Record that somebody fetches their file; it may leave once that is committed.

        Raises: NotFound, Conflict (wrong_state, exchange_over), Forbidden (authority_changed)
        """
        row = await self.get(tx, who, export_id, lock=True)
        if row["state"] != READY:
            raise errors.wrong_state(row["state"], [READY])
        if row["kek"] is None or row["kept_until"] <= now:
            raise errors.over()
        kept = self._standing.kept(who, (EXPORTING, READ))["powers"]
        if changed := [action for action in kept if kept[action] != row["authority"]["powers"][action]]:
            raise errors.authority_changed(changed)
        await repository.change(tx, EXPORT, export_id, {"fetched": row["fetched"] + 1})
        event = ExportFetched(sha256=row["sha256"].hex(), times=row["fetched"] + 1)
        subject = f"export/{export_id}"
        envelope = self._outbox.envelope(event, feature="exchange", subject=subject, actor=who.actor, at=now)
        await self._outbox.add(tx, envelope, event)
        return row

    async def pieces(self, database: Database, row: Record) -> AsyncIterator[bytes]:
        """The file, piece by piece, each read on its own: whoever reads slowly holds nothing."""
        number = 0
        while True:
            async with database.reading() as tx:
                piece = await self._vault.piece(tx, row, FILE, number)
            if piece is None:
                return
            yield piece
            number += 1


def _is_exportable(item: Item) -> bool:
    return item.type is not FieldType.PHOTO and item.code != UNIT
