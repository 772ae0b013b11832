"""C2SP tlog-tiles: names, widths, bundles, and what a batch stores."""

import pytest

from services.audit.log import tiles, tree
from services.audit.log.tiles import Tile, TilePath


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("0/000", TilePath(0, 0)),
        ("0/005", TilePath(0, 5)),
        ("1/999", TilePath(1, 999)),
        ("0/x001/000", TilePath(0, 1000)),
        ("63/x001/x234/067", TilePath(63, 1_234_067)),
        ("0/x001/x234/067.p/8", TilePath(0, 1_234_067, 8)),
        ("2/000.p/255", TilePath(2, 0, 255)),
        ("entries/x999/999.p/1", TilePath(None, 999_999, 1)),
        ("entries/000", TilePath(None, 0)),
    ],
)
def test_an_address_is_read_and_written_in_one_spelling(text: str, path: TilePath) -> None:
    assert tiles.parse_path(text) == path
    assert str(path) == text


@pytest.mark.parametrize(
    "text",
    ["", "0/0", "0/00", "0/1000", "0/x000/001", "0/001/x234", "00/001", "64/000", "0/000.p/0", "0/000.p/256", "-1/000",
     "0/000.p/08", "0/000.p", "entry/000", "0/000/", "0/x1/000", "0/٠٠١", "x/000", "0/000\n"],
)  # fmt: skip
def test_any_other_spelling_is_no_address(text: str) -> None:
    assert tiles.parse_path(text) is None


def test_widths_follow_the_size_of_the_tree() -> None:
    assert tiles.width_at(0, 0, 0) == 0
    assert tiles.width_at(0, 0, 70_000) == 256
    assert tiles.width_at(0, 273, 70_000) == 112
    assert tiles.width_at(0, 274, 70_000) == 0
    assert tiles.width_at(1, 1, 70_000) == 17
    assert tiles.width_at(2, 0, 70_000) == 1
    assert tiles.width_at(3, 0, 70_000) == 0


def test_a_batch_fills_partial_tiles_and_opens_new_ones() -> None:
    leaves = [tree.leaf_hash(bytes([i % 256])) for i in range(800)]
    frontier, _ = tree.append(tree.Frontier(), leaves[:250])
    rows = list(tiles.tile_rows(250, tree.append(frontier, leaves[250:])[1]))
    assert [(row.tile, row.have, len(row.hashes) // 32) for row in rows] == [
        (Tile(0, 0), 250, 6),
        (Tile(0, 1), 0, 256),
        (Tile(0, 2), 0, 256),
        (Tile(0, 3), 0, 32),
        (Tile(1, 0), 0, 3),
    ]


def test_a_proof_needs_few_tiles_however_large_the_tree() -> None:
    ranges = tree.inclusion_ranges(1_234_567, 10_000_001)
    assert len(tiles.tiles_for(ranges)) <= 6


def test_a_tile_that_is_too_short_is_noticed() -> None:
    with pytest.raises(IndexError, match="too short"):
        tiles.hashes_of([(0, 4)], {Tile(0, 0): b"\x00" * 96})


def test_runs_of_leaves_end_where_bundles_end() -> None:
    leaves = [b"%d" % i for i in range(600)]
    cut = list(tiles.runs(250, leaves))
    assert [(first, len(tiles.unpack(run))) for first, run in cut] == [(250, 6), (256, 256), (512, 256), (768, 82)]
    assert [leaf for _, run in cut for leaf in tiles.unpack(run)] == leaves


def test_bundles_are_length_prefixed_and_read_back() -> None:
    leaves = [b"", b"a", b"b" * 65_535]
    packed = tiles.pack(leaves)
    assert packed[:5] == b"\x00\x00\x00\x01a"
    assert tiles.unpack(packed) == leaves
    with pytest.raises(ValueError, match="cut short"):
        tiles.unpack(packed[:-1])
    with pytest.raises(OverflowError):
        tiles.pack([b"c" * 65_536])
