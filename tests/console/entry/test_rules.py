"""Proofs hold exactly when they should; days of the form are whole Chinese days."""

import base64
from datetime import date
from hashlib import sha256
from typing import Any

import pytest

from services.console.entry.rules import Search, proves, read_checkpoint, tidy


def leaf(number: int) -> bytes:
    return sha256(b"\x00" + str(number).encode()).digest()


def root_of(leaves: list[bytes]) -> bytes:
    """RFC 9162 §2.1.1, by its definition."""
    if len(leaves) == 1:
        return leaves[0]
    middle = 1 << (len(leaves) - 1).bit_length() - 1
    return sha256(b"\x01" + root_of(leaves[:middle]) + root_of(leaves[middle:])).digest()


def path_of(index: int, leaves: list[bytes]) -> list[bytes]:
    """RFC 9162 §2.1.3.1, by its definition."""
    if len(leaves) == 1:
        return []
    middle = 1 << (len(leaves) - 1).bit_length() - 1
    if index < middle:
        return [*path_of(index, leaves[:middle]), root_of(leaves[middle:])]
    return [*path_of(index - middle, leaves[middle:]), root_of(leaves[:middle])]


def proof_of(index: int, size: int) -> dict[str, Any]:
    leaves = [leaf(each) for each in range(size)]
    return {
        "index": index,
        "size": size,
        "leaf_hash": leaves[index].hex(),
        "path": [each.hex() for each in path_of(index, leaves)],
        "root": root_of(leaves).hex(),
    }


@pytest.mark.req("R2.1")
@pytest.mark.parametrize("size", [1, 2, 3, 5, 8, 13, 33])
def test_every_true_proof_holds(size: int) -> None:
    assert all(proves(proof_of(index, size), index, leaf(index).hex()) for index in range(size))


@pytest.mark.req("R2.1")
@pytest.mark.parametrize(
    "wrong",
    [
        {"root": "0" * 64},
        {"path": []},
        {"path": ["0" * 64] * 4},
        {"path": ["zz"] * 4},
        {"path": None},
        {"path": [None]},
        {"size": 3},
        {"size": None},
        {"size": 40},
        {"leaf_hash": leaf(4).hex()},
        {"root": None},
    ],
)
def test_a_proof_that_is_wrong_anywhere_does_not_hold(wrong: dict[str, Any]) -> None:
    assert not proves({**proof_of(3, 13), **wrong}, 3, leaf(3).hex())


def test_a_proof_of_another_leaf_or_place_does_not_hold() -> None:
    assert not proves(proof_of(3, 13), 3, leaf(4).hex())
    assert not proves(proof_of(3, 13), 2, leaf(3).hex())


def test_a_checkpoint_is_read_or_refused() -> None:
    root = sha256(b"tree").digest()
    note = f"kehu.test/audit\n12\n{base64.b64encode(root).decode()}\n\n— kehu.test/audit signature\n"
    found = read_checkpoint(note)
    assert found is not None
    assert (found.origin, found.size, found.root) == ("kehu.test/audit", 12, root.hex())
    for bad in ("", "a\n1\n", "a\nmany\n" + base64.b64encode(root).decode(), "a\n1\nnot base64!\n", "a\n1\nAAAA\n"):
        assert read_checkpoint(bad) is None


def test_days_are_whole_days_of_the_chinese_calendar() -> None:
    query = Search(since=date(2026, 11, 1), until=date(2026, 11, 30)).query
    assert (query["from"], query["to"]) == ("2026-11-01T00:00:00+08:00", "2026-12-01T00:00:00+08:00")
    assert Search(until=date.max).query["to"] is None


def test_blanks_do_not_filter() -> None:
    assert [tidy(each) for each in (None, "", "  ", " customer/1 ")] == [None, None, None, "customer/1"]
