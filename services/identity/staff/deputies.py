"""Deputies: who holds the roles of somebody absent, from one day to another. Requirement R2.2."""

from datetime import date, datetime
from uuid import UUID

from services.identity.staff import errors, holding, repository, rules
from services.identity.staff.access import GRANT, Access, is_same
from services.identity.staff.chronicle import Chronicle
from services.identity.staff.rules import after
from shared.auth import Principal
from shared.clock import day_of
from shared.db import Record, Transaction
from shared.errors import Fault


class Deputies:
    """A deputy holds what the person holds, and nothing that the person holds as a deputy: it goes no further."""

    def __init__(self, access: Access, chronicle: Chronicle) -> None:
        self._access = access
        self._chronicle = chronicle

    async def name(
        self, tx: Transaction, who: Principal, name: str, deputy: str, from_on: date, until_on: date, now: datetime
    ) -> Record:
        """Let somebody stand in; the relation. To do so is to give roles: the same refusals hold.

        Raises: NotFound, Forbidden, Conflict, Invalid
        """
        person = await self._access.writable(tx, who, GRANT, name)
        _check_days(from_on, until_on, day_of(now), person.last_day)
        if deputy == name:
            raise errors.bad_staff([Fault("/deputy", "same_person", deputy, "somebody else")])
        if is_same(who, deputy):
            raise errors.own_standing()
        await self._access.other(tx, who, GRANT, deputy, "/deputy")
        for row in await repository.grants(tx, name):
            is_lent = rules.overlap(row["from_on"], row["until_on"], from_on, until_on)
            if is_lent and self._access.is_declared(row["role"], until_on):
                declared = await self._access.may_grant(tx, who, row["role"], row["unit"], from_on)
                if declared.custody:
                    raise errors.kept_in_custody(row["role"], row["unit"])
        if await holding.stands_in(tx, name, deputy, from_on, until_on):
            raise errors.deputy_named(deputy)
        deputy_id = await self.add(tx, name, deputy, from_on, until_on, who.actor, now)
        found = await self._relation(tx, name, deputy_id)
        assert found is not None
        return found

    async def add(
        self, tx: Transaction, name: str, deputy: str, from_on: date, until_on: date, actor: str, now: datetime
    ) -> UUID:
        """The same for a deputy who was checked, or for whom the directory file vouches."""
        async with self._chronicle.heard_by_deputies(tx, name, actor, now):
            deputy_id = await holding.add_deputy(tx, name, deputy, from_on, until_on, actor, now)
            changes = {"deputy": after(rules.deputy_json(deputy, from_on, until_on))}
            await self._chronicle.record(tx, name, changes, actor, now)
        return deputy_id

    async def end(self, tx: Transaction, who: Principal, name: str, deputy_id: UUID, now: datetime) -> None:
        """End it at once. Raises: NotFound, Forbidden, Conflict"""
        await self._access.writable(tx, who, GRANT, name)
        today = day_of(now)
        found = await self._relation(tx, name, deputy_id)
        if found is None or found["until_on"] < today:
            raise errors.no_such_deputy()
        if is_same(who, found["deputy"]):
            raise errors.own_standing()
        async with self._chronicle.heard_by_deputies(tx, name, who.actor, now):
            await holding.end_deputy(tx, deputy_id, today)
            before = rules.deputy_json(found["deputy"], found["from_on"], found["until_on"])
            await self._chronicle.record(tx, name, {"deputy": after(None, before)}, who.actor, now)

    async def _relation(self, tx: Transaction, name: str, deputy_id: UUID) -> Record | None:
        rows = await holding.relations(tx, name)
        return next((row for row in rows if row["id"] == deputy_id and row["staff"] == name), None)


def _check_days(from_on: date, until_on: date, today: date, last_day: date | None) -> None:
    faults = []
    if from_on < today:
        faults.append(Fault("/from_on", "in_the_past", from_on.isoformat(), "today or a later day"))
    if last_day is not None and from_on > last_day:
        faults.append(Fault("/from_on", "after_last_day", from_on.isoformat(), "a day before the person leaves"))
    if until_on < from_on:
        faults.append(Fault("/until_on", "before_from_on", until_on.isoformat(), "from_on or a later day"))
    if faults:
        raise errors.bad_staff(faults)
