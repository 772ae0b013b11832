"""Use case of searching: what is found, as far as the reader's reach and sight go (R1.1, R2.2, R5.5).

A customer is found by an item only if the reader sees that item, and the name by which answers are ordered, of that
customer. Entries of the index may be a moment behind; what is shown is read from the file, and decided on it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from services.customer.dictionary.service import Dictionaries
from services.customer.file import columns, listing
from services.customer.file.reads import Reads
from services.customer.file.rules import after_prefix, name_key
from services.customer.search import repository, rules
from services.customer.search.index import SearchIndex
from services.customer.search.repository import Within
from services.customer.search.rules import Question, Terms
from shared.auth import Principal, Scope
from shared.db import Record, Transaction
from shared.regime import Catalogue, Use

READ = "customer.read"
MOST = 1_000
"""Customers that are put in order for one answer."""
_FARTHEST = 20_000
"""Customers of other units that are passed to find them."""
_NEAR_UNITS = 200

Rank = tuple[int, bytes, UUID]
_COLUMNS = (*listing.SHOWN, "erased_at")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to search for: `query` in customers of a kind and of a unit, those after a place in the order."""

    query: str
    kind: str | None = None
    unit: str | None = None
    after: Rank | None = None


@dataclass(slots=True)
class Found:
    """A page, and where the next one begins. `capped`: more was found than was put in order; `indexing`: some
    customers cannot be found yet."""

    items: list[dict[str, Any]] = field(default_factory=list)
    after: Rank | None = None
    capped: bool = False
    indexing: bool = False


@dataclass(frozen=True, slots=True)
class Hit:
    """A customer, their place in the order, and where the query stands."""

    rank: Rank
    row: Record
    matches: list[dict[str, Any]]


class Searching:
    """Finds customers."""

    def __init__(self, dictionaries: Dictionaries, index: SearchIndex, reads: Reads) -> None:
        self._dictionaries = dictionaries
        self._index = index
        self._reads = reads

    async def page(self, tx: Transaction, who: Principal, wanted: Wanted, limit: int, now: datetime) -> Found:
        """The customers that hold the query in an item that the reader sees. Raises: Invalid (bad_search), NotFound.

        First those whose name it is, then those whose name begins with it, then by the item that holds it, by name.
        """
        known = self._index.catalogues(now) if wanted.kind is None else [self._dictionaries.catalogue(wanted.kind, now)]
        catalogues = {each.kind: each for each in known}
        asked = rules.questions(wanted.query, rules.searched(known))
        terms, complete = await self._index.terms(tx)
        found = Found(indexing=not complete)
        if terms is None:
            return found
        scopes = {each.at: _scope(who, known, each.item) for each in asked}
        ranked, found.capped = await self._candidates(tx, terms, asked, scopes, wanted)
        hits = await self._hits(tx, catalogues, asked, scopes, ranked, limit + 1)
        read = []
        for hit in hits[:limit]:
            catalogue, row = catalogues[hit.row["kind"]], {name: hit.row[name] for name in listing.SHOWN}
            found.items.append({**columns.without_hidden(who, catalogue, row), "matches": hit.matches})
            sight = who.sight(READ, hit.row["unit"], hit.row["manager"])
            read.append((sight, catalogue, hit.row["id"], [each["item"] for each in hit.matches]))
        await self._reads.note_many(tx, who, read, now)
        found.after = hits[limit - 1].rank if len(hits) > limit else None
        return found

    async def _candidates(
        self, tx: Transaction, terms: Terms, asked: Sequence[Question], scopes: Mapping[int, Scope], wanted: Wanted
    ) -> tuple[list[Rank], bool]:
        """Customers of whom the index says that they hold the query, in order; whether there may be more."""
        narrow = [terms.place(name, value) for name in ("kind", "unit") if (value := getattr(wanted, name)) is not None]
        key = name_key(wanted.query)
        order = key, after_prefix(key) or key
        ranks: dict[UUID, Rank] = {}
        capped = False
        for scope in dict.fromkeys(scopes.values()):
            some = [(each.at, [*terms.of_question(each), *narrow]) for each in asked if scopes[each.at] == scope]
            for within in _within(terms, scope):
                rows = await repository.candidates(tx, some, within, order, MOST, _FARTHEST)
                capped = capped or any(row["capped"] for row in rows[:1])
                for row in rows:
                    if scope.reaches(row["unit"], row["manager"]):
                        rank = row["rank"], row["name_key"], row["id"]
                        ranks[row["id"]] = min(rank, ranks.get(row["id"], rank))
        return sorted(rank for rank in ranks.values() if wanted.after is None or rank > wanted.after), capped

    async def _hits(
        self, tx: Transaction, catalogues: Mapping[str, Catalogue], asked: Sequence[Question],
        scopes: Mapping[int, Scope], ranked: Sequence[Rank], most: int,
    ) -> list[Hit]:  # fmt: skip
        """The first customers that do hold the query, by what their files say now."""
        items, hits = tuple(dict.fromkeys(each.item for each in asked)), list[Hit]()
        for start in range(0, len(ranked), most):
            some = ranked[start : start + most]
            files = await repository.files(tx, [customer_id for _, _, customer_id in some], _COLUMNS, items)
            for rank in some:
                row = files.get(rank[2])
                catalogue = None if row is None or row["erased_at"] is not None else catalogues.get(row["kind"])
                if row is None or catalogue is None:
                    continue
                values = dict(zip(items, tuple(row)[1 + len(_COLUMNS) :], strict=True))
                if matches := list(_matches(catalogue, asked, scopes, row, values)):
                    hits.append(Hit(rank, row, matches))
            if len(hits) >= most:
                break
        return hits[:most]


def _scope(who: Principal, catalogues: Sequence[Catalogue], code: str) -> Scope:
    """The files of which a reader sees the item, and the name that the answer is in order of."""
    items = [each.items[code] for each in catalogues if code in each.items]
    items += [name for each in catalogues if code in each.items and (name := each.used_as(Use.NAME)) is not None]
    return who.scope(READ, {(item.secrecy, item.field_class) for item in items})


def _within(terms: Terms, scope: Scope) -> Iterator[Within]:
    if scope.everything:
        yield Within()
        return
    units = [terms.place("unit", unit) for unit in sorted(scope.units)]
    managers = [terms.place("manager", name) for name in sorted(scope.assigned_to)]
    if len(units) > _NEAR_UNITS:
        yield Within(far=units)
        units = []
    if units or managers:
        yield Within(near=[*units, *managers])


def _matches(
    catalogue: Catalogue, asked: Sequence[Question], scopes: Mapping[int, Scope], row: Record,
    values: Mapping[str, str | None],
) -> Iterator[dict[str, Any]]:  # fmt: skip
    """The items in which the reader sees the query, each once, with the place in characters."""
    done: set[str] = set()
    for question in asked:
        code, value = question.item, values[question.item]
        if value is None or code in done or code not in catalogue.items:
            continue
        if scopes[question.at].reaches(row["unit"], row["manager"]) and (place := question.found(value)) is not None:
            done.add(code)
            yield {"item": code, "value": value, "start": place[0], "end": place[1]}
