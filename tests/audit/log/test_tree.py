"""The Merkle tree against RFC 6962's definition, published vectors, and proofs made by Go's sumdb/tlog."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from services.audit.log import tiles, tree

VECTORS: dict[str, Any] = json.loads((Path(__file__).parent / "go_vectors.json").read_text())
MOST = 1024
LEAVES = [tree.leaf_hash(f"entry {i}".encode()) for i in range(66_000)]

# The leaves and roots that the reference implementations of certificate transparency publish.
CT_LEAVES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
CT_ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


@cache
def mth(start: int, end: int) -> bytes:
    """RFC 6962 §2.1 as it is written: the slow oracle."""
    if end - start == 0:
        return tree.EMPTY_ROOT
    if end - start == 1:
        return LEAVES[start]
    cut = 1
    while cut * 2 < end - start:
        cut *= 2
    return tree.node_hash(mth(start, start + cut), mth(start + cut, end))


def naive_path(index: int, start: int, end: int) -> list[bytes]:
    if end - start == 1:
        return []
    cut = 1
    while cut * 2 < end - start:
        cut *= 2
    middle = start + cut
    if index < middle:
        return [*naive_path(index, start, middle), mth(middle, end)]
    return [*naive_path(index, middle, end), mth(start, middle)]


def naive_subproof(old: int, start: int, end: int, whole: bool) -> list[bytes]:
    if start + old == end:
        return [] if whole else [mth(start, end)]
    cut = 1
    while cut * 2 < end - start:
        cut *= 2
    middle = start + cut
    if start + old <= middle:
        return [*naive_subproof(old, start, middle, whole), mth(middle, end)]
    return [*naive_subproof(start + old - middle, middle, end, False), mth(start, middle)]


def grow(stored: dict[tiles.Tile, bytes], frontier: tree.Frontier, leaves: list[bytes]) -> tree.Frontier:
    grown, levels = tree.append(frontier, leaves)
    for row in tiles.tile_rows(frontier.size, levels):
        before = stored.get(row.tile, b"")
        assert len(before) == row.have * tree.HASH_SIZE
        stored[row.tile] = before + row.hashes
    return grown


@pytest.fixture(scope="module")
def stored() -> dict[tiles.Tile, bytes]:
    rows: dict[tiles.Tile, bytes] = {}
    frontier = tree.Frontier()
    for size in (1, 254, 2, 999, 3000, 61_744):
        frontier = grow(rows, frontier, LEAVES[frontier.size : frontier.size + size])
    assert frontier.size == len(LEAVES)
    return rows


def test_roots_equal_the_published_vectors() -> None:
    frontier = tree.Frontier()
    for leaf, root in zip(CT_LEAVES, CT_ROOTS, strict=True):
        frontier, _ = tree.append(frontier, [tree.leaf_hash(bytes.fromhex(leaf))])
        assert frontier.root.hex() == root


def test_roots_equal_those_of_go() -> None:
    for size, root in VECTORS["roots"].items():
        assert tree.append(tree.Frontier(), LEAVES[: int(size)])[0].root.hex() == root


def test_every_size_up_to_1024_has_the_root_of_the_definition_whatever_the_batches() -> None:
    single = tree.Frontier()
    for size in range(MOST + 1):
        assert single.root == mth(0, size)
        halves = tree.append(tree.append(tree.Frontier(), LEAVES[: size // 3])[0], LEAVES[size // 3 : size])[0]
        assert halves == single
        single, _ = tree.append(single, [LEAVES[size]])


def test_an_empty_batch_changes_nothing() -> None:
    frontier, _ = tree.append(tree.Frontier(), LEAVES[:11])
    assert tree.append(frontier, []) == (frontier, [])


def test_a_frontier_without_all_its_peaks_is_refused() -> None:
    with pytest.raises(ValueError, match="has 2 peaks"):
        tree.Frontier(3, (LEAVES[0],))


def test_inclusion_paths_equal_those_of_go(stored: dict[tiles.Tile, bytes]) -> None:
    for case in VECTORS["inclusion"]:
        ranges = tree.inclusion_ranges(case["index"], case["size"])
        assert [hashed.hex() for hashed in tiles.hashes_of(ranges, stored)] == case["path"]


def test_consistency_paths_equal_those_of_go(stored: dict[tiles.Tile, bytes]) -> None:
    for case in VECTORS["consistency"]:
        path = tiles.hashes_of(tree.consistency_ranges(case["old"], case["new"]), stored)
        assert tree.extends(mth(0, case["old"]), case["old"], mth(0, case["new"]), case["new"], path)
        if case["old"] != case["new"]:
            # Go spells RFC 6962 §2.1.2 with the same hashes, in the same order
            assert [hashed.hex() for hashed in path] == case["path"]


@pytest.mark.parametrize("part", range(4))
def test_inclusion_is_proved_for_every_size_up_to_1024(stored: dict[tiles.Tile, bytes], part: int) -> None:
    for size in range(part + 1, MOST + 1, 4):
        root = mth(0, size)
        for index in range(size) if size < 70 else {0, 1, 255, 256, size // 2, size - 2, size - 1} & set(range(size)):
            path = tiles.hashes_of(tree.inclusion_ranges(index, size), stored)
            assert path == naive_path(index, 0, size)
            assert tree.includes(root, size, index, LEAVES[index], path)


@pytest.mark.parametrize("part", range(4))
def test_consistency_is_proved_for_every_size_up_to_1024(stored: dict[tiles.Tile, bytes], part: int) -> None:
    for new in range(part + 1, MOST + 1, 4):
        root = mth(0, new)
        olds = range(1, new + 1) if new < 70 else {1, 2, 255, 256, 257, new // 2, new - 1, new} & set(range(1, new + 1))
        for old in olds:
            path = tiles.hashes_of(tree.consistency_ranges(old, new), stored)
            assert path == naive_subproof(old, 0, new, True)
            assert tree.extends(mth(0, old), old, root, new, path)


def test_a_false_inclusion_proof_is_refused(stored: dict[tiles.Tile, bytes]) -> None:
    index, size = 77, 700
    root, path = mth(0, size), tiles.hashes_of(tree.inclusion_ranges(77, 700), stored)
    assert not tree.includes(root, size, index, LEAVES[78], path)
    assert not tree.includes(root, size, index + 1, LEAVES[index], path)
    assert not tree.includes(root, size, size, LEAVES[index], path)
    assert not tree.includes(root, 80, index, LEAVES[index], path)
    assert not tree.includes(root, size, index, LEAVES[index], path[:-1])
    assert not tree.includes(root, size, index, LEAVES[index], [*path, path[0]])
    assert not tree.includes(mth(0, 699), size, index, LEAVES[index], path)
    for at in range(len(path)):
        assert not tree.includes(root, size, index, LEAVES[index], [*path[:at], LEAVES[0], *path[at + 1 :]])


def test_a_false_consistency_proof_is_refused(stored: dict[tiles.Tile, bytes]) -> None:
    old, new = 300, 700
    before, after = mth(0, old), mth(0, new)
    path = tiles.hashes_of(tree.consistency_ranges(old, new), stored)
    assert not tree.extends(mth(0, 301), old, after, new, path)
    assert not tree.extends(before, old, mth(0, 701), new, path)
    assert not tree.extends(before, 301, after, new, path)
    assert not tree.extends(before, old, after, new, path[:-1])
    assert not tree.extends(before, old, after, new, [*path, path[0]])
    assert not tree.extends(before, old, after, new, [])
    assert not tree.extends(after, new, before, old, path)
    assert not tree.extends(before, old, after, old, [])
    for at in range(len(path)):
        assert not tree.extends(before, old, after, new, [*path[:at], LEAVES[0], *path[at + 1 :]])


def test_every_tree_extends_the_empty_one_and_itself() -> None:
    assert tree.extends(tree.EMPTY_ROOT, 0, mth(0, 9), 9, [])
    assert tree.extends(mth(0, 9), 9, mth(0, 9), 9, [])
    assert not tree.extends(LEAVES[0], 0, mth(0, 9), 9, [])


@pytest.mark.parametrize(("index", "size"), [(0, 0), (5, 5), (-1, 3)])
def test_a_leaf_outside_the_tree_has_no_path(index: int, size: int) -> None:
    with pytest.raises(ValueError, match="not in a tree"):
        tree.inclusion_ranges(index, size)


@pytest.mark.parametrize(("old", "new"), [(0, 3), (4, 3)])
def test_a_larger_tree_is_no_prefix(old: int, new: int) -> None:
    with pytest.raises(ValueError, match="no prefix"):
        tree.consistency_ranges(old, new)
