"""The log's use cases: append a batch, publish a checkpoint, prove, serve tiles.

The consumer appends, the checkpoint loop publishes, routes prove and serve. The caller owns the transaction and the
commit; appending stands in one transaction with the caller's bus positions, so that each event is an entry exactly
once (R0.2).
"""

import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from prometheus_client import Counter, Gauge, Histogram

from services.audit.log import errors, repository, rules, tiles, tree
from services.audit.log.note import Checkpoint, Signer, sign
from services.audit.log.rules import Record
from shared import crash, deadletters
from shared.bus import Delivery
from shared.db import Transaction
from shared.telemetry import EVENT_DELAY, log

APPEND_SECONDS = Histogram("kehu_audit_append_seconds", "Time to append a batch, its commit left out")
ENTRIES = Gauge("kehu_audit_entries", "Entries of the log, as this process last saw it")
UNDECODABLE = Counter("kehu_audit_undecodable_total", "Entries whose message was no event")
CHECKPOINT_ENTRIES = Gauge("kehu_audit_checkpoint_entries", "Entries under the newest checkpoint of this process")

_MONTHS_AHEAD = 3


@dataclass(frozen=True, slots=True)
class Appended:
    """What became of a batch. `undecodable` are entries all the same; `contradicting` are none: the log holds another
    event under their id, or under their source, subject and sequence."""

    before: int
    size: int
    oldest: datetime | None = None
    duplicates: int = 0
    undecodable: tuple[Record, ...] = ()
    contradicting: tuple[Record, ...] = ()


@dataclass(frozen=True, slots=True)
class InclusionProof:
    index: int
    size: int
    leaf_hash: bytes
    path: tuple[bytes, ...]
    root: bytes


@dataclass(frozen=True, slots=True)
class ConsistencyProof:
    old: int
    new: int
    old_root: bytes
    new_root: bytes
    path: tuple[bytes, ...]


async def receive(tx: Transaction, origin: str, group: str, batch: Sequence[Delivery], at: datetime) -> None:
    """Append what the bus delivered. An undecodable message is an entry and a dead letter too.

    Raises: Contradiction; the consumer then takes the batch apart and parks the one that contradicts.
    """
    started = time.perf_counter()
    appended = await append(tx, origin, batch, at)
    if appended.contradicting:
        log(group=group).error("event_contradicts_log", event_ids=[r.columns.event_id for r in appended.contradicting])
        raise errors.Contradiction(f"{len(appended.contradicting)} of {len(batch)} events")
    for record in appended.undecodable:
        await deadletters.park(tx, group, record.delivery, rules.Undecodable(record.problem))
    crash.point("audit.append.before_commit")
    tx.after_commit(lambda: crash.point("audit.append.after_commit"))
    if appended.oldest is not None:
        EVENT_DELAY.labels(group).observe(max(0.0, (at - appended.oldest).total_seconds()))
    UNDECODABLE.inc(len(appended.undecodable))
    ENTRIES.set(appended.size)
    APPEND_SECONDS.observe(time.perf_counter() - started)


async def append(tx: Transaction, origin: str, batch: Sequence[Delivery], received_at: datetime) -> Appended:
    """Make each message an entry, unless the log has it already. One writer at a time: the head row is locked."""
    before = await repository.lock_head(tx, origin)
    passed, repeated = rules.Tally(), list[rules.Repeated]()
    if not await repository.add_entries(tx, before.size, _records(batch, received_at), passed.count):
        records = list(_records(batch, received_at))
        sieve = rules.Sieve(await repository.stored(tx, records))
        passed, repeated = rules.Tally(), sieve.repeated
        if not await repository.add_entries(tx, before.size, sieve.sift(records), passed.count):
            raise repository.HeadMoved("an entry of the batch was stored meanwhile")
    after = await _grow(tx, origin, before, passed.leaves)
    return Appended(
        before.size,
        after.size,
        oldest=passed.oldest,
        duplicates=sum(record.payload == payload for record, payload in repeated),
        undecodable=tuple(passed.undecodable),
        contradicting=tuple(record for record, payload in repeated if record.payload != payload),
    )


