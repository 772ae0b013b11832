"""The live stream as Server-Sent Events.

`id:` stands on data frames only, so that a heartbeat never moves a client's place. The reader's authority is looked at
again every minute; a stream that must end says why in a `closed` event and leaves the place as it was.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

import orjson

from services.audit.clients import CustomerValues
from services.audit.stream import service
from services.audit.stream.rules import StoredEntry
from services.audit.stream.schemas import Entry
from shared.auth import Principal
from shared.errors import KehuError

HEARTBEAT_S = 15.0
AUTHORISE_S = 60.0
_RETRY = b"retry: 2000\n\n"
_HEARTBEAT = b": alive\n\n"


async def frames(
    batches: AsyncIterator[Sequence[StoredEntry]],
    reader: Callable[[], Awaitable[Principal]],
    values: CustomerValues,
    *,
    opened: bool,
) -> AsyncIterator[bytes]:
    """Frames until the client leaves, its authority ends, or the database goes away. `reader` refuses by raising."""
    clock = asyncio.get_running_loop().time
    yield _RETRY
    try:
        who, checked_at, spoke_at = await reader(), clock(), clock()
        async for batch in batches:
            if clock() - checked_at >= AUTHORISE_S:
                who, checked_at = await reader(), clock()
            if batch:
                yield b"".join(map(_frame, await service.present(batch, who, values, opened=opened)))
                spoke_at = clock()
            elif clock() - spoke_at >= HEARTBEAT_S:
                yield _HEARTBEAT
                spoke_at = clock()
    except KehuError as error:
        yield b"event: closed\ndata: " + orjson.dumps({"code": error.code}) + b"\n\n"


def _frame(entry: Entry) -> bytes:
    return f"id: {entry.index}\nevent: entry\ndata: {entry.model_dump_json()}\n\n".encode()
