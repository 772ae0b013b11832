"""How a Chinese character is read, without tones: several ways for many characters, the usual one first. Pure.

The table is the one in the wheel of pypinyin. It is read as the file that it is: the package itself would load a
dictionary of phrases beside it, forty megabytes that nobody here asks for (docs/decisions).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from functools import cache, lru_cache
from importlib.metadata import files, version
from typing import NamedTuple

import orjson

VERSION = version("pypinyin")
_READINGS = 3
"""Of a character, at most; what comes after them is hardly ever meant."""


class Readings(NamedTuple):
    """Of one character: whole syllables, and their first letters, each once."""

    syllables: tuple[str, ...]
    initials: tuple[str, ...]


@cache
def table() -> Mapping[str, str]:
    """Character -> its readings with tones, separated by commas."""
    [file] = [each for each in files("pypinyin") or () if each.name == "pinyin_dict.json"]
    return {chr(int(code)): readings for code, readings in orjson.loads(file.read_binary()).items()}


@lru_cache(maxsize=20_000)
def readings(character: str) -> Readings | None:
    """How a character is read; None for what is not Chinese."""
    found = table().get(character)
    if found is None:
        return None
    syllables = tuple(dict.fromkeys(map(_plain, found.split(",")[:_READINGS])))
    return Readings(syllables, tuple(dict.fromkeys(each[0] for each in syllables)))


def _plain(syllable: str) -> str:
    """As it is typed: no tone, v for ü."""
    letters = unicodedata.normalize("NFD", syllable.replace("ü", "v").translate(_UMLAUTS))
    return "".join(letter for letter in letters if letter.isalpha())


_LONGEST = len("zhuang")
_VOWELS = frozenset("aeiouv")
_UMLAUTS = str.maketrans("ǖǘǚǜ", "vvvv")


@cache
def syllables() -> frozenset[str]:
    """All syllables there are; the sighs (m, ng) left out."""
    every = {_plain(each) for found in table().values() for each in found.split(",")}
    return frozenset(each for each in every if not _VOWELS.isdisjoint(each))


def spelled(letters: str, most: int) -> list[tuple[tuple[str, ...], bool]]:
    """How letters can be read as syllables, the fewest syllables first, at most so many ways; and, behind them, one way
    in which the last syllable is only begun (True), as it is while somebody types."""
    whole: list[tuple[str, ...]] = []
    begun: list[tuple[str, ...]] = []
    paths: list[tuple[tuple[str, ...], int]] = [((), 0)]
    while paths and len(whole) < most:
        longer = []
        for path, at in paths:
            for end in range(min(len(letters), at + _LONGEST), at, -1):
                part = letters[at:end]
                if end == len(letters):
                    whole += [(*path, part)] if part in syllables() else []
                    begun += [(*path, part)] if part in _begun() else []
                elif part in syllables():
                    longer.append(((*path, part), end))
        paths = longer[: most * 16]
    return [*((each, False) for each in whole[:most]), *((each, True) for each in begun[:1])]


@cache
def _begun() -> frozenset[str]:
    return frozenset(each[:length] for each in syllables() for length in range(1, len(each)))