def _records(batch: Sequence[Delivery], received_at: datetime) -> Iterator[Record]:
    """Made one by one, while the database stores those before; each under a salt of its own."""
    salts = os.urandom(rules.SALT_SIZE * len(batch))
    for i, delivery in enumerate(batch):
        yield rules.record_of(delivery, received_at, salts[i * rules.SALT_SIZE : (i + 1) * rules.SALT_SIZE])


async def _grow(tx: Transaction, origin: str, before: tree.Frontier, leaves: Sequence[bytes]) -> tree.Frontier:
    if not leaves:
        return before
    after, levels = tree.append(before, [tree.leaf_hash(leaf) for leaf in leaves])
    await repository.grow(tx, before.size, leaves, list(tiles.tile_rows(before.size, levels)))
    await repository.move_head(tx, origin, before, after)
    return after


async def publish_checkpoint(tx: Transaction, signer: Signer, at: datetime) -> bool:
    """Sign the tree as it stands under the signer's name; False if the newest checkpoint says the same already."""
    frontier = await repository.head(tx, signer.name)
    newest = await repository.newest_checkpoint(tx)
    if newest is not None and newest.size >= frontier.size:
        return False
    note = sign(str(Checkpoint(signer.name, frontier.size, frontier.root)), signer)
    await repository.add_checkpoint(tx, frontier.size, frontier.root, note, at)
    CHECKPOINT_ENTRIES.set(frontier.size)
    crash.point("audit.checkpoint.before_commit")
    tx.after_commit(lambda: crash.point("audit.checkpoint.after_commit"))
    return True


async def prepare_months(tx: Transaction, at: datetime) -> int:
    """Make the partitions of this month and the next ones; answers 0, as a job with nothing left to do."""
    for month in islice(rules.months_from(at), _MONTHS_AHEAD):
        await repository.add_partition(tx, month)
    return 0


async def checkpoint(tx: Transaction) -> str:
    """The newest signed checkpoint."""
    newest = await repository.newest_checkpoint(tx)
    if newest is None:
        raise errors.no_checkpoint()
    return newest.note


async def inclusion(tx: Transaction, origin: str, index: int, size: int | None) -> InclusionProof:
    """Prove that entry `index` is in the tree of `size` entries (None: the tree as it stands)."""
    now = (await repository.head(tx, origin)).size
    if not 0 <= index < now:
        raise errors.no_entry(index)
    size = now if size is None else size
    if not index < size <= now:
        raise errors.size_out_of_range("size", size, index + 1, now)
    leaf, root, *path = await _hashes(tx, [(index, index + 1), (0, size), *tree.inclusion_ranges(index, size)])
    return InclusionProof(index, size, leaf, tuple(path), root)


async def consistency(tx: Transaction, origin: str, old: int, new: int | None) -> ConsistencyProof:
    """Prove that the tree of `new` entries (None: as it stands) begins with the tree of `old`."""
    now = (await repository.head(tx, origin)).size
    new = now if new is None else new
    if not 0 < new <= now:
        raise errors.size_out_of_range("to", new, 1, now)
    if not 0 < old <= new:
        raise errors.size_out_of_range("from", old, 1, new)
    old_root, new_root, *path = await _hashes(tx, [(0, old), (0, new), *tree.consistency_ranges(old, new)])
    return ConsistencyProof(old, new, old_root, new_root, tuple(path))


async def tile(tx: Transaction, origin: str, address: str) -> bytes:
    """The bytes at a C2SP address: a tile or an entry bundle, full or partial, once the tree has grown that far."""
    path = tiles.parse_path(address)
    size = (await repository.head(tx, origin)).size
    if path is None or path.width > tiles.width_at(path.level or 0, path.number, size):
        raise errors.no_tile(address)
    if path.level is None:
        packed = b"".join(run for _, run in await repository.leaf_runs(tx, path.number))
        return packed if path.width == tiles.WIDTH else tiles.pack(tiles.unpack(packed)[: path.width])
    wanted = tiles.Tile(path.level, path.number)
    return (await repository.tiles(tx, [wanted]))[wanted][: path.width * tree.HASH_SIZE]


async def _hashes(tx: Transaction, ranges: Sequence[tree.Range]) -> list[bytes]:
    return tiles.hashes_of(ranges, await repository.tiles(tx, tiles.tiles_for(ranges)))
