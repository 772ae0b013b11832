"""All SQL of the log. The append path is text run on the transaction's own connection: it is the hot path.

Nobody but the writer calls the functions that change rows; the writer holds the head row's lock until it commits.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from asyncpg import UniqueViolationError

from services.audit.log.rules import Columns, Month, NaturalKey, Record
from services.audit.log.tiles import WIDTH, Tile, TileRow, runs
from services.audit.log.tree import EMPTY_ROOT, HASH_SIZE, Frontier
from shared.db import Transaction
from shared.errors import Unavailable

CHANNEL = "kehu_audit"
_ROWS_A_PAUSE = 64

ENTRY_COLUMNS = (
    "index", "event_id", "class", "type", "source", "subject", "sequence", "actor", "occurred_at",
    "received_at", "salt", "payload",
)  # fmt: skip

_FOUND = "INSERT INTO head (origin, size, peaks, root) VALUES ($1, 0, '', $2) ON CONFLICT DO NOTHING"
_READ_HEAD = "SELECT size, peaks FROM head WHERE origin = $1"
_LOCK_HEAD = f"{_READ_HEAD} FOR UPDATE"
_GROW_TILE = """
INSERT INTO tile AS old (level, number, hashes)
SELECT * FROM unnest($1::smallint[], $2::bigint[], $3::bytea[])
ON CONFLICT (level, number) DO UPDATE SET hashes = old.hashes || excluded.hashes
"""
_TILE_SIZES = """
SELECT count(*) FROM tile JOIN unnest($1::smallint[], $2::bigint[], $3::int[]) AS want (level, number, length)
USING (level, number) WHERE length(hashes) = want.length
"""
_STORED = """
SELECT event_id, source, subject, sequence, payload FROM entry WHERE event_id = ANY ($1::uuid[])
UNION
SELECT e.event_id, e.source, e.subject, e.sequence, e.payload
FROM unnest($2::text[], $3::text[], $4::bigint[]) AS key (source, subject, sequence)
JOIN entry e USING (source, subject, sequence)
"""
_ENTRIES = f"SELECT {', '.join(ENTRY_COLUMNS)} FROM entry WHERE index >= $1 AND index < $2"  # noqa: S608 - constants
_RUNS = "SELECT first, data FROM leaf WHERE first >= $1 AND first < $2 ORDER BY first"
_BEYOND = """
SELECT min(first) AS index, 'leaf' AS what FROM leaf WHERE first < 0 OR first >= $1
UNION ALL SELECT min(index), 'entry' FROM entry WHERE index < 0 OR index >= $1
"""
_IN_DEFAULT = "SELECT EXISTS (SELECT FROM entry_default WHERE event_id >= $1 AND event_id < $2)"


class HeadMoved(Unavailable):
    """The stored tree is not where its head says. Nothing is wrong with the batch: it is tried again, never skipped."""

    def __init__(self, detail: str) -> None:
        super().__init__("log_moved", detail)


@dataclass(frozen=True, slots=True)
class SignedCheckpoint:
    size: int
    note: str


@dataclass(frozen=True, slots=True)
class StoredHead:
    """As it stands, whether or not it makes sense."""

    size: int
    peaks: bytes
    root: bytes


@dataclass(frozen=True, slots=True)
class StoredEntry:
    columns: Columns
    received_at: datetime
    salt: bytes
    payload: bytes


async def head(tx: Transaction, origin: str) -> Frontier:
    """The tree as it stands; empty before the first append."""
    return await _head(tx, _READ_HEAD, origin) or Frontier()


async def lock_head(tx: Transaction, origin: str) -> Frontier:
    """The tree as it stands; nobody else appends until this transaction ends."""
    frontier = await _head(tx, _LOCK_HEAD, origin)
    if frontier is None:
        await tx.execute(_FOUND, origin, EMPTY_ROOT)
        return await lock_head(tx, origin)
    return frontier


async def _head(tx: Transaction, statement: str, origin: str) -> Frontier | None:
    row = await tx.fetchrow(statement, origin)
    if row is None:
        return None
    peaks = row["peaks"]
    return Frontier(row["size"], tuple(peaks[i : i + HASH_SIZE] for i in range(0, len(peaks), HASH_SIZE)))


async def add_entries(
    tx: Transaction, first: int, records: Iterable[Record], passing: Callable[[Record], None]
) -> bool:
    """COPY the entries from index `first` on; False, and nothing stored, if one of them is there already.

    `passing` sees each record go by; none is kept.

    Pausing now and then lets the socket drain, so that the server stores while the next records are being made.
    """

    async def rows() -> AsyncIterator[tuple[object, ...]]:
        for index, record in enumerate(records, first):
            if index % _ROWS_A_PAUSE == 0:
                await asyncio.sleep(0)
            passing(record)
            yield (index, *record.columns, record.received_at, record.salt, record.payload)

    try:
        async with tx.savepoint():
            await tx.connection.copy_records_to_table("entry", columns=ENTRY_COLUMNS, records=rows())
    except UniqueViolationError:
        return False
    return True


async def stored(tx: Transaction, records: Iterable[Record]) -> list[tuple[str, NaturalKey | None, bytes]]:
    """Event id, natural key and payload of the entries that share one of the first two with a record."""
    ids = [record.columns.event_id for record in records]
    keys = [key for record in records if (key := record.natural_key)]
    rows = await tx.fetch(_STORED, ids, *([key[i] for key in keys] for i in range(3)))
    return [
        (
            str(row["event_id"]),
            None if row[3] is None else (row["source"], row["subject"], row["sequence"]),
            row["payload"],
        )
        for row in rows
    ]


async def grow(tx: Transaction, first: int, leaves: Sequence[bytes], rows: Sequence[TileRow]) -> None:
    """Store the leaves and put the new hashes after those that the tiles hold."""
    await tx.copy("leaf", ("first", "data"), list(runs(first, leaves)))
    levels, numbers = [row.tile.level for row in rows], [row.tile.number for row in rows]
    await tx.execute(_GROW_TILE, levels, numbers, [row.hashes for row in rows])
    lengths = [row.have * HASH_SIZE + len(row.hashes) for row in rows]
    if await tx.fetchval(_TILE_SIZES, levels, numbers, lengths) != len(rows):
        raise HeadMoved("the tiles do not end where the head says")


async def move_head(tx: Transaction, origin: str, before: Frontier, after: Frontier) -> None:
    """Compare-and-set: HeadMoved unless the head is still `before`."""
    moved = await tx.execute(
        "UPDATE head SET size = $3, peaks = $4, root = $5 WHERE origin = $1 AND size = $2",
        origin, before.size, after.size, b"".join(after.peaks), after.root,
    )  # fmt: skip
    if moved != 1:
        raise HeadMoved(f"the log no longer has {before.size} entries")
    await tx.execute(f"SELECT pg_notify('{CHANNEL}', $1)", str(after.size))


async def tiles(tx: Transaction, wanted: Collection[Tile]) -> dict[Tile, bytes]:
    rows = await tx.fetch(
        "SELECT level, number, hashes FROM tile JOIN unnest($1::smallint[], $2::bigint[]) AS want (level, number) "
        "USING (level, number)",
        [tile.level for tile in wanted],
        [tile.number for tile in wanted],
    )
    return {Tile(row["level"], row["number"]): row["hashes"] for row in rows}


async def leaf_runs(tx: Transaction, bundle: int) -> list[tuple[int, bytes]]:
    """The runs of leaves that begin within an entry bundle: index of the first leaf, and the leaves as packed."""
    first = bundle * WIDTH
    rows = await tx.fetch(_RUNS, first, first + WIDTH)
    return [(row["first"], row["data"]) for row in rows]


async def entries(tx: Transaction, first: int, count: int) -> dict[int, list[StoredEntry]]:
    """Entries by the index that they claim."""
    found: dict[int, list[StoredEntry]] = {}
    for row in await tx.fetch(_ENTRIES, first, first + count):
        index, event_id, *columns, received_at, salt, payload = row.values()
        stored = StoredEntry(Columns(str(event_id), *columns), received_at, salt, payload)
        found.setdefault(index, []).append(stored)
    return found


async def beyond(tx: Transaction, size: int) -> list[tuple[int, str]]:
    """The first leaf and the first entry that lie outside of a tree of this size."""
    rows = await tx.fetch(_BEYOND, size)
    return [(row["index"], row["what"]) for row in rows if row["index"] is not None]


async def stored_head(tx: Transaction, origin: str) -> StoredHead:
    row = await tx.fetchrow("SELECT size, peaks, root FROM head WHERE origin = $1", origin)
    return StoredHead(0, b"", EMPTY_ROOT) if row is None else StoredHead(row["size"], row["peaks"], row["root"])


async def newest_checkpoint(tx: Transaction) -> SignedCheckpoint | None:
    row = await tx.fetchrow("SELECT size, note FROM checkpoint ORDER BY size DESC LIMIT 1")
    return None if row is None else SignedCheckpoint(row["size"], row["note"])


async def add_checkpoint(tx: Transaction, size: int, root: bytes, note: str, signed_at: datetime) -> None:
    await tx.execute(
        "INSERT INTO checkpoint (size, root, note, signed_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
        size, root, note, signed_at,
    )  # fmt: skip


async def add_partition(tx: Transaction, month: Month) -> None:
    """Make the partition of a month, unless it is there or its ids already lie in the default partition."""
    name, lower, upper = month
    if await tx.fetchval("SELECT to_regclass($1) IS NOT NULL", name) or await tx.fetchval(_IN_DEFAULT, lower, upper):
        return
    await tx.execute(f"CREATE TABLE {name} PARTITION OF entry FOR VALUES FROM ('{lower}') TO ('{upper}')")
    await tx.execute(f"CREATE UNIQUE INDEX {name}_natural ON {name} (subject, sequence, source)")
