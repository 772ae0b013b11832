"""Keeps the index of the search: a customer's terms follow what happens to the file; all of them, what is declared.

An entry follows from the newest version of a file that its writer has read, and never replaces one of a newer version,
so consumers and the job that goes through all customers may meet. Erased customers have an empty entry.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from services.customer.dictionary.service import Dictionaries
from services.customer.search import repository, rules
from services.customer.search.rules import Terms
from shared.db import Record, Transaction
from shared.events import CustomerChanged, Event
from shared.regime import Catalogue, Use
from shared.sealing import KeyRing, Unopenable, WrappedKey

_SUBJECT = "search"
_SEAL = UUID(int=0)
_BATCH = 500
_COLUMNS = ("kind", "unit", "manager", "version", "erased_at")


class SearchIndex:
    """What customers are found by."""

    def __init__(self, dictionaries: Dictionaries, ring: KeyRing) -> None:
        self._dictionaries = dictionaries
        self._ring = ring

    def catalogues(self, now: datetime) -> list[Catalogue]:
        """The dictionaries of all kinds of customer."""
        return [self._dictionaries.catalogue(kind, now) for kind in self._dictionaries.kinds(now)]

    async def terms(self, tx: Transaction) -> tuple[Terms | None, bool]:
        """How terms are made, and whether all customers have theirs; none before the first has."""
        row = await repository.index(tx)
        secret = None if row is None else self._secret(row)
        if row is None or secret is None:
            return None, False
        return Terms(secret), row["done_at"] is not None

    def _secret(self, row: Record) -> bytes | None:
        """None if its key can be unwrapped no more: the key-encryption key was taken away."""
        try:
            return self._ring.open_bytes(WrappedKey(row["kek"], row["wrapped"]), _SUBJECT, _SEAL, row["secret"])
        except Unopenable:
            return None

    def concerns(self, event: Event, now: datetime) -> bool:
        """Whether what happened to a file may change what it is found by."""
        if not isinstance(event, CustomerChanged):
            return True
        catalogue = self._dictionaries.catalogue(event.kind, now)
        return any(
            item.search or item.use is Use.MANAGER
            for code in event.items
            if (item := catalogue.items.get(code)) is not None
        )

    async def refresh(self, tx: Transaction, customer_ids: Collection[UUID], now: datetime) -> None:
        """Make the terms of some customers anew."""
        if customer_ids:
            await self._write(tx, await self._begun(tx, now), list(customer_ids), now)

    async def _begun(self, tx: Transaction, now: datetime) -> Record:
        key = self._ring.new_key(_SUBJECT)
        secret = self._ring.seal_bytes(key, _SUBJECT, _SEAL, os.urandom(32))
        return await repository.begin(tx, rules.fingerprint(self.catalogues(now)), key, secret, now)

    async def _write(self, tx: Transaction, row: Record, customer_ids: list[UUID], now: datetime) -> None:
        secret = self._secret(row)
        if secret is None:
            return  # the job begins anew
        terms, items = Terms(secret), tuple(rules.searched(self.catalogues(now)))
        files = await repository.files(tx, customer_ids, _COLUMNS, items)
        await repository.store(tx, [self._entry(terms, file, items, now) for file in files.values()])

    def _entry(
        self, terms: Terms, file: Record, items: tuple[str, ...], now: datetime
    ) -> tuple[UUID, int, int, Collection[int]]:
        customer_id, kind, unit, manager, version, erased_at, *found = file
        if erased_at is not None or kind not in self._dictionaries.kinds(now):
            return customer_id, version, 0, ()
        values = {code: value for code, value in zip(items, found, strict=True) if value is not None}
        made = terms.of_file(self._dictionaries.catalogue(kind, now), unit, manager, values)
        return customer_id, version, terms.place("unit", unit), made

    async def build_due(self, tx: Transaction, now: datetime) -> int:
        """Put the next batch of customers in, if what is declared, or how values are read, has changed; how many.

        A job calls it until it returns 0; stopped anywhere, it goes on behind the last customer that was put in.
        """
        row = await self._begun(tx, now)
        if self._secret(row) is None:
            await repository.forget(tx, row["secret"])
            row = await self._begun(tx, now)
        if row["kek"] != self._ring.active:
            await repository.rewrap(tx, self._ring.rewrap(WrappedKey(row["kek"], row["wrapped"]), _SUBJECT))
        if row["done_at"] is not None:
            return 0
        ids = await repository.next_customers(tx, row["last_id"], _BATCH)
        if ids:
            await self._write(tx, row, ids, now)
        await repository.move(tx, ids[-1] if ids else None, now if len(ids) < _BATCH else None)
        return len(ids)
