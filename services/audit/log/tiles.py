"""C2SP tlog-tiles: how a tree is cut into tiles of 256 hashes, named, and read back for proofs.

Tile (L, N) holds the hashes of tree level 8·L from position 256·N on; the last tile of a level may be partial.
Hashes below a tile's top are recomputed, never stored. Pure: the repository stores what `tile_rows` says and hands
tiles back as a mapping.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from services.audit.log.tree import HASH_SIZE, Range, fold, node_hash, perfect

HEIGHT = 8
WIDTH = 1 << HEIGHT
_LEVELS = 64  # the specification's bound: a level above 63 cannot exist
_PATH = re.compile(r"(?P<level>0|[1-9]\d?|entries)/(?P<number>(?:x\d{3}/)*\d{3})(?:\.p/(?P<width>[1-9]\d{0,2}))?")


@dataclass(frozen=True, slots=True, order=True)
class Tile:
    level: int
    number: int


Tiles = Mapping[Tile, bytes]


@dataclass(frozen=True, slots=True)
class TileRow:
    """New hashes of one tile, to be put after the `have` hashes it holds already."""

    tile: Tile
    have: int
    hashes: bytes


@dataclass(frozen=True, slots=True)
class TilePath:
    """What a tile address asks for; `level` is None for a bundle of entries, `width` is WIDTH for a full tile."""

    level: int | None
    number: int
    width: int = WIDTH

    def __str__(self) -> str:
        digits = str(self.number)
        digits = digits.zfill(-(-len(digits) // 3) * 3)
        *above, last = [digits[i : i + 3] for i in range(0, len(digits), 3)]
        number = "/".join([*(f"x{group}" for group in above), last])
        level = "entries" if self.level is None else str(self.level)
        partial = "" if self.width == WIDTH else f".p/{self.width}"
        return f"{level}/{number}{partial}"


def parse_path(text: str) -> TilePath | None:
    """Read `<L>/<N>[.p/<W>]` or `entries/<N>[.p/<W>]`; None for anything that is not the canonical spelling."""
    match = _PATH.fullmatch(text)
    if match is None:
        return None
    level = None if match["level"] == "entries" else int(match["level"])
    path = TilePath(level, int(match["number"].replace("x", "").replace("/", "")), int(match["width"] or WIDTH))
    return path if (level or 0) < _LEVELS and str(path) == text else None


def width_at(level: int, number: int, size: int) -> int:
    """How many hashes tile (level, number) holds in a tree of `size` leaves: 0 when it does not exist."""
    return max(0, min(WIDTH, (size >> HEIGHT * level) - WIDTH * number))


def tile_rows(size: int, levels: Sequence[Sequence[bytes]]) -> Iterator[TileRow]:
    """The tile parts to store when a tree of `size` leaves grew by `levels` (of `tree.append`)."""
    for level, hashes in enumerate(levels[::HEIGHT]):
        start = size >> HEIGHT * level
        taken = 0
        while taken < len(hashes):
            number, have = divmod(start + taken, WIDTH)
            part = hashes[taken : taken + WIDTH - have]
            yield TileRow(Tile(level, number), have, b"".join(part))
            taken += len(part)


def tiles_for(ranges: Iterable[Range]) -> set[Tile]:
    """The tiles that `hashes_of` needs for these ranges."""
    return {_home(level, number) for span in ranges for level, number in perfect(span)}


def hashes_of(ranges: Iterable[Range], tiles: Tiles) -> list[bytes]:
    """The hash of each range of leaves; IndexError when a tile is too short to tell."""
    return [fold([_subtree(level, number, tiles) for level, number in perfect(span)]) for span in ranges]


def runs(first: int, leaves: Sequence[bytes]) -> Iterator[tuple[int, bytes]]:
    """Leaves from index `first` on, as parts of entry bundles: the index of each part's first leaf, and the part."""
    at = 0
    while at < len(leaves):
        room = WIDTH - (first + at) % WIDTH
        yield first + at, pack(leaves[at : at + room])
        at += room


def pack(leaves: Iterable[bytes]) -> bytes:
    """An entry bundle: each leaf after its length as a big-endian uint16."""
    return b"".join(len(leaf).to_bytes(2) + leaf for leaf in leaves)


def unpack(bundle: bytes) -> list[bytes]:
    leaves, at = [], 0
    while at < len(bundle):
        size = int.from_bytes(bundle[at : at + 2])
        leaves.append(bundle[at + 2 : at + 2 + size])
        at += 2 + size
    if at != len(bundle):
        raise ValueError("the last entry of the bundle is cut short")
    return leaves


def _home(level: int, number: int) -> Tile:
    """The tile in which the subtree's hash, or the hashes just below it, are stored."""
    tile_level, above = divmod(level, HEIGHT)
    return Tile(tile_level, (number << above) // WIDTH)


def _subtree(level: int, number: int, tiles: Tiles) -> bytes:
    above = level % HEIGHT
    row = tiles[_home(level, number)]
    first = (number << above) % WIDTH
    if len(row) < (first + (1 << above)) * HASH_SIZE:
        raise IndexError(f"tile {_home(level, number)} is too short")
    hashes = [row[i * HASH_SIZE : (i + 1) * HASH_SIZE] for i in range(first, first + (1 << above))]
    while len(hashes) > 1:
        hashes = [node_hash(hashes[i], hashes[i + 1]) for i in range(0, len(hashes), 2)]
    return hashes[0]
