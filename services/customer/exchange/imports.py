"""Use cases of imports: receive a file, show how it goes, apply it after a dry run, cancel it. Called by routes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

from services.customer.dictionary.service import Dictionaries
from services.customer.exchange import errors, repository
from services.customer.exchange.annotating import Marks, annotated
from services.customer.exchange.repository import IMPORT
from services.customer.exchange.rules import FAULTS, LIMITS, WORDS, CellFault, Limits, Mode, OnFault
from services.customer.exchange.standing import Standing
from services.customer.exchange.vault import FAULTS as FAULT_PART
from services.customer.exchange.vault import FILE, PIECE, Vault
from services.customer.file.service import CHANGE, REGISTER, reference
from shared.aside import Aside, Full, Lost
from shared.auth import Principal
from shared.clock import day_of
from shared.db import Record, Transaction
from shared.errors import Fault, NotFound, Unavailable
from shared.events import ImportEnded, ImportReceived
from shared.ids import new_id
from shared.outbox import Outbox
from shared.regime import Clock, Codelist, Regimes
from shared.sheets import Bounds, check_archive, is_workbook

IMPORTING = "exchange.import"
CHECKING, CHECKED, APPLYING, APPLIED = "checking", "checked", "applying", "applied"
REFUSED, CANCELLED, HALTED = "refused", "cancelled", "halted"
OPEN = (CHECKING, APPLYING)
_FIRST_FAULTS = 50


@dataclass(frozen=True, slots=True)
class Sent:
    """What came with a file."""

    kind: str
    mode: Mode
    dry_run: bool
    on_fault: OnFault
    key: str | None


class Imports:
    """Receives and shows imports."""

    def __init__(
        self, regimes: Regimes, dictionaries: Dictionaries, vault: Vault, outbox: Outbox, standing: Standing,
        aside: Aside,
    ) -> None:  # fmt: skip
        self._regimes = regimes
        self._dictionaries = dictionaries
        self._vault = vault
        self._outbox = outbox
        self._standing = standing
        self._aside = aside

    def limits(self, now: datetime) -> Limits:
        """Those in force."""
        return Limits.of(self._regimes.get(Clock, LIMITS, on=day_of(now)))

    async def receive(self, tx: Transaction, who: Principal, sent: Sent, content: bytes, now: datetime) -> Record:
        """Keep a file, sealed, to be checked; an import of the same file that is under way is that import.

        Raises: Invalid (bad_import, macros), Malformed, TooLarge, Forbidden (needs_approval), TooManyRequests
        """
        limits = self.limits(now)
        self._require_sensible(who, sent, now)
        if is_workbook(content):
            check_archive(content, Bounds(limits.unpacked, limits.parts, limits.ratio))
        digest = sha256(content).digest()
        known = await repository.same(
            tx, who.name, digest, sent.kind, sent.mode, dry_run=sent.dry_run, on_fault=sent.on_fault
        )
        if known is not None:
            return known
        if await repository.open_count(tx, IMPORT, who.name, OPEN) >= limits.imports_open:
            raise errors.too_many_open(limits.imports_open)
        import_id = new_id()
        key = self._vault.new_key(import_id)
        row = {
            "id": import_id, "kind": sent.kind, "state": CHECKING, "requester": who.name, "actor": who.actor,
            "authority": self._standing.kept(who, (IMPORTING, REGISTER, CHANGE)), "kek": key.kek,
            "wrapped": key.wrapped, "created_at": now, "kept_until": now + limits.import_kept, "mode": sent.mode.value,
            "dry_run": sent.dry_run, "on_fault": sent.on_fault.value, "bytes": len(content), "sha256": digest,
            "media": "xlsx" if is_workbook(content) else "csv",
        }  # fmt: skip
        await repository.add(tx, IMPORT, row)
        pieces = [content[start : start + PIECE] for start in range(0, len(content), PIECE)]
        await self._vault.put(tx, import_id, key, FILE, pieces)
        event = ImportReceived(
            kind=sent.kind, mode=sent.mode.value, dry_run=sent.dry_run, bytes=len(content), sha256=digest.hex()
        )
        subject = f"import/{import_id}"
        envelope = self._outbox.envelope(event, feature="exchange", subject=subject, actor=who.actor, at=now)
        await self._outbox.add(tx, envelope, event)
        return await self.get(tx, who, import_id)

    def _require_sensible(self, who: Principal, sent: Sent, now: datetime) -> None:
        kinds = self._dictionaries.kinds(now)
        if sent.kind not in kinds:
            raise errors.bad_import([Fault("/kind", "unknown_kind", sent.kind[:80], kinds)])
        key = next(
            (code for code, use in self._dictionaries.catalogue(sent.kind, now).uses.items() if use == "number"), ""
        )
        if not key or sent.key not in {None, key}:
            expected = f"{key}: the item that is unique among customers"
            raise errors.bad_import([Fault("/key", "bad_key", (sent.key or "")[:80], expected)])
        if sent.mode is Mode.CREATE and not who.may(REGISTER):
            raise errors.needs_approval()

    async def get(self, tx: Transaction, who: Principal, import_id: UUID, *, lock: bool = False) -> Record:
        """An import of one's own. Raises: NotFound"""
        row = await repository.get(tx, IMPORT, import_id, who.name, lock=lock)
        if row is None:
            raise errors.no_such_job()
        return row

    async def page(self, tx: Transaction, who: Principal, before: UUID | None, limit: int) -> list[Record]:
        """One's own imports, newest first."""
        return await repository.page(tx, IMPORT, who.name, before, limit)

    async def first_faults(self, tx: Transaction, row: Record) -> list[CellFault]:
        """Some of what is wrong; nothing once the file is gone."""
        if row["kek"] is None:
            return []
        found: list[CellFault] = []
        async for fault in self._faults(tx, row):
            found.append(fault)
            if len(found) == _FIRST_FAULTS:
                break
        return found

    async def faults(self, tx: Transaction, who: Principal, import_id: UUID) -> tuple[Record, list[CellFault]]:
        """All that is wrong and kept one by one. Raises: NotFound, Conflict (exchange_over)"""
        row = await self.get(tx, who, import_id)
        if row["kek"] is None:
            raise errors.over()
        return row, [fault async for fault in self._faults(tx, row)]

    async def _faults(self, tx: Transaction, row: Record) -> AsyncIterator[CellFault]:
        for number in range(row["steps"] + 1):
            for each in await self._vault.document(tx, row, FAULT_PART, number) or ():
                yield CellFault(*each)

    async def workbook(self, tx: Transaction, who: Principal, import_id: UUID, now: datetime) -> bytes:
        """The sender's own file as a workbook, with the result of each row and the wrong cells in colour.

        Raises: NotFound, Conflict (exchange_over, wrong_state), Unavailable
        """
        row, faults = await self.faults(tx, who, import_id)
        if row["state"] == CHECKING:
            raise errors.wrong_state(row["state"], (CHECKED, APPLIED, REFUSED))
        content = b"".join([piece async for piece in self._vault.pieces(tx, row, FILE)])
        marks = self.marks(row["kind"], faults, now)
        try:
            return await self._aside.call(annotated, content, marks, self.limits(now))
        except (Full, Lost):
            detail = "Too many files are being written. Try again."
            raise Unavailable("exchange_busy", detail, headers={"Retry-After": "2"}) from None

    def marks(self, kind: str, faults: list[CellFault], now: datetime) -> Marks:
        """What is wrong, in words."""
        day = day_of(now)
        words = self._regimes.get(Codelist, WORDS, on=day).codes
        names = self._regimes.get(Codelist, FAULTS, on=day).codes
        try:
            catalogue = self._dictionaries.catalogue(kind, now)
        except NotFound:
            labels = {}
        else:
            labels = {item.code: item.label for item in catalogue.items.values()}
        return Marks(faults, words, names, labels)

    async def apply(self, tx: Transaction, who: Principal, import_id: UUID, on_fault: OnFault, now: datetime) -> Record:
        """Store what was checked. Raises: NotFound, Conflict (wrong_state, has_faults, exchange_over)"""
        row = await self.get(tx, who, import_id, lock=True)
        if row["state"] in (APPLYING, APPLIED):
            return row
        if row["state"] not in (CHECKED, HALTED) or not row["valid"]:
            raise errors.wrong_state(row["state"], (CHECKED, HALTED))
        if row["kek"] is None:
            raise errors.over()
        if row["refused"] and on_fault is OnFault.STOP:
            raise errors.has_faults(row["refused"])
        authority = self._standing.kept(who, (IMPORTING, REGISTER, CHANGE))
        kept_until = now + self.limits(now).import_kept
        change = {"state": APPLYING, "authority": authority, "on_fault": on_fault.value, "kept_until": kept_until}
        await repository.change(tx, IMPORT, import_id, {**change, "dry_run": False, "tries": 0, "ended_at": None})
        return await self.get(tx, who, import_id)

    async def cancel(self, tx: Transaction, who: Principal, import_id: UUID, now: datetime) -> Record:
        """Go no further; what is stored stays, the file goes. Raises: NotFound, Conflict (wrong_state)"""
        row = await self.get(tx, who, import_id, lock=True)
        if row["state"] in (APPLIED, REFUSED):
            raise errors.wrong_state(row["state"], (*OPEN, CHECKED, HALTED))
        if row["state"] != CANCELLED:
            await self.ended(tx, row, CANCELLED, now)
            await repository.end(tx, IMPORT, [import_id])
        return await self.get(tx, who, import_id)

    async def ended(self, tx: Transaction, row: Record, state: str, now: datetime, **counts: Any) -> None:
        """Put an import into a state in which nothing goes on, and say so."""
        await repository.change(tx, IMPORT, row["id"], {"state": state, "ended_at": now, **counts})
        figures = {name: counts.get(name, row[name]) for name in ("rows", "valid", "refused", "applied", "unchanged")}
        dictionary = reference(self._dictionaries.catalogue(row["kind"], now).ref)
        event = ImportEnded(state=state, dictionary=dictionary, **figures)
        subject = f"import/{row['id']}"
        envelope = self._outbox.envelope(event, feature="exchange", subject=subject, actor=row["actor"], at=now)
        await self._outbox.add(tx, envelope, event)
