"""Texts of pages, a catalogue a language; read once. A test of each service holds its catalogues in parity."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from shared.yamls import plain

LANGUAGE_TAGS = {"zh": "zh-CN", "en": "en"}


def read_texts(folder: Path, language: str) -> dict[str, str]:
    """Text by dotted key, of `<folder>/<language>.yaml`."""
    return dict(_flat(plain((folder / f"{language}.yaml").read_text("utf-8")), ""))


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
