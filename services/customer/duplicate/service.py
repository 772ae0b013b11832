"""Use cases of duplicates: ask before registering, look at a file's, list open pairs, dismiss one (R5.2).

Every unit's files are compared, or one customer would get a file in each. Of a file out of the asker's reach only that
there is one is told, by which rules, and its name if the rules say so. A rule holds for an asker only by items that
they may see: in a file within reach as they see that file, else as their action shows such items of any file.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from services.customer.dictionary.service import Dictionaries
from services.customer.duplicate import errors, repository
from services.customer.duplicate.matching import Compared, Matching, Seen
from services.customer.duplicate.rules import Finding
from services.customer.file.keys import Keys
from services.customer.file.reads import Reads
from services.customer.file.rows import Rows
from services.customer.file.service import READ as READ_FILE
from services.customer.file.service import Files
from shared.auth import Principal
from shared.db import Transaction
from shared.errors import NotFound
from shared.events import DuplicateDismissed
from shared.ids import new_id
from shared.outbox import Outbox
from shared.regime import Catalogue, Text, Verdict
from shared.sealing import KeyRing, to_text

CHECK, READ, DISMISS = "duplicate.check", "duplicate.read", "duplicate.dismiss"


@dataclass(frozen=True, slots=True)
class Side:
    """A file of a pair: its row of the list, if it is within the reader's reach; else perhaps its name."""

    row: Mapping[str, Any] | None
    name: str | None


@dataclass(frozen=True, slots=True)
class HeldRule:
    """A rule that holds between two files; the items by which, of each file that is within reach."""

    id: str
    title: Text
    same: bool
    items: tuple[str | None, str | None]


@dataclass(frozen=True, slots=True)
class Match:
    """A file that may be of the same customer, as far as its reader may know; the pair that the two are, if listed.

    `ref` names the file: by its id, or, out of reach, by what stands for it.
    """

    ref: str
    other: Side
    verdict: Verdict
    rules: Sequence[HeldRule]
    pair: UUID | None = None
    dismissed: bool = False


@dataclass(frozen=True, slots=True)
class OpenPair:
    """Two files that may be of one customer, the older one first."""

    id: UUID
    found_at: datetime
    sides: tuple[Side, Side]
    verdict: Verdict
    rules: Sequence[HeldRule]


