"""The work of exports: read the rows within reach, leave out what is hidden, have the file written, seal it. By a job.

All of one export is one transaction: a worker that dies leaves nothing, and the next one begins again.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

from services.customer.dealings.totals import Totals
from services.customer.dictionary.service import Dictionaries
from services.customer.exchange import repository, rules, writing
from services.customer.exchange.exports import EXPORTING, READY, REFUSED, Exports
from services.customer.exchange.grants import Fingerprint
from services.customer.exchange.repository import EXPORT
from services.customer.exchange.rules import UNIT, WORDS
from services.customer.exchange.standing import Standing
from services.customer.exchange.vault import FILE, PIECE, Vault
from services.customer.exchange.writing import Head
from services.customer.file.bulk import Bulk
from services.customer.file.listing import Wanted
from services.customer.file.service import READ
from shared.aside import Aside, Lost
from shared.auth import Principal
from shared.clock import day_of
from shared.db import Record, Transaction
from shared.errors import Forbidden
from shared.events import Exported
from shared.outbox import Outbox
from shared.regime import Catalogue, Codelist, FieldType, Item, Regimes, Secrecy
from shared.sealing import WrappedKey

_PAGE = 1000
_MOST_TRIES = 3
_BATCH = 20
_TYPED = frozenset({FieldType.TEXT, FieldType.CODE, FieldType.PHONE})


class _TooMany(Exception):
    """More rows than a file of this form may have."""


class Exporting:
    """Makes the files of exports."""

    def __init__(
        self, regimes: Regimes, exports: Exports, dictionaries: Dictionaries, bulk: Bulk, totals: Totals, vault: Vault,
        outbox: Outbox, standing: Standing, fingerprint: Fingerprint, aside: Aside,
    ) -> None:  # fmt: skip
        self._regimes = regimes
        self._exports = exports
        self._dictionaries = dictionaries
        self._bulk = bulk
        self._totals = totals
        self._vault = vault
        self._outbox = outbox
        self._standing = standing
        self._fingerprint = fingerprint
        self._aside = aside

    async def end_overdue(self, tx: Transaction, now: datetime) -> int:
        """Delete files that were kept long enough; how many."""
        return await repository.end_overdue(tx, EXPORT, now, _BATCH)

    async def step(self, tx: Transaction, now: datetime) -> int:
        """Make the file of the export that is due; 0 if none is."""
        if not self._standing.is_known():
            return 0
        row = await repository.next_export(tx)
        if row is None:
            return 0
        await repository.take_time(tx)
        try:
            who = self._standing.principal(row, now)
        except Forbidden as refused:
            await self._refuse(tx, row, refused.code, now)
            return 1
        try:
            await self._make(tx, who, row, now)
        except _TooMany:
            await self._refuse(tx, row, "too_many_rows", now)
        except (Lost, writing.Astray):
            await repository.drop(tx, row["id"])
            if row["tries"] + 1 < _MOST_TRIES:
                await repository.change(tx, EXPORT, row["id"], {"tries": row["tries"] + 1})
            else:
                await self._refuse(tx, row, "unwritable", now)
        return 1

    async def _refuse(self, tx: Transaction, row: Record, reason: str, now: datetime) -> None:
        await repository.drop(tx, row["id"])
        await repository.end(tx, EXPORT, [row["id"]])
        await repository.change(tx, EXPORT, row["id"], {"state": REFUSED, "reason": reason, "ended_at": now})

    async def _make(self, tx: Transaction, who: Principal, row: Record, now: datetime) -> None:
        catalogue = self._dictionaries.catalogue(row["kind"], now)
        items = {code: catalogue.items[code] for code in row["items"] if code in catalogue.items}
        source = _Rows(self, tx, who, row, catalogue, items, now)
        head = self._head(row, items, now)
        key = WrappedKey(row["kek"], row["wrapped"])
        digest, size, number = sha256(), 0, 0
        pieces = self._lines(head, source) if row["format"] == "csv" else self._workbook(head, source)
        async for piece in pieces:
            digest.update(piece)
            await self._vault.put(tx, row["id"], key, FILE, [piece], number)
            size, number = size + len(piece), number + 1
        kept_until = now + self._exports.limits(now).export_kept
        done = {"state": READY, "ended_at": now, "kept_until": kept_until, "rows": source.count, "bytes": size}
        await repository.change(tx, EXPORT, row["id"], {**done, "sha256": digest.digest()})
        await self._publish(tx, who, row, items, source, digest.hexdigest(), size, now)

    def _head(self, row: Record, items: Mapping[str, Item], now: datetime) -> Head:
        words = self._regimes.get(Codelist, WORDS, on=day_of(now)).codes
        headings = {code: rules.heading(item.label, code) for code, item in items.items()}
        headings = {UNIT: rules.heading(words["unit"], UNIT), **headings}
        typed = frozenset({UNIT, *(code for code, item in items.items() if item.type in _TYPED)})
        return Head(row["id"], words["sheet"].zh, headings, typed)

    async def _lines(self, head: Head, source: _Rows) -> AsyncIterator[bytes]:
        is_first = True
        async for rows in source.pages():
            yield await self._aside.call(writing.lines, head, rows, is_first)
            is_first = False
        if is_first:
            yield await self._aside.call(writing.lines, head, [], True)

    async def _workbook(self, head: Head, source: _Rows) -> AsyncIterator[bytes]:
        await self._aside.call(writing.begin, head)
        async for rows in source.pages():
            await self._aside.call(writing.feed, head.export_id, rows)
        content = await self._aside.call(writing.finish, head.export_id)
        for start in range(0, len(content), PIECE):
            yield content[start : start + PIECE]

    async def _publish(
        self, tx: Transaction, who: Principal, row: Record, items: Mapping[str, Item], source: _Rows, digest: str,
        size: int, now: datetime,
    ) -> None:  # fmt: skip
        """The manifest, in the transaction of the file: nothing can be fetched that is not told."""
        sight = who.powers[READ][0].purpose
        event = Exported(
            kind=row["kind"], format=row["format"], filters=row["filters"], items=tuple(items),
            left_out=tuple(row["left_out"]), level=row["level"], purpose=sight,
            personal=any(item.personal for item in items.values()), rows=source.count, bytes=size, sha256=digest,
            customers_sha256=source.manifest.hexdigest(), mark=self._fingerprint.name(row["id"], row["actor"]),
        )  # fmt: skip
        subject = f"export/{row['id']}"
        envelope = self._outbox.envelope(event, feature="exchange", subject=subject, actor=row["actor"], at=now)
        await self._outbox.add(tx, envelope, event)

    async def computed(
        self, tx: Transaction, catalogue: Catalogue, ids: Sequence[UUID], codes: Sequence[str], now: datetime
    ) -> Mapping[UUID, Mapping[str, Any]]:
        """The system items of some customers."""
        return await self._totals.items_of_many(tx, catalogue, ids, codes, now)

    def files(self, tx: Transaction, who: Principal, wanted: Wanted, now: datetime) -> AsyncIterator[list[Record]]:
        """The customers within reach, in pages."""
        return self._bulk.stream(tx, who, wanted, who.scope(EXPORTING), _PAGE, now)

    def marked(self, row: Record, rows: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
        """The rows as this copy bears them."""
        return self._fingerprint.marked(row["id"], row["actor"], rows)

    def most(self, row: Record, now: datetime) -> int:
        """How many rows a file of this form may have."""
        limits = self._exports.limits(now)
        return limits.export_rows if row["format"] == "csv" else limits.workbook_rows


class _Rows:
    """The rows of an export, page by page, with nothing in them that its reader may not see."""

    def __init__(
        self, exporting: Exporting, tx: Transaction, who: Principal, row: Record, catalogue: Catalogue,
        items: Mapping[str, Item], now: datetime,
    ) -> None:  # fmt: skip
        self.count = 0
        self.manifest = sha256()
        self._exporting = exporting
        self._tx = tx
        self._who = who
        self._row = row
        self._catalogue = catalogue
        self._items = items
        self._system = [item.code for item in catalogue.system_items if item.code in items]
        self._now = now
        self._shown: dict[tuple[str, str | None], frozenset[str]] = {}

    async def pages(self) -> AsyncIterator[list[Mapping[str, Any]]]:
        """Rows by item code. Raises: _TooMany"""
        row, exporting, most = self._row, self._exporting, self._exporting.most(self._row, self._now)
        wanted = Wanted(scope=self._who.scope(READ), filters=_filters(row), name=row["filters"].get("name"))
        async for files in exporting.files(self._tx, self._who, wanted, self._now):
            self.count += len(files)
            if self.count > most:
                raise _TooMany
            customers = [(file["id"], file["version"]) for file in files]
            self.manifest.update("".join(f"{each} {version}\n" for each, version in customers).encode())
            await repository.note_customers(self._tx, row["id"], customers)
            ids = [file["id"] for file in files]
            computed: Mapping[UUID, Mapping[str, Any]] = {}
            if self._system:
                computed = await exporting.computed(self._tx, self._catalogue, ids, self._system, self._now)
            rows = [self._cleared(file, computed.get(file["id"], {})) for file in files]
            yield list(exporting.marked(row, rows))

    def _cleared(self, file: Record, computed: Mapping[str, Any]) -> dict[str, Any]:
        place = file["unit"], file["manager"]
        shown = self._shown.get(place)
        if shown is None:
            sights = [self._who.sight(action, *place) for action in (READ, EXPORTING)]
            seen = (
                code
                for code, item in self._items.items()
                if all(sight.shows(Secrecy(item.secrecy), item.field_class) for sight in sights)
            )
            shown = self._shown[place] = frozenset(seen)
        values = file["values"]
        found = {code: values[code] for code in shown if code in values}
        found |= {code: value for code, value in computed.items() if code in shown}
        found[UNIT] = file["unit"]
        return found


def _filters(row: Record) -> dict[str, str]:
    return {"kind": row["kind"], **{name: value for name, value in row["filters"].items() if name != "name"}}
