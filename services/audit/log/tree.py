"""The Merkle tree of RFC 6962 (RFC 9162 §2.1) as pure functions over 32-byte hashes.

The log appends with it, proofs are planned and checked with it, the verifier rebuilds with it. It knows neither
storage nor what a leaf means, and it never holds more of a tree than the O(log n) hashes of a `Frontier`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256

HASH_SIZE = 32
EMPTY_ROOT = sha256(b"").digest()

Range = tuple[int, int]  # the leaves [start, end)


def leaf_hash(leaf: bytes) -> bytes:
    return sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


@dataclass(frozen=True, slots=True)
class Frontier:
    """All that appending needs to know of a tree: the roots of its perfect subtrees, largest first.

    There is one peak for each set bit of `size`.
    """

    size: int = 0
    peaks: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        if len(self.peaks) != self.size.bit_count():
            raise ValueError(f"a tree of {self.size} leaves has {self.size.bit_count()} peaks, not {len(self.peaks)}")

    @property
    def root(self) -> bytes:
        return fold(self.peaks)


def fold(peaks: Sequence[bytes]) -> bytes:
    """The root over neighbouring perfect subtrees, largest first."""
    if not peaks:
        return EMPTY_ROOT
    *rest, root = peaks
    for peak in reversed(rest):
        root = node_hash(peak, root)
    return root


def append(frontier: Frontier, leaves: Sequence[bytes]) -> tuple[Frontier, list[list[bytes]]]:
    """Grow by a batch of leaf hashes.

    The second answer holds, per tree level from the leaves up, the hashes of the perfect subtrees that the batch
    completed, in order: on level k they follow the `frontier.size >> k` that were complete before.
    """
    peaks = list(frontier.peaks)
    grown: list[bytes] = []
    levels: list[list[bytes]] = []
    row = list(leaves)
    level = 0
    while row or peaks:
        if row:
            levels.append(row)
        if frontier.size >> level & 1:
            row = [peaks.pop(), *row]
        if len(row) % 2:
            grown.append(row[-1])
        row = [sha256(b"\x01" + left + right).digest() for left, right in zip(row[::2], row[1::2], strict=False)]
        level += 1
    return Frontier(frontier.size + len(leaves), tuple(reversed(grown))), levels


def perfect(span: Range) -> Iterator[tuple[int, int]]:
    """The perfect subtrees, as (level, position), largest first, that make up a range of a proof."""
    start, end = span
    while start < end:
        level = (end - start).bit_length() - 1
        yield level, start >> level
        start += 1 << level


def inclusion_ranges(index: int, size: int) -> list[Range]:
    """The ranges whose hashes are the audit path of a leaf, from the leaf up (RFC 9162 §2.1.3.1)."""
    if not 0 <= index < size:
        raise ValueError(f"leaf {index} is not in a tree of {size}")
    start, end, path = 0, size, list[Range]()
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append((middle, end))
            end = middle
        else:
            path.append((start, middle))
            start = middle
    return path[::-1]


def consistency_ranges(old: int, new: int) -> list[Range]:
    """The ranges whose hashes prove that a tree of `old` leaves is a prefix of one of `new` (RFC 9162 §2.1.4.1)."""
    if not 0 < old <= new:
        raise ValueError(f"a tree of {old} is no prefix of a tree of {new}")
    start, end, path = 0, new, list[Range]()
    while old != end:
        middle = start + _split(end - start)
        if old <= middle:
            path.append((middle, end))
            end = middle
        else:
            path.append((start, middle))
            start = middle
    if start:  # else the old root itself is the first hash, and the verifier holds it
        path.append((start, end))
    return path[::-1]


def includes(root: bytes, size: int, index: int, leaf: bytes, path: Sequence[bytes]) -> bool:
    """Whether the audit path leads from the leaf hash to the root (RFC 9162 §2.1.3.2)."""
    if not 0 <= index < size:
        return False
    node, last, seen = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            return False
        if node & 1 or node == last:
            seen = node_hash(sibling, seen)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            seen = node_hash(seen, sibling)
        node, last = node >> 1, last >> 1
    return last == 0 and seen == root


def extends(old_root: bytes, old: int, new_root: bytes, new: int, path: Sequence[bytes]) -> bool:
    """Whether the path proves that the tree of `new` leaves begins with the tree of `old` (RFC 9162 §2.1.4.2)."""
    if not 0 < old < new:
        return not path and old_root == (new_root if old == new else EMPTY_ROOT)
    if not path:
        return False
    first, *rest = path if old & (old - 1) else [old_root, *path]
    node, last = old - 1, new - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    seen_old = seen_new = first
    for sibling in rest:
        if last == 0:
            return False
        if node & 1 or node == last:
            seen_old = node_hash(sibling, seen_old)
            seen_new = node_hash(sibling, seen_new)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            seen_new = node_hash(seen_new, sibling)
        node, last = node >> 1, last >> 1
    return last == 0 and seen_old == old_root and seen_new == new_root


def _split(size: int) -> int:
    """The largest power of two below the size: where RFC 6962 cuts a tree in two."""
    return 1 << (size - 1).bit_length() - 1