class Duplicates:
    """Shows duplicates."""

    def __init__(
        self, matching: Matching, dictionaries: Dictionaries, files: Files, keys: Keys, reads: Reads, ring: KeyRing,
        outbox: Outbox,
    ) -> None:  # fmt: skip
        self._matching = matching
        self._dictionaries = dictionaries
        self._files = files
        self._rows = Rows(dictionaries)
        self._keys = keys
        self._reads = reads
        self._ring = ring
        self._outbox = outbox

    async def check(
        self, tx: Transaction, who: Principal, kind: str, raw: Mapping[str, Any], now: datetime
    ) -> list[Match]:
        """Files that may be of a customer with these values, the likeliest first.

        Raises: Invalid (unknown_kind, bad_values), Forbidden (item_not_cleared).
        """
        try:
            catalogue = self._dictionaries.catalogue(kind, now)
        except NotFound:
            raise errors.unknown_kind(kind, self._dictionaries.kinds(now)) from None
        values, faults = self._dictionaries.read_values(catalogue, raw, now)
        if faults:
            raise errors.bad_values(faults)
        seen = _anywhere(who, CHECK, catalogue)
        if hidden := [code for code in values if not seen(code)]:
            raise errors.not_readable(hidden)
        return await self.like(tx, who, CHECK, kind, values, now)

    async def like(
        self, tx: Transaction, who: Principal, action: str, kind: str, values: Mapping[str, Any], now: datetime
    ) -> list[Match]:
        """The same for values that the dictionary has read already; items that `action` does not show count nothing.

        For features that warn before they register: nothing is refused, an empty list says that nobody is like it.
        """
        mine = self._matching.compared(kind, values, now)
        return await self._matches(tx, who, action, mine, _anywhere(who, action, self._catalogue(kind, now)), now)

    async def of(self, tx: Transaction, who: Principal, customer_id: UUID, now: datetime) -> list[Match]:
        """Files that may be of the same customer as a file. Raises: NotFound"""
        file = await self._files.reach(tx, who, READ, customer_id)
        mine = (await self._matching.files(tx, [customer_id], now))[customer_id]
        sight, catalogue = who.sight(READ, file["unit"], file["manager"]), self._catalogue(mine.kind, now)
        seen, _ = self._reads.clear(sight, catalogue, catalogue.items)
        return await self._matches(tx, who, READ, mine, seen.__contains__, now)

    def _catalogue(self, kind: str, now: datetime) -> Catalogue:
        return self._dictionaries.catalogue(kind, now)

    async def _matches(
        self, tx: Transaction, who: Principal, action: str, mine: Compared, seen: Seen, now: datetime
    ) -> list[Match]:
        if mine.closed:
            return []
        asker = new_id() if mine.id is None else mine.id
        near = await repository.near(tx, {asker: self._matching.asked(mine, now)}, self._matching.most(now))
        others = await self._matching.files(tx, {other for _, other in near}, now)
        rows = await self._rows.of(tx, who, list(others), now)
        pairs = {} if mine.id is None else await self._pairs_with(tx, mine.id)
        found: list[tuple[Finding, Match]] = []
        for other in others.values():
            row = rows.get(other.id) if other.id is not None else None
            finding = self._matching.judge(mine, other, now, (seen, self._seen(who, action, other, row, now)))
            if finding is None:
                continue
            await self._note(tx, who, other, [hit.items[1] for hit in finding.hits], now)
            known = (mine.id is not None, row is not None)
            rules, pair = self._rules(finding, known, now), pairs.get(other.id, (None, False))
            assert other.id is not None
            ref = self._matching.reference(other.id) if row is None else str(other.id)
            match = Match(ref, self._side(other, finding, row, now), finding.verdict, rules, *pair)
            found.append((finding, match))
        found.sort(key=lambda each: (each[0].verdict is Verdict.CERTAIN, each[0].score), reverse=True)
        return [match for _, match in found]

    async def _pairs_with(self, tx: Transaction, customer_id: UUID) -> dict[UUID | None, tuple[UUID, bool]]:
        """The listed pairs of a file by the other one, and whether they were dismissed."""
        rows = await repository.pairs_of(tx, [customer_id])
        return {
            row["high"] if row["low"] == customer_id else row["low"]: (row["id"], row["dismissed_at"] is not None)
            for row in rows
        }

    def _seen(self, who: Principal, action: str, file: Compared, row: Mapping[str, Any] | None, now: datetime) -> Seen:
        """Which items of a file a reader may see, in it or, if it is out of reach, of any file."""
        catalogue = self._catalogue(file.kind, now)
        if row is None:
            return _anywhere(who, action, catalogue)
        sight = who.sight(READ_FILE, file.unit, file.manager)
        return self._reads.clear(sight, catalogue, catalogue.items)[0].__contains__

    def _side(self, file: Compared, finding: Finding, row: Mapping[str, Any] | None, now: datetime) -> Side:
        if row is not None:
            return Side(row, row["name"])
        declared = self._matching.comparers(now)[finding.definition].declared
        return Side(None, file.name if declared.names_beyond_reach else None)

    def _rules(self, finding: Finding, known: tuple[bool, bool], now: datetime) -> list[HeldRule]:
        titles = {rule.id: rule.title for rule in self._matching.comparers(now)[finding.definition].declared.rules}
        return [
            HeldRule(
                hit.rule,
                titles[hit.rule],
                hit.same,
                (hit.items[0] if known[0] else None, hit.items[1] if known[1] else None),
            )
            for hit in finding.hits
        ]

    async def _note(self, tx: Transaction, who: Principal, file: Compared, codes: Iterable[str], now: datetime) -> None:
        """That a value is the same as another tells it, so a hit on a classified item is a read of it."""
        assert file.id is not None
        sight = who.sight(READ_FILE, file.unit, file.manager)
        await self._reads.note(tx, who, sight, self._catalogue(file.kind, now), file.id, codes, now)

    async def page(
        self, tx: Transaction, who: Principal, verdict: Verdict | None, before: UUID | None, limit: int, now: datetime
    ) -> tuple[list[OpenPair], UUID | None]:
        """Open pairs of which a file is within reach, the latest first, and where the next page begins.

        A page is shorter if the reader may not see by what some of its pairs were found.
        """
        scope = who.scope(READ)
        rows = await repository.page(tx, scope, verdict and verdict.value, before, limit + 1)
        files = await self._matching.files(tx, {each for row in rows for each in (row["low"], row["high"])}, now)
        listed = await self._rows.of(tx, who, list(files), now)
        found = []
        for row in rows[:limit]:
            low, high = files[row["low"]], files[row["high"]]
            reached = tuple(each for each in (low, high) if scope.reaches(each.unit, each.manager))
            if reached and (pair := await self._pair(tx, who, row["id"], row["found_at"], (low, high), listed, now)):
                found.append(pair)
        return found, rows[limit - 1]["id"] if len(rows) > limit else None

    async def _pair(
        self, tx: Transaction, who: Principal, pair_id: UUID, found_at: datetime, sides: tuple[Compared, Compared],
        listed: Mapping[UUID, Mapping[str, Any]], now: datetime,
    ) -> OpenPair | None:  # fmt: skip
        rows = [listed.get(each.id) if each.id is not None else None for each in sides]
        low, high = (self._seen(who, READ, each, row, now) for each, row in zip(sides, rows, strict=True))
        finding = self._matching.judge(*sides, now, (low, high))
        if finding is None:
            return None
        for place, each in enumerate(sides):
            await self._note(tx, who, each, [hit.items[place] for hit in finding.hits], now)
        older, newer = (self._side(each, finding, row, now) for each, row in zip(sides, rows, strict=True))
        known = (rows[0] is not None, rows[1] is not None)
        return OpenPair(pair_id, found_at, (older, newer), finding.verdict, self._rules(finding, known, now))

    async def dismiss(self, tx: Transaction, who: Principal, pair_id: UUID, reason: str, now: datetime) -> None:
        """Say that two files are of two customers. The pair opens again when more speaks for it than now.

        Raises: NotFound, Forbidden (other_file_beyond_reach), Conflict (duplicate_dismissed, customer_erased).
        """
        row = await repository.pair(tx, pair_id)
        reached = await self._files.reach_many(tx, who, DISMISS, [row["low"], row["high"]]) if row is not None else {}
        if row is None or not reached:
            raise errors.no_such_pair()
        if len(reached) == 1:
            raise errors.beyond_reach()
        older = row["low"]
        _, key = await self._keys.hold(tx, who, DISMISS, older)
        event_id = new_id()
        sealed = self._ring.seal(key, str(older), event_id, {"reason": reason})
        kept = self._ring.seal(key, str(older), pair_id, {"reason": reason})
        if not await repository.dismiss(tx, pair_id, now, who.actor, kept):
            raise errors.dismissed_already()
        place = reached[older]
        event = DuplicateDismissed(
            customer_id=str(older), unit=place["unit"], manager=place["manager"], other_id=str(row["high"]),
            sealed=to_text(sealed),
        )  # fmt: skip
        envelope = self._outbox.envelope(
            event, feature="duplicate", subject=f"customer/{older}", actor=who.actor, at=now, event_id=event_id
        )
        await self._outbox.add(tx, envelope, event)


def _anywhere(who: Principal, action: str, catalogue: Catalogue) -> Seen:
    """Which items of a kind an action shows of some file or other."""

    def seen(code: str) -> bool:
        item = catalogue.items.get(code)
        return item is not None and who.clears(action, item.secrecy, item.field_class)

    return seen
