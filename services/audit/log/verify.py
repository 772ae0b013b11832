"""Proves the stored log right or names the first entry that is wrong. Called by `kehu audit verify`.

It trusts nothing that the database says about itself: payloads are hashed again and held against the leaves, search
columns against the payloads, leaves against the tiles, tiles against the head's root, and the root against signed
checkpoints: the newest stored one and those that the caller kept elsewhere. Only the latter show that a whole tree
was rewritten, or a tail cut off, by somebody who holds the key as well. It reads one snapshot, in constant memory.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import orjson

from services.audit.log import repository, rules, tiles, tree
from services.audit.log.note import Checkpoint, NoteError, Verifier, open_note
from services.audit.log.repository import StoredEntry
from services.audit.log.tiles import WIDTH, Tile
from services.audit.log.tree import HASH_SIZE
from shared.db import Database, Transaction
from shared.ids import time_of

_LISTED = 100


@dataclass(frozen=True, slots=True)
class Finding:
    """`index` is the first entry that it is about; None when it is about the tree as a whole."""

    kind: str
    index: int | None
    detail: str


@dataclass
class Report:
    """`ok` means that nothing contradicts. `erased` entries are committed to, but were dropped, on the record."""

    size: int = 0
    root: str = ""
    checkpoints: int = 0
    erased: int = 0
    findings: list[Finding] = field(default_factory=list)
    """The first hundred; `counts` has them all."""
    counts: Counter[str] = field(default_factory=Counter)

    @property
    def ok(self) -> bool:
        return not self.counts

    @property
    def first_bad_index(self) -> int | None:
        return min((each.index for each in self.findings if each.index is not None), default=None)

    def add(self, kind: str, index: int | None, detail: str, times: int = 1) -> None:
        self.counts[kind] += times
        if len(self.findings) < _LISTED:
            self.findings.append(Finding(kind, index, detail))


async def verify(database: Database, origin: str, verifiers: Sequence[Verifier], kept: Iterable[str] = ()) -> Report:
    """Check the whole log. `kept` are checkpoints (signed notes) from outside of the database."""
    report = Report()
    async with database.transaction() as tx:
        await tx.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        newest = await repository.newest_checkpoint(tx)
        notes = [*kept, *([newest.note] if newest else [])]
        checkpoints = [each for note in notes if (each := _opened(note, origin, verifiers, report))]
        await _Walk(tx, await repository.stored_head(tx, origin), checkpoints, report).run()
    return report


def _opened(note: str, origin: str, verifiers: Sequence[Verifier], report: Report) -> Checkpoint | None:
    try:
        checkpoint = Checkpoint.parse(open_note(note, verifiers).text)
    except NoteError as error:
        report.add("checkpoint_invalid", None, str(error))
        return None
    if checkpoint.origin != origin:
        report.add("checkpoint_invalid", None, f"it is of another log, {checkpoint.origin}")
        return None
    report.checkpoints += 1
    return checkpoint


class _Walk:
    """One pass over the log, 256 entries at a time; the rebuilt tree is a frontier, so memory stays constant."""

    def __init__(
        self, tx: Transaction, head: repository.StoredHead, checkpoints: Iterable[Checkpoint], report: Report
    ) -> None:
        self._tx = tx
        self._head = head
        self._checkpoints = sorted(checkpoints, key=lambda each: each.size)
        self._report = report
        self._frontier = tree.Frontier()
        self._missing: defaultdict[str, list[int]] = defaultdict(list)  # month -> first index, last index, how many
        self._erasures: dict[str, int] = {}
        self._cached: dict[int, tuple[int, bytes]] = {}

    async def run(self) -> None:
        for start in range(0, self._head.size, WIDTH):
            await self._bundle(start, min(WIDTH, self._head.size - start))
        self._check_head()
        self._check_missing()
        for index, what in await repository.beyond(self._tx, self._head.size):
            self._report.add("beyond_head", index, f"the {what} is not in the tree of {self._head.size}")
        for checkpoint in self._checkpoints:
            if checkpoint.size > self._head.size:
                self._report.add("truncated", self._head.size, f"a checkpoint covers {checkpoint.size} entries")

    async def _bundle(self, start: int, width: int) -> None:
        leaves = await self._leaves(start, width)
        entries = await repository.entries(self._tx, start, width)
        row = await self._tile(Tile(0, start // WIDTH))
        held = [row[i * HASH_SIZE : (i + 1) * HASH_SIZE] for i in range(width)]
        seen = [tree.leaf_hash(leaves[start + i]) if start + i in leaves else held[i] for i in range(width)]
        tile_lies = seen != held and await self._fits(start, seen)
        if tile_lies:
            first = next(i for i in range(width) if seen[i] != held[i])
            self._report.add("tile_changed", start + first, "the tile does not hold the hash of the leaf")
        for index in range(start, start + width):
            if index not in leaves:
                self._report.add("leaf_missing", index, "the log has no leaf here that can be read")
            elif seen[index - start] != held[index - start] and not tile_lies:
                self._report.add("leaf_changed", index, "the leaf does not hash to what the tree holds")
            else:
                self._check_entry(index, leaves[index], entries.get(index, []))
        await self._grow(start, seen if tile_lies else [each or bytes(HASH_SIZE) for each in held])

    async def _leaves(self, start: int, width: int) -> dict[int, bytes]:
        """The leaves of a bundle by index, those that can be read; a leaf beside them is one too many."""
        found: dict[int, bytes] = {}
        for first, run in await repository.leaf_runs(self._tx, start // WIDTH):
            try:
                leaves = tiles.unpack(run)
            except ValueError:
                continue
            for index, leaf in enumerate(leaves, first):
                if index in found or index >= start + width:
                    self._report.add("leaf_extra", index, "a leaf stands here that is none of the tree's")
                found.setdefault(index, leaf)
        return found

    async def _fits(self, start: int, hashes: Sequence[bytes]) -> bool:
        """Whether these leaf hashes lead to what the tree holds above them."""
        if not all(hashes):
            return False
        if len(hashes) == WIDTH:
            above, at = divmod(start // WIDTH, WIDTH)
            row = await self._tile(Tile(1, above))
            return tree.append(tree.Frontier(), hashes)[0].root == row[at * HASH_SIZE : (at + 1) * HASH_SIZE]
        return tree.append(self._frontier, hashes)[0].root == self._head.root

    async def _grow(self, start: int, hashes: Sequence[bytes]) -> None:
        for checkpoint in self._checkpoints:
            if start < checkpoint.size <= start + len(hashes):
                self._check_root(checkpoint, tree.append(self._frontier, hashes[: checkpoint.size - start])[0].root)
        grown, levels = tree.append(self._frontier, hashes)
        for row in tiles.tile_rows(self._frontier.size, levels):
            stored = await self._tile(row.tile)
            length = tiles.width_at(row.tile.level, row.tile.number, self._head.size) * HASH_SIZE
            part = stored[row.have * HASH_SIZE : row.have * HASH_SIZE + len(row.hashes)]
            if (row.have == 0 and len(stored) != length) or (row.tile.level and part != row.hashes):
                self._report.add(
                    "tile_changed", start, f"tile {row.tile.level}/{row.tile.number} is not what it covers"
                )
        self._frontier = grown

    def _check_root(self, checkpoint: Checkpoint, root: bytes) -> None:
        if checkpoint.root != root:
            detail = f"the first {checkpoint.size} entries are not those that were signed"
            self._report.add("checkpoint_contradicted", None, detail)

    def _check_entry(self, index: int, leaf: bytes, entries: Sequence[StoredEntry]) -> None:
        if not entries:
            self._note_missing(index, leaf)
            return
        if len(entries) > 1:
            self._report.add("entry_extra", index, f"{len(entries)} entries stand at one index")
        fault = contradiction(leaf, entries[0])
        if fault is not None:
            self._report.add(fault[0], index, fault[1])
        elif entries[0].columns.type == rules.CONTENT_ERASED:
            month = orjson.loads(entries[0].payload).get("data", {}).get("month")
            self._erasures[str(month)] = index

    def _note_missing(self, index: int, leaf: bytes) -> None:
        month = _month_of(leaf)
        first, _, times = self._missing.get(month, (index, index, 0))
        self._missing[month] = [first, index, times + 1]

    def _check_missing(self) -> None:
        """Content that is gone was erased if a later entry says so of its month; else it was deleted."""
        for month, (first, last, times) in self._missing.items():
            if self._erasures.get(month, -1) > last:
                self._report.erased += times
            else:
                self._report.add("entry_missing", first, f"{times} entries up to {last} have no content", times)

    def _check_head(self) -> None:
        self._report.size, self._report.root = self._frontier.size, self._frontier.root.hex()
        if self._frontier.root != self._head.root or b"".join(self._frontier.peaks) != self._head.peaks:
            self._report.add("root_changed", None, "the tree does not have the root that the head names")

    async def _tile(self, tile: Tile) -> bytes:
        """The stored tile; the last one of each level is kept at hand."""
        number, row = self._cached.get(tile.level, (-1, b""))
        if number != tile.number:
            row = (await repository.tiles(self._tx, [tile])).get(tile, b"")
            self._cached[tile.level] = (tile.number, row)
        return row


def contradiction(leaf: bytes, entry: StoredEntry) -> tuple[str, str] | None:
    """What an entry says that its leaf, or its own payload, does not: kind and detail; None if nothing."""
    committed = _members(leaf)
    if entry.columns.event_id != committed.get("event_id"):
        return "entry_misplaced", "another event stands here than the one that the leaf names"
    if rules.commitment(entry.salt, entry.payload) != committed.get("commit"):
        return "payload_changed", "payload or salt is not what the leaf commits to"
    if rules.leaf_of(entry.columns, entry.received_at, str(committed["commit"])) != leaf:
        return "column_changed", "class or time of receipt is not what the leaf says"
    if rules.columns_of_payload(entry.payload, entry.received_at) != entry.columns:
        return "column_changed", "a search column is not what the payload says"
    return None


def _members(leaf: bytes) -> Mapping[str, object]:
    try:
        members = orjson.loads(leaf)
    except orjson.JSONDecodeError:
        return {}
    return members if isinstance(members, dict) else {}


def _month_of(leaf: bytes) -> str:
    try:
        at = time_of(UUID(str(_members(leaf).get("event_id"))))
    except ValueError:
        at = None
    return f"{at:%Y-%m}" if at else ""
