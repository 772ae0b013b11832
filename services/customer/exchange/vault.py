"""Sealing of files and staged rows: each import and export has a data key of its own, destroyed when it is over."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any
from uuid import UUID, uuid5

import orjson

from services.customer.exchange import errors, repository
from shared.db import Record, Transaction
from shared.sealing import KeyRing, WrappedKey

FILE, ROWS, FAULTS = "file", "rows", "faults"
PIECE = 1024 * 1024
"""Bytes of a file in one part."""
_QUICK = 1


class Vault:
    """Puts parts away and takes them out again."""

    def __init__(self, ring: KeyRing) -> None:
        self._ring = ring

    def new_key(self, owner: UUID) -> WrappedKey:
        """A fresh data key."""
        return self._ring.new_key(_subject(owner))

    async def put(
        self, tx: Transaction, owner: UUID, key: WrappedKey, part: str, pieces: Sequence[bytes], first: int = 0
    ) -> None:
        """Keep pieces of a part, numbered from `first` on."""
        rows = [
            (owner, part, number, self._ring.seal_bytes(key, _subject(owner), _name(owner, part, number), piece))
            for number, piece in enumerate(pieces, first)
        ]
        await repository.put_parts(tx, rows)

    async def put_json(
        self, tx: Transaction, owner: UUID, key: WrappedKey, part: str, number: int, content: Any
    ) -> None:
        """Keep a document."""
        await self.put(tx, owner, key, part, [zlib.compress(orjson.dumps(content, default=list), _QUICK)], number)

    async def pieces(self, tx: Transaction, row: Mapping[str, Any] | Record, part: str) -> AsyncIterator[bytes]:
        """The pieces of a part in order. Raises: Conflict (exchange_over)"""
        number = 0
        while (piece := await self.piece(tx, row, part, number)) is not None:
            yield piece
            number += 1

    async def piece(self, tx: Transaction, row: Mapping[str, Any] | Record, part: str, number: int) -> bytes | None:
        """One piece, None behind the last one. Raises: Conflict (exchange_over)"""
        if row["kek"] is None:
            raise errors.over()
        owner: UUID = row["id"]
        sealed = await repository.part(tx, owner, part, number)
        if sealed is None:
            return None
        key = WrappedKey(row["kek"], row["wrapped"])
        return self._ring.open_bytes(key, _subject(owner), _name(owner, part, number), sealed)

    async def document(self, tx: Transaction, row: Mapping[str, Any] | Record, part: str, number: int) -> Any:
        """A document, None if there is none. Raises: Conflict (exchange_over)"""
        piece = await self.piece(tx, row, part, number)
        return None if piece is None else orjson.loads(zlib.decompress(piece))


def _subject(owner: UUID) -> str:
    return f"exchange/{owner}"


def _name(owner: UUID, part: str, number: int) -> UUID:
    return uuid5(owner, f"{part}/{number}")
