"""Leaving: announced, taken back, and what the leaver has to hand over. Requirements R2.6, R5.7."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import chain, pairwise

from services.identity.staff import errors, handing, holding, repository
from services.identity.staff.access import Access
from services.identity.staff.chronicle import Chronicle, Fact
from services.identity.staff.due import Due
from services.identity.staff.handing import Carried, Holdings
from services.identity.staff.rules import DAY, Person, after, state_of
from shared.auth import Principal
from shared.clock import day_of
from shared.db import Transaction
from shared.errors import Fault
from shared.events import StaffLeaving

READ, ANNOUNCE = "staff.read", "staff.leaving.announce"
LEAVING, TRANSFER = "leaving", "transfer"
_OF_A_UNIT = {"role", "custody"}


@dataclass(frozen=True, slots=True)
class HandOver:
    """What a person holds on their `day`, the last before they leave or move on; `reason` is none if they stay."""

    name: str
    reason: str | None
    day: date
    successor: str | None
    items: tuple[Carried, ...]


class Leavings:
    """People who leave."""

    def __init__(self, access: Access, chronicle: Chronicle, due: Due, holdings: Sequence[Holdings]) -> None:
        self._access = access
        self._chronicle = chronicle
        self._due = due
        self._holdings = holdings

    async def announce(
        self, tx: Transaction, who: Principal, name: str, last_day: date, successor: str | None, now: datetime
    ) -> Person:
        """Say on which day a person leaves, or another day than was said. They act up to the end of that day.

        A last day of yesterday ends everything at once. Raises: NotFound, Forbidden, Conflict, Invalid
        """
        person = await self._access.another(tx, who, ANNOUNCE, name)
        today = day_of(now)
        _require_here(person, today)
        _check_day(last_day, person, today)
        if person.last_day is not None and last_day > person.last_day:
            await self._access.require_no_deputy(tx, who, name, today)
        if successor == name:
            raise errors.bad_staff([Fault("/successor", "same_person", successor, "somebody else")])
        if successor is not None:
            await self._access.other(tx, who, ANNOUNCE, successor, "/successor")
        state = "expected" if person.first_day > today else "leaving"
        await self._store(tx, person, last_day, successor, state, who.actor, now)
        await self._due.settle(tx, name, who.actor, now)
        return (await repository.known(tx, [name]))[name]

    async def take_back(self, tx: Transaction, who: Principal, name: str, now: datetime) -> None:
        """The person stays. Raises: NotFound, Forbidden, Conflict"""
        person = await self._access.another(tx, who, ANNOUNCE, name)
        if person.last_day is None:
            raise errors.not_leaving()
        _require_here(person, day_of(now))
        await self._access.require_no_deputy(tx, who, name, day_of(now))
        state = state_of(person.first_day, None, day_of(now))
        await self._store(tx, person, None, None, state, who.actor, now)

    async def _store(
        self, tx: Transaction, person: Person, last_day: date | None, successor: str | None, state: str, actor: str,
        now: datetime,
    ) -> None:  # fmt: skip
        pairs = {
            "last_day": (person.last_day and person.last_day.isoformat(), last_day and last_day.isoformat()),
            "successor": (person.successor, successor),
            "state": (person.state, state),
        }
        changes = {item: after(has, was) for item, (was, has) in pairs.items() if was != has}
        if not changes:
            return
        async with self._chronicle.heard_by_deputies(tx, person.name, actor, now):
            await repository.store(tx, person.name, last_day=last_day, successor=successor, state=state)
            await self._chronicle.record(tx, person.name, changes, actor, now, _leaving)

    async def hand_over(self, tx: Transaction, who: Principal, name: str, now: datetime) -> HandOver:
        """What a person holds and who has it afterwards. Raises: NotFound"""
        person = await self._access.person(tx, who, READ, name)
        today = day_of(now)
        moves = await self._of_transfers(tx, person, today)
        if person.last_day is not None:
            items = [*await self._of_leaver(tx, person, person.last_day), *chain.from_iterable(moves.values())]
            return HandOver(name, LEAVING, person.last_day, person.successor, tuple(items))
        for eve, ending in moves.items():
            return HandOver(name, TRANSFER, eve, None, tuple(ending))
        return HandOver(name, None, today, None, tuple(await self._carried(tx, name, today)))

    async def _of_leaver(self, tx: Transaction, person: Person, day: date) -> list[Carried]:
        """What is held on the last day; a successor who is in service on the next has the posts."""
        successor = None if person.successor is None else await repository.get(tx, person.successor)
        follows = successor is not None and successor.is_in_service(day + DAY)
        named = Carried("successor", None, person.successor, person.unit, follows)
        carried = await self._carried(tx, person.name, day)
        return [named, *(replace(each, done=each.done or (follows and each.kind == "post")) for each in carried)]

    async def _of_transfers(self, tx: Transaction, person: Person, today: date) -> dict[date, list[Carried]]:
        """What ends with each transfer to come, by the day before it: the post, and what is over the unit that is left.

        Lines and absent colleagues' affairs go with the person.
        """
        posts = [row for row in await holding.posts(tx, person.name) if row["main"]]
        found = {}
        for former, coming in pairwise(posts):
            if today < coming["from_on"] <= (person.last_day or coming["from_on"]):
                eve = coming["from_on"] - DAY
                found[eve] = [
                    each
                    for each in await self._carried(tx, person.name, eve)
                    if each.id == str(former["id"]) or (each.kind in _OF_A_UNIT and each.unit == coming["releases"])
                ]
        return found

    async def _carried(self, tx: Transaction, name: str, day: date) -> list[Carried]:
        others = [item for each in self._holdings for item in await each.carried(tx, name, day)]
        kept = {(item.what, item.unit) for item in others if item.kind != "role"}
        own = await handing.of_a_leaver(tx, name, day)
        return [*(item for item in own if item.kind != "role" or (item.what, item.unit) not in kept), *others]


def _leaving(fact: Fact) -> StaffLeaving:
    return StaffLeaving(**fact)


def _require_here(person: Person, today: date) -> None:
    """Whose last day is over has left, even if the job has not come by yet."""
    if person.last_day is not None and person.last_day < today:
        raise errors.has_left()


def _check_day(last_day: date, person: Person, today: date) -> None:
    faults = []
    if last_day < today - DAY:
        fault = Fault(
            "/last_day", "in_the_past", last_day.isoformat(), "yesterday (to end everything at once) or later"
        )
        faults.append(fault)
    if last_day < person.first_day:
        faults.append(Fault("/last_day", "before_first_day", last_day.isoformat(), "the first day or a later one"))
    if faults:
        raise errors.bad_staff(faults)
