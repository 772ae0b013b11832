"""Texts of pages, a catalogue a language, a file a noun; read once. A test of each service holds them in parity."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from shared.yamls import plain

LANGUAGE_TAGS = {"zh": "zh-CN", "en": "en"}


def read_texts(folder: Path, language: str) -> dict[str, str]:
    """Text by dotted key, of all files in `<folder>/<language>/`. ValueError for a key that two of them have."""
    found: dict[str, str] = {}
    for path in sorted((folder / language).glob("*.yaml")):
        part = dict(_flat(plain(path.read_text("utf-8")), ""))
        if doubled := sorted(found.keys() & part.keys()):
            raise ValueError(f"{path.name}: {', '.join(doubled)}: another file of {language} has it")
        found |= part
    return found


def _flat(part: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, str]]:
    for name, value in part.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", str(value)


class Texts:
    """The texts of one language."""

    def __init__(self, folder: Path, language: str) -> None:
        self.language = language
        self._texts = read_texts(folder, language)

    def text(self, key: str, **slots: object) -> str:
        """The text of a key, its slots filled in. KeyError for a key that no catalogue has: a fault of ours."""
        return self._texts[key].format(**slots)

    def has(self, key: str) -> bool:
        """Whether there is such a text."""
        return key in self._texts
