"""What is searched for and where it is found: pure.

A value is read as symbols in a row: its characters, the first letters of their readings, or their syllables. Where a
character is read in several ways, several symbols stand at its place. A query is read likewise, and is found where its
symbols stand one after the other. The index knows which symbols stand together (`grams`), hence may find too much, and
never too little; `Question.found` decides.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b, sha256
from itertools import product
from typing import Any, NamedTuple

from services.customer.search import errors, pinyin
from shared.regime import Catalogue, Item, SearchBy, Use, is_unsafe

FOLDING = 1
"""Rises with every change of how values are read here; the index is then built anew."""

_SPELLINGS = 2


class Place(NamedTuple):
    """The symbols that may stand here, and which character of the value they are."""

    symbols: tuple[str, ...]
    at: int


class Asked(NamedTuple):
    """A reading of a query: its symbols, of which the last may be only begun."""

    symbols: tuple[str, ...]
    begun: bool = False


@dataclass(frozen=True, slots=True)
class Way:
    """One way to read values and queries. `sizes`: how many neighbours make a gram, the most telling first."""

    name: str
    sizes: tuple[int, ...]
    read: Callable[[str], Sequence[Place]]
    ask: Callable[[str], Sequence[Asked]]


@lru_cache(maxsize=20_000)
def _folded(character: str) -> str:
    """Letters and digits, half width, lower case; nothing of spaces and marks."""
    return "".join(each for each in unicodedata.normalize("NFKC", character).casefold() if each.isalnum())


def folded(text: str) -> str:
    """A text as it is compared."""
    return "".join(map(_folded, text))


def _characters(value: str) -> list[Place]:
    return [Place((symbol,), at) for at, character in enumerate(value) for symbol in _folded(character)]


def _initials(value: str) -> list[Place]:
    return [Place(_letters(symbol, 1), at) for (symbol,), at in _characters(value)]


def _syllables(value: str) -> list[Place]:
    return [Place(_letters(symbol, 0), at) for (symbol,), at in _characters(value)]


@lru_cache(maxsize=50_000)
def _letters(symbol: str, part: int) -> tuple[str, ...]:
    """How a character is read; a letter or a digit stands for itself."""
    readings = pinyin.readings(symbol)
    return (symbol,) if readings is None else readings[part]


def _as_text(query: str) -> list[Asked]:
    return [Asked(tuple(query))]


def _as_initials(query: str) -> list[Asked]:
    """No syllable begins with one of the letters left out, and what is in Latin letters is found as text."""
    return [Asked(tuple(query))] if query.isascii() and not _NOT_INITIAL.intersection(query) else []


def _as_syllables(query: str) -> list[Asked]:
    spelled = pinyin.spelled(query, _SPELLINGS) if query.isascii() and query.isalpha() else []
    return [Asked(symbols, begun) for symbols, begun in spelled]


def _as_number(query: str) -> list[Asked]:
    return [Asked(tuple(query))] if query.isascii() else []


_NOT_INITIAL = frozenset("iuv0123456789")
_TEXT = Way("text", (2,), _characters, _as_text)
_INITIALS = Way("initials", (2,), _initials, _as_initials)
_SYLLABLES = Way("syllables", (2, 1), _syllables, _as_syllables)
_NUMBER = Way("number", (3,), _characters, _as_number)
WAYS: Mapping[SearchBy, tuple[Way, ...]] = {
    SearchBy.TEXT: (_TEXT,),
    SearchBy.PINYIN: (_INITIALS, _SYLLABLES),
    SearchBy.NUMBER: (_NUMBER,),
}


def grams(places: Sequence[Place], sizes: Iterable[int]) -> set[tuple[str, ...]]:
    """The symbols that stand together, so many at a time."""
    return {
        gram
        for size in sizes
        for window in zip(*(places[start:] for start in range(size)), strict=False)
        for gram in product(*[place.symbols for place in window])
    }


def _stands(places: Sequence[Place], asked: Asked) -> tuple[int, int] | None:
    """Where a reading of a query first stands among the symbols of a value, in characters of the value."""
    *whole, last = asked.symbols
    for start in range(len(places) - len(whole)):
        end = places[start + len(whole)]
        ends = last in end.symbols or (asked.begun and any(each.startswith(last) for each in end.symbols))
        if ends and all(symbol in place.symbols for symbol, place in zip(whole, places[start:], strict=False)):
            return places[start].at, end.at + 1
    return None


@dataclass(frozen=True, slots=True)
class Question:
    """A query, one way to read it, and an item to look for it in. `at`: its place among all, the best first."""

    at: int
    item: str
    way: Way
    asked: Asked

    @property
    def grams(self) -> set[tuple[str, ...]]:
        """What the index must say of a value; empty if the query is too short for this way."""
        whole = self.asked.symbols[:-1] if self.asked.begun else self.asked.symbols
        places = [Place((symbol,), at) for at, symbol in enumerate(whole)]
        return next((found for size in self.way.sizes if (found := grams(places, (size,)))), set())

    def found(self, value: str) -> tuple[int, int] | None:
        """Where the query stands in a value."""
        return _stands(self.way.read(value), self.asked)


def questions(query: str, items: Mapping[str, Iterable[SearchBy]]) -> list[Question]:
    """What to look for, item by item. Raises: Invalid (bad_search)."""
    text = folded(query)
    if is_unsafe(query):
        raise errors.unsafe()
    if len(text) < errors.LEAST:
        raise errors.too_short(text)
    if len(text) > errors.MOST:
        raise errors.too_long(text)
    asked = (
        (code, way, reading)
        for code, ways in items.items()
        for by in ways
        for way in WAYS[by]
        for reading in way.ask(text)
    )
    every = (Question(at, *each) for at, each in enumerate(asked))
    return [each for each in every if each.grams]


def searched(catalogues: Sequence[Catalogue]) -> dict[str, tuple[SearchBy, ...]]:
    """The items that can be searched for and how, over some kinds of customer; names first, then numbers."""
    found: dict[str, tuple[SearchBy, ...]] = {}
    for use in (Use.NAME, Use.NUMBER, None):
        for item in (item for each in catalogues for item in each.searchable if use in {item.use, None}):
            found[item.code] = tuple(dict.fromkeys((*found.get(item.code, ()), *item.search)))
    return found


def fingerprint(catalogues: Iterable[Catalogue]) -> str:
    """What an index follows from, beside its secret: how values are read, and which."""
    declared = [(each.kind, sorted((item.code, *item.search) for item in each.searchable)) for each in catalogues]
    return sha256(repr((FOLDING, pinyin.VERSION, sorted(declared))).encode()).hexdigest()


class Terms:
    """Grams as the index holds them: numbers that tell nothing to who has not the secret (R15.1)."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def of_question(self, question: Question) -> list[int]:
        """All of which must be in the index for a value that holds the query."""
        return sorted({term(self._secret, question.item, question.way.name, *gram) for gram in question.grams})

    def of_file(self, catalogue: Catalogue, unit: str, manager: str | None, values: Mapping[str, Any]) -> set[int]:
        """All that the index is to hold of a customer."""
        made = {found for item in catalogue.searchable if item.code in values for found in self._of(item, values)}
        made |= {self.place("kind", catalogue.kind), self.place("unit", unit)}
        return made if manager is None else made | {self.place("manager", manager)}

    def _of(self, item: Item, values: Mapping[str, Any]) -> Iterator[int]:
        for by in item.search:
            for way in WAYS[by]:
                for gram in grams(way.read(str(values[item.code])), way.sizes):
                    yield term(self._secret, item.code, way.name, *gram)

    def place(self, column: str, value: str) -> int:
        """Where a customer belongs: a unit, a manager, a kind."""
        return term(self._secret, column, value)


@lru_cache(maxsize=500_000)
def term(secret: bytes, *parts: str) -> int:
    """A keyed hash, as PostgreSQL's integer."""
    digest = blake2b("\0".join(parts).encode(), key=secret, digest_size=4).digest()
    return int.from_bytes(digest, "big", signed=True)
