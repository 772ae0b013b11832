"""Pure rules of customer files: sort keys, differences, and when two edits clash."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.regime import Use

Json = Any


def name_key(name: str) -> bytes:
    """A sort key: bytes of GB 18030, in which the common characters stand in pinyin order; a prefix stays a prefix."""
    return unicodedata.normalize("NFKC", name).casefold().strip().encode("gb18030")


def after_prefix(key: bytes) -> bytes | None:
    """The least key above every key that begins with `key`; None if there is no such bound."""
    trimmed = key.rstrip(b"\xff")
    return trimmed[:-1] + bytes([trimmed[-1] + 1]) if trimmed else None


def columns_of(uses: Mapping[str, Use], values: Mapping[str, Json]) -> dict[str, Json]:
    """The list columns that these values fill; the name comes with its sort key."""
    columns: dict[str, Json] = {use.value: values[code] for code, use in uses.items() if code in values}
    if Use.NAME.value in columns:
        columns["name"] = columns["name"] or ""
        columns["name_key"] = name_key(columns["name"])
    return columns


def differing(before: Mapping[str, Json], wanted: Mapping[str, Json]) -> dict[str, Json]:
    """Those of the wanted values that differ from the present ones; None stands for no value on both sides."""
    return {code: value for code, value in wanted.items() if not _same(before.get(code), value)}


def _same(left: Json, right: Json) -> bool:
    return type(left) is type(right) and bool(left == right)


def before_and_after(before: Mapping[str, Json], changed: Mapping[str, Json]) -> dict[str, dict[str, Json]]:
    """What a change event seals."""
    return {code: {"before": before.get(code), "after": value} for code, value in changed.items()}


@dataclass(frozen=True, slots=True)
class Edit:
    """What one later version did to some items."""

    version: int
    changes: Mapping[str, Mapping[str, Json]]


@dataclass(frozen=True, slots=True)
class Clash:
    """An item that two people changed to different values, starting from the same one."""

    code: str
    yours: Json
    current: Json
    original: Json


def clashes(wanted: Mapping[str, Json], current: Mapping[str, Json], since: Sequence[Edit]) -> list[Clash]:
    """Items of `wanted` that an edit since the caller's version set to something else.

    Edits of different items do not clash, nor do two edits to the same value, nor an edit that was taken back.
    `since` holds the edits after the caller's version, oldest first.
    """
    found = []
    for code, yours in wanted.items():
        touched = [edit.changes[code] for edit in since if code in edit.changes]
        if not touched or _same(current.get(code), yours):
            continue
        original = touched[0].get("before")
        if not _same(original, current.get(code)):
            found.append(Clash(code, yours, current.get(code), original))
    return found


def touched_since(since: Iterable[Edit]) -> set[str]:
    """All items that some edit touched."""
    return {code for edit in since for code in edit.changes}
