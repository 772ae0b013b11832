"""Use cases of reading: a page, one entry, the live stream.

Routes call it. Sealed values are opened by their owner, with the reader's own token and while no connection is held.
"""

import re
from collections.abc import AsyncIterator, Sequence

from services.audit.clients import Sealed, Values
from services.audit.stream import errors, repository, rules
from services.audit.stream.rules import Content, Filter, StoredEntry
from services.audit.stream.schemas import Entry
from services.audit.stream.tail import Tail
from shared.auth import Principal
from shared.db import Database

END = (1 << 63) - 1
_PAGE = 200
_INDEX = re.compile(r"[0-9]{1,18}")


async def page(
    database: Database, wanted: Filter, *, after: int | None, limit: int, descending: bool
) -> tuple[list[StoredEntry], int | None]:
    """A page, and the index after which the next one begins (None: this was the last)."""
    after = None if after is None else min(max(after, -1), END - 1)
    first, end = (0, END if after is None else after) if descending else (0 if after is None else after + 1, END)
    async with database.reading() as tx:
        found = await repository.page(tx, wanted, first=first, end=end, limit=limit + 1, descending=descending)
    shown = found[:limit]
    return shown, shown[-1].index if len(found) > limit else None


async def entry(database: Database, index: int) -> StoredEntry:
    async with database.reading() as tx:
        found = await repository.get(tx, index)
    if found is None:
        raise errors.no_entry(index)
    return found


async def place(database: Database, origin: str, last_event_id: str | None) -> int:
    """The index behind which a stream goes on: what the client saw last, or the newest entry there is."""
    async with database.reading() as tx:
        size = await repository.size(tx, origin)
    if last_event_id is None:
        return size - 1
    if not _INDEX.fullmatch(last_event_id) or int(last_event_id) >= size:
        raise errors.bad_event_id(last_event_id, size)
    return int(last_event_id)


async def follow(
    database: Database, tail: Tail, wanted: Filter, after: int, patience_s: float
) -> AsyncIterator[Sequence[StoredEntry]]:
    """The entries after an index, for ever, in order, without gaps; at times an empty batch, as a sign of life.

    Nothing is buffered for a reader: each reads the table at its own pace.
    """
    scanned = after + 1
    while True:
        size = await tail.beyond(scanned, patience_s)
        found: list[StoredEntry] = []
        if size > scanned:
            async with database.reading() as tx:
                found = await repository.page(tx, wanted, first=scanned, end=size, limit=_PAGE)
            scanned = found[-1].index + 1 if len(found) == _PAGE else size
        yield found


async def present(found: Sequence[StoredEntry], who: Principal, values: Values, *, opened: bool) -> list[Entry]:
    """Entries as this reader may see them."""
    contents = [rules.content_of(each, who) for each in found]
    sealed = [
        Sealed(each.event_id, each.subject, content.sealed)
        for each, content in zip(found, contents, strict=True)
        if content.sealed
    ]
    values_of = await values.open(who, sealed) if opened else {}
    for each, content in zip(found, contents, strict=True):
        if each.event_id in values_of:
            content.data["values"] = values_of[each.event_id]
    return [_shown(each, content) for each, content in zip(found, contents, strict=True)]


def _shown(entry: StoredEntry, content: Content) -> Entry:
    return Entry(
        index=entry.index,
        event_id=entry.event_id,
        type=entry.type,
        source=entry.source,
        subject=entry.subject,
        sequence=entry.sequence,
        actor=entry.actor,
        occurred_at=entry.occurred_at,
        received_at=entry.received_at,
        items=list(content.items),
        data=content.data,
        withheld=list(content.withheld),
        leaf_hash=entry.leaf_hash.hex(),
    )
