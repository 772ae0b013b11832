"""Use cases of reviews: verify one file or many, list what is due, count it. Requirements R1.2, R7.3."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Literal, TypeAlias
from uuid import UUID

from services.customer.dictionary.service import Dictionaries
from services.customer.file.keys import Keys
from services.customer.file.reads import Reads
from services.customer.file.service import READ, Files
from services.customer.file.verifying import Choice, Present, Statement, Verified, Verifying
from services.customer.review import errors, listing, repository, rules
from services.customer.review.listing import Span, Wanted
from services.customer.review.rules import State
from services.customer.review.standing import Standings, standing_of
from shared.auth import Principal
from shared.clock import day_of
from shared.db import Record, Transaction
from shared.errors import KehuError, PreconditionFailed
from shared.regime import Cadence, Catalogue, Codelist, Covers, Maintenance, Regimes
from shared.sealing import KeyRing, WrappedKey

LIST, CONFIRM = "review.read", "review.confirm"
CHANNELS = "verification_channel"
"""The code list of ways in which a file is verified."""
Items: TypeAlias = Sequence[str] | Literal["all_due", "all"]
_BULK = 200
_ROUTE = "/v1/verifications"
_NOTHING_DUE = "nothing_due"


@dataclass(frozen=True, slots=True)
class Bulk:
    """What became of each customer of a bulk verification."""

    verified: list[dict[str, Any]]
    unchanged: list[UUID]
    refused: list[dict[str, Any]]
    more: bool


class Reviews:
    """Verifies files, and shows what is due."""

    def __init__(
        self, regimes: Regimes, dictionaries: Dictionaries, files: Files, verifying: Verifying, standings: Standings,
        ring: KeyRing, keys: Keys, reads: Reads,
    ) -> None:  # fmt: skip
        self._regimes = regimes
        self._dictionaries = dictionaries
        self._files = files
        self._verifying = verifying
        self._standings = standings
        self._ring = ring
        self._keys = keys
        self._reads = reads

    async def verify(
        self, tx: Transaction, who: Principal, customer_id: UUID, base: int | None, items: Items, said: Statement,
        now: datetime,
    ) -> tuple[dict[str, Any], int] | PreconditionFailed:  # fmt: skip
        """Record that items of a file, or all of it, were found right; the answer and the new version.

        Raises: NotFound, Forbidden, Invalid, Conflict (customer_erased, nothing_due), PreconditionFailed.
        """
        self._refuse_bad(None, None, said, now)
        done = await self._verify(tx, who, customer_id, base, items, said, now)
        if isinstance(done, PreconditionFailed):
            return done
        await self._follow(tx, {customer_id: done}, now)
        return _view(customer_id, done), done.version

    async def verify_many(
        self, tx: Transaction, who: Principal, customers: Mapping[UUID, int | None], items: Items, said: Statement,
        now: datetime, *, more: bool = False,
    ) -> Bulk:  # fmt: skip
        """The same of many files; each is verified or refused by itself. They are locked in order of id."""
        self._refuse_bad(None, None, said, now)
        verified: dict[UUID, Verified] = {}
        unchanged: list[UUID] = []
        refused: dict[UUID, KehuError] = {}
        for customer_id in sorted(customers):
            done: Verified | KehuError
            try:
                async with tx.savepoint():
                    done = await self._verify(tx, who, customer_id, customers[customer_id], items, said, now)
            except KehuError as refusal:
                done = refusal
            if isinstance(done, Verified):
                verified[customer_id] = done
            elif done.code == _NOTHING_DUE:
                unchanged.append(customer_id)
            else:
                refused[customer_id] = done
        await self._follow(tx, verified, now)
        for customer_id, why in refused.items():
            await self._reads.note_refusal(tx, who, CONFIRM, _ROUTE, customer_id, why)
        return Bulk(
            [_view(*each) for each in verified.items()], unchanged, [_refusal(*each) for each in refused.items()], more
        )

    async def _follow(self, tx: Transaction, verified: Mapping[UUID, Verified], now: datetime) -> None:
        """After all files are locked: whoever reckons reviews takes their rows in order of id, too."""
        checked = {customer_id: done.at for customer_id, done in verified.items() if done.whole}
        await self._standings.follow(tx, verified.keys(), now, checked)

    async def _verify(
        self, tx: Transaction, who: Principal, customer_id: UUID, base: int | None, items: Items, said: Statement,
        now: datetime,
    ) -> Verified | PreconditionFailed:  # fmt: skip
        async def choose(present: Present, catalogue: Catalogue) -> Choice:
            self._refuse_bad(present.kind, day_of(present.opened_at), said, now)
            if not isinstance(items, str):
                return Choice(list(dict.fromkeys(items)), named=True)
            if items == "all":
                kept = [code for code in present.verified_at if not _is_computed(catalogue, code)]
                return Choice(kept, whole=True)
            checked_at = await repository.checked_at(tx, customer_id)
            standing = rules.Standing(present.kind, present.status, present.opened_at, present.verified_at, checked_at)
            cadences = self._standings.cadences(present.kind, now)
            return Choice(*(cadences.open_codes(standing, day_of(now)) if cadences is not None else ((), False)))

        done = await self._verifying.verify(tx, who, CONFIRM, customer_id, base, choose, said, now)
        if isinstance(done, Verified):
            await self._keep(tx, who, customer_id, done, said, now)
        return done

    async def _keep(
        self, tx: Transaction, who: Principal, customer_id: UUID, done: Verified, said: Statement, now: datetime
    ) -> None:
        content = {"answer": said.answer, "answered_by": said.answered_by}
        sealed = self._ring.seal(done.key, str(customer_id), done.id, content)
        row = done.id, customer_id, done.version, list(done.items), done.whole, said.channel, said.on, now, who.actor
        await repository.add(tx, (*row, sealed))

    def _refuse_bad(self, kind: str | None, opened_on: date | None, said: Statement, now: datetime) -> None:
        """Raises: Invalid (bad_verification)"""
        today = day_of(now)
        cadence = None if kind is None else self._dictionaries.cadences(kind, now).get(Covers.FILE)
        calendar = None if cadence is None else self._dictionaries.calendar(cadence, now)
        channels = self._regimes.find(Codelist, CHANNELS, on=today)
        faults = rules.statement_faults(said.channel, channels, said.on, opened_on, cadence, calendar, today)
        if faults:
            raise errors.bad_verification(faults)

    async def open_of(
        self, tx: Transaction, who: Principal, manager: str, cadence: str | None, now: datetime
    ) -> tuple[dict[UUID, int | None], bool]:
        """Customers of a manager with something due or overdue, as far as the caller reaches, and whether there are
        more than one request takes."""
        spans = [*self._spans(State.OVERDUE, cadence, now), *self._spans(State.DUE, cadence, now)]
        wanted = Wanted(who.scope(CONFIRM), spans, manager=manager)
        rows = await listing.page(tx, wanted, _BULK + 1)
        found = list(dict.fromkeys(row["customer_id"] for row in rows))
        return dict.fromkeys(found[:_BULK]), len(rows) > _BULK

    async def page(
        self, tx: Transaction, who: Principal, state: State, cadence: str | None, wanted: Wanted, limit: int,
        now: datetime,
    ) -> tuple[list[dict[str, Any]], tuple[date, UUID, str] | None]:  # fmt: skip
        """Reviews in a state by their last day, and where the next page begins. Raises: Invalid (unknown_cadence)."""
        asked = Wanted(
            who.scope(LIST), self._spans(state, cadence, now), wanted.manager, wanted.unit, wanted.kind, wanted.after
        )
        rows = await listing.page(tx, asked, limit + 1)
        last = rows[limit - 1] if len(rows) > limit else None
        after = None if last is None else (last["due_on"], last["customer_id"], last["cadence"])
        return await self._tasks(tx, who, rows[:limit], state, now), after

    async def rows(self, tx: Transaction, wanted: Wanted, state: State, limit: int, now: datetime) -> list[Record]:
        """The first reviews of every cadence in a state, as they are stored."""
        return await listing.page(tx, replace(wanted, spans=self._spans(state, None, now)), limit)

    def _declared(self, now: datetime) -> dict[str, tuple[Cadence, rules.Cadences]]:
        found = {}
        for kind in self._dictionaries.kinds(now):
            cadences = self._standings.cadences(kind, now)
            for each in cadences.reviews if cadences is not None else ():
                assert cadences is not None
                found[each.id] = each, cadences
        return found

    def _spans(self, state: State, cadence: str | None, now: datetime) -> list[Span]:
        today, declared = day_of(now), self._declared(now)
        if cadence is not None and cadence not in declared:
            raise errors.unknown_cadence(cadence, sorted(declared))
        chosen = declared if cadence is None else {cadence: declared[cadence]}
        found = []
        for name, (each, cadences) in sorted(chosen.items()):
            first, last = rules.days_of(state, cadences.current(each, today), today)
            if first is None or last is None or first <= last:
                found.append(Span(name, first, last))
        return found

    async def _tasks(
        self, tx: Transaction, who: Principal, rows: Sequence[Record], state: State, now: datetime
    ) -> list[dict[str, Any]]:
        ids, declared, today = list({row["customer_id"] for row in rows}), self._declared(now), day_of(now)
        shown = await self._files.rows(tx, who, ids, now)
        due = await self._due_codes(tx, ids, now)
        tasks = []
        for row in rows:
            file = shown.get(row["customer_id"], {})
            tasks.append(
                {
                    "customer": row["customer_id"],
                    **{name: row[name] for name in ("kind", "unit", "cadence", "due_on")},
                    "manager": row["manager"] or None,
                    "number": file.get("number"),
                    "name": file.get("name"),
                    "title": declared[row["cadence"]][0].title.model_dump(),
                    "state": state.value,
                    "since": row["opens_on"],
                    "days_overdue": max(0, (today - row["due_on"]).days),
                    "items": due.get((row["customer_id"], row["cadence"]), []),
                }
            )
        return tasks

    async def _due_codes(
        self, tx: Transaction, ids: Collection[UUID], now: datetime
    ) -> dict[tuple[UUID, str], list[str]]:
        found: dict[tuple[UUID, str], list[str]] = {}
        for file in await repository.files(tx, list(ids)):
            cadences = self._standings.cadences(file["kind"], now)
            for each in cadences.of(standing_of(file, None), day_of(now)) if cadences is not None else ():
                found[file["id"], each.cadence.id] = list(each.codes)
        return found

    async def summary(self, tx: Transaction, who: Principal, wanted: Wanted, now: datetime) -> dict[str, Any]:
        """How many reviews are in which state, by unit and manager."""
        today, declared = day_of(now), self._declared(now)
        current = {name: cadences.current(each, today) for name, (each, cadences) in declared.items()}
        asked = Wanted(who.scope(LIST), (), wanted.manager, wanted.unit, wanted.kind)
        table: dict[tuple[str, str], dict[str, Any]] = {}
        whole = _tally()
        for row in await listing.counts(tx, asked):
            if row["cadence"] not in current:
                continue
            state = rules.state_by_day(row["due_on"], current[row["cadence"]], today)
            place = row["unit"], row["manager"]
            line = table.setdefault(place, {"unit": place[0], "manager": place[1] or None, "cadences": {}, **_tally()})
            for tally in (whole, line, line["cadences"].setdefault(row["cadence"], _tally())):
                tally[state.value] += row["n"]
        return {**whole, "items": list(table.values())}

    async def verifications(
        self, tx: Transaction, who: Principal, customer_id: UUID, before: tuple[datetime, UUID] | None, limit: int,
        now: datetime,
    ) -> tuple[list[dict[str, Any]], bool]:  # fmt: skip
        """Verifications of a customer, newest first, and whether there are more; answers as far as they are shown.

        Raises: NotFound, Conflict (customer_erased)."""
        await self._keys.look(tx, who, LIST, customer_id)
        rows = await repository.verifications(tx, customer_id, before, limit + 1)
        return await self.opened(tx, who, READ, customer_id, rows[:limit], now), len(rows) > limit

    async def opened(
        self, tx: Transaction, who: Principal, action: str, customer_id: UUID, rows: Sequence[Record], now: datetime
    ) -> list[dict[str, Any]]:
        """Verifications with the answers, as far as the sight of `action` shows them; that they left is recorded."""
        file = await self._files.reach(tx, who, action, customer_id)
        key = (await self._keys.of(tx, [customer_id])).get(customer_id)
        cadence = self._dictionaries.cadences(file["kind"], now).get(Covers.FILE)
        answers = None if cadence is None else cadence.answers
        sight = who.sight(action, file["unit"], file["manager"])
        if answers is None or not sight.shows(answers.secrecy, answers.field_class):
            key = None
        elif rows:
            field = {"verification.answer": (answers.secrecy, answers.field_class)}
            await self._reads.record(tx, who, sight, customer_id, field, now)
        return [self._opened(row, customer_id, key) for row in rows]

    def _opened(self, row: Record, customer_id: UUID, key: WrappedKey | None) -> dict[str, Any]:
        said = None if key is None else self._ring.open(key, str(customer_id), row["id"], row["sealed"])
        same = ("id", "version", "at", "actor", "items", "whole", "channel")
        return {
            **{name: row[name] for name in same},
            "on": row["answered_on"],
            **(_UNSEEN if said is None else said),
            "withheld": said is None,
        }


_UNSEEN = {"answer": None, "answered_by": None}


def _tally() -> dict[str, int]:
    return {each.value: 0 for each in State}


def _is_computed(catalogue: Catalogue, code: str) -> bool:
    return catalogue.items[code].maintenance is Maintenance.SYSTEM


def _view(customer_id: UUID, done: Verified) -> dict[str, Any]:
    return {
        "id": done.id, "customer": customer_id, "version": done.version, "items": list(done.items),
        "withheld": list(done.withheld), "whole": done.whole, "verified_at": done.at,
    }  # fmt: skip


def _refusal(customer_id: UUID, error: KehuError) -> dict[str, Any]:
    return {"customer": customer_id, "status": error.status, "code": error.code, "detail": error.detail}
