"""A clamd that speaks the real INSTREAM protocol and knows one signature (clamd(8): commands)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

SIGNATURE = b"KEHU-TEST-SIGNATURE"
FOUND = "Kehu.Test-1"


class Clamd:
    """Counts what it was sent; `answer`, if set, is said instead; `limit` is StreamMaxLength."""

    def __init__(self, limit: int = 4_000_000) -> None:
        self.limit = limit
        self.streams: list[bytes] = []
        self.chunks: list[int] = []
        self.answer: bytes | None = None

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            command = await reader.readuntil(b"\0")
            writer.write((await self._scanned(reader) if command == b"zINSTREAM\0" else b"UNKNOWN COMMAND") + b"\0")
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _scanned(self, reader: asyncio.StreamReader) -> bytes:
        content = b""
        while size := int.from_bytes(await reader.readexactly(4), "big"):
            if len(content) + size > self.limit:
                return b"INSTREAM size limit exceeded. ERROR"
            content += await reader.readexactly(size)
            self.chunks.append(size)
        self.streams.append(content)
        if self.answer is not None:
            return self.answer
        return f"stream: {FOUND} FOUND".encode() if SIGNATURE in content else b"stream: OK"


@asynccontextmanager
async def running(clamd: Clamd) -> AsyncIterator[str]:
    """Its address on a free port of loopback."""
    server = await asyncio.start_server(clamd.talk, "127.0.0.1", 0)
    async with server:
        yield f"tcp://127.0.0.1:{server.sockets[0].getsockname()[1]}"


@asynccontextmanager
async def running_at(clamd: Clamd, path: Path) -> AsyncIterator[str]:
    """Its address as a socket of this machine."""
    server = await asyncio.start_unix_server(clamd.talk, path)
    async with server:
        yield f"unix://{path}"
