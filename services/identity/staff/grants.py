"""Roles over units: given and taken away, never one's own, never more than one has. Requirement R2.2."""

from datetime import date, datetime
from uuid import UUID

from services.identity.staff import errors, holding, repository, rules
from services.identity.staff.access import GRANT, Access
from services.identity.staff.chronicle import Chronicle
from services.identity.staff.rules import Person, Role, after
from shared.auth import Principal
from shared.clock import day_of
from shared.db import Record, Transaction
from shared.errors import Fault
from shared.regime import Secrecy


class Grants:
    """Roles and clearance of people."""

    def __init__(self, access: Access, chronicle: Chronicle) -> None:
        self._access = access
        self._chronicle = chronicle

    async def give(self, tx: Transaction, who: Principal, name: str, role: Role, now: datetime) -> Record:
        """Give a person a role; the grant. Raises: NotFound, Forbidden, Conflict, Invalid"""
        person = await self._access.another(tx, who, GRANT, name)
        await self.check(tx, who, person, role, day_of(now))
        grant_id = await self.add(tx, name, role, who.actor, now)
        return next(row for row in await repository.grants(tx, name) if row["id"] == grant_id)

    async def held(self, tx: Transaction, name: str, unit: str, today: date) -> set[str]:
        """The roles that a person holds over a unit, now or later."""
        rows = await repository.grants(tx, name)
        return {row["role"] for row in rows if row["unit"] == unit and (row["until_on"] or today) >= today}

    async def check(self, tx: Transaction, who: Principal, person: Person, role: Role, today: date) -> None:
        """Whether the caller may give this role to this person. Raises: Forbidden, Conflict, Invalid"""
        _check_days(role, today, person.last_day)
        await self._access.unit(tx, who, GRANT, role.unit)
        declared = await self._access.may_grant(tx, who, role.role, role.unit, role.from_on)
        await self._access.require_no_deputy(tx, who, person.name, role.from_on)
        if any(rules.is_again(role, _role_of(row)) for row in await repository.grants(tx, person.name)):
            raise errors.role_held(role.role, role.unit)
        if declared.custody:
            was_of_others = await repository.was_given_to_others(tx, role.role, role.unit, person.name)
            if was_of_others or await self.lends(tx, person.name, role.from_on):
                raise errors.kept_in_custody(role.role, role.unit)

    async def holders(self, tx: Transaction, role: str, unit: str) -> list[Record]:
        """Everybody who was given a role over a unit."""
        return await repository.holders(tx, role, unit)

    async def lends(self, tx: Transaction, name: str, on: date) -> bool:
        """Whether somebody stands in for a person on a day or later, and so holds what the person holds."""
        return bool(await holding.deputies(tx, name, on))

    async def add(self, tx: Transaction, name: str, role: Role, actor: str, now: datetime) -> UUID:
        """The same for a grant that was checked."""
        async with self._chronicle.heard_by_deputies(tx, name, actor, now):
            grant_id = await repository.add_grant(tx, name, role, actor, now)
            await self._chronicle.record(tx, name, {"role": after(role.as_json())}, actor, now)
        return grant_id

    async def take(self, tx: Transaction, who: Principal, name: str, grant_id: UUID, now: datetime) -> None:
        """Take a role away, from this moment on. Raises: NotFound, Forbidden, Conflict"""
        await self._access.another(tx, who, GRANT, name)
        today = day_of(now)
        found = next((row for row in await repository.grants(tx, name) if row["id"] == grant_id), None)
        if found is None or (found["until_on"] is not None and found["until_on"] < today):
            raise errors.no_such_role()
        if not who.scope(GRANT).reaches(found["unit"]):
            raise errors.unit_out_of_reach(found["unit"], "")
        await self.end(tx, found, who.actor, now)

    async def end(self, tx: Transaction, given: Record, actor: str, now: datetime) -> None:
        """The same for a grant that somebody else decided about; the caller holds the directory."""
        name, before = given["staff"], _role_of(given).as_json()
        async with self._chronicle.heard_by_deputies(tx, name, actor, now):
            await holding.end_grant(tx, given["id"], day_of(now))
            await self._chronicle.record(tx, name, {"role": after(None, before)}, actor, now)

    async def clear(self, tx: Transaction, who: Principal, name: str, level: Secrecy | None, now: datetime) -> None:
        """Cap what a person's roles clear, or not (None). Raises: NotFound, Forbidden, Conflict

        Nobody clears another higher than themselves; lowering is open to all who give roles.
        """
        person = await self._access.another(tx, who, GRANT, name)
        wanted, present = level or Secrecy.TOP_SECRET, Secrecy(person.clearance or Secrecy.TOP_SECRET)
        if not present.covers(wanted):
            await self._access.require_no_deputy(tx, who, name, day_of(now))
            if not who.sight(GRANT, person.unit).shows(wanted):
                raise errors.clearance_too_high(level)
        value = level.value if level else None
        if value != person.clearance:
            async with self._chronicle.heard_by_deputies(tx, name, who.actor, now):
                await repository.store(tx, name, clearance=value)
                await self._chronicle.record(tx, name, {"clearance": after(value, person.clearance)}, who.actor, now)


def _role_of(row: Record) -> Role:
    return Role(row["role"], row["unit"], row["from_on"], row["until_on"])


def _check_days(role: Role, today: date, last_day: date | None) -> None:
    faults = []
    if role.from_on < today:
        faults.append(Fault("/from_on", "in_the_past", role.from_on.isoformat(), "today or a later day"))
    if last_day is not None and role.from_on > last_day:
        faults.append(Fault("/from_on", "after_last_day", role.from_on.isoformat(), "a day before the person leaves"))
    if role.until_on is not None and role.until_on < role.from_on:
        faults.append(Fault("/until_on", "before_from_on", role.until_on.isoformat(), "from_on or a later day"))
    if faults:
        raise errors.bad_staff(faults)
