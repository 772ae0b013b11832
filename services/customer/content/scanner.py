"""Looks content through for malware before it is taken: by a ClamAV daemon, or not at all."""

from __future__ import annotations

import asyncio
from typing import Final, Protocol
from urllib.parse import urlsplit

from services.customer.content import errors

_CHUNK: Final = 65_536
_REPLY_BYTES: Final = 1024
_CLEAN, _STREAM, _FOUND = "stream: OK", "stream: ", " FOUND"


class Scanner(Protocol):
    """Says what is wrong with content."""

    name: str

    async def scan(self, content: bytes) -> str | None:
        """The name of what was found; None if nothing was. Raises: Unavailable (scanner_away)"""
        ...


class Unscanned:
    """Finds nothing, as it looks at nothing; the service says so in /readyz."""

    name = "none"

    async def scan(self, content: bytes) -> str | None:  # noqa: ARG002
        """Nothing."""
        return None


class Clamd:
    """A clamd daemon over its INSTREAM command, at `tcp://host:port` or `unix:///path`; one connection a scan."""

    name = "clamd"

    def __init__(self, url: str, within_s: float) -> None:
        self._url = urlsplit(url)
        self._within_s = within_s

    async def scan(self, content: bytes) -> str | None:
        """The name of the signature that matches. Raises: Unavailable (scanner_away)"""
        try:
            async with asyncio.timeout(self._within_s):
                answer = await self._ask(content)
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            raise errors.scanner_away() from None
        if answer == _CLEAN:
            return None
        if answer.startswith(_STREAM) and answer.endswith(_FOUND):
            return answer.removeprefix(_STREAM).removesuffix(_FOUND)
        raise errors.scanner_away()

    async def _ask(self, content: bytes) -> str:
        reader, writer = await self._connect()
        try:
            writer.write(b"zINSTREAM\0")
            for start in range(0, len(content), _CHUNK):
                chunk = content[start : start + _CHUNK]
                writer.write(len(chunk).to_bytes(4) + chunk)
                await writer.drain()
            writer.write(bytes(4))
            await writer.drain()
            return (await reader.readuntil(b"\0"))[:-1].decode("utf-8", "replace").strip()
        finally:
            writer.close()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._url.scheme == "unix":
            return await asyncio.open_unix_connection(self._url.path, limit=_REPLY_BYTES)
        return await asyncio.open_connection(self._url.hostname, self._url.port, limit=_REPLY_BYTES)
