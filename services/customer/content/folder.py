"""A storage of files: one for each object, below a folder that only the service's own user may enter."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

from services.customer.content import errors
from shared.ids import parse_id

_PRIVATE_FOLDER, _PRIVATE_FILE = 0o700, 0o600
_PART = ".part"


class Folder:
    """Objects as files named by their ids, in 256 folders by the last two digits, which are random."""

    name = "files"

    def __init__(self, root: Path) -> None:
        self._root = root

    async def put(self, object_id: UUID, content: bytes) -> None:
        """Write an object; it is durable when this returns. Raises: Unavailable (storage_away)"""
        try:
            await asyncio.to_thread(self._write, object_id, content)
        except OSError:
            raise errors.storage_away() from None

    async def get(self, object_id: UUID) -> bytes:
        """Read an object. Raises: Unavailable (storage_away)"""
        try:
            return await asyncio.to_thread(self._path(object_id).read_bytes)
        except OSError:
            raise errors.storage_away() from None

    async def remove(self, object_id: UUID) -> None:
        """Remove an object, if it is there. Raises: OSError"""
        await asyncio.to_thread(self._path(object_id).unlink, missing_ok=True)

    async def older(self, part: int, moment: float) -> list[UUID]:
        """The objects of one of the 256 parts that were written before a moment (seconds of the epoch)."""
        return await asyncio.to_thread(lambda: list(self._older(self._root / f"{part:02x}", moment)))

    def _path(self, object_id: UUID) -> Path:
        return self._root / object_id.hex[-2:] / str(object_id)

    def _write(self, object_id: UUID, content: bytes) -> None:
        path = self._path(object_id)
        for folder in (self._root, path.parent):
            folder.mkdir(_PRIVATE_FOLDER, parents=True, exist_ok=True)
        part = path.with_name(path.name + _PART)
        with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _PRIVATE_FILE), "wb") as file:  # noqa: PTH123
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.rename(path)
        for folder in (path.parent, self._root):
            entries = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(entries)
            finally:
                os.close(entries)

    @staticmethod
    def _older(folder: Path, moment: float) -> Iterator[UUID]:
        for path in folder.iterdir() if folder.is_dir() else ():
            if path.stat().st_mtime >= moment:
                continue
            if path.name.endswith(_PART):  # a write that was never finished
                path.unlink(missing_ok=True)
            elif (found := parse_id(path.name)) is not None:
                yield found
