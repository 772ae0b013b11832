"""Pure rules of customer files: sort keys and list columns."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
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
