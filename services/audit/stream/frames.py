"""The live stream as Server-Sent Events.

`id:` stands on data frames only, so that a heartbeat never moves a client's place. The reader's authority is looked at
again for each batch, and each second while nothing happens; a stream that must end says why in a `closed` event and
leaves the place as it was.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

import orjson

from services.audit.clients import Values
from services.audit.stream import service
from services.audit.stream.rules import StoredEntry
from services.audit.stream.schemas import Entry
from shared.auth import Principal
from shared.errors import KehuError

HEARTBEAT_S = 15.0
LOOK_S = 1.0
_RETRY = b"retry: 2000\n\n"
_HEARTBEAT = b": alive\n\n"


async def frames(
    batches: AsyncIterator[Sequence[StoredEntry]],
    reader: Callable[[], Awaitable[Principal]],
    values: Values,
    *,
    opened: bool,
) -> AsyncIterator[bytes]:
    """Frames until the client leaves, its authority ends, or the database goes away. `reader` refuses by raising.

    `batches` come at least every `LOOK_S`, if only empty.
    """
    clock = asyncio.get_running_loop().time
    yield _RETRY
    try:
        spoke_at = clock()
        async for batch in batches:
            who = await reader()
            if batch:
                shown = await service.present(batch, who, values, opened=opened)
                while (still := await reader()).powers != who.powers:  # opening the values took its time
                    who, shown = still, await service.present(batch, still, values, opened=opened)
                yield b"".join(map(_frame, shown))
                spoke_at = clock()
            elif clock() - spoke_at >= HEARTBEAT_S:
                yield _HEARTBEAT
                spoke_at = clock()
    except KehuError as error:
        yield b"event: closed\ndata: " + orjson.dumps({"code": error.code}) + b"\n\n"


def _frame(entry: Entry) -> bytes:
    return f"id: {entry.index}\nevent: entry\ndata: {entry.model_dump_json()}\n\n".encode()
