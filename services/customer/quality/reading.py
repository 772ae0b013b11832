"""Use cases of showing quality: of a file with what fails, figures to drill down in, trend, worst files (R1.4)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import Any
from uuid import UUID

from services.customer.dictionary.service import Dictionaries
from services.customer.file.service import Files
from services.customer.quality import errors, explanation, listing, repository
from services.customer.quality.assessing import Assessing
from services.customer.quality.explanation import Things
from services.customer.quality.listing import Wanted
from services.customer.quality.repository import MARKS
from services.customer.quality.rules import Reason
from services.customer.review.standing import Standings
from shared.auth import Authenticator, Principal, Scope, within
from shared.clock import CHINA, day_of
from shared.db import Record, Transaction
from shared.regime import Part

READ = "quality.read"
_CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Filters:
    """Whose files. `under`: of a unit and all below it."""

    unit: str | None = None
    under: str | None = None
    manager: str | None = None
    kind: str | None = None


class Quality:
    """Shows quality."""

    def __init__(
        self, assessing: Assessing, dictionaries: Dictionaries, standings: Standings, files: Files,
        authenticator: Authenticator,
    ) -> None:  # fmt: skip
        self._assessing = assessing
        self._dictionaries = dictionaries
        self._standings = standings
        self._files = files
        self._authenticator = authenticator
        self._things = lru_cache(maxsize=32)(self._things_of)

    def _things_of(self, kind: str, day: date) -> Things:
        noon = datetime.combine(day, time(12), CHINA)
        return explanation.things(self._dictionaries.catalogue(kind, noon), self._standings.cadences(kind, noon))

    async def of(
        self, tx: Transaction, who: Principal, customer_id: UUID, now: datetime, action: str = READ
    ) -> dict[str, Any]:
        """What is found of a file, as far as the sight of an action goes. Raises: NotFound (not_found, not_judged)"""
        file = await self._files.reach(tx, who, action, customer_id)
        row = await repository.latest(tx, customer_id)
        if row is None:
            raise errors.not_judged()
        sight = within(who, action, file["unit"], file["manager"])
        assessor = self._assessing.assessor(row["kind"], now)
        policy = None if assessor is None else assessor.policy
        known = {} if assessor is None else self._things(row["kind"], day_of(now))
        return explanation.explained(row, known, policy, sight)

    def _wanted(self, scope: Scope, filters: Filters) -> Wanted:
        units = None if filters.under is None else self._authenticator.roster.below(filters.under)
        if filters.unit is not None:
            units = frozenset({filters.unit}) if units is None else units & {filters.unit}
        return Wanted(scope, units, filters.manager, filters.kind)

    async def figures(
        self, tx: Transaction, who: Principal, by: str, filters: Filters, mark: str,
        after: tuple[Decimal, str] | None, limit: int,
    ) -> tuple[list[dict[str, Any]], tuple[str, str] | None]:  # fmt: skip
        """Units or managers, those with the worst mean mark first, and where the next page begins."""
        wanted = self._wanted(who.scope(READ), filters)
        rows = await listing.figures(tx, wanted, by, mark, after, limit + 1)
        last = rows[limit - 1] if len(rows) > limit else None
        lines = [{by: row["name"] or None, **_means(row)} for row in rows[:limit]]
        return lines, None if last is None else (str(last["mean"]), last["name"])

    async def total(self, tx: Transaction, who: Principal, filters: Filters) -> dict[str, Any]:
        """All these files together."""
        rows = await listing.figures(tx, self._wanted(who.scope(READ), filters), None, MARKS[0], None, 1)
        return _means(rows[0] if rows else None)

    async def trend(
        self, tx: Transaction, who: Principal, filters: Filters, months: int, now: datetime
    ) -> list[dict[str, Any]]:
        """The same, one month after the other: as it stood at the end of each, and as it stands; none without files."""
        first_days = [_first_of(day_of(now), -back) for back in reversed(range(months))]
        rows = await listing.months(tx, self._wanted(who.scope(READ), filters), first_days)
        return [{"month": f"{row['month']:%Y-%m}", **_means(row)} for row in rows]

    async def failing(
        self, tx: Transaction, who: Principal, filters: Filters, part: Part | None,
        after: tuple[int, str, str] | None, limit: int, now: datetime,
    ) -> tuple[list[dict[str, Any]], tuple[int, str, str] | None]:  # fmt: skip
        """What most files fail in, of what the reader may see in them, and where the next page begins."""
        wanted, found = self._wanted(Scope(), filters), list[Record]()
        for scope, things in self._seen(who, part, now).items():
            found += await listing.failing(tx, replace(wanted, scope=scope), things, after, limit + 1)
        found.sort(key=lambda row: (-row["n"], row["kind"], row["failing"]))
        last = found[limit - 1] if len(found) > limit else None
        lines = [
            {**self._things(row["kind"], day_of(now))[row["failing"]].told(), "kind": row["kind"], "files": row["n"]}
            for row in found[:limit]
        ]
        return lines, None if last is None else (last["n"], last["kind"], last["failing"])

    def _seen(self, who: Principal, part: Part | None, now: datetime) -> Mapping[Scope, list[tuple[str, str]]]:
        """Where a reader sees which things that may fail, by kind."""
        found: dict[Scope, list[tuple[str, str]]] = defaultdict(list)
        for kind in self._dictionaries.kinds(now):
            for what, thing in self._things(kind, day_of(now)).items():
                if (part is None or thing.reason.part is part) and (scope := who.scope(READ, thing.fields)):
                    found[scope].append((kind, what))
        return found

    async def files(
        self, tx: Transaction, who: Principal, filters: Filters, mark: str, below: Decimal | None, level: str | None,
        item: str | None, after: tuple[Decimal, UUID] | None, limit: int, now: datetime,
    ) -> tuple[list[dict[str, Any]], tuple[str, UUID] | None]:  # fmt: skip
        """Files, the worst first, and where the next page begins.

        Raises: Invalid (unknown_item), Forbidden (filter_not_cleared)
        """
        scope = who.scope(READ) if item is None else self._scope_of(who, item, now)
        whats = None if item is None else [f"{reason}:{item}" for reason in Reason]
        wanted = self._wanted(scope, filters)
        rows = await listing.files(tx, wanted, mark, below, level, whats, after, limit + 1)
        last = rows[limit - 1] if len(rows) > limit else None
        shown = await self._files.rows(tx, who, [row["customer_id"] for row in rows[:limit]], now)
        return [_line(row, shown) for row in rows[:limit]], None if last is None else (
            str(last[mark]),
            last["customer_id"],
        )

    def _scope_of(self, who: Principal, item: str, now: datetime) -> Scope:
        """Where a reader sees an item, rule or review of whatever kind."""
        known = [self._things(kind, day_of(now)) for kind in self._dictionaries.kinds(now)]
        found = [each.fields for things in known for each in things.values() if each.code == item]
        if not found:
            raise errors.unknown_item(item)
        scope = who.scope(READ, frozenset[Any]().union(*found))
        if not scope and who.scope(READ):
            raise errors.filter_refused(item)
        return scope


def _line(row: Record, shown: Mapping[UUID, Mapping[str, Any]]) -> dict[str, Any]:
    file = shown.get(row["customer_id"], {})
    return {
        "customer_id": row["customer_id"],
        **{name: row[name] for name in ("kind", "unit", "level", "failing", "assessed_at")},
        "manager": row["manager"] or None,
        "number": file.get("number"),
        "name": file.get("name"),
        **{name: _text(row[name]) for name in MARKS},
    }


def _means(row: Record | None) -> dict[str, Any]:
    if row is None:
        return {"files": 0, **dict.fromkeys(MARKS), "levels": {}}
    counts = {"score": row["n"], **{part.value: row[f"{part}_n"] for part in Part}}
    means = {name: _text(_mean(row[name], counts[name])) for name in MARKS}
    return {"files": int(row["n"]), **means, "levels": {level: int(n) for level, n in row["levels"].items()}}


def _mean(total: Decimal, count: int) -> Decimal | None:
    return (total / count).quantize(_CENT, ROUND_HALF_UP) if count else None


def _text(mark: Decimal | None) -> str | None:
    return None if mark is None else format(mark, "f")


def _first_of(day: date, months: int) -> date:
    index = day.year * 12 + day.month - 1 + months
    return date(index // 12, index % 12 + 1, 1)
