"""A definition in several files says what one file would say, and tells of every part where it stands."""

from pathlib import Path

import pytest

from shared.regime.codelist import Codelist
from shared.regime.reading import read

pytestmark = pytest.mark.req("R4.1")
BEARER = """\
id: place
title: {zh: 地点, en: Places}
requirement: R4.1
effective_from: 2025-01-01
owner: admin
codes:
  a: {zh: 甲, en: A}
names: |
  b 乙
examples: [{code: a, listed: true}, {code: z, listed: false}]
"""
NORTH = """\
codes:
  c: {zh: 丙, en: C}
"""
SOUTH = """\
names: |
  d 丁
"""
PLACE = "company/codelist/place"


def written(root: Path, **pages: str) -> Path:
    (root / PLACE).mkdir(parents=True)
    (root / f"{PLACE}.yaml").write_text(BEARER, encoding="utf-8")
    for name, text in pages.items():
        (root / PLACE / f"{name}.yaml").write_text(text, encoding="utf-8")
    return root


def places(root: Path) -> Codelist:
    reading = read(root)
    assert reading.problems == []
    (source,) = reading.sources
    assert isinstance(source.definition, Codelist)
    return source.definition


def problems(root: Path) -> list[str]:
    return [str(each) for each in sorted(read(root).problems)]


def test_pages_are_united_and_their_lines_follow_one_another(tmp_path: Path) -> None:
    assert list(places(written(tmp_path, north=NORTH, south=SOUTH)).codes) == ["a", "c", "b", "d"]


def test_a_definition_says_the_same_in_one_file_and_in_several(tmp_path: Path) -> None:
    whole = BEARER.replace("names:", "  c: {zh: 丙, en: C}\nnames:").replace("  b 乙\n", "  b 乙\n  d 丁\n")
    one = written(tmp_path / "one")
    (one / f"{PLACE}.yaml").write_text(whole, encoding="utf-8")
    several = written(tmp_path / "several", north=NORTH, south=SOUTH)
    assert places(one).ref == places(several).ref


def test_what_two_files_say_is_told_with_file_and_line(tmp_path: Path) -> None:
    root = written(tmp_path, north="codes:\n  # as before\n  a: {zh: 甲甲, en: AA}\n")
    assert problems(root) == [f"{PLACE}/north.yaml:3: codes.a.zh stands in another file, too (keep one of them)"]
    (root / PLACE / "north.yaml").write_text("\ntitle: 地点\n", encoding="utf-8")
    assert problems(root) == [f"{PLACE}/north.yaml:2: title stands in another file, too (keep one of them)"]


def test_what_does_not_hold_is_told_where_it_stands(tmp_path: Path) -> None:
    root = written(tmp_path, north=NORTH, south="codes:\n\n  ß: {zh: 丁, en: D}\n")
    (found,) = problems(root)
    assert found.startswith(f"{PLACE}/south.yaml:3: ")


def test_every_page_that_cannot_be_read_is_told_of(tmp_path: Path) -> None:
    root = written(tmp_path, north="codes: {a: 1, a: 2}\n", south="")
    (root / PLACE / "west.yaml").write_bytes(b"codes: \xff\n")
    assert problems(root) == [
        f"{PLACE}/north.yaml:1: the key 'a' stands twice (keep one of them)",
        f"{PLACE}/south.yaml:1: the file is empty (write a definition, or remove the file)",
        f"{PLACE}/west.yaml:1: not UTF-8 (save the file as UTF-8)",
    ]


def test_a_page_says_keys_and_values(tmp_path: Path) -> None:
    root = written(tmp_path, north="- a\n")
    assert problems(root) == [f"{PLACE}/north.yaml:1: a page that is no mapping (write key: value)"]


def test_pages_without_a_definition_are_out_of_place(tmp_path: Path) -> None:
    root = written(tmp_path, north=NORTH)
    (root / f"{PLACE}.yaml").unlink()
    (found,) = problems(root)
    assert found.startswith(f"{PLACE}/north.yaml:1: not a place for a definition")
