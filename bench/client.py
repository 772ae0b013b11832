"""A client that speaks HTTP by hand over one kept connection: it must not be what is measured."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from urllib.parse import urlencode


class Client:
    """One kept connection that speaks HTTP by hand: it must not be what is measured."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def get_ms(self, token: str, path: str, query: Mapping[str, str]) -> tuple[float, bytes]:
        """Ask and read the answer; how long that took."""
        request = (
            f"GET {path}?{urlencode(query)} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
        )
        started = time.perf_counter()  # uvloop's own clock has whole milliseconds
        self._writer.write(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        body = await self._reader.readexactly(int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0]))
        taken = time.perf_counter() - started
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError((head + body).decode())
        return taken * 1000, body


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[Client]:
    """A client of a service on this machine."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**20)
    yield Client(reader, writer)
    writer.close()
