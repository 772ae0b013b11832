"""What takes effect by the calendar: first days, transfers, the day after the last. Called by the job and by services
whose changes may take effect at once.

The state of a person is stored together with the event that tells of it, so that each is told exactly once.
"""

from collections.abc import Sequence
from datetime import date, datetime

from services.identity.org.service import Org
from services.identity.staff import holding, repository
from services.identity.staff.chronicle import Chronicle, Fact
from services.identity.staff.handing import Holdings
from services.identity.staff.rules import Person, after, deputy_json, state_of
from shared.clock import day_of
from shared.db import Transaction
from shared.events import StaffLeft, StaffMoved

_BATCH = 100
SYSTEM = "system"


class Due:
    """Brings people up to date. `holdings`: what the features above let people hold; it ends with a leaving."""

    def __init__(self, org: Org, chronicle: Chronicle, holdings: Sequence[Holdings]) -> None:
        self._org = org
        self._chronicle = chronicle
        self._holdings = holdings

    async def take_effect(self, tx: Transaction, now: datetime) -> int:
        """Do a batch of what is due; for how many people. A job calls it until none is left."""
        await self._org.hold(tx, None)
        names = await holding.due(tx, day_of(now), _BATCH)
        for name in names:
            await self.settle(tx, name, SYSTEM, now)
        return len(names)

    async def settle(self, tx: Transaction, name: str, actor: str, now: datetime) -> None:
        """Bring one person up to date; the caller holds the directory."""
        today = day_of(now)
        await self._move(tx, name, today, actor, now)
        person = await repository.get(tx, name)
        assert person is not None
        state = state_of(person.first_day, person.last_day, today)
        if state == person.state:
            return
        if state == "left":
            await self._leave(tx, person, actor, now)
        else:
            await repository.store(tx, name, state=state)
            await self._chronicle.record(tx, name, {"state": after(state, person.state)}, actor, now)

    async def _leave(self, tx: Transaction, person: Person, actor: str, now: datetime) -> None:
        """End all that a person holds; for whom they stood in hears of it."""
        name, last_day = person.name, person.last_day
        assert last_day is not None
        relations = await holding.relations(tx, name)
        uncovered = [row for row in relations if row["deputy"] == name and row["until_on"] > last_day]
        async with self._chronicle.heard_by_deputies(tx, name, actor, now):
            await repository.store(tx, name, state="left")
            await holding.end_everything(tx, name, last_day)
            for each in self._holdings:
                await each.end_with(tx, name, last_day)
            await self._chronicle.record(tx, name, {"state": after("left", person.state)}, actor, now, _left)
        for row in uncovered:
            days = (name, row["from_on"])
            rest = deputy_json(*days, last_day) if row["from_on"] <= last_day else None
            changes = {"deputy": after(rest, deputy_json(*days, row["until_on"]))}
            await self._chronicle.record(tx, row["staff"], changes, actor, now)

    async def _move(self, tx: Transaction, name: str, today: date, actor: str, now: datetime) -> None:
        person = await repository.get(tx, name)
        unit = await holding.main_unit(tx, name, today)
        if person is None or unit is None or unit == person.unit:
            return
        former = person.unit

        def moved(fact: Fact) -> StaffMoved:
            return StaffMoved(**fact, from_unit=former)

        await repository.store(tx, name, unit=unit)
        await self._chronicle.record(tx, name, {"unit": after(unit, former)}, actor, now, moved)


def _left(fact: Fact) -> StaffLeft:
    return StaffLeft(**fact)
