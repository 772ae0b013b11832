"""Serves an application over HTTP on a free port of loopback, for as long as a block lasts."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import uvicorn
from fastapi import FastAPI


@asynccontextmanager
async def serve(app: FastAPI, listener: socket.socket | None = None, **config: Any) -> AsyncIterator[str]:
    """The address of the running application; `listener` for one that must know it beforehand."""
    chosen = uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None, timeout_graceful_shutdown=1, **config)
    server = uvicorn.Server(chosen)
    task = asyncio.create_task(_run(server, listener))
    try:
        async with asyncio.timeout(15):
            while not server.started:
                if task.done():
                    task.result()
                await asyncio.sleep(0.02)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await task


async def _run(server: uvicorn.Server, listener: socket.socket | None) -> None:
    """An application that does not start ends its server by SystemExit, which would end the whole test run."""
    try:
        await server.serve(sockets=[listener] if listener is not None else None)
    except SystemExit as end:
        raise RuntimeError("the application did not start; its log says why") from end


@asynccontextmanager
async def served(
    app: FastAPI, listener: socket.socket | None = None, **config: Any
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the running application."""
    async with (
        serve(app, listener, **config) as address,
        httpx.AsyncClient(base_url=address, timeout=30, trust_env=False) as http,
    ):
        yield http
