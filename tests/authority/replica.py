"""One more api of each service, all in one process: `python -m tests.authority.replica`, settings as for each service.

They share databases and bus with the suite whose environment this process was given; only their ports, the roles and
the directory file are others.
"""

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from shared.settings import load
from tests.factories import services


class _Server(uvicorn.Server):
    """One of several in a process, so that none of them is told of signals alone."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def serve() -> None:
    """Until SIGTERM."""
    servers = []
    for name in services.NAMES:
        service = services.service(name)
        settings = load(service.settings)
        app = service.compose(settings).app()
        servers.append(_Server(uvicorn.Config(app, port=settings.port, log_config=None, access_log=False)))

    def stop() -> None:
        for each in servers:
            each.should_exit = True

    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop)
    await asyncio.gather(*(each.serve() for each in servers))


if __name__ == "__main__":
    asyncio.run(serve())
